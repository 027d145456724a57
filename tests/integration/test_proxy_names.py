"""A proxy resolves names out of the egress guard's sight: only the operator may permit that."""

import json
from urllib.parse import quote

import pytest

from tests.support.metrics import read_metric
from tests.support.procs import free_port, wait_until

SCHEMES = ["http", "socks4", "socks4a", "socks5", "socks5h"]
OPERATOR, LIMITED = "operator-token-0123456789", "limited-token-0123456789"


def asked(process):
    """What the proxy was asked for, line by line, after its port."""
    return process.out.splitlines()[1:]


def blocked(client, named, **keys):
    p = client.refused(keys, 403, "blocked")
    assert named in p["detail"], p
    return p


@pytest.fixture
def running_proxy(proxy):
    port, process = proxy()
    process.port = port
    return process


def url_of(proxy, scheme="http"):
    return f"{scheme}://127.0.0.1:{proxy.port}"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_proxy_that_only_the_request_names_gets_no_host_name(curlewd, origin, running_proxy,
                                                               scheme):
    daemon = curlewd()
    through = url_of(running_proxy, scheme)
    for target in ("http", "https"):
        url = origin.url("/hello", host="somewhere.test", port=target)
        blocked(daemon.client, "proxy_resolves", url=url, proxy=through)
    assert daemon.client.fetch(origin.url("/hello"), proxy=through)["status"] == 200
    assert len(asked(running_proxy)) == 1
    assert read_metric(daemon, "curlew_guard_refusals_total") == 2


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("key", ["proxy", "proxies"])
def test_a_proxy_that_the_session_names_gets_host_names(curlewd, origin, running_proxy, scheme,
                                                        key):
    through = url_of(running_proxy, scheme)
    named = {"proxy": through} if key == "proxy" else {"proxies": [through]}
    daemon = curlewd({"sessions": {"s": named}})
    url = origin.url("/hello", host="somewhere.test")
    assert daemon.client.fetch(url, session="s")["status"] == 200
    assert daemon.client.fetch(url, session="s", proxy=through)["status"] == 200
    blocked(daemon.client, "proxy_resolves", url=url, session="s",
            proxy=through.replace("127.0.0.1", "127.0.0.2"))
    blocked(daemon.client, "proxy_resolves", url=url, proxy=through)


def test_proxy_resolves_lets_any_proxy_resolve(curlewd, origin, running_proxy):
    daemon = curlewd({"sessions": {"s": {"proxy_resolves": True}}})
    url = origin.url("/hello", host="somewhere.test")
    for scheme in SCHEMES:
        assert daemon.client.fetch(url, session="s", proxy=url_of(running_proxy, scheme))["ok"]
    blocked(daemon.client, "proxy_resolves", url=url, proxy=url_of(running_proxy))


def test_localhost_behind_a_proxy_is_loopback(curlewd, running_proxy):
    daemon = curlewd({"egress": {"allow": ["127.0.0.2"]},
                      "sessions": {"default": {"proxy_resolves": True}}})
    through = url_of(running_proxy).replace("127.0.0.1", "127.0.0.2")
    for host in ("localhost", "LOCALHOST.", "a.localhost"):
        blocked(daemon.client, "127.0.0.1", url=f"http://{host}:{free_port()}/", proxy=through)
    assert asked(running_proxy) == []


def test_denied_names_stay_denied_behind_a_proxy(curlewd, origin, running_proxy):
    daemon = curlewd({"egress": {"deny": ["secret.test", "*.corp.test"]},
                      "sessions": {"default": {"proxy": url_of(running_proxy)}}})
    for host in ("secret.test", "SECRET.test.", "a.corp.test"):
        blocked(daemon.client, "egress.deny", url=origin.url("/hello", host=host))
    assert asked(running_proxy) == []
    assert daemon.client.fetch(origin.url("/hello", host="other.test"))["status"] == 200


def test_report_only_lets_names_pass(curlewd, origin, running_proxy):
    daemon = curlewd({"egress": {"report_only": True}})
    url = origin.url("/hello", host="somewhere.test")
    assert daemon.client.fetch(url, proxy=url_of(running_proxy))["status"] == 200
    wait_until("a line in the log", lambda: "would refuse: somewhere.test" in daemon.process.err)


# -- redirects, retries, batches, queries ------------------------------------------------------


def test_a_redirect_behind_a_proxy_is_judged_as_well(curlewd, origin, running_proxy):
    daemon = curlewd({"egress": {"allow": ["127.0.0.1"]}})
    through = url_of(running_proxy)
    for there in (origin.url("/hello", host="somewhere.test"), "http://10.0.0.1/",
                  "http://0xa9fea9fe/"):
        url = origin.url(f"/redirect-to?url={quote(there)}")
        blocked(daemon.client, "", url=url, proxy=through)
    assert len(asked(running_proxy)) == origin.stats()["requests"] == 3


def test_a_retry_through_another_proxy_is_judged_by_the_same_rules(curlewd, origin, running_proxy):
    dead = f"http://127.0.0.1:{free_port()}"
    daemon = curlewd({"sessions": {"s": {"proxies": [dead, url_of(running_proxy)], "retries": 3}}})
    url = origin.url("/hello", host="somewhere.test")
    e = daemon.client.fetch(url, session="s")
    assert (e["status"], e["attempts"]) == (200, 2)
    blocked(daemon.client, "10.0.0.1", url="http://10.0.0.1/", session="s")


def test_a_batchs_default_proxy_is_the_requests(curlewd, origin, running_proxy):
    daemon = curlewd({"sessions": {"s": {"proxy_resolves": True}}})
    url = origin.url("/hello", host="somewhere.test")
    body = {"requests": [{"url": url}, {"url": url, "session": "s"}], "order": "input",
            "defaults": {"proxy": url_of(running_proxy)}}
    answer = daemon.client.ask("POST", "/v1/batch", body=json.dumps(body).encode())
    first, second = (json.loads(line) for line in answer.body.splitlines())
    assert first["error"]["code"] == "blocked" and second["status"] == 200


def test_a_query_names_a_proxy_as_a_request_does(curlewd, origin, running_proxy):
    daemon = curlewd()
    url = quote(origin.url("/hello", host="somewhere.test"), safe="")
    through = quote(url_of(running_proxy), safe="")
    answer = daemon.client.ask("GET", "/v1/fetch", query=f"url={url}&proxy={through}")
    assert answer.status == 403 and answer.json()["code"] == "blocked"
    assert asked(running_proxy) == []


# -- ports ---------------------------------------------------------------------------------------


def test_proxies_have_ports_of_their_own(curlewd, origin, running_proxy):
    daemon = curlewd({"egress": {"ports": [origin.ports["http"]],
                                 "proxy_ports": [running_proxy.port]}})
    url, through = origin.url("/hello"), url_of(running_proxy)
    assert daemon.client.fetch(url, proxy=through)["status"] == 200
    for other in (f"http://127.0.0.1:{origin.ports['http']}", "http://127.0.0.1",
                  "https://127.0.0.1", "socks5://127.0.0.1"):
        blocked(daemon.client, "egress.proxy_ports", url=url, proxy=other)
    blocked(daemon.client, "egress.ports", url=f"http://127.0.0.1:{running_proxy.port}/",
            proxy=through)
    daemon.client.refused({"url": url, "proxy": "http://127.0.0.1:0"}, 400, "bad_request")


def test_without_proxy_ports_a_proxy_may_have_any(curlewd, origin, running_proxy):
    daemon = curlewd({"egress": {"ports": [origin.ports["http"]]}})
    assert daemon.client.fetch(origin.url("/hello"), proxy=url_of(running_proxy))["status"] == 200


# -- who is the operator -------------------------------------------------------------------------


def put(daemon, name, session, token=None):
    return daemon.client.ask("PUT", f"/v1/sessions/{name}", body=json.dumps(session).encode(),
                             headers=[("Authorization", f"Bearer {token}")] if token else ())


def fetch(daemon, url, token):
    return daemon.client.post({"url": url, "session": "s"},
                              headers=[("Authorization", f"Bearer {token}")])


def test_without_tokens_a_put_is_the_operators(curlewd, origin, running_proxy):
    daemon = curlewd()
    assert put(daemon, "s", {"proxy": url_of(running_proxy)}).status == 201
    url = origin.url("/hello", host="somewhere.test")
    assert daemon.client.fetch(url, session="s")["status"] == 200


@pytest.fixture
def with_tokens(curlewd, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{OPERATOR}\n{LIMITED} s\n")
    return curlewd({"auth": {"tokens_file": str(tokens)}})


def test_a_limited_caller_cannot_have_a_proxy_resolve_names(with_tokens, origin, running_proxy):
    daemon, url = with_tokens, origin.url("/hello", host="somewhere.test")
    named = {"proxy": url_of(running_proxy)}
    refused = put(daemon, "s", {**named, "proxy_resolves": True}, LIMITED)
    assert refused.status == 403 and refused.json()["detail"].startswith("proxy_resolves: only")
    assert put(daemon, "s", named, LIMITED).status == 201
    assert fetch(daemon, url, LIMITED).json()["code"] == "blocked"
    assert fetch(daemon, url, OPERATOR).json()["code"] == "blocked"
    assert fetch(daemon, origin.url("/hello"), LIMITED).status == 200
    assert put(daemon, "s", named, OPERATOR).status == 200
    assert fetch(daemon, url, LIMITED).status == 200
    assert put(daemon, "s", {**named, "tag": "kept"}, LIMITED).status == 200
    assert fetch(daemon, url, LIMITED).status == 200
