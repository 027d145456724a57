"""What a session adds to a request stays with its hosts, or with the origin of the first hop."""

import base64
import json
import ssl

import pytest

from tests.support.scripted_origin import Http2Origin, ScriptedOrigin, answer

SECRETS = {"headers": {"X-Api-Key": "s3cret-key", "Authorization": "Custom s3cret",
                       "Cookie": "given=s3cret", "User-Agent": "robot/1", "Accept-Language": "de"},
           "cookies": {"sid": "s3cret-cookie"}}
AUTH = base64.b64encode(b"u:s3cret").decode()


def location(url, status=307):
    return (f"HTTP/1.1 {status} Found\r\nLocation: {url}\r\n"
            "Content-Length: 0\r\n\r\n")


class Chain:
    """Origins of which each sends the fetch on to the next URL of `hops`."""

    def __init__(self, certs):
        self.hops = []
        self.plain = ScriptedOrigin(self.script)
        self.other = ScriptedOrigin(self.script)
        self.tls = ScriptedOrigin(self.script, certs=certs)
        self.tls.tls.verify_mode = ssl.CERT_OPTIONAL
        self.tls.tls.load_verify_locations(certs / "ca.pem")
        self.seen = []

    def script(self, request, connection):
        shown = getattr(connection.sock, "getpeercert", lambda: None)()
        self.seen.append((request, bool(shown)))
        connection.send(location(self.hops.pop(0)) if self.hops else answer("end"))

    def run(self, client, hops, **keys):
        """Fetch the first; every hop's request, and whether it showed a certificate."""
        self.hops, self.seen = list(hops[1:]), []
        assert client.fetch(hops[0], **keys)["body"] == "end"
        assert len(self.seen) == len(hops)
        return self.seen

    def stop(self):
        for origin in (self.plain, self.other, self.tls):
            origin.stop()


@pytest.fixture
def chain(certs):
    chain = Chain(certs)
    yield chain
    chain.stop()


def secrets_of(request):
    """Names of the fields that carry one of the session's secrets."""
    return {n.decode().lower() for n, v in request.fields if b"s3cret" in v or AUTH.encode() in v}


ALL = {"x-api-key", "authorization", "cookie"}


@pytest.fixture
def daemon(curlewd, certs):
    tls = {"ca_file": str(certs / "ca.pem")}
    pair = {"client_cert": str(certs / "client.pem"), "client_key": str(certs / "client.key")}
    auth = {"headers": {"X-Api-Key": "s3cret"}, "auth": {"basic": ["u", "s3cret"]}}
    return curlewd({"sessions": {
        "first": {**SECRETS, **tls}, "auth": {**auth, **tls},
        "bound": {**SECRETS, **tls, "hosts": ["*.localhost", "localhost"]},
        "bound-auth": {**auth, **tls, "hosts": ["localhost"]},
        "cert": {**tls, **pair}, "bound-cert": {**tls, **pair, "hosts": ["a.localhost"]},
        "no-cert": tls}})


def test_without_hosts_they_stay_with_the_first_origin(daemon, chain):
    first = chain.plain.url("/start")
    hops = [first, chain.plain.url("/again"), chain.other.url("/port"),
            chain.plain.url("/host", host="localhost"), chain.tls.url("/tls"), first]
    seen = chain.run(daemon.client, hops, session="first")
    assert [secrets_of(r) for r, _ in seen] == [ALL, ALL, set(), set(), set(), ALL]
    assert {r.header("user-agent") for r, _ in seen} == {"robot/1"}
    assert {r.header("accept-language") for r, _ in seen} == {"de"}


def test_with_hosts_they_go_to_these_and_to_no_other(daemon, chain):
    there, elsewhere = chain.plain.url("/", host="a.localhost"), chain.plain.url("/")
    hops = [elsewhere, there, chain.other.url("/", host="localhost"), elsewhere, there]
    seen = chain.run(daemon.client, hops, session="bound")
    keys = ["x-api-key" in secrets_of(r) for r, _ in seen]
    assert keys == [False, True, True, False, True]
    assert secrets_of(seen[0][0]) == secrets_of(seen[3][0]) == set()


def test_they_never_go_in_the_clear_after_https(daemon, chain):
    hops = [chain.tls.url("/", host="a.localhost"), chain.plain.url("/", host="a.localhost"),
            chain.tls.url("/", host="localhost")]
    seen = chain.run(daemon.client, hops, session="bound")
    assert ["x-api-key" in secrets_of(r) for r, _ in seen] == [True, False, True]
    assert secrets_of(seen[1][0]) == set()
    seen = chain.run(daemon.client, hops[:2], session="first")
    assert [secrets_of(r) for r, _ in seen] == [ALL, set()]


@pytest.mark.parametrize("session, expected", [
    ("auth", [True, False, True]), ("bound-auth", [False, True, False])])
def test_credentials_of_a_session_follow_the_same_rule(daemon, chain, session, expected):
    hops = [chain.plain.url("/"), chain.plain.url("/", host="localhost"), chain.plain.url("/")]
    seen = chain.run(daemon.client, hops, session=session)
    assert [secrets_of(r) == {"authorization", "x-api-key"} for r, _ in seen] == expected
    assert [secrets_of(r) == set() for r, _ in seen] == [not e for e in expected]


def test_a_requests_own_fields_go_as_ever(daemon, chain):
    own = {"headers": {"X-Api-Key": "own", "Authorization": "Custom own"}}
    hops = [chain.plain.url("/"), chain.other.url("/"), chain.plain.url("/")]
    seen = chain.run(daemon.client, hops, session="bound", **own)
    assert [r.header("x-api-key") for r, _ in seen] == ["own", "own", "own"]
    assert [r.header("authorization") for r, _ in seen] == ["Custom own", None, None]
    assert [secrets_of(r) for r, _ in seen] == [set()] * 3


def test_a_host_header_lends_a_session_to_no_other_host(daemon, chain):
    for named in ("a.localhost", "localhost:80"):
        (request, _), = chain.run(daemon.client, [chain.plain.url("/")], session="bound",
                                  headers={"Host": named})
        assert request.header("host") == named and secrets_of(request) == set()


def test_a_removed_header_stays_removed(curlewd, chain):
    daemon = curlewd({"sessions": {"s": {"headers": {"Accept": None, "Content-Type": "x/y"}}}})
    seen = chain.run(daemon.client, [chain.plain.url("/"), chain.other.url("/")], session="s",
                     body="text")
    assert [r.header("accept") for r, _ in seen] == [None, None]
    assert [r.header("content-type") for r, _ in seen] == ["x/y", "text/plain; charset=utf-8"]


def test_coalesced_fetches_keep_to_the_rule(daemon, chain):
    hops = [chain.plain.url("/"), chain.other.url("/")]
    seen = chain.run(daemon.client, hops, session="first", coalesce=True)
    assert [secrets_of(r) for r, _ in seen] == [ALL, set()]


# -- client certificates -----------------------------------------------------------------------


def test_a_client_certificate_stays_with_its_hosts(daemon, chain):
    a, b = chain.tls.url("/", host="a.localhost"), chain.tls.url("/", host="b.localhost")
    assert [shown for _, shown in chain.run(daemon.client, [a, b, a], session="cert")] \
        == [True, False, True]
    assert [shown for _, shown in chain.run(daemon.client, [b, a], session="bound-cert")] \
        == [False, True]
    seen = chain.run(daemon.client, [chain.plain.url("/"), a], session="cert")
    assert [shown for _, shown in seen] == [False, False]


def test_a_connection_with_a_certificate_serves_no_hop_without(daemon, chain):
    """Neither by its connection nor by its TLS ticket: each hop that must not show it does not."""
    a, plain = chain.tls.url("/", host="a.localhost"), chain.plain.url("/")
    for _ in range(3):
        (_, shown), = chain.run(daemon.client, [a], session="cert")
        assert shown
        _, (_, shown) = chain.run(daemon.client, [plain, a], session="cert")
        assert not shown
        (_, shown), = chain.run(daemon.client, [a], session="no-cert")
        assert not shown
    assert 1 < len({r.connection for r in chain.tls.requests}) < 9  # each kind reuses its own


def test_an_http2_connection_with_a_certificate_serves_no_hop_without(daemon, chain, certs):
    shown = []

    def script(request, connection, stream):
        shown.append(bool(connection.sock.getpeercert()))
        connection.respond(stream)

    with Http2Origin(script, certs) as origin:
        origin.tls.verify_mode = ssl.CERT_OPTIONAL
        origin.tls.load_verify_locations(certs / "ca.pem")
        url = origin.url("/", host="a.localhost")
        for _ in range(3):
            assert daemon.client.fetch(url, session="cert")["http_version"] == "2"
            chain.hops = [url]
            daemon.client.fetch(chain.plain.url("/"), session="cert")
            daemon.client.fetch(url, session="no-cert")
        assert shown == [True, False, False] * 3
        assert origin.connections == 2


def test_digest_authentication_stays_with_the_hosts(curlewd):
    daemon = curlewd({"sessions": {"s": {"auth": {"digest": ["u", "p"]}, "hosts": ["x.test"]}}})
    challenge = ['WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"']
    denied = answer("denied", "401 Unauthorized", challenge)
    with ScriptedOrigin(lambda request, connection: connection.send(denied)) as origin:
        e = daemon.client.fetch(origin.url("/"), session="s")
        assert (e["status"], e["body"]) == (401, "denied")
        streamed = daemon.client.ask("GET", "/v1/stream", query=f"session=s&url={origin.url('/')}")
        assert (streamed.status, streamed.body) == (401, b"denied")
        assert [r.header("authorization") for r in origin.requests] == [None, None]


def test_hosts_are_shown_and_put_back(daemon):
    body = json.dumps({"hosts": ["api.test", "*.b.test"]}).encode()
    assert daemon.client.ask("PUT", "/v1/sessions/new", body=body).status == 201
    shown = daemon.client.ask("GET", "/v1/sessions/new").json()
    assert shown["hosts"] == ["api.test", "*.b.test"]
