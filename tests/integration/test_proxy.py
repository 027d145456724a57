"""Fetches through a proxy: forwarded, tunnelled, over SOCKS; with and without a password."""

import json

import pytest

from tests.support.curlewd import Curlewd
from tests.support.procs import free_port


@pytest.fixture(scope="module")
def resolving(certs):
    """A daemon with a session whose requests may send host names through any proxy."""
    trust = {"ca_file": str(certs / "ca.pem")}
    daemon = Curlewd({"sessions": {"default": trust, "proxied": {**trust, "proxy_resolves": True}}})
    yield daemon
    daemon.stop()


@pytest.fixture
def client(resolving):
    return resolving.client


def request_stream(process):
    """What the proxy was asked for, line by line, after its port."""
    return process.out.splitlines()[1:]


def test_plain_http_is_forwarded(client, origin, proxy):
    port, process = proxy()
    e = client.fetch(origin.url("/echo"), proxy=f"http://127.0.0.1:{port}")
    assert request_stream(process) == [f"http GET {origin.url('/echo')}"]
    assert e["connection"]["remote_port"] == port
    assert "proxy-connection" not in [n.lower() for n, _ in json.loads(e["body"])["headers"]]


def test_tls_goes_through_a_tunnel(client, origin, proxy):
    port, process = proxy()
    e = client.fetch(origin.url("/echo", port="https"), proxy=f"http://127.0.0.1:{port}")
    assert request_stream(process) == [f"http CONNECT 127.0.0.1:{origin.ports['https']}"]
    assert json.loads(e["body"])["tls"] is True
    assert "Content-Length" in dict(e["headers"])  # not those of the response to CONNECT
    assert e["history"] == []


@pytest.mark.parametrize("scheme", ["socks4", "socks4a", "socks5", "socks5h"])
def test_socks_proxies_are_told_the_name(client, origin, proxy, scheme):
    port, process = proxy()
    url = origin.url("/hello", host="somewhere.test")
    e = client.fetch(url, proxy=f"{scheme}://127.0.0.1:{port}", session="proxied")
    assert e["body"] == "hello\n"
    asked = f"{scheme[:6]} name somewhere.test:{origin.ports['http']}"
    assert request_stream(process) == [asked]


@pytest.mark.parametrize("scheme", ["socks4", "socks4a", "socks5", "socks5h"])
def test_socks_proxies_are_told_a_literal_address(client, origin, proxy, scheme):
    port, process = proxy()
    e = client.fetch(origin.url("/hello"), proxy=f"{scheme}://127.0.0.1:{port}")
    assert e["body"] == "hello\n"
    assert request_stream(process)[0].endswith(f" 127.0.0.1:{origin.ports['http']}")


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h"])
@pytest.mark.parametrize("where", ["key", "url"])
def test_the_password_is_sent(client, origin, proxy, scheme, where):
    port, process = proxy(user="pu", password="hidden")
    at = "pu:hidden@" if where == "url" else ""
    keys = {"proxy_auth": ["pu", "hidden"]} if where == "key" else {}
    e = client.fetch(origin.url("/echo"), proxy=f"{scheme}://{at}127.0.0.1:{port}", **keys)
    assert "proxy-authorization" not in [n.lower() for n, _ in json.loads(e["body"])["headers"]]
    assert "hidden" not in json.dumps({k: v for k, v in e.items() if k != "body"})


def test_a_wrong_password_fails(client, origin, proxy):
    port, process = proxy(user="pu", password="hidden")
    for scheme, target in (("http", "https"), ("socks5", "http"), ("socks5h", "http")):
        p = client.refused({"url": origin.url("/hello", port=target), "proxy_auth": ["pu", "wrong"],
                            "proxy": f"{scheme}://127.0.0.1:{port}"}, 502, "proxy_failed")
        assert "wrong" not in p["detail"]


def test_a_forwarding_proxys_407_is_a_response(client, origin, proxy):
    port, process = proxy(user="pu", password="hidden")
    assert client.fetch(origin.url("/hello"), proxy=f"http://127.0.0.1:{port}")["status"] == 407


def test_a_proxy_that_refuses_the_target_fails(client, origin, proxy):
    port, process = proxy()
    for scheme, target in (("http", "https"), ("socks5h", "http")):
        url = f"{target}://refused.test:{origin.ports[target]}/"
        client.refused({"url": url, "proxy": f"{scheme}://127.0.0.1:{port}", "session": "proxied"},
                       502, "proxy_failed")


def test_a_silent_proxy_times_out(client, origin, proxy):
    port, process = proxy()
    response = client.post({"url": f"https://silent.test:{origin.ports['https']}/", "timeout": 0.4,
                            "proxy": f"http://127.0.0.1:{port}", "session": "proxied"})
    assert response.status == 504 and response.json()["code"] == "timeout", response


@pytest.mark.parametrize("scheme", ["http", "socks4", "socks4a", "socks5", "socks5h"])
def test_a_missing_proxy_fails(client, origin, scheme):
    client.refused({"url": origin.url("/hello"), "proxy": f"{scheme}://127.0.0.1:{free_port()}"},
                   502,
                   "proxy_failed")


def test_a_proxy_with_an_unknown_name_fails(client, origin):
    client.refused({"url": origin.url("/hello"), "proxy": "http://nothing.invalid:80"}, 502,
                   "proxy_failed")


def test_a_tunnels_connection_is_reused_and_a_direct_fetch_does_not_take_it(client, origin, proxy):
    port, process = proxy()
    url, through = origin.url("/hello", port="https"), f"http://127.0.0.1:{port}"
    first, second = (client.fetch(url, proxy=through)["connection"] for _ in range(2))
    assert second["reused"] and len(request_stream(process)) == 1
    assert client.fetch(url)["connection"]["local_port"] != second["local_port"]
