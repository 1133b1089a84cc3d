# NAME-4 STRM-7: an asyncio server and its 200 clients, all connected at the same time.
import asyncio
import socket

CLIENTS = 200
LINES = 10

all_connected = asyncio.Event()
connected = 0
served = 0


async def serve(reader, writer):
    global connected, served
    connected += 1
    if connected == CLIENTS:
        all_connected.set()
    await all_connected.wait()
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()
    await writer.wait_closed()
    served += 1


async def ask(port, number):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    right = 0
    for index in range(LINES):
        # In two parts, so that a line is not there at once.
        writer.write(b"client %d, " % number)
        await writer.drain()
        await asyncio.sleep(0)
        writer.write(b"line %d\n" % index)
        await writer.drain()
        right += await reader.readline() == b"CLIENT %d, LINE %d\n" % (number, index)
    writer.write(bytes(range(128)) * 8 + b"\n")
    await writer.drain()
    right += len(await reader.readexactly(1025)) == 1025
    writer.close()
    await writer.wait_closed()
    return right


async def main():
    # asyncio does not tell the port that it got, so a socket that never listens holds one for it.
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    port = holder.getsockname()[1]
    server = await asyncio.start_server(serve, "127.0.0.1", port, CLIENTS)
    holder.close()
    rights = await asyncio.gather(*(ask(port, number) for number in range(CLIENTS)))
    while served < CLIENTS:
        await asyncio.sleep(0)
    server.close()
    await server.wait_closed()
    print("STRM-7 connected and served:", connected, served)
    print("STRM-7 right answers:", sum(rights) == CLIENTS * (LINES + 1))


asyncio.run(main())
