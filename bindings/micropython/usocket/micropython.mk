# usocket as a user C module of MicroPython (>= 1.22) and Pycopy (3.6), for ports that are built with make.
#
#   make -C ports/unix USER_C_MODULES=<usocket>/bindings/micropython MICROPY_PY_SOCKET=0
#
# builds a firmware whose `usocket` and `socket` are this module instead of the host's own. Ports that are built with
# CMake: see ../micropython.cmake.
#
# USOCKET_TLS=1 puts TLS into it: `ussl`, `ssl` and `tls` are ours, over the host's mbedTLS. By default where the host has
# that library for its own `tls` (MICROPY_PY_SSL=1 MICROPY_SSL_MBEDTLS=1); USOCKET_TLS=0 leaves the host its `tls`.
#
# USOCKET_STACK_NAME=lwip puts it over lwIP instead of a system's sockets (docs/porting.md); the port's flags have to find
# lwIP's headers, and with MICROPY_USE_INTERNAL_ERRNO=1 its CXXFLAGS must say -DUSOCKET_INTERNAL_ERRNO. The port has
# lwIP's sources, mbedTLS's (USOCKET_MBEDTLS_LIBS= then) and the few functions that this asks of it.

# USOCKET_WITHOUT="poll creating sharing windows texts groups quick", or some of these, leaves out what docs/firmware.md says.

# Through a link, too: it may stand in a folder beside modules of one's own.
USOCKET_ROOT := $(realpath $(USERMOD_DIR)/../../..)
USOCKET_CORE := $(USOCKET_ROOT)/src
USOCKET_STACK_NAME ?= posix
USOCKET_STACK := $(USOCKET_CORE)/sys/$(USOCKET_STACK_NAME)

USOCKET_WITHOUT ?=
USOCKET_UNKNOWN := $(filter-out poll creating sharing windows texts groups quick,$(USOCKET_WITHOUT))
ifneq ($(USOCKET_UNKNOWN),)
$(error usocket: USOCKET_WITHOUT has no part of these names: $(USOCKET_UNKNOWN))
endif
CFLAGS_USERMOD += $(addprefix -DUSOCKET_WITHOUT_,$(USOCKET_WITHOUT))
CXXFLAGS_USERMOD += $(addprefix -DUSOCKET_WITHOUT_,$(USOCKET_WITHOUT))
USOCKET_LEFT_OUT := $(if $(filter poll,$(USOCKET_WITHOUT)),%/poll.c %/callbacks.c %/callbacks_lwip.c %/callbacks_thread.c)

# Named as the host's own scan for modules and qstrs expects it.
USOCKET_C := $(filter-out $(USOCKET_LEFT_OUT),$(wildcard $(USERMOD_DIR)/*.c))
SRC_USERMOD += $(USOCKET_C)
SRC_USERMOD_CXX += $(wildcard $(USERMOD_DIR)/*.cpp)

USOCKET_HOST_TLS := $(if $(filter 1,$(MICROPY_PY_SSL)),$(filter 1,$(MICROPY_SSL_MBEDTLS)))
USOCKET_TLS ?= $(or $(USOCKET_HOST_TLS),0)
ifeq ($(USOCKET_TLS),1)
SRC_USERMOD_CXX += $(wildcard $(USOCKET_CORE)/tls/*.cpp $(USOCKET_CORE)/tls/mbedtls/*.cpp $(USOCKET_CORE)/c/tls/*.cpp)
CFLAGS_USERMOD += -DUSOCKET_TLS="(1)"
ifeq ($(USOCKET_HOST_TLS),1)
# The host's own module makes way for ours; what else of the host's is over the library stays (hashlib, cryptolib).
$(BUILD)/extmod/modtls_mbedtls.o: CFLAGS += -UMICROPY_PY_SSL -DMICROPY_PY_SSL="(0)"
else
USOCKET_MBEDTLS_LIBS ?= -lmbedtls -lmbedx509 -lmbedcrypto
LDFLAGS_USERMOD += $(USOCKET_MBEDTLS_LIBS)
endif
endif

# Constants are in a table of their own (constants.cpp).
SRC_USERMOD_CXX += $(filter-out $(USOCKET_CORE)/tls/% %/constants.cpp,\
	$(wildcard $(USOCKET_CORE)/*.cpp $(USOCKET_CORE)/*/*.cpp $(USOCKET_STACK)/*.cpp))
ifeq ($(USOCKET_STACK_NAME),lwip)
# The names that a system with BSD sockets has in its headers.
USOCKET_HEADERS := -I$(USOCKET_STACK)/headers
SRC_USERMOD_CXX += $(USOCKET_CORE)/sys/posix/memory.cpp
CFLAGS_USERMOD += $(USOCKET_HEADERS)
# Without them calls can be shorter.
USOCKET_ONE_THREAD := $(if $(findstring USOCKET_LWIP_THREADS,$(CXXFLAGS) $(CFLAGS)),,-DUSOCKET_ONE_THREAD)
CFLAGS_USERMOD += $(USOCKET_ONE_THREAD)
CXXFLAGS_USERMOD += $(USOCKET_ONE_THREAD)
else
# As in $(USOCKET_STACK)/stack.cmake.
usocket_has = $(shell echo 'int i;' | $(CXX) -x c++ -include $(1) -E - 2>/dev/null)
USOCKET_CALLS := $(if $(call usocket_has,linux/futex.h),linux,plain)
USOCKET_POLLER := $(if $(call usocket_has,sys/epoll.h),epoll,$(if $(call usocket_has,sys/event.h),kqueue,poll))
SRC_USERMOD_CXX += $(wildcard $(USOCKET_STACK)/$(USOCKET_CALLS)/*.cpp) $(USOCKET_STACK)/poller/$(USOCKET_POLLER).cpp
endif

# Memory is the host's collector's, and the signals are its own (host.c). The C files read usocket.h as the core does.
USOCKET_DEFINES := -DUSOCKET_SMALL -DUSOCKET_HOST_HOOKS -I$(USOCKET_ROOT)/include
CFLAGS_USERMOD += $(USOCKET_DEFINES)
# No exceptions, no RTTI, no libstdc++: the host links with the C compiler.
CXXFLAGS_USERMOD += -std=c++20 -fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-unwind-tables \
	-fno-asynchronous-unwind-tables $(USOCKET_DEFINES) -I$(USOCKET_CORE) $(USOCKET_HEADERS)

# The core is optimised as one: GCC leaves the inner form beside the code in each object, and the linker's plugin makes
# one piece of them. A linker without the plugin takes the code. The C files stay outside: the host's longjmp goes to
# them, and must find in memory what they have lent (bridge.h). What is opaque there has another type inside.
# What stands behind -fno-strict-aliasing makes -Os smaller: a call is longer than a function of three instructions. So
# does one partition, and that no function is parted from its first lines, which each file would have for itself.
# On x86-64 a call through the table of addresses is a byte longer than one by a stub, of which there is one for each
# function of the C library; and tables stand as close as they may.
USOCKET_WHOLE := -flto=auto -flto-partition=one -ffat-lto-objects -fno-strict-aliasing \
	--param=max-inline-insns-size=3 -fno-caller-saves -fno-partial-inlining \
	$(if $(filter x86_64-%,$(shell $(CXX) -dumpmachine)),-fno-plt -malign-data=abi)
define USOCKET_IS_GCC
printf '\043ifdef __clang__\n\043error\n\043endif\n' | $(CXX) $(USOCKET_WHOLE) -x c++ -c -o /dev/null - 2>/dev/null && \
	[ "$$($(CC) -dumpfullversion)" = "$$($(CXX) -dumpfullversion)" ] && echo yes
endef
ifeq ($(shell $(USOCKET_IS_GCC)),yes)
CXXFLAGS_USERMOD += $(USOCKET_WHOLE)
# The link asks for these anew.
LDFLAGS_USERMOD += -flto-partition=one -fno-unwind-tables -fno-asynchronous-unwind-tables
endif

# What is C here is as small: nobody throws through it.
$(patsubst $(USERMOD_DIR)/%.c,$(BUILD)/$(notdir $(USERMOD_DIR))/%.o,$(USOCKET_C)): \
	CFLAGS += -fno-unwind-tables -fno-asynchronous-unwind-tables

# Ctrl-C longjmps out of whatever runs (MICROPY_ASYNC_KBD_INTR): host.c has a handler before the one that the host sets.
ifneq ($(wildcard unix_mphal.c),)
CFLAGS_USERMOD += -DUSOCKET_SETS_INTERRUPT_CHAR="(1)"
$(BUILD)/unix_mphal.o: CFLAGS += -Dmp_hal_set_interrupt_char=usocket_host_set_interrupt_char
$(BUILD)/unix_mphal.o: $(USERMOD_DIR)/micropython.mk
# A signal ends the collector's wait for other threads: host.c waits on.
$(BUILD)/mpthreadport.o: CFLAGS += -Dsem_wait=usocket_host_sem_wait
$(BUILD)/mpthreadport.o: $(USERMOD_DIR)/micropython.mk
endif

# make does not compile again what was compiled with other flags: a folder that holds a build without this module, or
# with other settings, would become one that has both or neither.
USOCKET_GENERATED := $(BUILD)/usocket-generated
USOCKET_SETTINGS := MICROPY_PY_SOCKET=$(MICROPY_PY_SOCKET) MICROPY_PY_SELECT=0 USOCKET_TLS=$(USOCKET_TLS) \
	USOCKET_STACK_NAME=$(USOCKET_STACK_NAME) USOCKET_WITHOUT="$(USOCKET_WITHOUT)"
ifeq ($(filter clean,$(MAKECMDGOALS)),)
ifneq ($(wildcard $(BUILD)/genhdr),)
ifneq ($(shell cat $(USOCKET_GENERATED)/settings 2>/dev/null),$(USOCKET_SETTINGS))
$(error usocket: $(BUILD) holds a build without usocket or with other settings; remove it, or give another BUILD=)
endif
endif
endif

# The constants of NAME-3 that the compiler's headers have, for constants.cpp.
CXXFLAGS_USERMOD += -I$(USOCKET_GENERATED)
ifneq ($(shell mkdir -p $(USOCKET_GENERATED) && cd $(USOCKET_GENERATED) && echo '$(USOCKET_SETTINGS)' >settings && \
	sh $(USOCKET_CORE)/sys/posix/list_constants.sh $(CXX) -DUSOCKET_SMALL $(USOCKET_HEADERS) >constants.new && \
	{ cmp -s constants.new constants.inc || mv constants.new constants.inc; } && echo done),done)
$(error usocket: $(USOCKET_CORE)/sys/posix/list_constants.sh failed)
endif

# The host's own select makes way for ours: MicroPython's, Pycopy's.
ifeq ($(filter poll,$(USOCKET_WITHOUT)),)
CFLAGS_USERMOD += -DMICROPY_PY_SELECT="(0)" -DMICROPY_PY_USELECT_POSIX="(0)"
endif

# Which one is under it, for the C files.
CFLAGS_USERMOD += -DUSOCKET_OVER_$(USOCKET_STACK_NAME)

# Pycopy asks a module for names that it does not find only if told to; MicroPython does by itself.
ifeq ($(origin SRC_USERMOD_LIB_C),undefined)
CFLAGS_USERMOD += -DMICROPY_MODULE_GETATTR="(1)"
endif
