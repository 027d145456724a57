"""HTTP/1.1 on one connection: requests one after the other, bodies by length or in chunks."""

import asyncio

from .message import Request

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
TLS_HANDSHAKE = b"\x16"
HTTP_2 = b"PRI * HTTP/2.0\r\n\r\n"


async def serve(connection):
    while True:
        first = await connection.reader.read(1)
        if first == TLS_HANDSHAKE:
            connection.writer.write(BAD_REQUEST)
        if first in (b"", TLS_HANDSHAKE):
            return
        head = first + await connection.reader.readuntil(b"\r\n\r\n")
        if head == HTTP_2:
            connection.writer.write(BAD_REQUEST)
            return
        request = await read_request(connection, head)
        keep = (request.header("connection") or "").lower() != "close"
        try:
            response = await connection.handle(request, write_response)
        except asyncio.CancelledError:
            return  # the peer left in the middle
        if response is None:
            return  # the page had its own way with the connection
        if not keep or response.length is None and response.trailers is None:
            return


async def read_request(connection, head):
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    method, target, version = first.split(" ")
    headers = [[n, v.strip(" \t")] for n, v in (line.split(":", 1) for line in lines)]
    request = Request(method, target, headers, b"", connection, version.removeprefix("HTTP/"))
    if (request.header("expect") or "").lower() == "100-continue":
        connection.writer.write(CONTINUE)
    if (request.header("transfer-encoding") or "").lower() == "chunked":
        request.body = await read_chunks(connection.reader)
    else:
        request.body = await connection.reader.readexactly(int(request.header("content-length")
                                                               or 0))
    return request


async def read_chunks(reader):
    body = bytearray()
    while True:
        size = int((await reader.readuntil(b"\r\n")).split(b";")[0], 16)
        if size == 0:
            await reader.readuntil(b"\r\n")
            return bytes(body)
        body += await reader.readexactly(size)
        await reader.readexactly(2)


def head_of(response):
    lines = [f"HTTP/1.1 {response.status} {response.reason}"]
    lines += [f"{n}: {v}" for n, v in response.headers]
    if not response.bodiless():
        if response.length is not None:
            lines.append(f"Content-Length: {response.length}")
        elif response.trailers is not None:
            lines.append("Transfer-Encoding: chunked")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def write_response(request, response):
    writer = request.connection.writer
    head = head_of(response)
    if request.method == "HEAD" or response.bodiless():
        writer.write(head)
    elif isinstance(response.body, bytes):
        writer.write(head + response.body)
    else:
        writer.write(head)
        await write_pieces(writer, response)
    await writer.drain()


async def write_pieces(writer, response):
    """By length, in chunks, or (trailers None) up to the end of the connection."""
    chunked = response.length is None and response.trailers is not None
    async for piece in response.body:
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
        await writer.drain()
    if chunked:
        trailers = "".join(f"{n}: {v}\r\n" for n, v in response.trailers)
        writer.write(f"0\r\n{trailers}\r\n".encode())
