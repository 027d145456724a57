"""python delayed_origin.py SECONDS: an origin that delays every response; prints its port."""

import asyncio
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nlate\n"


class DelayedOrigin(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):  # a GET without a body comes in one piece on loopback
        for _ in range(data.count(b"\r\n\r\n")):
            asyncio.get_running_loop().call_later(SECONDS, self.response)

    def response(self):
        if not self.transport.is_closing():
            self.transport.write(ANSWER)


async def main():
    server = await asyncio.get_running_loop().create_server(DelayedOrigin, "127.0.0.1", 0,
                                                            backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


SECONDS = float(sys.argv[1])
asyncio.run(main())
