# TLS-3 STRM-7 POLL-5: an asyncio server and its clients with TLS, all connected at the same time, over MicroPython's
# own asyncio. Arguments: a folder of certificates, how many clients.
import asyncio
import ssl
import sys

from many import Many

folder, clients = sys.argv[1], int(sys.argv[2])
LINES = 5

server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server_context.load_cert_chain(folder + "/right.pem", folder + "/right.key")
client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
client_context.load_verify_locations(folder + "/trusted.pem")


async def ask(port, number):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_context, server_hostname="localhost")
    # Both lines come in one record: the second is in nobody's queue.
    writer.write(b"client %d\nsaid hello\n" % number)
    await writer.drain()
    right = await reader.readline() == b"CLIENT %d\n" % number
    right += await reader.readline() == b"SAID HELLO\n"
    for index in range(LINES):
        writer.write(b"client %d, line %d\n" % (number, index))
        await writer.drain()
        right += await reader.readline() == b"CLIENT %d, LINE %d\n" % (number, index)
    writer.write(bytes(range(128)) * 40 + b"\n")
    await writer.drain()
    right += len(await reader.readexactly(5121)) == 5121
    writer.close()
    await writer.wait_closed()
    return right


many = Many(clients)
rights = asyncio.run(many.run(ask, ssl=server_context))
print("TLS-3 connected and served:", many.connected, many.served)
print("TLS-3 right answers:", sum(rights) == clients * (LINES + 3))
