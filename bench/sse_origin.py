"""An origin of server-sent events: python sse_origin.py EVERY; prints its port.

An event every EVERY seconds while somebody listens, each the time.monotonic() of its leaving.
"""

import asyncio
import sys
import time

HEAD = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n")


class SseOrigin(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(HEAD)
        self.tick()

    def tick(self):
        if not self.transport.is_closing():
            event = f"data: {time.monotonic()}\n\n".encode()
            self.transport.write(b"%x\r\n%b\r\n" % (len(event), event))
            asyncio.get_running_loop().call_later(EVERY, self.tick)


async def main():
    server = await asyncio.get_running_loop().create_server(SseOrigin, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


EVERY = float(sys.argv[1])
asyncio.run(main())
