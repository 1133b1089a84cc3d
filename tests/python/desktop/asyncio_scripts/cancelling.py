# DEV-3: a task is cancelled wherever it waits, cleans up, and may go on.
import asyncio


async def wait(name, how):
    try:
        print(name, "waits")
        await how()
        print(name, "goes on")
    except asyncio.CancelledError as error:
        print(name, "cancelled", error.args)
        raise
    finally:
        await asyncio.sleep_ms(0)
        print(name, "cleaned up")


async def ignore(name):
    for _ in range(3):
        try:
            await asyncio.sleep_ms(100000)
        except asyncio.CancelledError:
            print(name, "ignores it")
    return name


async def end(task):
    try:
        print("ended with", await task)
    except asyncio.CancelledError:
        print("ended cancelled")


async def main():
    event, lock = asyncio.Event(), asyncio.Lock()
    flag = asyncio.ThreadSafeFlag()
    await lock.acquire()
    inner = asyncio.create_task(wait("inner", event.wait))

    async def wait_for_inner():
        await inner

    async def sleep():
        await asyncio.sleep(1000)

    for name, how in (
        ("sleep", sleep),
        ("event", event.wait),
        ("lock", lock.acquire),
        ("flag", flag.wait),
        ("inner task", wait_for_inner),
    ):
        task = asyncio.create_task(wait(name, how))
        await asyncio.sleep_ms(0)
        await asyncio.sleep_ms(0)
        print("cancel", task.cancel(), task.done())
        await end(task)
        print("again", task.cancel(), task.done())
    print("inner", inner.done())
    event.set()
    lock.release()
    flag.set()
    await flag.wait()
    print("usable", await event.wait(), await lock.acquire())

    # Before it has begun: nothing of it runs.
    task = asyncio.create_task(wait("unbegun", sleep))
    task.cancel()
    await end(task)

    task = asyncio.create_task(ignore("stubborn"))
    for _ in range(3):
        await asyncio.sleep_ms(0)
        print(task.cancel())
    await end(task)

    # Twice before its turn is once.
    task = asyncio.create_task(wait("twice", sleep))
    await asyncio.sleep_ms(0)
    print(task.cancel(), task.cancel())
    await end(task)

    try:
        asyncio.current_task().cancel()
    except RuntimeError:
        print("RuntimeError")

    # Raised by the task itself, nobody asks.
    async def give_up():
        raise asyncio.CancelledError("given up")

    asyncio.create_task(give_up())
    await asyncio.sleep_ms(0)
    await asyncio.sleep_ms(0)
    try:
        await asyncio.create_task(give_up())
    except asyncio.CancelledError as error:
        print(error.args)

    # Is no Exception.
    async def catch():
        try:
            await sleep()
        except Exception:
            print("never")

    task = asyncio.create_task(catch())
    await asyncio.sleep_ms(0)
    task.cancel()
    await end(task)


asyncio.run(main())
