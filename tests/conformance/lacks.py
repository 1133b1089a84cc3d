# What the stack under this host cannot do, for run.py.

from support import LACKS

print(*LACKS)
