# NAME-4 STRM-7: an asyncio server and its 200 clients, all connected at the same time.
import asyncio

from many import Many

CLIENTS = 200
LINES = 10


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


many = Many(CLIENTS)
rights = asyncio.run(many.run(ask))
print("STRM-7 connected and served:", many.connected, many.served)
print("STRM-7 right answers:", sum(rights) == CLIENTS * (LINES + 1))
