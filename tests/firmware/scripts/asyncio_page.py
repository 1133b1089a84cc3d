# Serves a page by asyncio, any number of clients at once: "asyncio_page.py PORT" at the address that DHCP has given,
# "asyncio_page.py PORT ADDRESS MASK GATEWAY DNS" at this one.
import asyncio
import sys

import network

lan = network.LAN()
lan.ifconfig(tuple(sys.argv[2:]) or "dhcp")


async def serve(reader, writer):
    request = await reader.readline()
    while await reader.readline() not in (b"\r\n", b""):
        pass
    page = b"<h1>A board</h1>" + request.split()[1]
    writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(page) + page)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def main():
    async with await asyncio.start_server(serve, "0.0.0.0", int(sys.argv[1])) as server:
        print("serving at", lan.ifconfig()[0])
        await server.wait_closed()


asyncio.run(main())
