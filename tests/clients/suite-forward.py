"""Passes 127.0.0.1:5672 and :15672 on to a live broker and its management API: most suites know no other ports."""

import asyncio
import sys
from urllib.parse import urlsplit


async def copy(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def connect(host, port, own_port):
    """Connects from the client's own port at another address of loopback, so that the broker tells the port that the client knows."""
    try:
        return await asyncio.open_connection(host, port, local_addr=("127.0.0.2", own_port))
    except OSError:
        return await asyncio.open_connection(host, port)


def forwarding(host, port):
    async def forward(reader, writer):
        try:
            there, back = await connect(host, port, writer.get_extra_info("peername")[1])
        except OSError:
            writer.close()
            return
        await asyncio.gather(copy(reader, back), copy(there, writer))

    return forward


async def main(url):
    place = urlsplit(url)
    for own, port in ((5672, place.port), (15672, place.port + 10000)):
        await asyncio.start_server(forwarding(place.hostname, port), "127.0.0.1", own)
    await asyncio.Event().wait()


try:
    asyncio.run(main(sys.argv[1]))
except KeyboardInterrupt:
    pass
