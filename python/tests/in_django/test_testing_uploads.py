"""Uploads to the fake daemons of django_curlew.testing: they are read, and seen as the body."""

import asyncio
import io

import pytest

from django_curlew import daemon
from django_curlew.testing import override_curlew

OBJECT = {"url": "https://example.org/", "method": "PUT"}
CONTENT = {b"text": {"body": "text"}, b"\xff\0": {"body_base64": "/wA="}}


async def apieces(content):
    yield content


@pytest.mark.parametrize("content", CONTENT, ids=repr)
def test_a_stub_sees_the_whole_body(content):
    with override_curlew() as curlew:
        curlew.on("*", text="ok")
        d = daemon.current()
        for source in (io.BytesIO(content), iter([content])):
            d.exchange("POST", "/v1/fetch", body=daemon.Upload(source, request_object=OBJECT))
        upload = daemon.Upload([content], request_object=OBJECT)
        with d.open("POST", "/v1/stream", body=upload) as stream:
            assert stream.read() == b"ok"
        for ask in (d.aexchange, d.aopen):
            upload = daemon.Upload(apieces(content), request_object=OBJECT)
            asyncio.run(ask("POST", "/v1/fetch", body=upload))
        assert curlew.requests == [{**OBJECT, **CONTENT[content]}] * 5


def test_a_body_that_has_its_object_in_it():
    with override_curlew() as curlew:
        curlew.on("*", text="ok")
        upload = daemon.Upload([b'//e.org/"}'], head=b'{"url": "https:')
        daemon.current().exchange("POST", "/v1/fetch", body=upload)
        assert curlew.requests == [{"url": "https://e.org/"}]
