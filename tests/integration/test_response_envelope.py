"""The envelope of a response: status, headers, bodies, charsets, codings, connections."""

import base64
import email.utils
import json
import time

import pytest

from tests.support.metrics import read_metric
from tests.support.origin.pages import TEXTS
from tests.support.procs import wait_until
from tests.support.scripted_origin import ScriptedOrigin, answer


# -- the head --------------------------------------------------------------


def test_headers_are_reported_as_received(client, origin):
    headers = client.fetch(origin.url("/odd-headers"))["headers"]
    assert [h for h in headers if h[0].startswith(("X-", "x-"))] == [
        ["X-Twice", "one"], ["x-MIXED-case", "kept"], ["X-Twice", "two"], ["X-Empty", ""],
        ["X-Latin", "Grüße"]]


def test_the_reason_is_the_origins_own(client, origin):
    e = client.fetch(origin.url("/status/200?reason=Just%20Fine"))
    assert e["reason"] == "Just Fine"


def test_interim_responses_are_skipped(client, origin):
    e = client.fetch(origin.url("/early-hints"))
    assert (e["status"], e["body"], e["history"]) == (200, "ok\n", [])
    assert "Link" not in [n for n, _ in e["headers"]]


@pytest.mark.parametrize("count", [1, 500])
def test_many_headers_are_kept(client, origin, count):
    names = [n for n, _ in client.fetch(origin.url(f"/headers/{count}"))["headers"]]
    assert [n for n in names if n.startswith("X-N-")] == [f"X-N-{i}" for i in range(count)]


def test_a_large_header_passes_and_endless_headers_fail(client, origin):
    headers = dict(client.fetch(origin.url("/bigheader/60000"))["headers"])
    assert len(headers["X-Big"]) == 60000
    response = client.post({"url": origin.url("/endless-headers"), "timeout": 10})
    assert response.status == 502, response


def test_trailers_do_not_spoil_the_body(client, origin):
    assert client.fetch(origin.url("/trailers"))["body"] == "with a trailer\n"


def test_a_body_that_ends_with_the_connection_is_complete(client, origin):
    assert client.fetch(origin.url("/until-close"))["body"] == "up to the end\n"


@pytest.mark.parametrize("n", [0, 1, 65536, 100000])
def test_chunked_bodies_are_decoded(client, origin, n):
    e = client.fetch(origin.url(f"/bytes/{n}?chunked=1"), response_body="base64")
    assert len(base64.b64decode(e["body_base64"])) == e["body_bytes"] == n


def test_set_cookie_becomes_cookies(client, origin):
    in_a_week = int(time.time()) + 7 * 86400  # no cookie lives longer than 400 days
    e = client.fetch(origin.url("/cookies/raw"), params=[
        ["c", "a=1"], ["c", "b=2; Path=/cookies; Secure; HttpOnly"],
        ["c", f"c=3; Expires={email.utils.formatdate(in_a_week, usegmt=True)}"]])
    cookies = {c.pop("name"): c for c in e["cookies"]}
    host = {"domain": "127.0.0.1", "host_only": True, "deleted": False}
    assert cookies["a"].pop("path").rstrip("/") == "/cookies"  # RFC 6265 section 5.1.4
    assert cookies["a"] == {"value": "1", "secure": False, "http_only": False, "expires": 0, **host}
    assert "b" not in cookies  # Secure over plain http
    assert cookies["c"]["expires"] == in_a_week and cookies["c"]["value"] == "3"


def test_cookies_of_all_hops_are_listed(client, origin):
    e = client.fetch(origin.url("/cookies/set?a=1&b=2"))
    assert {c["name"]: c["value"] for c in e["cookies"]} == {"a": "1", "b": "2"}
    assert json.loads(e["body"]) == {"a": "1", "b": "2"}
    gone = client.fetch(origin.url("/cookies/delete?a="), cookies={"a": "1"})
    assert [(c["name"], c["value"], c["deleted"]) for c in gone["cookies"]] == [("a", "", True)]
    assert json.loads(gone["body"]) == {}


# -- the body --------------------------------------------------------------


@pytest.mark.parametrize("name", TEXTS)
def test_text_decodes_as_its_charset(client, origin, name):
    e = client.fetch(origin.url(f"/charset/{name}"))
    assert (e["body"], e["encoding"]) == (TEXTS[name], name)
    assert e["body_bytes"] == len(TEXTS[name].encode(name))


def test_undeclared_utf_8_is_text_and_anything_else_is_not(client, origin):
    assert client.fetch(origin.url("/charset/utf-8?declare=no"))["encoding"] == "utf-8"
    e = client.fetch(origin.url("/charset/shift_jis?declare=no"))
    assert e["encoding"] is None
    assert base64.b64decode(e["body_base64"]) == TEXTS["shift_jis"].encode("shift_jis")


def test_a_wrong_charset_gives_bytes(client, origin):
    e = client.fetch(origin.url("/raw?hex=fffe80&type=text/plain;%20charset=utf-8"))
    assert "body" not in e and base64.b64decode(e["body_base64"]) == b"\xff\xfe\x80"


def test_text_is_text_even_where_bytes_must_be_replaced(client, origin):
    e = client.fetch(origin.url("/raw?hex=41ff42&type=text/plain;%20charset=utf-8"),
                     response_body="text")
    assert e["body"] == "A\ufffdB" and "body_base64" not in e


def test_control_characters_and_quotes_survive(client, origin):
    e = client.fetch(origin.url("/raw?hex=00010a0d22275c7f"))
    assert e["body"] == "\x00\x01\n\r\"'\\\x7f"


def test_an_empty_body_is_an_empty_text(client, origin):
    e = client.fetch(origin.url("/raw"))
    assert (e["body"], e["body_bytes"]) == ("", 0)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_encoded_bodies_are_counted_decoded(client, origin, coding):
    e = client.fetch(origin.url(f"/{coding}?n=100000"), response_body="none")
    assert e["body_bytes"] == 100000


@pytest.mark.parametrize("coding", ["gzip", "br", "zstd"])
def test_a_decompression_bomb_stops_at_the_limit(client, origin, coding):
    url = origin.url(f"/{coding}?n=50000000")
    client.refused({"url": url, "max_body_bytes": 49999999}, 502, "response_too_large")
    assert client.fetch(url, max_body_bytes=50000000,
                        response_body="none")["body_bytes"] == 50000000


def test_none_reads_the_body_and_keeps_nothing(client, origin):
    e = client.fetch(origin.url("/bytes/3000000"), response_body="none")
    assert e["body_bytes"] == 3000000 and "body" not in e and "body_base64" not in e
    client.refused({"url": origin.url("/close-early"), "response_body": "none"}, 502,
                   "incomplete_body")


@pytest.mark.parametrize("path", ["/bytes/0", "/hello", "/binary", "/bytes/1000000", "/gzip"])
def test_frames_and_envelopes_say_the_same(client, origin, path):
    plain = client.fetch(origin.url(path), response_body="base64")
    frame, body = client.frames(origin.url(path))
    assert body == base64.b64decode(plain["body_base64"])
    changing = ("timing", "connection", "body_base64")
    assert {k: v for k, v in plain.items() if k not in changing} == {
        k: v for k, v in frame.items() if k not in changing}


def test_a_frame_of_none_has_no_bytes(client, origin):
    e, body = client.frames(origin.url("/hello"), response_body="none")
    assert (e["body_bytes"], body) == (0, b"")


# -- the connection --------------------------------------------------------


def test_the_second_fetch_reuses_the_connection(curlewd, origin):
    client = curlewd().client
    first, second = (client.fetch(origin.url("/hello"))["connection"] for _ in range(2))
    assert (first["reused"], second["reused"]) == (False, True)
    assert first["local_port"] == second["local_port"]
    assert origin.stats()["connections"] == 1


def test_a_connection_that_the_origin_closes_is_not_reused(curlewd, origin):
    client = curlewd().client
    client.fetch(origin.url("/close"))
    assert client.fetch(origin.url("/hello"))["connection"]["reused"] is False


def test_ipv6_addresses_are_reported(client, origin):
    c = client.fetch(origin.url("/hello", host="[::1]"))["connection"]
    assert (c["remote_ip"], c["local_ip"]) == ("::1", "::1")


def test_timing_names_the_tls_handshake(curlewd, origin, certs):
    client = curlewd({"sessions": {"default": {"ca_file": str(certs / "ca.pem")}}}).client
    fresh = client.fetch(origin.url("/hello", port="https"))["timing"]
    warm = client.fetch(origin.url("/hello", port="https"))["timing"]
    assert 0 < fresh["connect"] <= fresh["tls"] <= fresh["first_byte"] <= fresh["total"]
    assert warm["connect"] == warm["tls"] == 0


def test_what_text_of_control_characters_grows_to_is_within_buffered_bytes(curlewd):
    """Six bytes of JSON for each of them; frames and base64 need less."""
    daemon = curlewd({"limits": {"buffered_bytes": 8 << 20}})
    with ScriptedOrigin(lambda r, c: c.send(answer("\x01" * (2 << 20)))) as origin:
        request = {"url": origin.url("/"), "response_body": "text"}
        p = daemon.client.refused(request, 503, "overloaded")
        assert "limits.buffered_bytes" in p["detail"]
        assert daemon.client.fetch(origin.url("/"), response_body="base64")["body_bytes"] == 2 << 20
    wait_until("nothing is held", lambda: read_metric(daemon, "curlew_buffered_bytes") == 0)
