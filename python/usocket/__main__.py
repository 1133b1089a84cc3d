"""python -m usocket app.py [args...]: runs a program that was written for a device."""

import sys

from usocket.desktop.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
