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


def forwarding(host, port):
    async def forward(reader, writer):
        try:
            there, back = await asyncio.open_connection(host, port)
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
