"""Many fetches at once to a cold https origin: few connections by HTTP/2, no waiting without."""

import json
import time

import pytest
from h2.settings import SettingCodes, Settings

from tests.support.scripted_origin import Http2Origin, ScriptedOrigin, answer

pytestmark = [pytest.mark.libcurl, pytest.mark.tls]

HANDSHAKE = 0.3
STREAMS = 100  # that Http2Origin allows
NARROW = 10


class SlowHandshake(ScriptedOrigin):
    """An HTTP/1.1 origin whose TLS handshake takes HANDSHAKE seconds; `cut` ends it then."""

    cut = False

    def _serve(self, raw):
        time.sleep(HANDSHAKE)
        if self.cut:
            raw.close()
        else:
            super()._serve(raw)


def batch(client, origin, n, **keys):
    """The lines of n fetches at once, and the seconds that they took."""
    requests = [{"url": origin.url(f"/{i}"), "tag": f"/{i}", **keys} for i in range(n)]
    body = json.dumps({"requests": requests, "max_parallel": n}).encode()
    started = time.monotonic()
    response = client.ask("POST", "/v1/batch", body=body)
    took = time.monotonic() - started
    lines = [json.loads(line) for line in response.body.splitlines()]
    assert len(lines) == n
    return lines, took


def test_a_burst_to_a_cold_http2_origin_shares_few_connections(curlewd, certs):
    daemon = curlewd({"sessions": {"default": {"ca_file": str(certs / "ca.pem")}}})

    def script(request, connection, stream):
        connection.respond(stream, body=request.target.encode())

    with Http2Origin(script, certs) as origin:
        lines, _ = batch(daemon.client, origin, 500)
        assert [line for line in lines if line.get("body") != line["tag"]] == []
        assert origin.connections <= 500 / STREAMS + 1
        assert len(origin.requests) == 500


class NarrowHttp2(Http2Origin):
    """HTTP/2 with NARROW streams a connection, and with a handshake that takes HANDSHAKE."""

    def _serve(self, raw):
        time.sleep(HANDSHAKE)
        super()._serve(raw)

    def _connection(self, sock, number):
        connection = super()._connection(sock, number)
        connection.h2.local_settings = Settings(
            client=False, initial_values={SettingCodes.MAX_CONCURRENT_STREAMS: NARROW})
        return connection


def test_waiting_for_a_free_stream_is_not_connecting(curlewd, certs):
    """Connections are opened one after the other, each faster than the connect timeout."""
    daemon = curlewd({"sessions": {"default": {"ca_file": str(certs / "ca.pem")}}})
    begun = set()

    def script(request, connection, stream):
        if connection.number not in begun:
            begun.add(connection.number)
            time.sleep(1)
        connection.respond(stream, body=request.target.encode())

    with NarrowHttp2(script, certs) as origin:
        lines, _ = batch(daemon.client, origin, 6 * NARROW,
                         timeout={"connect": 2 * HANDSHAKE, "total": 40})
        assert [line for line in lines if line.get("body") != line["tag"]] == []
        assert origin.connections <= 2 * 6  # 60, if each opened one of its own


def test_a_burst_of_posts_is_sent_once_each(curlewd, certs):
    daemon = curlewd({"sessions": {"default": {"ca_file": str(certs / "ca.pem")}}})

    def script(request, connection, stream):
        connection.respond(stream, body=request.body)

    with Http2Origin(script, certs) as origin:
        lines, _ = batch(daemon.client, origin, 200, method="POST", body="b")
        assert {(line["body"], line["attempts"]) for line in lines} == {("b", 1)}
        assert len(origin.requests) == 200


def test_a_burst_to_a_cold_http1_origin_waits_for_one_handshake_at_most(client, certs):
    with SlowHandshake(lambda r, c: c.send(answer(r.target)), certs) as origin:
        lines, took = batch(client, origin, 40)
        assert [line for line in lines if line.get("body") != line["tag"]] == []
        # One to find out, then all at once; one by one, 40 take 12 s.  GnuTLS needs more than a
        # second of CPU for so many.
        assert took < 10 * HANDSHAKE


def test_a_handshake_that_fails_does_not_make_the_others_wait_in_turn(client, certs):
    with SlowHandshake(lambda r, c: None, certs) as origin:
        origin.cut = True
        lines, took = batch(client, origin, 20)
        assert {line["error"]["code"] for line in lines} == {"tls_failed"}
        assert all("attempts" not in line["error"] for line in lines)
        assert took < 5 * HANDSHAKE


def test_waiting_for_a_handshake_counts_as_connecting(client, certs):
    with SlowHandshake(lambda r, c: c.send(answer()), certs) as origin:
        lines, took = batch(client, origin, 10, timeout={"connect": HANDSHAKE / 2, "total": 10})
        assert {line["error"]["code"] for line in lines} == {"connect_timeout"}
        assert took < 4 * HANDSHAKE
