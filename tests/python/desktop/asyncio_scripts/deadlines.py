# DEV-3: wait_for() ends what takes too long, and passes on what ends in time.
import asyncio


async def work(name, turns, error=None):
    try:
        for _ in range(turns):
            await asyncio.sleep_ms(0)
        print(name, "has worked")
        if error is not None:
            raise error
        return name
    except asyncio.CancelledError:
        print(name, "cancelled")
        await asyncio.sleep_ms(0)
        print(name, "cleaned up")
        raise


async def forever(name):
    try:
        await asyncio.Event().wait()
    finally:
        print(name, "ends")


async def show(what):
    try:
        print("returned", await what)
    except asyncio.TimeoutError as error:
        print("TimeoutError", error.args)
    except ValueError as error:
        print("ValueError", error.args)
    except asyncio.CancelledError:
        print("CancelledError")


async def stubborn(turns):
    while True:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            print("stubborn")
            turns -= 1
            if turns == 0:
                return "gave in"


async def main():
    await show(asyncio.wait_for(work("a", 3), 1000))
    await show(asyncio.wait_for(work("b", 0), 1000))
    await show(asyncio.wait_for_ms(work("c", 3), 100000))
    await show(asyncio.wait_for(work("d", 3), None))
    await show(asyncio.wait_for(work("e", 3, ValueError("e")), 1000))
    await show(asyncio.wait_for(work("f", 3, ValueError("f")), None))
    await show(asyncio.wait_for(work("g", 3, asyncio.CancelledError()), 1000))
    await show(asyncio.wait_for(work("h", 1000000), 0.01))
    await show(asyncio.wait_for_ms(forever("i"), 10))
    await show(asyncio.wait_for_ms(forever("j"), 0))
    await show(asyncio.wait_for_ms(forever("k"), -5))
    await show(asyncio.wait_for_ms(stubborn(1), 5))

    # A task: it is cancelled too, and its result is still there.
    task = asyncio.create_task(work("l", 2))
    await show(asyncio.wait_for(task, 1000))
    print(task.done(), await task)
    task = asyncio.create_task(forever("m"))
    await show(asyncio.wait_for_ms(task, 5))
    print(task.done())
    await show(asyncio.wait_for(task, 1000))

    # Cancelled from outside: so is what it waits for.
    for turns in (2, 3, 4):
        task = asyncio.create_task(show(asyncio.wait_for(forever(turns), 1000)))
        for _ in range(turns):
            await asyncio.sleep_ms(0)
        task.cancel()
        await task
        await asyncio.sleep_ms(0)

    # One in the other.
    await show(asyncio.wait_for(asyncio.wait_for(forever("inner first"), 0.005), 1000))
    await show(asyncio.wait_for(asyncio.wait_for(forever("outer first"), 1000), 0.005))
    await show(asyncio.wait_for(asyncio.wait_for(work("both", 2), 1000), 1000))


asyncio.run(main())
