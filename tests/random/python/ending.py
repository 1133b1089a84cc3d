# SOCK-9: a process ends as its program says, whatever its threads are doing in our calls.

import subprocess
import sys

from support import Trial

PROGRAM = """
import threading, time, usocket, uselect
near, far = usocket.socketpair()
server = usocket.socket()
server.bind(("127.0.0.1", 0))
server.listen(1)
poller = uselect.poll()
poller.register(near, uselect.POLLIN)

def again_and_again():
    own, other = usocket.socketpair()
    own.settimeout(0.001)
    while True:
        try:
            own.recv(1)
        except OSError:
            pass

CALLS = (lambda: near.recv(1), server.accept, near.readline, poller.poll, again_and_again, lambda: near.read(9))
for index in {indices}:
    threading.Thread(target=CALLS[index], daemon=True).start()
time.sleep({span})
raise SystemExit(7)
"""


class Ending(Trial):
    def run(self):
        indices = [self.random.below(6) for _ in range(self.random.between(1, 4))]
        program = PROGRAM.format(indices=indices, span=self.random.below(30) / 1000)
        self.trace("threads are in", indices)
        ended = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=10, check=False)
        self.require(ended.returncode == 7, "exit status", ended.returncode, "not 7 (SOCK-9)")
        self.require(not ended.stderr, "on stderr:", ended.stderr.decode().splitlines()[:1], "(SOCK-9)")
