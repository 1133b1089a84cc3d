# DEV-3: the loop: run() leaves the other tasks waiting for the next run, stop() ends run_forever(), new_event_loop()
# forgets all.
import asyncio


async def count(name, n):
    for i in range(n):
        print(name, i)
        await asyncio.sleep_ms(0)
    return name


async def begin(name):
    asyncio.create_task(count(name, 4))
    await asyncio.sleep_ms(0)
    return "begun"


try:
    asyncio.current_task()
except RuntimeError:
    print("RuntimeError")

loop = asyncio.get_event_loop()
print(loop is asyncio.get_event_loop(), loop is asyncio.get_event_loop(10, 20))
print(asyncio.run(begin("left over")))
print("between")
print(asyncio.run(count("second", 2)))
print(loop.run_until_complete(count("third", 2)))
task = loop.create_task(count("task", 2))
print(task.done(), loop.run_until_complete(task))


async def stop():
    await count("before", 2)
    loop.stop()
    print("asked to stop")
    loop.stop()
    await count("after", 3)


loop.create_task(stop())
loop.run_forever()
print("stopped")
asyncio.run(count("rest", 3))
loop.stop()

asyncio.create_task(count("forgotten", 1))
asyncio.new_event_loop()
print(asyncio.run(count("anew", 2)))
loop.close()


async def current():
    task = asyncio.current_task()
    return task is asyncio.current_task(), task.done()


print(asyncio.run(current()))


async def quit(how):
    raise how


async def wait(task):
    await asyncio.sleep_ms(0)
    await asyncio.sleep_ms(0)
    print("goes on")


for how in (KeyboardInterrupt, SystemExit):
    asyncio.create_task(quit(how))
    try:
        asyncio.run(wait(None))
    except BaseException as error:
        print(type(error).__name__)
asyncio.run(wait(None))


# Any awaitable task may be the main one, finished or not.
async def fail():
    raise ValueError("failed")


task = asyncio.create_task(fail())
try:
    loop.run_until_complete(task)
except ValueError as error:
    print(error.args)
