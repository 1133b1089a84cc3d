"""python -m usocket app.py [args...], and the command usocket: runs a program that was written for a device."""

import sys


def main() -> int:
    # The current folder, or the command's: there may be a random.py of the program's, which is not for us and for what
    # we import. Whatever starts the program puts its folder there.
    if not (sys.flags.isolated or getattr(sys.flags, "safe_path", False)):
        del sys.path[0]
    try:
        from usocket.desktop import command

        return command.main(sys.argv[1:])
    except KeyboardInterrupt:
        if sys.excepthook is sys.__excepthook__:  # nothing of the program's has begun whose lines could be shown
            sys.tracebacklimit = 0
        raise


if __name__ == "__main__":
    sys.exit(main())
