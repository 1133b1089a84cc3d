# TLS-3 STRM-7 POLL-5: an asyncio server and its clients with TLS, all connected at the same time, over MicroPython's
# own asyncio. Arguments: a folder of certificates, how many clients.
import asyncio
import socket
import ssl
import sys

folder, clients = sys.argv[1], int(sys.argv[2])
LINES = 5

all_connected = asyncio.Event()
connected = 0
served = 0

server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server_context.load_cert_chain(folder + "/right.pem", folder + "/right.key")
client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
client_context.load_verify_locations(folder + "/trusted.pem")


async def serve(reader, writer):
    global connected, served
    line = await reader.readline()
    connected += 1
    if connected == clients:
        all_connected.set()
    await all_connected.wait()
    while line:
        writer.write(line.upper())
        await writer.drain()
        line = await reader.readline()
    writer.close()
    await writer.wait_closed()
    served += 1


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


async def main():
    # asyncio does not tell the port that it got, so a socket that never listens holds one for it.
    holder = socket.socket()
    holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    holder.bind(("127.0.0.1", 0))
    port = holder.getsockname()[1]
    server = await asyncio.start_server(serve, "127.0.0.1", port, clients, ssl=server_context)
    holder.close()
    rights = await asyncio.gather(*(ask(port, number) for number in range(clients)))
    while served < clients:
        await asyncio.sleep(0)
    server.close()
    await server.wait_closed()
    print("TLS-3 connected and served:", connected, served)
    print("TLS-3 right answers:", sum(rights) == clients * (LINES + 3))


asyncio.run(main())
