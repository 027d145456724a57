"""Bodies of the drop-in that follow the request object: files, iterables, and what is large."""

import asyncio
import base64
import contextlib
import hashlib
import io
import json
import os
import threading

import pytest
from parity import echoed, run_async, run_sync, OURS, THEIRS

from django_curlew import AsyncSession, CurlMime, Session, daemon, exceptions
from django_curlew.requests.multipart_stream import (
    LARGE_BYTES,
    SOURCE,
    MultipartStream,
    PartSource,
)
from tests.support.procs import wait_until
from tests.support.upload_origin import UploadOrigin

LARGE = os.urandom(LARGE_BYTES) + b"\0"


@pytest.fixture(params=["Session", "AsyncSession"])
def send(request):
    """send(method, url, …) → the response."""
    def sync(*args, **kwargs):
        return Session().request(*args, **kwargs)

    def coroutine(*args, **kwargs):
        return asyncio.run(AsyncSession().request(*args, **kwargs))

    return sync if request.param == "Session" else coroutine


@pytest.fixture
def uploads():
    with UploadOrigin() as origin:
        yield origin


def is_here(response, content):
    """Does the origin say that it has received this?"""
    return response.json() == {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


SOURCES = {
    "file": lambda: io.BytesIO(b"abc"), "iterable": lambda: [b"a", b"bc"],
    "generator": lambda: (piece for piece in (b"a", b"", b"bc")), "empty": lambda: iter([]),
    "empty-file": lambda: io.BytesIO(), "pipe": lambda: pipe_of(b"abc"),
    "bytearray": lambda: bytearray(LARGE), "large": lambda: LARGE,
}


opened_files = contextlib.ExitStack()


@pytest.fixture(autouse=True)
def close_opened_files():
    yield
    opened_files.close()


def open_file(file):
    return opened_files.enter_context(open(file, "rb"))


def pipe_of(data):
    reader, writer = os.pipe()
    os.write(writer, data)
    os.close(writer)
    return open_file(reader)


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("run", [run_sync, run_async])
def test_the_origin_sees_what_curl_cffi_would_send(origin, run, method, name):
    """Its framing and its Content-Type, too."""
    def program(lib, s, url):
        return echoed(s.request(method, url("/echo"), content=SOURCES[name]()))

    assert run(OURS, program, origin.url) == run(THEIRS, program, origin.url)


@pytest.mark.parametrize("headers", [{"Content-Type": "text/x"}, {"Content-Length": "3"}])
def test_headers_of_a_body_that_follows(send, uploads, headers):
    response = send("PUT", uploads.url(), content=iter([b"abc"]), headers=headers)
    assert is_here(response, b"abc")
    seen, = uploads.uploads
    assert seen.header("content-type") == headers.get("Content-Type")
    assert seen.header("transfer-encoding") == "chunked"


def test_an_async_iterable(uploads):
    async def source():
        for piece in (b"a", LARGE, b""):
            await asyncio.sleep(0)
            yield piece

    async def run(**options):
        return await AsyncSession().post(uploads.url(), content=source(), **options)

    assert is_here(asyncio.run(run()), b"a" + LARGE)
    assert asyncio.run(run(stream=True)).status_code == 200
    with pytest.raises(TypeError, match="AsyncSession"):
        Session().post(uploads.url(), content=source())
    with pytest.raises(TypeError, match="AsyncSession"):
        asyncio.run(AsyncSession().gather([("POST", uploads.url(), {"content": source()})]))


@pytest.mark.parametrize("options", [{"data": LARGE}, {"data": "file"},
                                     {"content": LARGE}, {"json": {"a": "x" * LARGE_BYTES}}],
                         ids=["data", "file", "content", "json"])
def test_large_bodies_in_memory_follow_without_base64(send, uploads, options, monkeypatch):
    sent = []
    build = daemon.Daemon.build_request
    monkeypatch.setattr(daemon.Daemon, "build_request", lambda self, *args, **kwargs:
                        [sent.append(kwargs["body"]), build(self, *args, **kwargs)][1])
    if options.get("data") == "file":
        options = {"data": io.BytesIO(LARGE)}
    response = send("POST", uploads.url(), **options)
    expected = json.dumps(options["json"], separators=(",", ":")).encode() if "json" in options \
        else LARGE
    assert is_here(response, expected)
    assert sent[0].length == len(expected) and len(sent[0].head) < 1000
    assert uploads.uploads[0].header("content-length") == str(len(expected))


def test_at_the_limit_a_body_is_in_the_request_object(uploads):
    session = Session()
    for size, follows in ((LARGE_BYTES, False), (LARGE_BYTES + 1, True)):
        prepared = session_request(session, content=b"x" * size)
        assert isinstance(prepared.to_body(), daemon.Upload) == follows


def session_request(session, **kwargs):
    from django_curlew.requests.prepared_request import PreparedRequest

    return PreparedRequest(session, "POST", "http://e.example/", kwargs)


class Mine(Exception):
    pass


def test_an_exception_of_the_source_reaches_the_caller(send, uploads):
    error = Mine()

    def source():
        yield b"abc"
        raise error

    with pytest.raises(Mine) as caught:
        send("POST", uploads.url(), content=source())
    assert caught.value is error
    for seen in uploads.uploads:
        wait_until("the origin to see its end", lambda: seen.is_over)  # noqa: B023
        assert not seen.is_whole


class Short(io.BytesIO):
    """A file that was cut after its length was found out."""

    def read(self, size=-1):
        return super().read(size)[:1] if self.tell() == 0 else b""


def test_a_file_that_was_cut_is_a_bad_request(send, uploads):
    with pytest.raises(exceptions.BadRequest, match="2 bytes fewer than the 3") as caught:
        send("POST", uploads.url(), content=Short(b"abc"))
    assert caught.value.reason == "bad_request"


@pytest.mark.parametrize("limits, size, words", [
    ({"upload_bytes": 1000}, 1001, "limits.upload_bytes"),
    ({"request_bytes": 300_000}, None, "limits.request_bytes"),
])
def test_the_error_says_which_limit(send, uploads, curlewd, monkeypatch, limits, size, words):
    started = curlewd({"limits": limits})
    monkeypatch.setenv("CURLEW_URL", f"fcgi+unix:{started.socket}")
    body = {"content": iter([b"x" * size])} if size else {"files": {"f": b"x" * 250_000},
                                                          "headers": {"a": "x" * 60_000}}
    with pytest.raises(exceptions.BadRequest, match=words) as caught:
        send("POST", uploads.url(), **body)
    assert caught.value.reason == "request_too_large"


# -- redirects and retries ------------------------------------------------------------------------


def redirecting(upload, answer):
    upload.read()
    if upload.target == "/there":
        answer(200, upload.facts())
    else:
        answer(307, fields=[("Location", "/there")])


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("make", [lambda: LARGE, lambda: io.BytesIO(LARGE)],
                         ids=["bytes", "file"])
def test_a_redirect_has_the_body_again(make, stream):
    with UploadOrigin(redirecting) as origin:
        response = Session().post(origin.url(), content=make(), stream=stream)
        content = b"".join(response.iter_content()) if stream else response.content
        assert response.status_code == 200
        assert json.loads(content)["sha256"] == hashlib.sha256(LARGE).hexdigest()


def test_a_redirect_of_what_can_be_read_only_once_is_the_response(send):
    with UploadOrigin(redirecting) as origin:
        response = send("POST", origin.url(), content=iter([LARGE]))
        assert response.status_code == 307 and response.envelope["body_not_replayed"]
        assert len(origin.uploads) == 1


def test_a_retry_has_the_body_again(send):
    def fails_once(upload, answer):
        upload.read()
        if len(origin.uploads) == 1:
            raise ConnectionError
        answer(200, upload.facts())

    with UploadOrigin(fails_once) as origin:
        assert is_here(send("POST", origin.url(), content=LARGE, retry=1), LARGE)


# -- forms ----------------------------------------------------------------------------------------

PARTS = [
    {"name": "a", "data": "ü"}, {"name": 'q"', "data": b"\0\xff", "filename": 'f"ü.txt'},
    {"name": "b", "data": "x", "filename": "x.JPG"}, {"name": "c", "data": b"", "filename": "c"},
    {"name": "d", "data": "y", "filename": "d.pdf", "content_type": "text/x"},
    {"name": "e", "data": "z", "content_type": "text/y"},
]


def test_a_form_is_written_as_libcurl_writes_it(origin):
    form = CurlMime.from_list(PARTS)
    echo = Session().post(origin.url("/echo"), multipart=form).json()
    content_type = dict((n.lower(), v) for n, v in echo["headers"])["content-type"]
    boundary = content_type.rpartition("=")[2]
    ours = MultipartStream(form.parts, boundary)
    assert b"".join(ours).decode("latin-1") == decoded(echo["body_base64"])
    assert ours.content_type() == content_type
    assert ours.length == len(b"".join(ours))
    assert len(MultipartStream(form.parts).boundary) == len(boundary)


@pytest.mark.parametrize("part", [{"name": "a\nb"}, {"name": "a", "filename": "a\r"},
                                  {"name": "a", "content_type": "a\0"}])
@pytest.mark.parametrize("data", [b"x", LARGE], ids=["small", "large"])
def test_a_part_with_a_line_break_is_refused_whatever_its_size(origin, part, data):
    form = CurlMime.from_list([{**part, "data": data}])
    with pytest.raises(exceptions.BadRequest):
        Session().post(origin.url("/echo"), multipart=form)


@pytest.mark.parametrize("header", [("A b", "x"), ("", "x"), ("A", "x\ny"),
                                    ("Content-Disposition", "x"), ("Content-type", "x")])
@pytest.mark.parametrize("data", [b"x", LARGE], ids=["small", "large"])
def test_a_parts_header_that_the_daemon_refuses(origin, header, data):
    part = {"name": "f", "value": "", "headers": [list(header)]}
    if data is LARGE:
        part[SOURCE] = PartSource(data)
        with pytest.raises(exceptions.BadRequest):
            MultipartStream([part])
    else:
        form = CurlMime()
        form.parts.append(part)
        with pytest.raises(exceptions.BadRequest):
            Session().post(origin.url("/echo"), multipart=form)


def test_the_headers_of_a_part(send, origin):
    own = {"X-A": "1", "X-B": "ü"}
    bodies = []
    for data in (b"x", LARGE):
        echo = send("POST", origin.url("/echo"), files={"f": ("f.png", data, "x/y", own)}).json()
        body = decoded(echo["body_base64"])
        boundary = body.partition("\r\n")[0]
        bodies.append(body.partition("\r\n\r\n")[0].replace(boundary, ""))
    assert bodies[0] == bodies[1]


def decoded(text):
    return base64.b64decode(text).decode("latin-1")


def files_of(path):
    return {
        "bytes": LARGE, "file": open_file(path), "path": path,
        "named": ("n.bin", open_file(path), "text/x"), "pipe": ("p", pipe_of(b"p" * 999)),
    }


@pytest.mark.parametrize("name", ["bytes", "file", "path", "named", "pipe"])
def test_a_form_with_a_large_file_follows(send, uploads, tmp_path, name):
    path = tmp_path / "f.bin"
    path.write_bytes(LARGE)
    response = send("POST", uploads.url(), files={"f": files_of(path)[name]}, data={"a": "1"})
    seen, = uploads.uploads
    kind, _, boundary = seen.header("content-type").partition("; boundary=")
    assert kind == "multipart/form-data"
    assert (seen.header("content-length") is None) == (name == "pipe")
    size = 999 if name == "pipe" else len(LARGE)
    assert response.json()["size"] > size + 2 * len(boundary)


def test_many_small_parts_are_a_large_form(send, uploads):
    files = [("f", (f"{n}.bin", bytes(60_000))) for n in range(10)]
    response = send("POST", uploads.url(), files=files)
    assert response.json()["size"] > 600_000
    assert isinstance(session_request(Session(), files=files).to_body(), daemon.Upload)


def test_the_callers_content_type_gets_the_boundary(send, uploads):
    send("POST", uploads.url(), files={"f": LARGE}, headers={"content-type": "multipart/x"})
    kind, _, boundary = uploads.uploads[0].header("content-type").partition("; boundary=")
    assert kind == "multipart/x" and boundary


def test_gather_reads_bodies_whole(uploads, tmp_path):
    path = tmp_path / "f"
    path.write_bytes(LARGE)
    bodies = [LARGE, io.BytesIO(b"abc"), iter([b"d", b"e"])]
    requests = [("POST", uploads.url(), {"content": body}) for body in bodies]
    for response, expected in zip(Session().gather(requests), [LARGE, b"abc", b"de"]):
        assert is_here(response, expected)
    form, = Session().gather([("POST", uploads.url(), {"files": {"f": path}})])
    assert form.json()["size"] > len(LARGE)


def test_cancelling_an_upload_is_seen_by_the_origin(uploads):
    arrived = threading.Event()

    def holds(upload, answer):
        upload.read(1)
        arrived.set()
        upload.read()

    async def source():
        yield b"abc"
        await asyncio.sleep(60)

    async def run(url):
        task = asyncio.ensure_future(AsyncSession().post(url, content=source()))
        assert await asyncio.get_running_loop().run_in_executor(None, arrived.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with UploadOrigin(holds) as origin:
        asyncio.run(run(origin.url()))
    assert not origin.uploads[0].is_whole
