"""Headers whose values are bytes that are not UTF-8, both ways."""

import asyncio
import io
import json
import os
import pickle

import pytest

from django_curlew import AsyncSession, Headers, Session
from django_curlew.requests.prepared_request import PreparedRequest
from tests.support.scripted_origin import ScriptedOrigin

BYTES = b"caf\xe9"


def sent(origin, session=None, **headers):
    echo = (session or Session()).get(origin.url("/echo"), headers=headers).json()
    # The origin's echo has bytes as ISO-8859-1.
    return {name: value.encode("latin-1") for name, value in echo["headers"]}


@pytest.mark.parametrize("value, expected", [
    (BYTES, BYTES), ("é", b"\xc3\xa9"), (b"\xc3\xa9", b"\xc3\xa9"),
    (os.fsdecode(BYTES), BYTES), ("é" + os.fsdecode(b"\xff"), b"\xc3\xa9\xff")])
def test_a_value_is_sent_as_these_bytes(origin, value, expected):
    assert sent(origin, **{"X-V": value})["X-V"] == expected
    assert sent(origin, Session(headers={"X-V": value}))["X-V"] == expected
    assert Headers({"X-V": value}).raw == [(b"X-V", expected)]


def test_in_the_request_object_it_is_base64():
    prepared = PreparedRequest(Session(), "GET", "http://a/", {"headers": [(b"X-V", BYTES)]})
    assert json.loads(prepared.to_json())["headers"] == [["X-V", {"base64": "Y2Fm6Q=="}]]


def ways(url):
    yield Session().get(url)
    yield Session().gather([url])[0]
    yield asyncio.run(AsyncSession().get(url))


def head(request, connection):
    location = b"" if request.target == "/end" else b"Location: /end\r\n"
    status = b"302 Found" if location else b"200 Fine"
    connection.send(b"HTTP/1.1 " + status + b"\r\n" + location + b"X-Name: " + BYTES
                    + b"\r\nx-UTF: \xc3\xa9\r\nContent-Length: 0\r\n\r\n")


def test_a_response_has_the_bytes_as_sent_and_names_in_their_case():
    with ScriptedOrigin(head) as origin:
        for response in ways(origin.url("/start")):
            assert response.headers["x-name"] == "café" and response.headers["x-utf"] == "é"
            assert response.headers.raw == [
                (b"X-Name", BYTES), (b"x-UTF", b"\xc3\xa9"), (b"Content-Length", b"0")]
            assert response.headers.encoding == "iso-8859-1"
            assert (b"X-Name", BYTES) in response.history[0].headers.raw


def test_a_header_that_was_received_can_be_sent_back(origin):
    received = Headers.of_envelope({"headers": [["X-V", "caf\xe9"]], "headers_base64":
                                    [[0, "Y2Fm6Q=="]]})
    assert sent(origin, **{"X-V": received["x-v"]})["X-V"] == BYTES
    assert sent(origin, Session(headers=received))["X-V"] == BYTES


def test_copies_keep_the_bytes():
    for copied in (Headers(Headers({"A": BYTES})), Headers({"A": BYTES}).copy(),
                   pickle.loads(pickle.dumps(Headers({"A": BYTES})))):
        assert copied.raw == [(b"A", BYTES)] and copied["a"] == "café"


@pytest.mark.parametrize("name", ["Content-Length", "content-length", "Transfer-Encoding",
                                  "Expect", ":authority", ":method", ":path", ":scheme"])
@pytest.mark.parametrize("value", ["0", "5", "999", "100-continue", None])
@pytest.mark.parametrize("data", [None, b"hello"])
def test_headers_of_the_message_are_ours(origin, name, value, data):
    method = "POST" if data else "GET"
    echo = Session().request(method, origin.url("/echo"), headers={name: value}, data=data).json()
    names = [each.lower() for each, _ in echo["headers"]]
    lengths = [v for n, v in echo["headers"] if n.lower() == "content-length"]
    assert lengths == (["5"] if data else [])
    assert not {":authority", ":method", ":path", ":scheme", "expect", "transfer-encoding"} \
        & set(names)


def test_the_request_still_shows_what_was_given(origin):
    response = Session().get(origin.url("/echo"), headers={"Content-Length": "7"})
    assert response.request.headers["content-length"] == "7"


def test_the_encoding_of_a_requests_headers_counts():
    prepared = PreparedRequest(Session(headers={"A": "1"}), "GET", "http://a/",
                               {"headers": Headers(encoding="utf-8")})
    assert prepared.request().headers.encoding == "utf-8"


def test_the_length_of_a_file_is_the_requests(origin):
    response = Session().post(origin.url("/echo"), content=io.BytesIO(b"12345"),
                              headers={"Content-Length": "1"})
    assert response.request.headers["content-length"] == "5"
    assert ["Content-Length", "5"] in response.json()["headers"]
