"""tls_min, ciphers, resolve and interface: how the connections of one session are made."""

import json
import subprocess

import pytest

from tests.support.curlewd import BINARY
from tests.support.procs import connects, free_port

pytestmark = pytest.mark.libcurl


@pytest.fixture
def trusting(curlewd, certs):
    """trusting(session) → the client of a daemon whose session "s" is that, and trusts the origin's
    authority."""
    def start(session, **more):
        ca = {"ca_file": str(certs / "ca.pem")}
        return curlewd({"sessions": {"default": ca, "s": {**ca, **session}, **more}}).client

    return start


@pytest.fixture
def openssl_server(certs, spawn):
    """openssl_server(options…) → the URL of an `openssl s_server`, which shows what was agreed."""
    def start(*options):
        port = free_port()
        argv = ["openssl", "s_server", "-www", "-accept", f"127.0.0.1:{port}", "-cert",
                str(certs / "server.pem"), "-key", str(certs / "server.key"), *options]
        spawn("s_server", argv).wait_ready(lambda: connects(("127.0.0.1", port)))
        return f"https://127.0.0.1:{port}/"

    return start


def test_a_session_demands_a_version_of_tls(trusting, openssl_server):
    client = trusting({"tls_min": "1.3"})
    only_12, both = openssl_server("-tls1_2"), openssl_server()
    assert "TLSv1.2" in client.fetch(only_12)["body"]
    client.refused({"url": only_12, "session": "s"}, 502, "tls_failed")
    assert "TLSv1.3" in client.fetch(both, session="s")["body"]


def test_a_session_chooses_ciphers_for_both_versions(trusting, openssl_server):
    client = trusting({"ciphers": "ECDHE-ECDSA-AES256-GCM-SHA384:TLS_AES_128_GCM_SHA256"})
    tried = client.post({"url": openssl_server(), "session": "s"})
    if tried.status == 501:
        assert tried.json()["detail"] == "ciphers: not supported by this libcurl"
        pytest.skip("the TLS library does not let choose TLS 1.3's ciphers")
    for options, cipher in ((["-tls1_2"], "ECDHE-ECDSA-AES256-GCM-SHA384"),
                            (["-tls1_3"], "TLS_AES_128_GCM_SHA256")):
        body = client.fetch(openssl_server(*options), session="s")["body"]
        assert f"Cipher is {cipher}" in body or f"Cipher    : {cipher}" in body, body
    wrong = trusting({"ciphers": "NO-SUCH-CIPHER"})
    wrong.refused({"url": openssl_server(), "session": "s"}, 502, "tls_failed")


def test_they_are_set_by_put_too_and_connections_are_not_shared(trusting, origin):
    client, url = trusting({}), origin.url("/hello", port="https")
    assert client.fetch(url, session="s")["status"] == 200
    session = client.ask("GET", "/v1/sessions/s").json()
    session["tls_min"] = "1.3"
    put = client.ask("PUT", "/v1/sessions/s", body=json.dumps(session).encode())
    assert put.status == 200, put
    assert not client.fetch(url, session="s")["connection"]["reused"]
    assert client.fetch(url, session="s")["connection"]["reused"]


# -- resolve -----------------------------------------------------------------------------------


def test_a_host_is_where_the_session_says(trusting, origin):
    port = origin.ports["https"]
    client = trusting({"resolve": {f"A.origin.test:{port}": ["127.0.0.1"]}})
    for host in ("a.origin.test", "A.Origin.Test", "a.origin.test."):
        e = client.fetch(f"https://{host}:{port}/echo", session="s", http_version="1.1",
                         verify=not host.endswith("."))
        assert e["connection"]["remote_ip"] == "127.0.0.1"
        headers = {n.lower(): v for n, v in json.loads(e["body"])["headers"]}
        assert headers["host"].lower().startswith("a.origin.test")


def test_of_several_addresses_the_next_is_tried(trusting, origin):
    port = origin.ports["http"]
    client = trusting({"resolve": {f"a.origin.test:{port}": ["127.0.0.9", "::1", "127.0.0.1"]}})
    url = f"http://a.origin.test:{port}/hello"
    assert client.fetch(url, session="s")["connection"]["remote_ip"] in ("127.0.0.1", "::1")


def test_a_hop_that_never_begins_leaves_nothing_in_its_handle(curlewd, origin):
    """libcurl reads the list of addresses as a hop begins, and keeps it until then."""
    port = origin.ports["http"]
    resolve = {f"a.origin.test:{port}": ["127.0.0.1"]}
    client = curlewd({"threads": 1, "sessions": {"default": {}, "s": {"resolve": resolve}}}).client
    refused = {"url": f"http://a.origin.test:{port}/hello", "session": "s",
               "cookies": {f"c{i}": "x" * 3000 for i in range(20)}}
    for _ in range(5):
        client.refused(refused, 400, "bad_request")
        assert client.fetch(origin.url("/hello"))["status"] == 200


def test_another_session_and_another_port_do_not_see_it(trusting, origin):
    port = origin.ports["http"]
    client = trusting({"resolve": {f"a.origin.test:{port}": ["127.0.0.1"]}})
    url = f"http://a.origin.test:{port}/hello"
    for _ in range(2):
        assert client.fetch(url, session="s")["status"] == 200
        client.refused({"url": url}, 502, "dns_failed")
    client.refused({"url": "http://a.origin.test:1/", "session": "s"}, 502, "dns_failed")


def test_a_connection_serves_no_session_that_resolves_otherwise(trusting, origin):
    port = origin.ports["http"]
    client = trusting({"resolve": {f"localhost:{port}": ["127.0.0.2"]}})
    url = f"http://localhost:{port}/hello"
    for _ in range(2):
        assert client.fetch(url, session="s")["connection"]["remote_ip"] == "127.0.0.2"
        assert client.fetch(url)["connection"]["remote_ip"] in ("127.0.0.1", "::1")
    assert client.fetch(url, session="s")["connection"]["reused"]


def test_the_egress_guard_judges_the_address(curlewd, origin):
    port = origin.ports["http"]
    resolve = {f"a.origin.test:{port}": ["127.0.0.1"], f"localhost:{port}": ["10.0.0.1"]}
    daemon = curlewd({"sessions": {"s": {"resolve": resolve}}, "egress": {"allow": []}})
    for host, address in (("a.origin.test", "127.0.0.1"), ("localhost", "10.0.0.1")):
        p = daemon.client.refused({"url": f"http://{host}:{port}/", "session": "s"}, 403, "blocked")
        assert address in p["detail"] or host == "localhost", p


def test_redirects_go_there_too(trusting, origin):
    port = origin.ports["http"]
    client = trusting({"resolve": {f"a.origin.test:{port}": ["127.0.0.1"]}})
    url = origin.url(f"/redirect-to?url=http://a.origin.test:{port}/hello")
    e = client.fetch(url, session="s")
    assert e["url"].startswith("http://a.origin.test") and e["status"] == 200


# -- interface -----------------------------------------------------------------------------------


@pytest.mark.parametrize("interface, local", [("127.0.0.3", "127.0.0.3"), ("lo", "127.0.0.1")])
def test_a_session_connects_by_its_interface(trusting, origin, interface, local):
    client = trusting({"interface": interface})
    assert client.fetch(origin.url("/hello"), session="s")["connection"]["local_ip"] == local


def test_connections_by_an_interface_serve_no_other_session(trusting, origin):
    client, url = trusting({"interface": "127.0.0.3"}), origin.url("/hello")
    used = [client.fetch(url, session=s)["connection"] for s in ("s", "default", "s", "default")]
    assert [c["reused"] for c in used] == [False, False, True, True]
    assert [c["local_ip"] for c in used] == ["127.0.0.3", "127.0.0.1"] * 2


def test_an_interface_that_is_not_there(trusting, origin):
    client = trusting({"interface": "nowhere0"})
    client.refused({"url": origin.url("/hello"), "session": "s"}, 502, "connect_failed")


# -- who may set them --------------------------------------------------------------------------


def test_only_the_configuration_sets_the_network(trusting, origin):
    port = origin.ports["http"]
    client = trusting({"resolve": {f"a.origin.test:{port}": ["127.0.0.1", "::1"]},
                       "interface": "lo"})
    shown = client.ask("GET", "/v1/sessions/s").json()
    assert shown["resolve"] == {f"a.origin.test:{port}": ["127.0.0.1", "::1"]}
    assert shown["interface"] == "lo"
    assert client.ask("PUT", "/v1/sessions/s", body=json.dumps(shown).encode()).status == 200
    assert client.ask("GET", "/v1/sessions/s").json() == {**shown, "at_run_time": True}
    assert client.fetch(f"http://a.origin.test:{port}/hello", session="s")["status"] == 200
    for key, value in (("resolve", {"x.test:80": ["127.0.0.1"]}), ("interface", "eth0")):
        for name in ("s", "new"):
            put = client.ask("PUT", f"/v1/sessions/{name}", body=json.dumps({key: value}).encode())
            assert put.status == 400, put
            assert put.json()["detail"] == f"{key}: only the configuration may set it"


@pytest.mark.parametrize("session, detail", [
    ({"tls_min": "1.4"}, "tls_min: expected one of auto, 1.0, 1.1, 1.2, 1.3"),
    ({"ciphers": ""}, "ciphers: must not be empty"),
    ({"ciphers": "A B"}, "ciphers: expected names of ciphers with colons between"),
    ({"resolve": []}, "resolve: expected an object"),
    ({"resolve": {"a.test": ["127.0.0.1"]}}, "expected \"host:port\""),
    ({"resolve": {"a.test:0": ["127.0.0.1"]}}, "expected \"host:port\""),
    ({"resolve": {"a.test:65536": ["127.0.0.1"]}}, "expected \"host:port\""),
    ({"resolve": {"[::1]:80": ["127.0.0.1"]}}, "expected \"host:port\""),
    ({"resolve": {"a.test:80": []}}, "expected a list of 1 to 16 addresses"),
    ({"resolve": {"a.test:80": ["1.1.1.1"] * 17}}, "expected a list of 1 to 16 addresses"),
    ({"resolve": {"a.test:80": ["b.test"]}}, "a.test:80[0]: expected an IPv4 or IPv6 address"),
    ({"interface": "0123456789abcdef"}, "interface: expected the name"),
    ({"interface": "host!evil.test"}, "interface: expected the name")])
def test_what_makes_no_sense_is_refused_at_load(tmp_path, session, detail):
    path = tmp_path / "curlewd.json"
    path.write_text(json.dumps({"sessions": {"s": session}}))
    ran = subprocess.run([BINARY, "--check", "--config", path], capture_output=True, text=True)
    assert ran.returncode == 1 and detail in ran.stderr, ran


def test_16_addresses_of_a_host_are_taken(tmp_path):
    path = tmp_path / "curlewd.json"
    session = {"resolve": {"a.test:65535": ["1.1.1.1"] * 16}}
    path.write_text(json.dumps({"sessions": {"s": session}}))
    ran = subprocess.run([BINARY, "--check", "--config", path], capture_output=True, text=True)
    assert ran.returncode == 0, ran
