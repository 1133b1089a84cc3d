# What the scripts about many clients share: an asyncio server that answers once all of them are connected.
import asyncio
import socket


class Many:
    def __init__(self, clients):
        self.clients = clients
        self.connected = 0
        self.served = 0
        self.all_connected = asyncio.Event()

    async def serve(self, reader, writer):
        line = await reader.readline()
        self.connected += 1
        if self.connected == self.clients:
            self.all_connected.set()
        await self.all_connected.wait()
        while line:
            writer.write(line.upper())
            await writer.drain()
            line = await reader.readline()
        writer.close()
        await writer.wait_closed()
        self.served += 1

    async def run(self, ask, **options):
        """How many answers each ask(port, number) got right, which run at once."""
        # asyncio does not tell the port that it got, so a socket that never listens holds one for it.
        holder = socket.socket()
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        server = await asyncio.start_server(self.serve, "127.0.0.1", port, self.clients, **options)
        holder.close()
        rights = await asyncio.gather(*(ask(port, number) for number in range(self.clients)))
        while self.served < self.clients:
            await asyncio.sleep(0)
        server.close()
        await server.wait_closed()
        return rights
