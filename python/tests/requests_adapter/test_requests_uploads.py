"""Bodies that the requests adapter sends piece by piece, beside requests alone."""

import hashlib
import io
import os

import pytest
import requests

from django_curlew import daemon
from tests.support.procs import wait_until
from tests.support.upload_origin import UploadOrigin

LARGE = os.urandom(daemon.MAX_INLINE_BYTES + 1)


@pytest.fixture
def uploads():
    with UploadOrigin() as origin:
        yield origin


class Encoder:
    """Like requests_toolbelt's MultipartEncoder: read() and len, and nothing else."""

    def __init__(self, data):
        self._file = io.BytesIO(data)
        self.len = len(data)

    def read(self, size=-1):
        return self._file.read(size)


def pipe_of(data):
    reader, writer = os.pipe()
    os.write(writer, data)
    os.close(writer)
    return open(reader, "rb")


BODIES = {
    "file": lambda: io.BytesIO(LARGE), "generator": lambda: iter([LARGE, b"", b"x"]),
    "encoder": lambda: Encoder(LARGE), "pipe": lambda: pipe_of(b"abc"),
    "text-file": lambda: io.StringIO("abc"), "bytes": lambda: LARGE, "view": lambda: bytearray(5),
    "text-pieces": lambda: iter(["a", "bc"]),
}


def wire(session, origin, body):
    """(what the origin says it has received, the framing)"""
    facts = session.post(origin.url(), data=body).json()
    seen = origin.uploads[-1]
    return facts, seen.header("content-length"), seen.header("transfer-encoding")


@pytest.mark.parametrize("name", BODIES)
def test_the_origin_sees_what_requests_would_have_sent(session, uploads, name):
    alone = requests.Session()
    alone.trust_env = False
    ours, theirs = (wire(each, uploads, BODIES[name]()) for each in (session(), alone))
    if name == "text-file":  # its length is of its bytes, which nobody knows before
        assert ours == (theirs[0], None, "chunked")
    else:
        assert ours == theirs


def test_a_text_file_is_sent_as_utf8(session, uploads):
    facts = session().post(uploads.url(), data=io.StringIO("grüße")).json()
    assert facts["sha256"] == hashlib.sha256("grüße".encode()).hexdigest()


def test_nothing_is_read_ahead_of_the_origin(session):
    """The source goes on only as the origin reads."""
    pulled = []

    def source():
        for _ in range(2000):
            pulled.append(1)
            yield bytes(65536)

    def stops(upload, answer):
        upload.read(1)
        wait_until("the sending to stop", lambda: has_stopped(pulled))
        assert len(pulled) < 400
        answer(200, b"{}")

    with UploadOrigin(stops) as origin:
        assert session().post(origin.url(), data=source(), timeout=30).status_code == 200


def has_stopped(pulled, seen=[0, 0]):  # noqa: B006 (it counts)
    seen[1] = seen[1] + 1 if seen[0] == len(pulled) else 0
    seen[0] = len(pulled)
    return seen[1] > 20


def test_an_exception_of_the_source_is_raised_as_it_is(session, uploads):
    error = LookupError("mine")

    def source():
        yield b"abc"
        raise error

    with pytest.raises(LookupError) as caught:
        session().post(uploads.url(), data=source())
    assert caught.value is error
    for seen in uploads.uploads:
        wait_until("the origin to see its end", lambda: seen.is_over)  # noqa: B023
        assert not seen.is_whole


def test_pieces_that_are_no_bytes(session, uploads):
    with pytest.raises(TypeError):
        session().post(uploads.url(), data=iter([b"abc", 5]))
    for seen in uploads.uploads:
        wait_until("the origin to see its end", lambda: seen.is_over)  # noqa: B023
        assert not seen.is_whole


def test_a_redirect_rewinds_a_file_as_requests_does(session):
    def redirects(upload, answer):
        upload.read()
        if upload.target == "/there":
            answer(200, upload.facts())
        else:
            answer(307, fields=[("Location", "/there")])

    with UploadOrigin(redirects) as origin:
        file = io.BytesIO(b"skipped" + LARGE)
        file.seek(7)
        response = session().post(origin.url(), data=file)
        assert response.json()["sha256"] == hashlib.sha256(LARGE).hexdigest()


def test_a_generator_is_not_sent_again_as_an_empty_body(session):
    """A Retry of one's own is followed here, and there is nothing to send any more."""
    class Own(requests.adapters.Retry):
        pass

    def fails(upload, answer):
        upload.read()
        answer(503)

    with UploadOrigin(fails) as origin:
        retries = Own(1, status_forcelist=[503], allowed_methods=None, backoff_factor=0)
        with pytest.raises(requests.RequestException):
            session(max_retries=retries).post(origin.url(), data=iter([b"abc"]))
        assert [each.size for each in origin.uploads if each.is_whole] == [3]
