# DEV-3: the exception of a task that nobody waits for goes to the handler; the others run on.
import asyncio


async def fail(name, turns=0):
    for _ in range(turns):
        await asyncio.sleep_ms(0)
    raise ValueError(name)


def handler(loop, context):
    print("handler:", context["message"], context["exception"].args, context["future"].done())
    print(loop is asyncio.get_event_loop(), sorted(context))


async def turns(n):
    for _ in range(n):
        await asyncio.sleep_ms(0)


async def main():
    loop = asyncio.get_event_loop()
    print(loop.get_exception_handler())
    loop.set_exception_handler(handler)
    print(loop.get_exception_handler() is handler)

    asyncio.create_task(fail("nobody"))
    await turns(3)
    print("on it goes")

    # Waited for by the time at which it would be reported.
    task = asyncio.create_task(fail("in time"))
    await asyncio.sleep_ms(0)
    try:
        await task
    except ValueError as error:
        print("got", error.args)
    await turns(2)

    # Reported, and waited for all the same.
    task = asyncio.create_task(fail("late"))
    await turns(4)
    try:
        await task
    except ValueError as error:
        print("got", error.args)
    await turns(2)

    # Waited for by somebody who is cancelled.
    task = asyncio.create_task(fail("cancelled waiter", 2))

    async def waiter():
        await task

    other = asyncio.create_task(waiter())
    await asyncio.sleep_ms(0)
    other.cancel()
    await turns(4)

    # No error.
    task = asyncio.create_task(turns(5))
    await asyncio.sleep_ms(0)
    task.cancel()
    await turns(3)

    loop.call_exception_handler({"message": "called", "exception": ValueError(1), "future": task})
    loop.set_exception_handler(None)
    print(loop.get_exception_handler())


asyncio.run(main())


# A handler's own exception ends the loop.
def failing(loop, context):
    raise RuntimeError("handler failed")


async def main2():
    asyncio.get_event_loop().set_exception_handler(failing)
    asyncio.create_task(fail("again"))
    await turns(5)
    print("never")


try:
    asyncio.run(main2())
except RuntimeError as error:
    print(error.args)
asyncio.get_event_loop().set_exception_handler(None)
