"""A small internet for the code in the documents: every name in it is one site, on this machine.

    python -m tests.support.internet CERTS [--host ADDRESS] [--http PORT] [--https PORT]

prints one line of JSON: the port of a proxy, by which a daemon reaches the site under any name, and
the ports of the site itself. So documented code runs as it stands, with https://example.org/.
/_stats of the site says what it has seen.
"""

import asyncio
import json

from .origin import message, site
from .proxy import Proxy

WORDS = ["A ", "curlew ", "calls."]


def reply(value, status=200, kind="application/json"):
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return message.Response(status, [["Content-Type", kind]], body)


async def answer_of_llm():
    """Server-Sent Events, as an LLM's API sends them; the last one late."""
    for word in WORDS:
        yield b"data: %s\n\n" % json.dumps({"choices": [{"delta": {"content": word}}]}).encode()
        await asyncio.sleep(0.3)
    yield b"data: [DONE]\n\n"


class Site:
    """What server.Origin asks for every request: by name and path."""

    seen = []

    @classmethod
    async def dispatch(cls, origin, request):
        host = (request.header("host") or request.header(":authority") or "").split(":")[0]
        if request.path == "/_stats":
            return reply({**origin.stats.as_dict(), "seen": cls.seen})
        cls.seen.append({**request.as_dict(), "host": host})
        return await getattr(cls, host.replace(".", "_"), cls.page)(request)

    @staticmethod
    async def page(request):
        return reply(b"<h1>Example</h1>\n", kind="text/html")

    @staticmethod
    async def llm_example(request):
        if request.header("authorization") != "Bearer MY-API-KEY":
            return reply({"error": "no key"}, 401)
        return message.Response(200, [["Content-Type", "text/event-stream"]], answer_of_llm())

    @staticmethod
    async def api_example(request):
        return reply({"price": 7} if request.path == "/price" else {"stock": 3})

    @staticmethod
    async def files_example(request):
        return reply(b"film " * 40000, kind="video/mp4")

    @staticmethod
    async def moved_example(request):
        return message.Response(302, [["Location", "http://169.254.169.254/"]], b"")


class EveryName(Proxy):
    """A proxy to which every host is the site."""

    def __init__(self, ports):
        super().__init__(None, None)
        self.ports = ports

    async def reach(self, host, port, writer):
        if host.startswith("no-such"):
            return await super().reach("refused.test", port, writer)
        kind = "https" if port in (443, 8443) else "http"
        return await asyncio.open_connection("127.0.0.1", self.ports[kind])


async def main(options):
    async def start_proxy(ports):
        proxy = await asyncio.start_server(EveryName(ports).serve, options.host, 0)
        return {"proxy": proxy.sockets[0].getsockname()[1]}

    await site.serve(Site, options, start_proxy)


if __name__ == "__main__":
    asyncio.run(main(site.read_options()))
