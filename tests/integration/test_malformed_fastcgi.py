"""Malformed FastCGI: the peer gets a response or a close, and other peers notice nothing."""

import contextlib
import json
import select
import socket
import struct

import pytest

from tests.support import fcgi
from tests.support.concurrency import timed
from tests.support.curlewd import Curlewd
from tests.support.procs import wait_until

HEALTH = fcgi.cgi_params("GET", "/_fetch/healthz")


@pytest.fixture(scope="module")
def victim():
    """A daemon with as few threads as it gets, for those who would pin one."""
    daemon = Curlewd({"workers": 1})
    yield daemon
    daemon.stop()


@pytest.fixture
def connect(victim):
    """connect() → a raw connection, closed at the end; the neighbours are looked after."""
    with contextlib.ExitStack() as stack:
        def open_one(timeout=5.0):
            return stack.enter_context(fcgi.Connection(victim.socket, timeout))

        yield open_one
        response, took = timed(victim.client.ask, "GET",
                               "/healthz")  # while they still are connected
        assert response.status == 200 and took < 1
    assert victim.process.running(), victim.process.err


def fetch_request(url, keep=False, **cgi):
    body = json.dumps({"url": url}).encode()
    params = fcgi.cgi_params("POST", "/_fetch/v1/fetch", body=body) | cgi
    return fcgi.begin(keep=keep) + fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(params)), body


def is_served(c, request_id=1):
    assert c.read_response(request_id).json() == {"status": "ok"}


# -- halves and trickles ---------------------------------------------------

WHOLE = fcgi.request(HEALTH)


@pytest.mark.parametrize("size", [0, 1, 4, 7, 8, 12, 16, 20, 40, len(WHOLE) - 8, len(WHOLE) - 1])
def test_half_a_request_then_silence_blocks_no_thread(connect, victim, size):
    for _ in range(40):
        connect().send(WHOLE[:size])
    assert victim.client.ask("GET", "/healthz").status == 200


@pytest.mark.parametrize("size", [1, 8, 16, 40, len(WHOLE) - 1])
def test_half_a_request_then_a_close_harms_no_other_peer(connect, size):
    c = connect()
    c.send(WHOLE[:size])
    c.sock.shutdown(socket.SHUT_WR)
    assert c.closes_within()


def test_a_request_may_come_byte_by_byte(connect):
    c = connect()
    for i in range(len(WHOLE)):
        c.send(WHOLE[i:i + 1])
    is_served(c)


def test_parameters_may_be_split_anywhere_between_records(connect, origin):
    body = json.dumps({"url": origin.url("/hello")}).encode()
    params = fcgi.pairs(fcgi.cgi_params("POST", "/_fetch/v1/fetch", body=body))
    for chunk in (1, 3, 7, 100):
        c = connect()
        c.send(fcgi.begin() + fcgi.stream(fcgi.PARAMS, 1, params, chunk)
               + fcgi.stream(fcgi.STDIN, 1, body, chunk))
        assert c.read_response().json()["body"] == "hello\n"


def test_padding_of_any_size_is_accepted(connect):
    for pad in (0, 1, 255):
        c = connect()
        c.send(fcgi.record(fcgi.BEGIN, 1, struct.pack(">HB5x", 1, 0), padding=pad)
               + fcgi.record(fcgi.PARAMS, 1, fcgi.pairs(HEALTH), padding=pad)
               + fcgi.record(fcgi.PARAMS, 1, padding=pad) + fcgi.record(fcgi.STDIN, 1, padding=pad))
        is_served(c)


def test_short_parameters_may_use_long_lengths(connect):
    """Four bytes of length where one would do."""
    encoded = b"".join(struct.pack(">II", len(n) | 1 << 31, len(v) | 1 << 31) + n.encode()
                       + v.encode() for n, v in HEALTH.items())
    c = connect()
    c.send(fcgi.begin() + fcgi.stream(fcgi.PARAMS, 1, encoded) + fcgi.record(fcgi.STDIN))
    is_served(c)


# -- what is no FastCGI ----------------------------------------------------

INVALID_BYTES = {
    "zeros": bytes(64),
    "http": b"GET /_fetch/healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)),
    "0xff": b"\xff" * 200,
    "version 0": fcgi.record(fcgi.BEGIN, 1, struct.pack(">HB5x", 1, 0), version=0),
    "version 2": fcgi.record(fcgi.BEGIN, 1, struct.pack(">HB5x", 1, 0), version=2),
    "a short begin": fcgi.record(fcgi.BEGIN, 1, b"\0\1") + fcgi.record(fcgi.PARAMS),
    "stdin first": fcgi.record(fcgi.STDIN, 1, b"x" * 100),
    "params first": fcgi.record(fcgi.PARAMS, 1, fcgi.pairs(HEALTH)),
    "a response": fcgi.record(fcgi.STDOUT, 1, b"Status: 200\r\n\r\n"),
    "end first": fcgi.record(fcgi.END, 1, bytes(8)),
    "begin twice": fcgi.begin() + fcgi.begin(),
    "begin with id 0": fcgi.begin(0) + fcgi.stream(fcgi.PARAMS, 0, fcgi.pairs(HEALTH)),
    "stdin within the params": fcgi.begin() + fcgi.record(fcgi.PARAMS, 1, fcgi.pairs(HEALTH)[:9])
    + fcgi.record(fcgi.STDIN, 1, b"x"),
    "a name longer than the params": fcgi.begin() + fcgi.stream(fcgi.PARAMS, 1, b"\x7f\x01abc"),
    "a name of 2 GB": fcgi.begin() + fcgi.record(fcgi.PARAMS, 1, b"\xff" * 8 + b"x"),
    "a length cut in two": fcgi.begin() + fcgi.stream(fcgi.PARAMS, 1, b"\x80\x00"),
}


@pytest.mark.parametrize("noise", INVALID_BYTES.values(), ids=INVALID_BYTES)
def test_invalid_bytes_close_the_connection(connect, noise):
    c = connect()
    c.send(noise)
    c.sock.shutdown(socket.SHUT_WR)
    assert c.closes_within()


@pytest.mark.parametrize("name", ["zeros", "http", "0xff", "version 0", "a name of 2 GB"])
def test_an_invalid_header_closes_the_connection_at_once(connect, name):
    c = connect()
    c.send(INVALID_BYTES[name])
    assert c.closes_within(3)


def test_endless_parameters_close_the_connection(connect, victim):
    before = victim.rss_kib()
    c = connect()
    with contextlib.suppress(OSError):
        c.send(fcgi.begin())
        for i in range(1000):
            c.send(fcgi.record(fcgi.PARAMS, 1, fcgi.pair(f"X_{i}", "y" * 60000)))
    assert c.closes_within()
    assert victim.rss_kib() - before < 8192


# -- rules of a finer kind -------------------------------------------------


@pytest.mark.parametrize("role", [0, fcgi.AUTHORIZER, fcgi.FILTER, 77, 65535])
def test_another_role_gets_unknown_role(connect, role):
    c = connect()
    c.send(fcgi.begin(role=role) + fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(HEALTH))
           + fcgi.record(fcgi.STDIN))
    assert c.read_request_records()[3] == fcgi.UNKNOWN_ROLE


def test_management_records_are_answered_between_requests(connect):
    c = connect()
    c.send(fcgi.record(fcgi.GET_VALUES, 0, fcgi.pairs({
        "FCGI_MPXS_CONNS": "", "FCGI_MAX_CONNS": "", "FCGI_MAX_REQS": "", "OTHER": ""})))
    kind, request_id, content = c.read_record()
    assert (kind, request_id) == (fcgi.GET_VALUES_RESULT, 0)
    assert fcgi.pair("FCGI_MPXS_CONNS", "0") in content and b"OTHER" not in content
    c.send(fcgi.request(HEALTH))
    is_served(c)


def test_an_unknown_management_record_gets_unknown_type(connect):
    c = connect()
    c.send(fcgi.record(77, 0, b"what"))
    kind, request_id, content = c.read_record()
    assert (kind, request_id, content[0]) == (fcgi.UNKNOWN, 0, 77)


@pytest.mark.parametrize("content", [b"\xff" * 80, b"\x05", b"\x80\x00", b"", b"x" * 60000])
def test_a_malformed_get_values_harms_no_other_peer(connect, content):
    c = connect()
    with contextlib.suppress(OSError):
        c.send(fcgi.record(fcgi.GET_VALUES, 0, content))
        c.sock.shutdown(socket.SHUT_WR)
    assert c.closes_within()


def test_a_multiplexed_request_is_refused_and_the_first_one_served(connect, origin):
    head, body = fetch_request(origin.url("/delay/0.2"), keep=True)
    c = connect()
    c.send(head + fcgi.begin(2, keep=True) + fcgi.stream(fcgi.STDIN, 1, body))
    kind, request_id, content = c.read_record()
    assert (kind, request_id, content[4]) == (fcgi.END, 2, fcgi.CANT_MPX_CONN)
    assert c.read_response().json()["body"] == "late\n"


@pytest.mark.parametrize("request_id", [1, 2, 3, 255, 256, 65535])
def test_the_response_has_the_requests_id(connect, request_id):
    c = connect()
    c.send(fcgi.request(HEALTH, request_id=request_id))
    is_served(c, request_id)


def test_records_of_an_unknown_request_are_skipped(connect):
    c = connect()
    c.send(fcgi.begin() + fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(HEALTH))
           + fcgi.record(fcgi.STDIN, 9, b"stranger") + fcgi.record(fcgi.STDIN))
    is_served(c)


def test_a_kept_connection_serves_requests_in_turn(connect, origin):
    c = connect()
    for i in range(1, 20, 2):  # as HAProxy counts
        c.send(fcgi.request(HEALTH, request_id=i, keep=True))
        is_served(c, i)
        head, body = fetch_request(origin.url("/hello"), keep=True)
        c.send(head + fcgi.stream(fcgi.STDIN, 1, body))
        assert c.read_response().json()["status"] == 200


def test_a_connection_without_keep_conn_is_closed(connect):
    c = connect()
    c.send(fcgi.request(HEALTH, keep=False))
    is_served(c)
    assert c.closes_within()


# -- aborts ----------------------------------------------------------------


@pytest.mark.parametrize("sent", [
    fcgi.begin(keep=True),
    fcgi.begin(keep=True) + fcgi.record(fcgi.PARAMS, 1, fcgi.pairs(HEALTH)[:20]),
    fcgi.begin(keep=True) + fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(HEALTH)),
])
def test_an_abort_before_the_request_is_complete_ends_it(connect, sent):
    c = connect()
    c.send(sent + fcgi.record(fcgi.ABORT))
    try:
        assert c.read_request_records()[0] == b""
        c.send(fcgi.request(HEALTH))
        is_served(c)
    except fcgi.IncompleteResponse:
        pass  # closing the connection is allowed too


# -- CONTENT_LENGTH --------------------------------------------------------


@pytest.mark.parametrize("said", ["1000000", "-2", "many", "1e3", " "])
def test_a_wrong_content_length_is_refused(connect, origin, said):
    head, body = fetch_request(origin.url("/hello"), CONTENT_LENGTH=said)
    c = connect()
    c.send(head + fcgi.stream(fcgi.STDIN, 1, body))
    response = c.read_response()
    assert response.status in (400, 413), response
    assert "CONTENT_LENGTH" in response.json()["detail"]


@pytest.mark.parametrize("unknown", ["", "-1"])  # -1: Caddy 2.6 with a chunked body
def test_without_content_length_stdin_is_the_body(connect, origin, unknown):
    head, body = fetch_request(origin.url("/hello"), CONTENT_LENGTH=unknown)
    c = connect()
    c.send(head + fcgi.stream(fcgi.STDIN, 1, body))
    assert c.read_response().json()["status"] == 200


# -- peers that do not read ------------------------------------------------


def test_a_response_that_is_not_read_delays_no_other_peer(connect, victim, origin):
    request, body = fetch_request(origin.url("/bytes/3000000"))
    for _ in range(10):
        connect().send(request + fcgi.stream(fcgi.STDIN, 1, body))
    wait_until("all are fetched", lambda: origin.stats()["paths"].get("/bytes/3000000") == 10)
    assert victim.client.fetch(origin.url("/hello"))["body"] == "hello\n"


def test_a_peer_may_close_in_the_middle_of_a_response(connect, victim, origin):
    request, body = fetch_request(origin.url("/bytes/3000000"))
    for _ in range(10):
        c = connect()
        c.send(request + fcgi.stream(fcgi.STDIN, 1, body))
        c.read_record()
        c.close()
    assert victim.client.fetch(origin.url("/hello"))["body"] == "hello\n"


def test_a_too_large_request_gets_413_while_it_is_sent(connect, victim):
    c = connect(20)
    params = fcgi.cgi_params("POST", "/_fetch/v1/fetch") | {"CONTENT_LENGTH": str(64 << 20)}
    c.send(fcgi.begin() + fcgi.stream(fcgi.PARAMS, 1, fcgi.pairs(params)))
    with contextlib.suppress(OSError):
        for _ in range(1024):
            c.send(fcgi.record(fcgi.STDIN, 1, bytes(65528)))
        c.send(fcgi.record(fcgi.STDIN))
    assert c.read_response().status == 413


def test_two_hundred_idle_connections_do_no_harm(connect, victim, origin):
    for _ in range(200):
        connect()
    assert victim.client.fetch(origin.url("/hello"))["status"] == 200


def test_nothing_stays_in_flight_afterwards(victim):
    def gone():
        text = victim.client.get("/metrics").body.decode()
        return "\ncurlew_in_flight 0\n" in text and "\ncurlew_parked 0\n" in text

    wait_until("all is over", gone)


@pytest.mark.parametrize("route", ["/_fetch/v1/stream", "/_fetch/v1/fetch"])
def test_a_request_before_the_end_record_waits(daemon, origin, route):
    """As HAProxy does: to it a response is complete once Content-Length bytes came."""
    body = json.dumps({"url": origin.url("/bytes/9000000")}).encode()
    c = fcgi.Connection(daemon.socket)
    c.send(fcgi.request(fcgi.cgi_params("POST", route, body=body), body, keep=True, request_id=1))
    wait_until("the response to begin", lambda: select.select([c.sock], [], [], 0)[0])
    c.send(fcgi.request(fcgi.cgi_params("GET", "/_fetch/healthz"), keep=True, request_id=3))
    assert c.read_response(request_id=1).status == 200
    assert c.read_response(request_id=3).json() == {"status": "ok"}
