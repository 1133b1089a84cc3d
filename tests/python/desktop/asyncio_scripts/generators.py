# DEV-3: generators are coroutines: as tasks, awaited, and delegating to coroutines. Programs wait in ways of their own.
import asyncio
from asyncio import core


def generator(name, n):
    for i in range(n):
        print(name, i)
        yield from asyncio.sleep_ms(0)
    return name


async def coroutine(name):
    print(name, await generator("awaited", 2))
    return name


def delegating(name):
    result = yield from coroutine("delegated to")
    result += yield from generator("and", 1)
    return result


class Waitable:
    def __iter__(self):
        print("iterated")
        yield from asyncio.sleep_ms(0)
        return "waited"


class Channel:
    """Hands over one thing, with the queues that the loop has itself."""

    def __init__(self):
        self.things = []
        self.waiting = core.TaskQueue()

    def put(self, thing):
        self.things.append(thing)
        if self.waiting.peek():
            core._task_queue.push(self.waiting.pop())

    def get(self):
        if not self.things:
            self.waiting.push(core.cur_task)
            core.cur_task.data = self.waiting
            yield
        return self.things.pop(0)


async def take(channel, name):
    print(name, "took", await channel.get())


async def main():
    print(await asyncio.create_task(generator("task", 2)))
    print(await coroutine("coroutine"))
    print(await asyncio.create_task(delegating("d")))
    print(await asyncio.gather(generator("g", 2), coroutine("h")))
    print(await asyncio.wait_for(generator("w", 2), 1000))
    print(list(x for x in "still generators"[:5]))

    channel = Channel()
    tasks = [asyncio.create_task(take(channel, i)) for i in range(3)]
    await asyncio.sleep_ms(0)
    channel.put("one")
    await asyncio.sleep_ms(0)
    tasks[1].cancel()
    channel.put("two")
    await asyncio.sleep_ms(0)
    await asyncio.sleep_ms(0)
    print([task.done() for task in tasks])
    core.create_task(coroutine("core"))
    await core.sleep_ms(0)
    now = core.ticks()
    print(core.ticks_diff(core.ticks_add(now, 5), now) > 0)


asyncio.run(main())
print(asyncio.run(generator("run", 1)))
