# DEV-3: streams over loopback: a server, connections, lines, blocks, cancelled readers, more than the queue holds.
import asyncio

import usocket


def free_port():
    sock = usocket.socket()
    sock.bind(usocket.getaddrinfo("127.0.0.1", 0)[0][-1])
    port = usocket.sockaddr(sock.getsockname())[2]
    sock.close()
    return port


gone = asyncio.Event()


async def serve(reader, writer):
    request = await reader.readline()
    if request == b"lines\n":
        for i in range(3):
            writer.write(b"line %d\n" % i)
            await writer.drain()
        await writer.awrite("no end")
    elif request == b"echo\n":
        while True:
            block = await reader.read(100)
            if not block:
                break
            await writer.awrite(block)
    elif request == b"much\n":
        for i in range(40):
            writer.write(bytes([i]) * 50000)
        await writer.drain()
    elif request == b"silence\n":
        await reader.read()
        print("the client has gone")
        gone.set()
    writer.close()
    await writer.wait_closed()


async def ask(port, request):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    await writer.drain()
    return reader, writer


async def main():
    port = free_port()
    server = await asyncio.start_server(serve, "127.0.0.1", port)

    reader, writer = await ask(port, b"lines\n")
    while True:
        line = await reader.readline()
        print(line)
        if not line:
            break
    await writer.wait_closed()

    reader, writer = await ask(port, b"echo\n")
    for i in range(3):
        writer.write(f"text {i}")
        await writer.drain()
        print(await reader.readexactly(6))
    buffer = bytearray(4)
    await writer.awrite(b"0123456789", 2, 4)
    print(await reader.readinto(buffer), buffer)
    task = asyncio.create_task(reader.read(1))
    await asyncio.sleep_ms(20)
    print(task.cancel())
    try:
        await task
    except asyncio.CancelledError:
        print("reader cancelled")
    try:
        await asyncio.wait_for_ms(reader.readline(), 20)
    except asyncio.TimeoutError:
        print("no line")
    await writer.awrite(b"still there\n")
    print(await reader.readline())
    await writer.aclose()

    reader, writer = await ask(port, b"much\n")
    data = await reader.read()
    print(len(data), [data[i] for i in range(0, len(data), 250000)])
    await writer.wait_closed()

    reader, writer = await ask(port, b"lines\n")
    print(await reader.readexactly(10))
    try:
        await reader.readexactly(1000)
    except EOFError:
        print("EOFError")
    await writer.wait_closed()

    reader, writer = await ask(port, b"silence\n")
    await writer.wait_closed()
    await gone.wait()

    server.close()
    await server.wait_closed()
    print("server closed")
    async with await asyncio.start_server(serve, "127.0.0.1", port):
        reader, writer = await ask(port, b"echo\n")
        await writer.awrite(b"again")
        print(await reader.read(5))
        await writer.wait_closed()

    # A socket of one's own.
    listener, client = usocket.socket(), usocket.socket()
    listener.bind(usocket.getaddrinfo("127.0.0.1", 0)[0][-1])
    listener.listen(1)
    client.connect(listener.getsockname())
    accepted = listener.accept()[0]
    for sock in (client, accepted):
        sock.setblocking(False)
    reader, writer = asyncio.StreamReader(accepted), asyncio.StreamWriter(client, {"mine": 1})
    print(writer.get_extra_info("mine"))
    task = asyncio.create_task(reader.readline())
    await asyncio.sleep_ms(0)
    writer.write(b"half a ")
    await asyncio.sleep_ms(20)
    print(task.done())
    writer.write(b"line\n")
    print(await task)
    await writer.wait_closed()
    print(await reader.read(10), await reader.read(), await reader.readline())
    accepted.close()
    listener.close()


asyncio.run(main())
