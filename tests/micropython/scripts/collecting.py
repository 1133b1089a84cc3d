# SOCK-11: threads keep what they have, though another collects all the time and signals come that have callbacks run.

import _thread
import gc
import time

import usocket

THREADS = 20
ROUNDS = 1000


class State:
    running = THREADS
    wrong = 0
    is_over = False


def made():
    return [bytes([i]) * 40 for i in range(20)]


def hold():
    while not State.is_over:
        kept = made()
        time.sleep(0.02)
        if kept != made():
            State.wrong += 1
    State.running -= 1


near, far = usocket.socketpair()
near.setsockopt(usocket.SOL_SOCKET, 20, lambda sock: None)  # from now on such signals have a handler
for _ in range(THREADS):
    _thread.start_new_thread(hold, ())
print("collects")
for _ in range(ROUNDS):
    gc.collect()
    rubbish = [bytes(40) for _ in range(300)]
State.is_over = True
while State.running:
    time.sleep(0.001)
print("wrong", State.wrong)
