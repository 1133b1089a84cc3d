"""Stand-ins for modules of devices, a file a module: each says first what it does and what it does not do.

__all__ is what a program sees. EXTENDS names the standard library's module that the stand-in adds to. bind(world), if
it is there, is called before the program gets the module.
"""
