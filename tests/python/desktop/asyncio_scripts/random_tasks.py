# DEV-3: random programs of tasks that wait for, cancel and wake one another, with the same steps on every host. With a
# seed as argument: shows the steps.
import asyncio
import sys

TASKS, OBJECTS = 12, 3


class Random:
    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state * 1103515245 + 12345) & 0x7FFFFFFF
        return (self.state >> 12) % n


class Trial:
    def __init__(self, seed):
        self.random = Random(seed)
        self.events = [asyncio.Event() for _ in range(OBJECTS)]
        self.locks = [asyncio.Lock() for _ in range(OBJECTS)]
        self.flags = [asyncio.ThreadSafeFlag() for _ in range(OBJECTS)]
        self.is_flag_waited_for = [False] * OBJECTS
        self.tasks = []
        self.steps = []

    def log(self, *what):
        self.steps.append(" ".join(str(each) for each in what))

    def begin(self, depth):
        name = len(self.tasks)
        task = asyncio.create_task(self.run(name, depth))
        self.tasks.append(task)
        return name, task

    async def run(self, name, depth):
        below = self.random.below
        self.log(name, "begins")
        try:
            for _ in range(1 + below(6)):
                await self.step(name, depth)
                if below(12) == 0:
                    raise ValueError(name)
        except asyncio.CancelledError:
            self.log(name, "cancelled")
            choice = below(4)
            if choice == 0:
                self.log(name, "goes on")
            elif choice == 1:
                await asyncio.sleep_ms(0)
                self.log(name, "cleaned up")
                raise
            else:
                raise
        self.log(name, "ends")
        return name

    async def step(self, name, depth):
        below = self.random.below
        kind, which = below(13), below(OBJECTS)
        if kind <= 2:
            for _ in range(1 + below(3)):
                await asyncio.sleep_ms(0)
                self.log(name, "turn")
        elif kind == 3:
            self.log(name, "waits for event", which)
            await self.events[which].wait()
            self.log(name, "event", which)
        elif kind == 4:
            self.log(name, "sets", which)
            self.events[which].set()
        elif kind == 5:
            self.events[which].clear()
        elif kind == 6:
            self.log(name, "wants lock", which)
            async with self.locks[which]:
                self.log(name, "has lock", which)
                await asyncio.sleep_ms(0)
        elif kind == 7:
            if not self.is_flag_waited_for[which]:
                self.is_flag_waited_for[which] = True
                try:
                    await self.flags[which].wait()
                    self.log(name, "flag", which)
                finally:
                    self.is_flag_waited_for[which] = False
        elif kind == 8:
            self.log(name, "raises flag", which)
            self.flags[which].set()
        elif kind == 9:
            victim = self.tasks[below(len(self.tasks))]
            if victim is not asyncio.current_task():
                try:
                    self.log(name, "cancels", self.tasks.index(victim), victim.cancel())
                except RuntimeError:
                    self.log(name, "cannot")
        elif depth < 3 and len(self.tasks) < TASKS:
            await self.with_child(name, depth + 1)

    async def with_child(self, name, depth):
        below = self.random.below
        child, task = self.begin(depth)
        kind = below(5)
        self.log(name, "has", child, kind)
        try:
            if kind == 0:
                pass
            elif kind == 1:
                self.log(name, "child", await task)
            elif kind == 2:
                self.log(name, "in time", await asyncio.wait_for_ms(task, 1000000))
            elif kind == 3:
                self.log(name, "at once", await asyncio.wait_for_ms(task, 0))
            else:
                other, second = self.begin(depth)
                both = await asyncio.gather(task, second, return_exceptions=below(2) == 0)
                self.log(name, "both", [each if isinstance(each, int) else type(each).__name__ for each in both])
        except ValueError as error:
            self.log(name, "caught", error.args)
        except asyncio.TimeoutError:
            self.log(name, "too late")
        except RuntimeError:
            self.log(name, "not possible")

    async def main(self):
        for _ in range(4):
            self.begin(0)
        for _ in range(30):
            await asyncio.sleep_ms(0)
        self.log("all", [task.done() for task in self.tasks])
        while not all(task.done() for task in self.tasks):
            for task in self.tasks:
                task.cancel()
            await asyncio.sleep_ms(0)
        self.log("end")


def handler(loop, context):
    trial.log("unretrieved", type(context["exception"]).__name__, context["exception"].args)


def checksum(lines):
    result = 0
    for line in lines:
        for character in line:
            result = (result * 31 + ord(character)) & 0xFFFFFF
    return result


for seed in map(int, sys.argv[1:]) if sys.argv[1:] else range(1, 301):
    asyncio.new_event_loop()
    asyncio.get_event_loop().set_exception_handler(handler)
    trial = Trial(seed * 7919)
    asyncio.run(trial.main())
    print("seed", seed, len(trial.steps), "steps", checksum(trial.steps))
    if sys.argv[1:]:
        print("\n".join(trial.steps))
