# DEV-3: tasks run by turns, and are waited for, once or often, before or after their end.
import asyncio


async def count(name, n):
    for i in range(n):
        print(name, i)
        await asyncio.sleep_ms(0)
    return name * n


async def fail(name):
    await asyncio.sleep_ms(0)
    raise ValueError(name)


async def wait_for_task(name, task):
    try:
        print(name, "got", await task)
    except ValueError as error:
        print(name, "got", error.args)


async def main():
    a, b = asyncio.create_task(count("a", 3)), asyncio.create_task(count("b", 2))
    print("created", a.done(), b.done())
    print(await a)
    print(a.done(), b.done(), await b, await a)

    print("directly", await count("c", 2))

    task = asyncio.create_task(count("d", 3))
    waiting = [asyncio.create_task(wait_for_task(i, task)) for i in range(3)]
    for each in waiting:
        await each

    task = asyncio.create_task(fail("x"))
    waiting = [asyncio.create_task(wait_for_task(i, task)) for i in range(3)]
    for each in waiting:
        await each
    await wait_for_task("late", task)
    print(task.done())

    for what in (None, 1, count, "text"):
        try:
            asyncio.create_task(what)
        except TypeError:
            print("TypeError")
    return "returned"


print(asyncio.run(main()))

try:
    asyncio.run(fail("main"))
except ValueError as error:
    print("run raises", error.args)


async def nested():
    await asyncio.create_task(fail("nested"))


try:
    asyncio.run(nested())
except ValueError as error:
    print("run raises", error.args)
