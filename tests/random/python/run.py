# Runs trials on the host that runs this: run.py FIRST_SEED COUNT [KIND]. Each begins with a line "trial KIND SEED" and
# ends with "ok" or "FOUND what"; between them it says what it does. tests/random/fuzz.py ends one that hangs.

import gc
import sys

from streams import Streams, desktop
from support import MAY_COLLECT, Found, Random, _thread, now_ms, since_ms, sleep_ms

KINDS = [("stream", Streams)] * 6
if _thread:
    from threads import Closing, Crowd, Pollers, Readers

    KINDS += [("readers", Readers)] * 2 + [("closing", Closing), ("pollers", Pollers)]
    if MAY_COLLECT:
        KINDS += [("crowd", Crowd)] * 2
if desktop:
    from ending import Ending

    KINDS += [("ending", Ending)]
    try:
        from secure import Secure

        KINDS += [("secure", Secure)] * 2
    except ImportError:
        pass  # this build has no ussl


def descriptors():
    """How many are open; where the host cannot tell, always the same."""
    if not desktop:
        return 0
    return desktop.count_descriptors()


def are_closed(before):
    """Threads of a trial that say that they are over may hold it a little longer."""
    start = now_ms()
    while descriptors() != before and since_ms(start) < 5000:
        sleep_ms(1)
        gc.collect()
    return descriptors() == before


def run(seed, wanted):
    kinds = [kind for kind in KINDS if not wanted or kind[0] == wanted]
    name, kind = Random(seed ^ 0x5EED).choose(kinds)
    print("trial", name, seed)
    before = descriptors()
    try:
        trial = kind(seed)
        trial.run()
        del trial
        gc.collect()
        if not are_closed(before):
            raise Found("a descriptor leaks (SOCK-3)")
    except MemoryError:
        print("no memory for the trial itself")
        gc.collect()
    except Found as found:
        print("FOUND", found)
        raise SystemExit(1) from None
    print("ok")


def main(first, count, wanted=None):
    for seed in range(first, first + count):
        run(seed, wanted)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
