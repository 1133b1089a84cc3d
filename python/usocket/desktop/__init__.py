"""Runs programs that were written for devices, unchanged, on CPython (SPEC: DEV-1 to 6).

A program and the interpreter's libraries each have a world of modules of their own. In the program's, `socket` is a
device's, `machine` exists, and the program's own `logging.py` is `logging`; the standard library sees none of that.

    origins.py     which files are the program's own
    world.py       the program's modules: finding, loading, importing; loaders.py compiles them, out of files and zips
    loaded.py      the program's sys.modules
    stand_ins.py   which module stands in for which, by name; they are in modules/
    dialect.py     how a module of the program is compiled; runtime.py is what the compiled code calls
    tracebacks.py  errors as the program's author wants to see them; debugger.py does it for pdb, frames.py for stacks
    schedule.py    callbacks that run on the main thread between two of its steps; callbacks.py is those of sockets
    restart.py     machine.reset() and its like
    console.py     what is typed at a terminal of os.dupterm(); interactive.py compiles it
    files.py       open(), standard input and output
    replacing.py   mock.patch() and its like, by name
    asyncio/       the event loop
    trace.py       --trace
    chaos.py       --chaos
    command.py     python -m usocket
"""
