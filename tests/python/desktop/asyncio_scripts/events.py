# DEV-3: events wake all who wait, in their order; locks go to one after the other; flags to one, and clear themselves.
import asyncio


async def wait(name, event):
    print(name, "waits")
    print(name, await event.wait())


async def hold(name, lock, turns):
    async with lock:
        print(name, "has it", lock.locked())
        for _ in range(turns):
            await asyncio.sleep_ms(0)
        print(name, "gives it back")


async def turns(n):
    for _ in range(n):
        await asyncio.sleep_ms(0)


async def main():
    event = asyncio.Event()
    for i in range(3):
        asyncio.create_task(wait(i, event))
    await turns(1)
    print("set", event.is_set())
    event.set()
    event.clear()
    print("cleared", event.is_set())
    asyncio.create_task(wait("next", event))
    await turns(2)
    event.set()
    event.set()
    print(await event.wait())
    await wait("at once", event)
    await turns(2)

    lock = asyncio.Lock()
    print(lock.locked())
    tasks = [asyncio.create_task(hold(i, lock, i)) for i in range(4)]
    await turns(2)
    print("cancel", tasks[2].cancel())
    for task in tasks:
        try:
            await task
        except asyncio.CancelledError:
            print("cancelled")
    print(lock.locked())
    try:
        lock.release()
    except RuntimeError:
        print("RuntimeError")
    print(await lock.acquire(), lock.locked())
    lock.release()

    # Cancelled between being given the lock and its turn: the next one gets it.
    await lock.acquire()
    first, second = asyncio.create_task(hold("first", lock, 0)), asyncio.create_task(hold("second", lock, 0))
    await turns(1)
    lock.release()
    print(first.cancel(), lock.locked())
    await second
    try:
        await first
    except asyncio.CancelledError:
        print("first cancelled")

    flag = asyncio.ThreadSafeFlag()
    task = asyncio.create_task(wait("flag", flag))
    await turns(2)
    flag.set()
    print("flag set")
    await turns(1)
    print("turn")
    await task
    flag.set()
    flag.set()
    await flag.wait()
    task = asyncio.create_task(wait("again", flag))
    await turns(2)
    flag.set()
    flag.clear()
    await turns(2)
    print("still waits", task.done())
    flag.set()
    await task
    task = asyncio.create_task(wait("cancelled", flag))
    await turns(2)
    task.cancel()
    await turns(2)
    flag.set()
    await flag.wait()
    print("end")


asyncio.run(main())
