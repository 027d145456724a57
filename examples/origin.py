"""The site that the demo fetches: the files in pages/, over HTTP/1.1 and over TLS and HTTP/2.

    python examples/origin.py CERTS

prints one line of JSON with its two ports.  /_stats tells how many connections it has seen.
"""

import asyncio
import json
import mimetypes
import signal
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from tests.support.origin import message, server  # noqa: E402

PAGES = {f"/{file.name}": file.read_bytes() for file in (HERE / "pages").iterdir()}
PAGES["/"] = PAGES["/index.html"]


class Site:
    """What server.Origin asks for every request."""

    @staticmethod
    async def dispatch(origin, request):
        if request.path == "/_stats":
            return page("stats.json", json.dumps(origin.stats.described()).encode())
        if request.path == "/slow.html":
            await asyncio.sleep(1)
        if request.path in PAGES:
            return page(request.path, PAGES[request.path])
        return page("missing.txt", b"No such page.\n", 404)


def page(name, body, status=200):
    kind = mimetypes.guess_type(name)[0] or "text/html"
    return message.Reply(status, [["Content-Type", kind]], body)


async def main(certs):
    origin = server.Origin(Site)
    tls = server.tls_context(certs, alpn=("h2", "http/1.1"))
    ports = {
        "http": await origin.listen(["127.0.0.1"]),
        "https": await origin.listen(["127.0.0.1"], tls=tls),
    }
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    print(json.dumps(ports), flush=True)
    await stop.wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
