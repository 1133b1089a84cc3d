# Modules in Python that the firmware has in it.
include("$(MPY_DIR)/extmod/asyncio")  # noqa: F821
