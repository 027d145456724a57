"""The egress guard against SSRF: public addresses only, unless the configuration allows more."""

from urllib.parse import quote

import pytest

from tests.support.curlewd import Curlewd
from tests.support.metrics import read_metric
from tests.support.procs import free_port, wait_until


@pytest.fixture(scope="module")
def strict():
    """A daemon whose guard allows nothing more than it does by itself."""
    daemon = Curlewd({"egress": {"allow": []}})
    yield daemon
    daemon.stop()


def blocked(daemon, url, named=None, **keys):
    p = daemon.client.refused({"url": url, **keys}, 403, "blocked")
    assert named is None or named in p["detail"], p
    return p["detail"]


# -- the default -----------------------------------------------------------


@pytest.mark.parametrize("host", [
    "127.0.0.1", "127.1", "127.255.255.254", "0x7f.0.0.1", "0x7f000001", "2130706433", "0177.0.0.1",
    "017700000001", "localhost", "LOCALHOST", "a.localhost", "127.0.0.1.", "0.0.0.0", "0",
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1",
    "255.255.255.255",
    "[::]", "[::1]", "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "[ff02::1]", "[2001:db8::1]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "[2002:a00:1::1]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]", "[fe80::5efe:7f00:1]", "[2600::5efe:7f00:1]",
])
def test_only_public_addresses_are_allowed(strict, host):
    detail = blocked(strict, f"http://{host}/")
    assert "egress.allow" in detail  # what would permit it


@pytest.mark.parametrize("host", ["１２７.0.0.1", "①②⑦.⓪.⓪.①", "127。0。0。1", "ⓛocalhost"])
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_addresses_in_unusual_notation_are_blocked(curlewd, origin, host, locale):
    daemon = curlewd({"egress": {"allow": []}}, env={"LC_ALL": locale})
    response = daemon.client.post({"url": f"http://{host}:{origin.ports['http']}/hello"})
    assert response.json()["code"] in ("blocked", "bad_url", "dns_failed"), response
    assert origin.stats()["connections"] == 0


def test_a_refusal_connects_to_nothing_and_is_counted(strict, origin):
    before = read_metric(strict, "curlew_guard_refusals_total")
    detail = blocked(strict, origin.url("/hello"), "127.0.0.1")
    assert "loopback" in detail.lower()
    assert read_metric(strict, "curlew_guard_refusals_total") == before + 1
    assert origin.stats()["connections"] == 0


def test_only_http_and_https_are_allowed(strict):
    for url in ("file:///etc/passwd", "ftp://example.org/", "gopher://example.org/", "dict://x/"):
        strict.client.refused({"url": url}, 400, "bad_url")


# -- allow and deny --------------------------------------------------------


@pytest.mark.parametrize("allow, host", [
    (["127.0.0.1"], "127.0.0.1"), (["127.0.0.0/8"], "127.0.0.2"), (["127.0.0.1/32"], "localhost"),
    (["localhost"], "localhost"), (["*.localhost"], "a.localhost"), (["::1"], "[::1]"),
    (["::1/128"], "[::1]"),
])
def test_allow_permits_what_it_names(curlewd, origin, allow, host):
    daemon = curlewd({"egress": {"allow": allow}})
    assert daemon.client.fetch(origin.url("/hello", host=host))["status"] == 200
    blocked(daemon, "http://10.0.0.1/")


@pytest.mark.parametrize("allow, host", [
    (["127.0.0.1"], "127.0.0.2"), (["127.0.0.2/31"], "127.0.0.1"), (["*.localhost"], "localhost"),
    (["localhost"], "127.0.0.1"), (["a.localhost"], "b.localhost"),
])
def test_allow_permits_nothing_else(curlewd, origin, allow, host):
    blocked(curlewd({"egress": {"allow": allow}}), origin.url("/hello", host=host))
    assert origin.stats()["connections"] == 0


@pytest.mark.parametrize("deny, host", [
    (["127.0.0.1"], "127.0.0.1"), (["127.0.0.0/30"], "127.0.0.2"), (["a.localhost"], "a.localhost"),
    (["*.localhost"], "b.localhost"), (["127.0.0.1"], "[::ffff:127.0.0.1]"),
])
def test_deny_wins(curlewd, origin, deny, host):
    detail = blocked(curlewd({"egress": {"deny": deny}}), origin.url("/hello", host=host),
                     "egress.deny")
    assert deny[0] in detail
    assert origin.stats()["connections"] == 0


def test_only_the_configured_ports_are_allowed(curlewd, origin):
    daemon = curlewd({"egress": {"ports": [origin.ports["http"], 443]}})
    assert daemon.client.fetch(origin.url("/hello"))["status"] == 200
    blocked(daemon, origin.url("/hello", port="h2c"), "egress.ports")


def test_only_the_configured_schemes_are_allowed(curlewd, origin):
    daemon = curlewd({"egress": {"schemes": ["https"]}})
    blocked(daemon, origin.url("/hello"), "egress.schemes")
    assert daemon.client.fetch(origin.url("/hello", port="https"), verify=False)["status"] == 200


def test_report_only_lets_pass_logs_and_counts(curlewd, origin):
    daemon = curlewd({"egress": {"allow": [], "report_only": True}})
    assert daemon.client.fetch(origin.url("/hello"))["status"] == 200
    wait_until("a line in the log", lambda: "would refuse" in daemon.process.err)
    assert "127.0.0.1" in daemon.process.err
    assert read_metric(daemon, "curlew_guard_refusals_total") == 0


# -- no way round ----------------------------------------------------------


def test_every_hop_of_a_redirect_is_checked(curlewd, origin):
    daemon = curlewd({"egress": {"allow": ["127.0.0.1"]}})
    there = quote(origin.url("/hello", host="127.0.0.2"))
    blocked(daemon, origin.url(f"/redirect-to?url={there}"), "127.0.0.2")
    assert origin.stats()["connections"] == 1


def test_a_reused_connection_is_checked_by_the_current_rules(curlewd, origin):
    daemon = curlewd()
    assert daemon.client.fetch(origin.url("/hello"))["status"] == 200
    daemon.reload({**daemon.config, "egress": {"allow": []}})
    wait_until("the new rules", lambda: daemon.client.post(
        {"url": origin.url("/hello")}).status == 403)
    assert origin.stats()["requests"] >= 1


def test_the_address_of_a_proxy_is_checked(curlewd, proxy):
    port, process = proxy()
    strict = curlewd({"egress": {"allow": []}, "sessions": {"default": {"proxy_resolves": True}}})
    blocked(strict, "http://example.org/", "127.0.0.1", proxy=f"http://127.0.0.1:{port}")
    blocked(strict, "http://example.org/", proxy=f"socks5h://localhost:{port}")
    blocked(strict, "http://8.8.8.8/", "127.0.0.1", proxy=f"socks4://127.0.0.1:{port}")
    assert process.out.split() == [str(port)]


def test_a_literal_address_behind_a_proxy_is_checked_too(curlewd, proxy):
    port, process = proxy()
    daemon = curlewd({"egress": {"allow": ["127.0.0.1"]},
                      "sessions": {"default": {"proxy_resolves": True}}})
    for scheme in ("http", "socks4", "socks4a", "socks5", "socks5h"):
        for spelling in ("169.254.169.254", "0xa9fea9fe", "169.254.43518.", "[::ffff:a9fe:a9fe]",
                         "%31%36%39.254.169.254", "①⑥⑨.254.169.254"):
            blocked(daemon, f"http://{spelling}/", "169.254.169.254",
                    proxy=f"{scheme}://127.0.0.1:{port}")
    assert process.out.split() == [str(port)]


def test_environment_proxies_are_never_used(curlewd, origin):
    dead = f"http://127.0.0.1:{free_port()}"
    daemon = curlewd(env={name: dead for name in ("http_proxy", "https_proxy", "all_proxy",
                                                  "HTTPS_PROXY", "ALL_PROXY")})
    assert daemon.client.fetch(origin.url("/hello"))["status"] == 200
    assert daemon.client.fetch(origin.url("/hello", port="https"), verify=False)["status"] == 200
