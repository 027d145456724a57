"""The origin's good pages. Each takes (origin, request) and returns a Response."""

import asyncio
import gzip
import json
import zlib

import brotli
import zstandard

from . import auth, flaky, streaming, faults
from .message import Response

PATTERN = bytes(range(256)) * 256  # 64 KiB; byte i of /bytes is i mod 256
TEXTS = {"utf-8": "Grüße, Привет, 你好", "iso-8859-1": "Grüße aus Köln", "shift_jis": "日本語です",
         "windows-1251": "Привет, мир", "utf-16": "Grüße, 你好", "us-ascii": "plain"}


def as_json(value, status=200, headers=()):
    body = json.dumps(value).encode()
    return Response(status, [["Content-Type", "application/json"], *headers], body)


def text(words, status=200, headers=()):
    return Response(status, [["Content-Type", "text/plain; charset=utf-8"], *headers],
                    words.encode())


async def stats(origin, request):
    return as_json(origin.stats.as_dict())


async def events(origin, request):
    wanted = request.arg("target")
    return as_json([e for e in origin.stats.events if wanted in (None, e["target"])])


async def reset(origin, request):
    origin.stats.reset()
    return as_json({})


async def hello(origin, request):
    return text("hello\n")


async def echo(origin, request):
    return as_json(request.as_dict())


async def status(origin, request):
    code = int(request.tail())
    response = text(f"status {code}\n", code)
    response.reason = request.arg("reason", response.reason)
    return response


def pattern(size):
    return (PATTERN * (size // len(PATTERN) + 1))[:size]


async def some_bytes(origin, request):
    size = int(request.tail())
    kind = [["Content-Type", request.arg("type", "application/octet-stream")]]
    if request.arg("chunked") is None:
        return Response(headers=kind, body=pattern(size))
    return Response(headers=kind, body=in_pieces(pattern(size), 16384))


async def in_pieces(data, size):
    for at in range(0, len(data), size):
        yield data[at:at + size]


async def delay(origin, request):
    await asyncio.sleep(float(request.tail()))
    return text("late\n")


async def drip(origin, request):
    """n bytes, one every `every` seconds."""
    n, every = request.arg_int("n", 5), request.arg_float("every", 0.1)

    async def body():
        for i in range(n):
            if i > 0:
                await asyncio.sleep(every)
            yield b"x"

    return Response(headers=[["Content-Type", "text/plain"]], body=body(), length=n)


async def redirect(origin, request):
    """/redirect/3 → /redirect/2 → … → /hello"""
    left = int(request.tail())
    to = f"/redirect/{left - 1}" if left > 1 else "/hello"
    return text("moved\n", 302, [["Location", to], ["X-Left", str(left)]])


async def redirect_to(origin, request):
    return text("moved\n", request.arg_int("status", 302), [["Location", request.arg("url")]])


async def cookies(origin, request):
    """By name: libcurl and RFC 6265 order the field differently."""
    return as_json(dict(sorted(request.cookies().items())))


async def cookies_set(origin, request):
    """?name=value&… then a redirect to /cookies."""
    lines = [["Set-Cookie", f"{n}={v}; Path=/"] for n, v in request.query]
    return text("set\n", 302, [["Location", "/cookies"], *lines])


async def cookies_raw(origin, request):
    """?c=…&c=…: whole Set-Cookie values, and no redirect."""
    return text("set\n", 200, [["Set-Cookie", v] for n, v in request.query if n == "c"])


async def cookies_delete(origin, request):
    lines = [["Set-Cookie", f"{n}=; Path=/; Max-Age=0"] for n, _ in request.query]
    return text("deleted\n", 302, [["Location", "/cookies"], *lines])


ENCODERS = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress,
            "zstd": zstandard.ZstdCompressor().compress}


async def encoded(origin, request):
    """/gzip, /deflate, /br, /zstd: a text, or with ?n= that many zero bytes; always encoded."""
    coding = request.tail()
    plain = bytes(request.arg_int("n", 0)) or f"this was {coding}\n".encode()
    kind = "text/plain" if request.arg("n") is None else "application/octet-stream"
    return Response(headers=[["Content-Type", kind], ["Content-Encoding", coding]],
                    body=ENCODERS[coding](plain))


async def many_headers(origin, request):
    return text("headers\n", headers=[[f"X-N-{i}", str(i)] for i in range(int(request.tail()))])


async def big_header(origin, request):
    return text("header\n", headers=[["X-Big", "x" * int(request.tail())]])


async def odd_headers(origin, request):
    """Repeated names, mixed case, an empty value, bytes above 127."""
    return text("odd\n", headers=[["X-Twice", "one"], ["x-MIXED-case", "kept"], ["X-Twice", "two"],
                                  ["X-Empty", ""], ["X-Latin", "Gr\xfc\xdfe"]])


async def etag(origin, request):
    mark = [["ETag", '"v1"']]
    if request.header("if-none-match") == '"v1"':
        return Response(304, mark)
    return text("version 1\n", headers=mark)


async def sse(origin, request):
    async def body():
        for i in range(request.arg_int("n", 3)):
            yield f"data: {i}\n\n".encode()
            await asyncio.sleep(request.arg_float("every", 0.01))

    return Response(headers=[["Content-Type", "text/event-stream"]], body=body())


async def charset(origin, request):
    """A text in the charset, declared unless ?declare=no."""
    name = request.tail()
    kind = "text/plain" + (f"; charset={name}" if request.arg("declare") != "no" else "")
    return Response(headers=[["Content-Type", kind]], body=TEXTS[name].encode(name))


async def binary(origin, request):
    return Response(headers=[["Content-Type", "application/octet-stream"]],
                    body=b"\x00\xff\xfe\x80" * 4)


async def raw(origin, request):
    """?hex= as the body, ?type= as its Content-Type (none where it is empty)."""
    kind = request.arg("type")
    return Response(headers=[["Content-Type", kind]] if kind else [],
                    body=bytes.fromhex(request.arg("hex", "")))


async def until_close(origin, request):
    """A body that ends with the connection, as in HTTP/1.0: whole all the same."""
    return Response(body=in_pieces(b"up to the end\n", 5), trailers=None,
                    headers=[["Content-Type", "text/plain"], ["Connection", "close"]])


async def trailers(origin, request):
    return Response(headers=[["Content-Type", "text/plain"], ["Trailer", "X-Sum"]],
                    body=in_pieces(b"with a trailer\n", 5), trailers=[["X-Sum", "7"]])


async def close_after(origin, request):
    return text("bye\n", headers=[["Connection", "close"]])


async def not_found(origin, request):
    return text("nothing here\n", 404)


PAGES = {
    "/_stats": stats, "/_events": events, "/_reset": reset,
    "/": hello, "/hello": hello, "/echo": echo, "/drip": drip, "/redirect-to": redirect_to,
    "/cookies": cookies, "/cookies/set": cookies_set, "/cookies/raw": cookies_raw,
    "/cookies/delete": cookies_delete, "/gzip": encoded, "/deflate": encoded, "/br": encoded,
    "/zstd": encoded, "/odd-headers": odd_headers, "/etag": etag, "/sse": sse, "/binary": binary,
    "/raw": raw, "/until-close": until_close, "/trailers": trailers, "/close": close_after,
    "/auth/basic": auth.basic, "/auth/digest": auth.digest, "/auth/bearer": auth.bearer,
    **flaky.PAGES, **streaming.PAGES, **faults.PAGES,
}
PAGES_BY_PREFIX = {  # /NAME/argument
    "status": status, "bytes": some_bytes, "delay": delay, "redirect": redirect,
    "headers": many_headers, "bigheader": big_header, "charset": charset, "echo": echo,
}


async def dispatch(origin, request):
    prefix = request.path.lstrip("/").partition("/")[0]
    page = PAGES.get(request.path) or PAGES_BY_PREFIX.get(prefix) or not_found
    return await page(origin, request)
