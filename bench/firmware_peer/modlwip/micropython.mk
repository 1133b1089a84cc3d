# MicroPython's own socket module over lwIP (extmod/modlwip.c) on ports/qemu, in place of ours: firmware to compare with.
# lwIP, its options, the driver and the board are the same. bench/firmware_speed.py builds it:
#
#   make USER_C_MODULES=<usocket>/bench/firmware_peer ...
#
# modlwip.c and its `select` are always compiled; these switches turn them on. lwIP is locked as this board locks it for
# ours, and works in PendSV, as it does on MicroPython's rp2 and stm32.
SRC_USERMOD_C += $(USERMOD_DIR)/board.c
CFLAGS_USERMOD += -DMICROPY_PY_LWIP="(1)" -Dsys_prot_t=uint32_t \
	-DMICROPY_PY_LWIP_ENTER="board_lock_lwip();" -DMICROPY_PY_LWIP_REENTER="board_lock_lwip();" \
	-DMICROPY_PY_LWIP_EXIT="board_unlock_lwip();"
