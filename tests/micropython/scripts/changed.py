# TIME-5 POLL-1 POLL-2 SOCK-11: Ctrl-C anywhere in a change of what a poll watches; test_interrupts.py sends it.
# Arguments: the change, nothing, how often.
#
# Prints "call" when the changes are about to begin, which go on until SIGINT comes. Then nothing may be left in
# between: what can no longer be unregistered is not reported either, everything can be registered anew, and there is
# one thread for callbacks.
import gc
import os
import sys

import uselect
import usocket

name, times = sys.argv[1], int(sys.argv[3])
poller = uselect.poll()
pairs = [usocket.socketpair() for _ in range(20)]
for _, far in pairs:
    far.write(b"x")
idle, _ = usocket.socketpair()


def register():
    """All of them, in a poll that has room for none."""
    global poller
    poller = uselect.poll()
    for near, _ in pairs:
        poller.register(near, uselect.POLLIN)


def unregister():
    for near, _ in pairs:
        poller.unregister(near)
    for near, _ in pairs:
        poller.register(near, uselect.POLLIN)


def callback():
    idle.setsockopt(usocket.SOL_SOCKET, 20, id)


def threads():
    callback()
    return len(list(os.ilistdir("/proc/self/task")))


def state():
    """How many are left once all are unregistered, and how many are found once all are registered."""
    for near, _ in pairs:
        poller.unregister(near, False)
    gc.collect()
    taken = [bytearray(40) for _ in range(500)]
    left = len(poller.poll(0))
    for near, _ in pairs:
        poller.register(near, uselect.POLLIN)
    return left, len(poller.poll(0)), len(taken)


change = {"register": register, "unregister": unregister, "callback": callback}[name]
register()
for _ in range(times):
    try:
        print("call")
        while True:
            change()
    except KeyboardInterrupt:
        pass
    print(threads() if change is callback else state())
