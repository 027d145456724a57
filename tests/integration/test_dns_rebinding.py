"""DNS rebinding and its kin: whatever a name resolves to, no forbidden address is connected to.

The daemon runs in a network of its own (tests/support/own_network.py), where every address answers
and a DNS server says what the test wants: a listener counts who reached what.
"""

import json
from urllib.parse import quote

import pytest

from tests.support.curlewd import Curlewd
from tests.support.dns_server import AAAA, CNAME, A
from tests.support.libcurls import impersonating_env
from tests.support.namespaces import is_possible
from tests.support.own_network import Listener, OwnNetwork, UdpListener, dns_server
from tests.support.procs import wait_until
from tests.support.scripted_origin import Http2Origin, answer

PUBLIC, PUBLIC6, OTHER = "93.184.215.14", "2606:2800:21f:cb07::1", "93.184.215.15"
PRIVATE, PRIVATE6, METADATA = "10.0.0.5", "fd00::5", "169.254.169.254"
ONLY_PRIVATE = 81  # a port on which nobody but the private addresses listens
ROUNDS = 8

# What a name resolves to: the addresses of each kind, or a function of the question's number.
NAMES = {
    "public.test": [PUBLIC, PUBLIC6],
    "private.test": [PRIVATE],
    "loopback.test": ["127.0.0.1"],
    "metadata.test": [METADATA],
    "zero.test": ["0.0.0.0"],
    "loopback6.test": ["::1"],
    "unique-local.test": [PRIVATE6],
    "link-local.test": ["fe80::5"],
    "both.test": [PUBLIC, PRIVATE],
    "both-reversed.test": [PRIVATE, PUBLIC],
    "both6.test": [PUBLIC6, PRIVATE6],
    "public-and-private6.test": [PUBLIC, PRIVATE6],
    "private-and-public6.test": [PRIVATE, PUBLIC6],
    "many.test": ["127.0.0.1", PRIVATE, METADATA, "0.0.0.0", PUBLIC, "::1", PRIVATE6],
    "mapped.test": [f"::ffff:{PRIVATE}"],
    "mapped-loopback.test": ["::ffff:127.0.0.1"],
    "compatible.test": [f"::{PRIVATE}"],
    "translated.test": [f"::ffff:0:{PRIVATE}"],
    "nat64.test": [f"64:ff9b::{PRIVATE}"],
    "local-nat64.test": [f"64:ff9b:1::{PRIVATE}"],
    "6to4.test": ["2002:a00:5::1"],
    "teredo.test": ["2001:0:808:808::f5ff:fffa"],
    "isatap.test": [f"2606:2800::5efe:{PRIVATE}"],
    "flip.test": lambda times: [PUBLIC] if times % 2 == 0 else [PRIVATE],
    "flop.test": lambda times: ["127.0.0.1"] if times % 2 == 0 else [PUBLIC],
    "flip6.test": lambda times: [PUBLIC6] if times % 2 == 0 else [f"::ffff:{METADATA}"],
    "alias.test": "inner.corp.test",
    "chain.test": "alias.test",
    "inner.corp.test": [PRIVATE],
    "a.origin.test": [PUBLIC],
    "b.origin.test": [PRIVATE],
    "c.origin.test": [PUBLIC],
}
HOSTILE = [name for name in NAMES if name not in ("public.test", "a.origin.test", "c.origin.test")]


def records(name, kind, times):
    found = NAMES.get(name, [])
    if isinstance(found, str):
        return [(name, CNAME, found), *records(found, kind, times)]
    found = found(times) if callable(found) else found
    return [(name, kind, a) for a in found if kind in (A, AAAA) and (":" in a) == (kind == AAAA)]


def respond(head):
    """GET /to?URL redirects there."""
    target = head.split(b" ")[1]
    if target.startswith(b"/to?"):
        return (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + target[4:]
                + b"\r\n\r\n")
    return answer("ok")


@pytest.fixture(scope="module")
def network():
    if not is_possible():
        pytest.skip("network namespaces need root")
    with OwnNetwork() as network:
        yield network


@pytest.fixture(scope="module")
def dns(network):
    return network.start(dns_server, records)


@pytest.fixture(scope="module")
def everywhere(network):
    """Listens on port 80 of every address."""
    return network.start(Listener, 80, respond)


@pytest.fixture(scope="module")
def all_inside(network):
    return [network.start(Listener, ONLY_PRIVATE, respond, address)
            for address in (PRIVATE, "127.0.0.1", METADATA, "::1", PRIVATE6)]


@pytest.fixture
def inside(all_inside):
    """Listeners on a port of private addresses only."""
    for listener in all_inside:
        listener.forget()
    return all_inside


@pytest.fixture
def start(network, dns, everywhere, certs):
    """start(config) → a daemon in the network; with the default rules, unless config has others."""
    started = []
    everywhere.forget()
    dns.queries.clear()

    def start(config=None, env=None):
        base = {"egress": {"allow": []},
                "sessions": {"default": {"ca_file": str(certs / "ca.pem")}}}
        started.append(Curlewd({**base, **(config or {})}, env=env,
                               wrapper=network.wrapper))
        return started[-1]

    yield start
    for daemon in started:
        daemon.stop()


def codes(daemon, urls, **keys):
    """Of each fetch: "ok", or the failure's code."""
    answers = [daemon.client.post({"url": url, "timeout": 10, **keys}) for url in urls]
    return ["ok" if a.status == 200 else a.json()["code"] for a in answers]


def forbidden(listener):
    return [a for a in listener.reached if a not in (PUBLIC, PUBLIC6, OTHER)]


# -- look-ups ------------------------------------------------------------------------------------


def test_the_network_reaches_what_it_is_asked_to_reach(start, everywhere):
    """Without a guard the listener is reached at all of these, so that it would notice."""
    daemon = start({"egress": {"allow": ["0.0.0.0/0", "::/0"]}})
    urls = [f"http://{name}/" for name in HOSTILE if name != "link-local.test"]
    assert set(codes(daemon, urls)) == {"ok"}
    assert {PRIVATE, "127.0.0.1", METADATA, PRIVATE6, "::1"} <= set(everywhere.reached)
    assert len(forbidden(everywhere)) > 15


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("keys", [{}, {"retries": 2}, {"coalesce": True},
                                  {"http_version": "2"}], ids=str)
def test_no_name_reaches_a_forbidden_address(start, everywhere, dns, name, keys):
    daemon = start()
    url, via = f"http://{name}/", f"http://public.test/to?http://{name}/"
    headers = [{"Connection": "close"}, {}]
    for i in range(ROUNDS):
        found = codes(daemon, [url, via], headers=headers[i % 2], **keys)
        assert set(found) <= {"ok", "blocked"}
    assert forbidden(everywhere) == []
    assert dns.asked(name)
    if name.startswith("fl"):
        return
    if not {r[2] for kind in (A, AAAA) for r in records(name, kind, 0)} & {PUBLIC, PUBLIC6}:
        assert set(codes(daemon, [url], **keys)) == {"blocked"}


def test_a_public_address_that_fails_does_not_lead_to_a_private_one(start, inside):
    daemon = start()
    names = ("both.test", "both-reversed.test", "both6.test", "many.test",
             "public-and-private6.test", "private-and-public6.test")
    for _ in range(ROUNDS):
        found = codes(daemon, [f"http://{name}:{ONLY_PRIVATE}/" for name in names])
        assert set(found) <= {"blocked", "connect_failed"}
    assert [listener.reached for listener in inside] == [[]] * len(inside)
    open_daemon = start({"egress": {"allow": ["0.0.0.0/0", "::/0"]}})
    assert codes(open_daemon, [f"http://both.test:{ONLY_PRIVATE}/"]) == ["ok"]


# -- redirects_public_only -------------------------------------------------------------------------


@pytest.mark.parametrize("report_only", [False, True])
def test_redirects_may_be_kept_to_public_addresses(start, everywhere, report_only):
    daemon = start({"egress": {"allow": ["10.0.0.0/8", "fd00::/8", "alias.test"],
                               "report_only": report_only}})
    inward = ["http://private.test/", f"http://{PRIVATE}/", "http://unique-local.test/",
              f"http://[{PRIVATE6}]/", "http://alias.test/"]
    via = [f"http://public.test/to?{url}" for url in inward]
    assert codes(daemon, inward + via) == ["ok"] * 10
    everywhere.reached.clear()
    assert codes(daemon, via, redirects_public_only=True) == ["blocked"] * 5
    assert forbidden(everywhere) == []
    p = daemon.client.refused({"url": via[0], "redirects_public_only": True}, 403, "blocked")
    assert "redirects_public_only" in p["detail"]
    assert codes(daemon, inward, redirects_public_only=True) == ["ok"] * 5
    assert codes(daemon, ["http://public.test/to?http://public.test/"],
                 redirects_public_only=True) == ["ok"]


def test_a_warm_private_connection_serves_no_public_only_redirect(start, everywhere):
    daemon = start({"egress": {"allow": ["10.0.0.0/8"]}, "sessions": {
        "default": {}, "strict": {"redirects_public_only": True}}})
    for _ in range(3):
        assert codes(daemon, ["http://private.test/"]) == ["ok"]
        asked = len(everywhere.heads)
        via = ["http://public.test/to?http://private.test/"]
        assert codes(daemon, via, session="strict") == ["blocked"]
        assert len(everywhere.heads) == asked + 1  # the public one
        assert codes(daemon, via, session="strict", redirects_public_only=False) == ["ok"]


# -- warm connections ------------------------------------------------------------------------------


def test_a_reload_that_tightens_the_rules_refuses_a_warm_connection(start, everywhere):
    daemon = start({"sessions": {"default": {}, "other": {}}})
    assert codes(daemon, ["http://public.test/"]) == ["ok"]
    daemon.reload({**daemon.config, "egress": {"deny": [PUBLIC, PUBLIC6]}})
    wait_until("the new rules", lambda: codes(daemon, [f"http://{PUBLIC}/"]) == ["blocked"])
    connections, requests = len(everywhere.reached), len(everywhere.heads)
    for session in ("default", "other"):
        assert codes(daemon, ["http://public.test/"] * 5, session=session) == ["blocked"] * 5
    assert (len(everywhere.reached), len(everywhere.heads)) == (connections, requests)


@pytest.fixture
def secure(network, certs):
    """An HTTP/2 origin on a public address, of a.origin.test, b.origin.test and c.origin.test."""
    def script(request, connection, stream):
        fields = [("alt-svc", f'h2="{PRIVATE}:80"; ma=3600, h2=":81"')]
        connection.respond(stream, fields=fields)

    return network.start(Http2Origin, script, certs, PUBLIC)


def test_connections_are_not_coalesced_by_certificate(start, everywhere, secure):
    """b.origin.test has a's certificate and a private address: it doesn't share a's connection."""
    daemon = start()
    a, b, c = (f"https://{x}.origin.test:{secure.port}/" for x in "abc")
    assert codes(daemon, [a, b, a, b, c, a, c]) == [
        "ok", "blocked", "ok", "blocked", "ok", "ok", "ok"]
    assert secure.connections == 2
    assert forbidden(everywhere) == []


def test_alt_svc_leads_nowhere(start, everywhere, inside, secure):
    daemon = start({"egress": {"allow": ["0.0.0.0/0", "::/0"]}})
    for _ in range(3):
        e = daemon.client.fetch(f"https://a.origin.test:{secure.port}/", verify=False)
        assert dict(e["headers"])["alt-svc"].startswith(f'h2="{PRIVATE}')
        assert e["connection"]["remote_ip"] == PUBLIC
    assert everywhere.reached == []
    assert [listener.reached for listener in inside] == [[]] * len(inside)


# -- HTTP/3 ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def packets(network):
    return network.start(UdpListener, 443)


def test_no_packet_of_http3_reaches_a_forbidden_address(start, packets):
    """QUIC's sockets pass the same guard as TCP's."""
    urls = [f"https://{name}/" for name in HOSTILE if name != "link-local.test"]
    keys = {"timeout": {"connect": 0.2}}
    daemon = start({"egress": {"allow": ["0.0.0.0/0", "::/0"]}}, env=impersonating_env())
    for version in ("3", "3-only"):
        codes(daemon, urls[:6], **keys, http_version=version)
    assert {PRIVATE, "127.0.0.1", METADATA, "::1"} <= packets.reached  # they would be seen
    packets.reached.clear()
    daemon = start(env=impersonating_env())
    for version in ("3", "3-only"):
        for _ in range(2):
            found = codes(daemon, urls, **keys, http_version=version)
            assert set(found) <= {"blocked", "connect_timeout", "connect_failed", "tls_failed"}
            assert found[0] == "blocked"
    assert packets.reached <= {PUBLIC, PUBLIC6}


# -- proxies ---------------------------------------------------------------------------------------


@pytest.fixture
def told(network):
    """A port where proxies of each kind hear what they are asked for, and leave."""
    def script(head):
        return b"\5\0" if head[:1] == b"\5" and len(head) < 5 else None

    return network.start(Listener, 1080, script)


@pytest.mark.libcurl
@pytest.mark.parametrize("scheme", ["http", "socks4", "socks4a", "socks5", "socks5h"])
@pytest.mark.parametrize("name", ["private.test", "loopback.test", "flip.test", "public.test"])
def test_no_address_resolved_here_is_told_to_a_proxy(start, everywhere, dns, told, scheme, name):
    through = f"{scheme}://{OTHER}"
    daemon = start({"sessions": {"default": {}, "s": {"proxies": [through]}}})
    assert codes(daemon, [f"http://{name}/"], proxy=through) == ["blocked"]
    assert told.heads == []
    codes(daemon, [f"http://{name}/"], session="s")
    assert name.encode() in told.heads[-1]
    assert dns.queries == []
    assert everywhere.reached == [] and set(told.reached) == {OTHER}
    told.stop()


def test_a_proxy_with_a_forbidden_address_is_never_reached(start, told):
    daemon = start({"sessions": {"default": {"proxy_resolves": True}}})
    for scheme in ("http", "https", "socks4", "socks4a", "socks5", "socks5h"):
        for host in ("private.test", "flip.test", "alias.test", "mapped.test", "127.1",
                     "[::ffff:10.0.0.5]", "localhost"):
            for _ in range(2):
                codes(daemon, [f"http://{PUBLIC}/", "http://public.test/"],
                      proxy=f"{scheme}://{host}:1080")
    assert [a for a in told.reached if a not in (PUBLIC, PUBLIC6)] == []
    told.stop()


def test_a_batch_and_a_stream_are_judged_as_well(start, everywhere):
    daemon = start()
    urls = [f"http://{name}/" for name in HOSTILE]
    body = json.dumps({"requests": [{"url": u, "timeout": 10} for u in urls]}).encode()
    lines = daemon.client.ask("POST", "/v1/batch", body=body, timeout=60).body.splitlines()
    assert len(lines) == len(urls)
    for url in urls:
        daemon.client.ask("GET", "/v1/stream", query="url=" + quote(url, safe=""))
    assert forbidden(everywhere) == []
