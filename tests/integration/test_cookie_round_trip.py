"""Whatever cookies an envelope hands out, a request takes back, and sends what RFC 6265 says."""

import base64
import json
import random

import pytest

from tests.support.scripted_origin import ScriptedOrigin, answer

pytestmark = pytest.mark.libcurl


def origin_setting(*lines, certs=None):
    """Sets these cookies at /set, to be bytes or text; elsewhere answers the Cookie field."""
    lines = [s if isinstance(s, bytes) else s.encode("latin-1") for s in lines]
    fields = b"".join(b"Set-Cookie: " + s + b"\r\n" for s in lines)

    def script(request, connection):
        if request.target.startswith("/set"):
            connection.send(b"HTTP/1.1 200 OK\r\n" + fields + b"Content-Length: 2\r\n\r\nok")
        else:
            connection.send(answer())

    return ScriptedOrigin(script, certs)


def given_back(client, origin, cookies, path="/", host=None, **keys):
    """The Cookie field that a request with these cookies sends: bytes, or None."""
    client.fetch(origin.url(path, host), cookies=cookies, **keys)
    return next((v for n, v in origin.requests[-1].fields if n.lower() == b"cookie"), None)


BACK = {
    "__Secure-ID=1; Path=/; Secure": b"__Secure-ID=1",
    "__Host-s=1; Path=/; Secure": b"__Host-s=1",
    "my name=1; Path=/": b"my name=1",
    "x=1; Path=foo": b"x=1",
    'x=1; Path="/"': b"x=1",
    "x=1; Path=": b"x=1",
    "x=1; Max-Age=9223372036854775807": b"x=1",
    "x=1; Max-Age=99999999999999999999999": b"x=1",
    "x=1; Expires=Fri, 31 Dec 9999 23:59:59 GMT": b"x=1",
    "=x; Path=/": b"x",
    "x=; Path=/": b"x=",
    'x="a b"; Path=/': b'x="a b"',
    "x=a,b": b"x=a,b",
    "x=a=b": b"x=a=b",
    "x=\\\"{}[]": b"x=\\\"{}[]",
    "x@y:z=1": b"x@y:z=1",
    "x=1; HttpOnly; SameSite=None; Secure; Partitioned": b"x=1",
    b"u=caf\xe9": b"u=caf\xe9",
    b"u=caf\xc3\xa9": b"u=caf\xc3\xa9",
    b"caf\xe9=1": b"caf\xe9=1",
}


@pytest.mark.parametrize("line", BACK, ids=str)
def test_what_an_envelope_says_a_request_may_say(client, certs, line):
    with origin_setting(line, certs=certs) as origin, origin_setting(line) as plain:
        cookies = client.fetch(origin.url("/set"))["cookies"]
        assert len(cookies) == 1
        assert given_back(client, origin, cookies) == BACK[line]
        # those that don't suit the URL are left out, never a 400
        secure = "secure" in str(line).lower()
        assert given_back(client, plain, cookies) == (None if secure else BACK[line])
        assert given_back(client, plain, cookies, host="localhost") is None


def test_a_host_only_cookie_stays_with_its_host(client):
    with origin_setting("sid=1; Path=/") as origin:
        (cookie,) = client.fetch(origin.url("/set", "localhost"))["cookies"]
        assert cookie["host_only"] is True and cookie["domain"] == "localhost"
        assert given_back(client, origin, [cookie], host="localhost") == b"sid=1"
        assert given_back(client, origin, [cookie], host="a.localhost") is None


def test_a_domain_cookie_is_for_hosts_below_it(client):
    with origin_setting("sid=1; Path=/; Domain=bank.localhost") as origin:
        (cookie,) = client.fetch(origin.url("/set", "a.bank.localhost"))["cookies"]
        assert cookie["host_only"] is False
        assert given_back(client, origin, [cookie], host="b.bank.localhost") == b"sid=1"
        assert given_back(client, origin, [cookie], host="localhost") is None


def test_a_deleted_cookie_is_told_and_not_sent(client):
    with origin_setting("a=; Max-Age=0; Path=/", "b=2; Path=/") as origin:
        e = client.fetch(origin.url("/set"), cookies=[{"name": "a", "value": "1", "path": "/"}])
        by_name = {c["name"]: c for c in e["cookies"]}
        assert by_name["a"]["deleted"] is True and by_name["a"]["value"] == ""
        assert "deleted" not in by_name["b"] or by_name["b"]["deleted"] is False
        assert given_back(client, origin, e["cookies"]) == b"b=2"


def test_the_order_is_that_of_rfc_6265(curlewd):
    daemon = curlewd({"sessions": {"jar": {"cookie_jar": "shared"}}})
    with origin_setting("a=1; Path=/", "bb=2; Path=/", "ccc=3; Path=/",
                        "deep=4; Path=/x/y") as origin:
        daemon.client.fetch(origin.url("/set"), session="jar")
        daemon.client.fetch(origin.url("/x/y/z"), session="jar")
        assert origin.requests[-1].header("cookie") == "deep=4; a=1; bb=2; ccc=3"
        daemon.client.fetch(origin.url("/"), session="jar")
        assert origin.requests[-1].header("cookie") == "a=1; bb=2; ccc=3"


@pytest.mark.parametrize("cookies, path", [
    ({f"c{i}": "v" * 100 for i in range(150)}, "/"),
    ({"big": "v" * 8180}, "/"),
    ({"a": "1"}, "/" + "x" * 8100),
    ({f"c{i}": "v" * 20 for i in range(400)}, "/"),
], ids=["150 of 100 bytes", "8,180 bytes", "a URL of 8,100 bytes", "400"])
def test_a_cookie_field_is_sent_whole_or_refused_by_name(client, cookies, path):
    with origin_setting() as origin:
        response = client.post({"url": origin.url(path), "cookies": cookies})
        if response.status == 200:
            sent = origin.requests[-1].header("cookie")
            assert dict(p.split("=") for p in sent.split("; ")) == cookies
        else:
            assert (response.status, response.json()["code"]) == (400, "bad_request")
            assert "cookies" in response.json()["detail"] and origin.requests == []


@pytest.mark.parametrize("port", ["http", "h2"])
def test_a_field_near_the_limit_is_sent_whole_by_every_version(client, origin, port):
    cookies = {f"c{i}": "v" * 1000 for i in range(48)}
    e = client.fetch(origin.url("/cookies?" + "x" * 8100, port=port), cookies=cookies)
    assert json.loads(e["body"]) == cookies
    assert e["http_version"] == {"http": "1.1", "h2": "2"}[port]


def test_a_field_over_the_limit_is_refused_by_name(client):
    with origin_setting() as origin:
        response = client.post({"url": origin.url("/"),
                                "cookies": {f"c{i}": "v" * 1000 for i in range(50)}})
        assert (response.status, response.json()["code"]) == (400, "bad_request")
        assert response.json()["detail"].startswith("cookies: ") and origin.requests == []


@pytest.mark.parametrize("cookies", [10, 0])
def test_a_Cookie_header_counts_with_the_others(client, cookies):  # noqa: N802
    keys = {"cookies": {f"c{i}": "v" * 1000 for i in range(cookies)}}
    room = 48 * 1024 - cookies * len("c0=; " + "v" * 1000) - len("h=")
    with origin_setting() as origin:
        client.fetch(origin.url("/"), headers={"cookie": "h=" + "v" * room}, **keys)
        assert len(origin.requests[-1].header("cookie")) == 48 * 1024
        p = client.refused({"url": origin.url("/"), "headers": {"cookie": "h=" + "v" * (room + 1)},
                            **keys}, 400, "bad_request")
        assert p["detail"].startswith("cookies: ") and len(origin.requests) == 1


def test_an_origin_cannot_fill_a_jar_so_that_its_session_is_of_no_use(curlewd):
    daemon = curlewd({"sessions": {"jar": {"cookie_jar": "shared"}}})
    big = [f"c{i}=" + "v" * 8000 for i in range(12)]
    with origin_setting(*big) as origin, origin_setting("a=1") as other:
        for _ in range(3):
            daemon.client.fetch(origin.url("/set"), session="jar")
        daemon.client.fetch(origin.url("/"), session="jar")
        sent = origin.requests[-1].header("cookie").split("; ")
        assert sent == big[-2:]  # 16 KiB of one domain: the oldest make room
        daemon.client.fetch(other.url("/set", "localhost"), session="jar")
        daemon.client.fetch(other.url("/", "localhost"), session="jar")
        assert other.requests[-1].header("cookie") == "a=1"


def test_cookies_of_a_redirect_that_are_too_long_are_the_origins_fault(client):
    def script(request, connection):
        fields = "".join(f"Set-Cookie: c{i}={'v' * 8000}\r\n" for i in range(7))
        connection.send(f"HTTP/1.1 302 Found\r\n{fields}Location: /next\r\n"
                        "Content-Length: 0\r\n\r\n")

    with ScriptedOrigin(script) as origin:
        response = client.refused({"url": origin.url("/")}, 502, "protocol_error")
        assert "cookies" in response["detail"] and len(origin.requests) == 1


def test_a_cookie_header_goes_into_the_same_field(client):
    with origin_setting() as origin:
        client.fetch(origin.url("/"), cookies={"a": "1"}, headers={"Cookie": "b=2; c=3"})
        values = [v for n, v in origin.requests[-1].fields if n.lower() == b"cookie"]
        assert values == [b"a=1; b=2; c=3"]


def test_a_host_header_gets_no_cookies_of_the_host_that_it_names(curlewd):
    """A caller could else send another host's cookies to an origin of his own, or set them."""
    daemon = curlewd({"sessions": {"jar": {"cookie_jar": "shared"}}})
    named = {"session": "jar", "headers": {"Host": "A.localhost:8080"}}
    with origin_setting("sid=1; Path=/; Domain=a.localhost") as theirs, origin_setting() as own:
        (cookie,) = daemon.client.fetch(theirs.url("/set", "a.localhost"), session="jar")["cookies"]
        daemon.client.fetch(own.url("/"), **named)
        assert own.requests[-1].header("cookie") is None
        daemon.client.fetch(own.url("/"), cookies=[cookie], **named)
        assert own.requests[-1].header("cookie") is None
        assert daemon.client.fetch(theirs.url("/set"), **named)["cookies"] == []
        daemon.client.fetch(theirs.url("/", "a.localhost"), session="jar")
        assert theirs.requests[-1].header("cookie") == "sid=1"


def test_a_secure_cookie_is_neither_sent_nor_hidden_in_the_clear(client, certs):
    def script(request, connection):
        if request.target == "/set":
            connection.send("HTTP/1.1 302 Found\r\nSet-Cookie: sid=1; Path=/; Secure\r\n"
                            f"Location: {plain.url('/clear')}\r\nContent-Length: 0\r\n\r\n")
        elif request.target == "/clear":
            seen.append(request.header("cookie"))
            connection.send("HTTP/1.1 302 Found\r\nSet-Cookie: sid=2; Path=/\r\n"
                            f"Location: {origin.url('/back')}\r\nContent-Length: 0\r\n\r\n")
        else:
            connection.send(answer(request.header("cookie") or "none"))

    seen = []
    with ScriptedOrigin(script, certs) as origin, ScriptedOrigin(script) as plain:
        e = client.fetch(origin.url("/set"), verify=False)
    assert seen == [None] and e["body"] == "sid=1"
    assert [(c["name"], c["value"]) for c in e["cookies"]] == [("sid", "1")]


def test_a_secure_cookie_is_not_hidden_by_one_of_a_host_above_it(curlewd, certs):
    """6265bis section 5.7: also one that this host does not get is left alone."""
    jar = {"cookie_jar": "shared", "verify": False}
    client = curlewd({"sessions": {"jar": jar}}).client
    with origin_setting("sid=1; Path=/; Secure", certs=certs) as secure, \
         origin_setting("sid=2; Path=/; Domain=bank.localhost", "other=3; Path=/") as plain:
        client.fetch(secure.url("/set", "a.bank.localhost"), session="jar")
        e = client.fetch(plain.url("/set", "bank.localhost"), session="jar")
        assert [c["name"] for c in e["cookies"]] == ["other"]
        client.fetch(secure.url("/", "a.bank.localhost"), session="jar")
        assert secure.requests[-1].header("cookie") == "sid=1"


def test_a_cookie_that_is_set_after_its_end_is_the_youngest(curlewd):
    client = curlewd({"sessions": {"jar": {"cookie_jar": "shared"}}}).client
    with origin_setting("a=1", "b=2") as first, \
         origin_setting("a=; Max-Age=0", "c=3", "a=4") as second:
        client.fetch(first.url("/set", "localhost"), session="jar")
        e = client.fetch(second.url("/set", "localhost"), session="jar")
        assert [c["name"] for c in e["cookies"]] == ["c", "a"]
        client.fetch(first.url("/", "localhost"), session="jar")
        assert first.requests[-1].header("cookie") == "b=2; c=3; a=4"


def test_a_cookie_of_a_digest_challenge_goes_with_the_answer(client):
    def script(request, connection):
        if request.header("authorization"):
            connection.send(answer(request.header("cookie") or "none"))
        else:
            connection.send('HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm="r", '
                            'nonce="n", algorithm=MD5, qop="auth"\r\nSet-Cookie: once=1; Path=/\r\n'
                            "Set-Cookie: gone=; Max-Age=0; Path=/\r\nContent-Length: 0\r\n\r\n")

    with ScriptedOrigin(script) as origin:
        e = client.fetch(origin.url("/"), auth={"digest": ["u", "p"]},
                         cookies={"gone": "1", "own": "2"})
    assert e["body"] == "own=2; once=1"


def test_fields_of_bytes_that_are_no_utf_8_survive_both_ways(client):
    def script(request, connection):
        value = next((v for n, v in request.fields if n.lower() == b"x-in"), b"")
        connection.send(b"HTTP/1.1 200 OK\r\nA: plain\r\nX-Out: " + value
                        + b"\r\nContent-Length: 0\r\n\r\n")

    with ScriptedOrigin(script) as origin:
        encoded = base64.b64encode(b"caf\xe9").decode()
        e = client.fetch(origin.url("/"), headers=[["X-In", {"base64": encoded}]])
    assert e["headers"][1] == ["X-Out", "caf\u00e9"]
    assert e["headers_base64"] == [[1, encoded]]


def test_two_hundred_cookies_of_one_answer_are_all_told_and_taken_back(client):
    lines = [f"c{i}={i}; Path=/" for i in range(200)]
    with origin_setting(*lines) as origin:
        cookies = client.fetch(origin.url("/set"))["cookies"]
        assert [c["name"] for c in cookies] == [f"c{i}" for i in range(200)]
        sent = given_back(client, origin, cookies).decode()
        assert sent == "; ".join(f"c{i}={i}" for i in range(200))


def test_cookies_go_on_along_redirects_by_the_same_rules(client):
    def script(request, connection):
        if request.target == "/":
            connection.send("HTTP/1.1 302 Found\r\nSet-Cookie: sid=1; Path=/\r\n"
                            f"Location: {origin.url('/end', 'a.localhost')}\r\n"
                            "Content-Length: 0\r\n\r\n")
        else:
            connection.send(answer(request.header("cookie") or "none"))

    with ScriptedOrigin(script) as origin:
        assert client.fetch(origin.url("/", "localhost"))["body"] == "none"


@pytest.mark.parametrize("domain", ["com", "co.uk", "github.io", ".com", "localhost."])
def test_public_suffixes_are_no_domain(client, domain):
    with origin_setting(f"sid=1; Path=/; Domain={domain}") as origin:
        assert client.fetch(origin.url("/set"))["cookies"] == []


# -- a property: generated Set-Cookie lines ----------------------------------------


def generated_line(r):
    """A line of Set-Cookie, odd but without what ends a field."""
    alphabet = b"abcXYZ019 \"'=;,\\/@:[]{}()<>?&%+-_.!~*#$^`|\t" + bytes(range(128, 256))
    word = bytes(r.choice(alphabet) for _ in range(r.randint(0, 12)))
    name = bytes(r.choice(b"abcdef_-.") for _ in range(r.randint(1, 6)))
    attributes = [b"Path=/", b"Path=/set", b"Path=foo", b"Path=", b"Secure", b"HttpOnly",
                  b"Max-Age=100", b"Max-Age=x", b"Expires=Wed, 09 Jun 2100 10:18:14 GMT",
                  b"Expires=never", b"SameSite=Lax", b"Domain=", b"Domain=127.0.0.1", b"Odd=1",
                  word]
    return name + b"=" + word + b"".join(
        b"; " + r.choice(attributes) for _ in range(r.randint(0, 4)))


@pytest.mark.parametrize("seed", range(40))
def test_any_cookie_of_an_envelope_is_taken_back(client, seed):
    r = random.Random(seed)
    lines = [generated_line(r) for _ in range(8)]
    with origin_setting(*lines) as origin:
        cookies = client.fetch(origin.url("/set/x"))["cookies"]
        sent = given_back(client, origin, cookies, "/set/x") or b""
        wanted = {}
        for line in lines:  # RFC 6265 5.2, for what these lines can hold
            pair, *attributes = line.split(b";")
            name, _, value = pair.partition(b"=")
            names = [a.partition(b"=")[0].strip().lower() for a in attributes]
            values = {a.partition(b"=")[0].strip().lower(): a.partition(b"=")[2].strip()
                      for a in attributes}
            path = values.get(b"path", b"")
            path = path if path.startswith(b"/") else b"/set"
            wanted[name.strip(), path] = None if b"secure" in names else value.strip()
        wanted = {k: v for k, v in wanted.items() if v is not None}
        got = [p.partition(b"=") for p in sent.split(b"; ")] if sent else []
        assert sorted((n, v) for n, _, v in got) == sorted((n, v) for (n, _), v in wanted.items())
