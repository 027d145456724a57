"""Request streams that the httpx transports send piece by piece, beside the packages alone."""

import os

import pytest

from django_curlew import daemon
from tests.support.procs import wait_until
from tests.support.upload_origin import UploadOrigin

LARGE = os.urandom(daemon.MAX_INLINE_BYTES + 1)


@pytest.fixture
def uploads():
    with UploadOrigin() as origin:
        yield origin


def source_of(variant, pieces, error=None):
    """A generator, or an async generator."""
    def sync():
        yield from pieces
        if error is not None:
            raise error

    async def coroutine():
        for piece in pieces:
            yield piece
        if error is not None:
            raise error

    return coroutine() if variant.is_async else sync()


def wire(client, origin, options):
    facts = client.request("POST", origin.url(), **options).json()
    seen = origin.uploads[-1]
    return facts["size"], seen.header("content-length"), seen.header("transfer-encoding")


@pytest.mark.parametrize("make", [
    lambda variant: {"content": source_of(variant, [b"a", b"", LARGE])},
    lambda variant: {"content": source_of(variant, [b"abc"]), "headers": {"Content-Length": "3"}},
    lambda variant: {"content": source_of(variant, [LARGE]),
                     "headers": {"Content-Length": str(len(LARGE))}},
    lambda variant: {"files": {"f": LARGE}}, lambda variant: {"files": {"f": b"small"}},
    lambda variant: {"content": LARGE},
], ids=["generator", "length", "large-length", "form", "small-form", "bytes"])
def test_the_origin_sees_what_httpx_would_have_sent(variant, uploads, make):
    ours = wire(variant.client(), uploads, make(variant))
    assert ours == wire(variant.alone(), uploads, make(variant))


@pytest.mark.parametrize("pieces", [[b"abc"], [LARGE], None], ids=["small", "large", "bytes"])
def test_a_body_that_no_header_announces_is_an_error(variant, uploads, pieces):
    """As of a request whose Content-Length a hook has deleted: h11 raises this, too."""
    request = variant.package.Request("POST", uploads.url(), headers={"Host": "a.test"},
                                      content=source_of(variant, pieces) if pieces else LARGE)
    for name in ("Content-Length", "Transfer-Encoding"):
        request.headers.pop(name, None)
    with pytest.raises(variant.package.LocalProtocolError, match="Too much data"):
        variant.client().send(request)
    assert not uploads.uploads


@pytest.mark.parametrize("length", [b"abc", b"-3", b"+3", b"\xb2", b"9" * 5000],
                         ids=["letters", "negative", "plus", "superscript", "endless"])
def test_a_length_that_is_no_number_is_an_error(variant, uploads, length):
    with pytest.raises(variant.package.LocalProtocolError, match="bad Content-Length"):
        variant.client().post(uploads.url(), content=source_of(variant, [b"abc"]),
                              headers={b"Content-Length": length})
    assert not uploads.uploads


def test_an_exception_of_the_stream_is_raised_as_it_is(variant, uploads):
    error = LookupError("mine")
    with pytest.raises(LookupError) as caught:
        variant.client().post(uploads.url(), content=source_of(variant, [b"abc"], error))
    assert caught.value is error
    for seen in uploads.uploads:
        wait_until("the origin to see its end", lambda: seen.is_over)  # noqa: B023
        assert not seen.is_whole


def test_a_stream_that_was_consumed(variant):
    def redirects(upload, answer):
        upload.read()
        answer(307, fields=[("Location", "/there")])

    with UploadOrigin(redirects) as origin:
        client = variant.client(client_options={"follow_redirects": True})
        with pytest.raises(variant.package.StreamConsumed):
            client.post(origin.url(), content=source_of(variant, [b"abc"]))
        assert [each.size for each in origin.uploads if each.is_whole] == [3]


def test_a_stream_shorter_than_announced(variant, uploads):
    with pytest.raises(variant.package.LocalProtocolError, match="2 bytes fewer"):
        variant.client().post(uploads.url(), content=source_of(variant, [LARGE]),
                              headers={"Content-Length": str(len(LARGE) + 2)})
    assert not [each for each in uploads.uploads if each.is_whole]


@pytest.mark.parametrize("announced", [2, 4])
@pytest.mark.parametrize("is_stream", [True, False], ids=["stream", "bytes"])
def test_a_small_body_of_another_length_than_announced(variant, uploads, is_stream, announced):
    content = source_of(variant, [b"a", b"bc"]) if is_stream else b"abc"
    with pytest.raises(variant.package.LocalProtocolError, match="declared Content-Length"):
        variant.client().post(uploads.url(), content=content,
                              headers={"Content-Length": str(announced)})
    assert not [each for each in uploads.uploads if each.is_whole]
