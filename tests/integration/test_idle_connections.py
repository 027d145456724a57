"""Connections while nobody uses them: watched, retired, closed within two seconds."""

import contextlib
import os
import time
from pathlib import Path

import pytest
from hyperframe.frame import GoAwayFrame, PingFrame

from tests.support.scripted_origin import Http2Origin, ScriptedOrigin, answer

pytestmark = pytest.mark.libcurl

CLOSED_WITHIN = 2.2


@pytest.fixture
def start(curlewd, certs):
    def start(**session):
        session["ca_file"] = str(certs / "ca.pem")
        return curlewd({"threads": 1, "sessions": {"default": session}})
    return start


def gauge(daemon):
    return daemon.client.ask("GET", "/v1/status").json()["engine"]["connections"]


def unix_sockets():
    rows = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    return {f"socket:[{row[6]}]" for row in rows}


def sockets(daemon):
    """The daemon's open sockets toward origins, also those that are shut down."""
    links = set()
    before = unix_sockets()  # one that is being closed is in the first list, and not in the last
    for fd in Path(f"/proc/{daemon.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            links.add(os.readlink(fd))
    return len({link for link in links if link.startswith("socket:")} - before - unix_sockets())


def await_closed(daemon, within=CLOSED_WITHIN):
    """The descriptors themselves are closed, not only shut down; the seconds that it took."""
    started = time.monotonic()
    while sockets(daemon) > 0 and time.monotonic() < started + within:
        time.sleep(0.02)
    took = time.monotonic() - started
    assert (sockets(daemon), gauge(daemon)) == (0, 0)
    return took


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("end", ["bytes", "eof"])
def test_what_ends_while_idle_is_closed(start, certs, tls, end):
    daemon = start()

    def script(request, connection):
        connection.send(answer())
        connection.send_later(0.2, b"x" if end == "bytes" else b"", close=end == "eof")

    with ScriptedOrigin(script, certs if tls else None) as origin:
        daemon.client.fetch(origin.url("/"))
        assert (sockets(daemon), gauge(daemon)) == (1, 1)
        await_closed(daemon)


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_a_quiet_connection_is_kept(start, certs, tls):
    daemon = start()
    with ScriptedOrigin(lambda r, c: c.send(answer()), certs if tls else None) as origin:
        for _ in range(5):
            daemon.client.fetch(origin.url("/"))
            time.sleep(0.3)
        assert origin.connections == 1


def test_what_is_idle_for_too_long_is_closed(start):
    daemon = start(idle_seconds=1)
    with ScriptedOrigin(lambda r, c: c.send(answer())) as origin:
        daemon.client.fetch(origin.url("/"))
        assert await_closed(daemon, 1 + CLOSED_WITHIN) > 0.8


def test_what_was_opened_before_a_reset_is_closed(start):
    daemon = start()
    with ScriptedOrigin(lambda r, c: c.send(answer())) as origin:
        daemon.client.fetch(origin.url("/"))
        daemon.client.ask("POST", "/v1/sessions/default/reset")
        await_closed(daemon)


def test_what_is_past_idle_connections_is_closed(start):
    daemon = start(idle_connections=0)
    with ScriptedOrigin(lambda r, c: c.send(answer())) as origin:
        daemon.client.fetch(origin.url("/"))
        await_closed(daemon)


def test_a_retired_connection_is_never_written_to(start):
    """Not even by a request that comes before libcurl has closed it."""
    daemon = start(idle_connections=0)
    with ScriptedOrigin(lambda r, c: c.send(answer(r.target))) as origin:
        for i in range(200):
            method = "POST" if i % 2 else "GET"
            e = daemon.client.fetch(origin.url(f"/{i}"), method=method)
            assert (e["body"], e["attempts"], e["connection"]["reused"]) == (f"/{i}", 1, False)
        assert origin.connections == 200


# -- HTTP/2 ----------------------------------------------------------------------


def test_a_ping_retires_no_http2_connection(start, certs):
    daemon = start()

    def script(request, connection, stream):
        connection.respond(stream)
        connections.append(connection)

    connections = []
    with Http2Origin(script, certs) as origin:
        for _ in range(3):
            daemon.client.fetch(origin.url("/"))
            for _ in range(2):
                time.sleep(0.1)
                connections[-1].write(PingFrame(0, opaque_data=b"12345678").serialize())
        assert origin.connections == 1
        assert gauge(daemon) == 1


@pytest.mark.parametrize("end", ["eof", "frames and eof"])
def test_an_http2_connection_that_ends_is_closed(start, certs, end):
    daemon = start()

    def script(request, connection, stream):
        connection.respond(stream)
        connections.append(connection)

    connections = []
    with Http2Origin(script, certs) as origin:
        daemon.client.fetch(origin.url("/"))
        time.sleep(0.1)
        if end != "eof":
            connections[0].write(PingFrame(0, opaque_data=b"12345678").serialize())
            time.sleep(0.1)
        connections[0].sock.shutdown(2)
        await_closed(daemon)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_goaway_while_idle_costs_no_request(start, certs, method):
    """libcurl 8.23 finds it only after it has written: then `attempts` says 2."""
    daemon = start()

    def script(request, connection, stream):
        connections.append(connection)
        if connection.number == 2 or stream == 1:
            connection.respond(stream)

    connections = []
    with Http2Origin(script, certs) as origin:
        daemon.client.fetch(origin.url("/"))
        time.sleep(0.1)
        connections[0].write(GoAwayFrame(0, last_stream_id=1).serialize())
        time.sleep(0.1)
        e = daemon.client.fetch(origin.url("/"), method=method)
        assert (e["attempts"], origin.connections) == (len(origin.requests) - 1, 2)
