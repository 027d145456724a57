"""The site that the demo fetches: the files in pages/, over HTTP/1.1 and over TLS and HTTP/2.

    python examples/origin.py CERTS [--host ADDRESS] [--http PORT] [--https PORT]

prints one line of JSON with its two ports.  /_stats tells how many connections it has seen.
"""

import asyncio
import json
import mimetypes
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from tests.support.origin import message, site  # noqa: E402

PAGES = {f"/{file.name}": file.read_bytes() for file in (HERE / "pages").iterdir()}
PAGES["/"] = PAGES["/index.html"]


WORDS = "A curlew is a bird with a long, curved bill: it reaches what others do not.".split()
LARGE = 8_000_000  # bytes of /large.bin


async def events():
    """Server-Sent Events, one word each, as an LLM sends its answer."""
    for word in WORDS:
        yield b"data: %s\n\n" % json.dumps(word + " ").encode()
        await asyncio.sleep(0.15)
    yield b"data: [DONE]\n\n"


class Site:
    """What server.Origin asks for every request."""

    @staticmethod
    async def dispatch(origin, request):
        if request.path == "/_stats":
            return page("stats.json", json.dumps(origin.stats.as_dict()).encode())
        if request.path == "/events":
            return message.Response(200, [["Content-Type", "text/event-stream"]], events())
        if request.path == "/large.bin":
            return page("large.bin", bytes(LARGE))
        if request.path == "/slow.html":
            await asyncio.sleep(1)
        if request.path in PAGES:
            return page(request.path, PAGES[request.path])
        return page("missing.txt", b"No such page.\n", 404)


def page(name, body, status=200):
    kind = mimetypes.guess_type(name)[0] or "text/html"
    return message.Response(status, [["Content-Type", kind]], body)


if __name__ == "__main__":
    asyncio.run(site.serve(Site, site.read_options()))
