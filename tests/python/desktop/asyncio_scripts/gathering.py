# DEV-3: gather() waits for all, returns in their order, raises the first exception.
import asyncio


async def work(name, turns, error=None):
    try:
        for _ in range(turns):
            await asyncio.sleep_ms(0)
    except asyncio.CancelledError:
        print(name, "cancelled")
        raise
    print(name, "done")
    if error is not None:
        raise error
    return name


async def show(what):
    try:
        print(show_list(await what))
    except ValueError as error:
        print("ValueError", error.args)
    except asyncio.CancelledError:
        print("CancelledError")


def show_list(results):
    return [(type(result).__name__, result.args) if isinstance(result, BaseException) else result for result in results]


async def turns(n):
    for _ in range(n):
        await asyncio.sleep_ms(0)


async def main():
    await show(asyncio.gather())
    await show(asyncio.gather(work("a", 3), work("b", 1), work("c", 2)))
    await show(asyncio.gather(work("a", 0), asyncio.create_task(work("b", 0))))

    # One fails: the others go on.
    await show(asyncio.gather(work("d", 3), work("e", 1, ValueError("e")), work("f", 2)))
    await turns(5)
    await show(asyncio.gather(work("g", 1, ValueError("g")), work("h", 1, ValueError("h"))))
    await turns(5)

    await show(asyncio.gather(work("i", 3), work("j", 1, ValueError("j")), return_exceptions=True))
    await show(asyncio.gather(work("k", 1, asyncio.CancelledError("k")), work("l", 2), return_exceptions=True))
    await show(asyncio.gather(work("m", 1, asyncio.CancelledError("m")), work("n", 2)))
    await turns(5)

    # Some have ended before.
    early = [asyncio.create_task(work("early", 0)), asyncio.create_task(work("later", 5))]
    await turns(2)
    await show(asyncio.gather(*early))
    await show(asyncio.gather(*early))

    # One is cancelled.
    tasks = [asyncio.create_task(work(i, 4)) for i in range(3)]

    async def cancel():
        await turns(1)
        tasks[1].cancel()

    asyncio.create_task(cancel())
    await show(asyncio.gather(*tasks, return_exceptions=True))

    # The one who gathers is cancelled: so are all.
    task = asyncio.create_task(show(asyncio.gather(*[work(i, 10) for i in range(3)])))
    await turns(3)
    print(task.cancel())
    await task
    await turns(3)

    # Gathered and waited for is one too many.
    task = asyncio.create_task(work("twice", 3))

    async def wait():
        try:
            await task
        except RuntimeError:
            print("RuntimeError")

    asyncio.create_task(turns(1))
    waiting = asyncio.create_task(wait())
    await turns(1)
    try:
        await asyncio.gather(task)
    except RuntimeError:
        print("RuntimeError")
    await waiting

    task = asyncio.create_task(work("other way round", 3))
    gathered = asyncio.create_task(show(asyncio.gather(task)))
    await turns(1)
    await asyncio.create_task(wait())
    await gathered


asyncio.run(main())
