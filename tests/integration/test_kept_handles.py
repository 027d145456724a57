"""A handle of libcurl is kept from fetch to fetch with its options: none shows in another fetch.

Fetches of all kinds follow each other at random on the one handle of one thread. What the origin
then sees must be what it sees of a handle that was reset, as it is after a fetch with credentials.
"""

import contextlib
import itertools
import json
import random
import time

import pytest

from tests.support import fcgi, metrics
from tests.support.curlewd import SANITIZED
from tests.support.libcurls import impersonating_env
from tests.support.procs import wait_until
from tests.support.scripted_origin import ScriptedOrigin, answer
from tests.support.streams import IncompleteResponse, open_stream

pytestmark = pytest.mark.libcurl

DIGEST = answer("no", "401 x", ["WWW-Authenticate: Digest realm=\"a\", nonce=\"evil\""])
TEXT = {"body": "some text", "headers": {"Content-Type": "text/plain"}}
FORM = [{"name": "a", "value": "1"}, {"name": "b", "value": "2", "filename": "b.txt"}]

# name: the keys of a fetch beside its URL; "path" is the URL's, "door" not /v1/fetch
KINDS = {
    "get": {},
    "get with a query": {"path": "/?a=b"},
    "an empty query": {"path": "/?"},
    "a long URL": {"path": "/" + "x" * 5000},
    "head": {"method": "HEAD"},
    "post": TEXT,
    "post of nothing": {"method": "POST"},
    "put": {"method": "PUT", **TEXT},
    "patch of nothing": {"method": "PATCH"},
    "delete": {"method": "DELETE"},
    "delete with a body": {"method": "DELETE", **TEXT},
    "get with a body": {"method": "GET", **TEXT},
    "a form": {"multipart": FORM},
    "fields": {"headers": {"Referer": "http://a.test/", "User-Agent": "own", "X-A": "b"}},
    "no fields": {"headers": {"User-Agent": None, "Accept": None, "Accept-Encoding": None}},
    "cookies": {"cookies": {"a": "b"}},
    "basic": {"auth": {"basic": ["ann", "secret"]}},
    "digest": {"auth": {"digest": ["ann", "secret"]}},
    "bearer": {"auth": {"bearer": "secret"}},
    "a challenge": {"path": "/digest"},
    "a redirect": {"path": "/302"},
    "a redirect of a body": {"path": "/307", **TEXT},
    "a retry": {"path": "/503", "retries": {"max": 1, "backoff": 0}},
    "a broken connection": {"path": "/close"},
    "a connection that ends in the body": {"path": "/cut"},
    "a time-out": {"path": "/hold", "timeout": {"total": 0.05}},
    "a short time to connect": {"timeout": {"connect": 2}},
    "not decoded": {"decompress": False},
    "slowly": {"max_recv_speed": 5000},
    "not verified": {"verify": False},
    "HTTP/1.1": {"http_version": "1.1"},
    "HTTP/2 if the origin likes": {"http_version": "2"},
    "a jar": {"session": "jar"},
    "own fields of the session": {"session": "fields"},
    "an isolated session": {"session": "alone"},
    "another authority": {"session": "authority"},
    "other addresses": {"session": "addresses"},
    "a stream": {"door": "stream"},
    "a stream not decoded": {"door": "stream", "decompress": False},
    "a stream that is left": {"door": "stream", "path": "/hold-body"},
    "a caller who leaves": {"door": "leave", "path": "/hold"},
}
BROWSERS = {
    "chrome": {"impersonate": "chrome"},
    "chrome, no fields": {"impersonate": "chrome", "default_headers": False},
    "chrome, HTTP/1.1": {"impersonate": "chrome", "http_version": "1.1"},
    "chrome, a body": {"impersonate": "chrome", **TEXT},
    "firefox": {"impersonate": "firefox"},
    "firefox, a referer": {"impersonate": "firefox", "headers": {"Referer": "http://a.test/"}},
    "safari, fails": {"impersonate": "safari", "path": "/close"},
    "a fingerprint": {"fingerprint": {"akamai": "1:65536;4:131072|12517377|0|m,p,a,s"}},
}
SPOILS = KINDS["basic"]
TIMED = ("/hold", "/hold-body")  # whether and when the origin sees these is a matter of time
HOLD = 3


def serve(request, connection):
    path = request.target.partition("?")[0]
    if path in ("/302", "/307"):
        connection.send(answer("", f"{path[1:]} x", ["Location: /target"]))
    elif path == "/503":
        connection.send(answer("", "503 x"))
    elif path == "/digest" or request.header("x-challenge"):
        connection.send(DIGEST)
    elif path == "/close":
        connection.close()
    elif path == "/cut":
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        connection.close()
    elif path == "/hold":
        connection.hold(HOLD)
    elif path == "/hold-body":
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        connection.hold(HOLD)
    elif request.method == "HEAD":
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
    else:
        connection.send(answer())


def leave(daemon, keys):
    """The caller is gone before the response."""
    body = json.dumps(keys).encode()
    with fcgi.Connection(daemon.socket) as c:
        c.send(fcgi.request(fcgi.cgi_params("POST", "/v1/fetch", body=body), body))
        time.sleep(0.02)


def stream(daemon, keys):
    with contextlib.suppress(IncompleteResponse), open_stream(daemon.client, **keys) as s:
        if not keys["url"].endswith("/hold-body"):
            s.read_all()


def fetch(daemon, keys):
    response = daemon.client.post(keys)
    answered = response.json()
    return response.status, answered.get("status"), answered.get("code"), answered.get("body")


DOORS = {"fetch": fetch, "stream": stream, "leave": leave}


def is_idle(daemon):
    return metrics.read_metric(daemon, "curlew_in_flight") == 0


class Player:
    """Has one fetch after the other made, on one handle."""

    def __init__(self, daemon, origin):
        self.daemon, self.origin = daemon, origin

    def play(self, keys):
        """What its caller is told, and what the origin sees of it."""
        keys = {"path": "/", "door": "fetch", **keys}
        door, path = keys.pop("door"), keys.pop("path")
        before = len(self.origin.requests)
        told = DOORS[door](self.daemon, {"url": self.origin.url(path), **keys})
        wait_until("the daemon to be idle", lambda: is_idle(self.daemon))
        seen = [self.of(request) for request in self.origin.requests[before:]
                if request.target not in TIMED]
        # whether one was sent again depends on the connection
        return told, [request for request, _ in itertools.groupby(seen)]

    @staticmethod
    def of(request):
        """A form's boundary, and the nonce of an authentication, are new each time."""
        chance = b"boundary=" in (request.header("content-type") or "").encode()
        fields = [(n, v) for n, v in request.fields
                  if n.lower() not in (b"content-type" if chance else b"", b"authorization")]
        return (request.method, request.target, fields, None if chance else request.body,
                (request.header("authorization") or "").split(" ")[0])

    def play_on_a_reset_handle(self, keys):
        self.play(SPOILS)
        return self.play(keys)


@pytest.mark.parametrize("browsers", [False, True])
def test_no_option_of_a_fetch_shows_in_another_one(curlewd, certs, browsers):
    daemon = curlewd({"threads": 1, "sessions": {
        "jar": {"cookie_jar": "shared"}, "fields": {"headers": {"X-Session": "1"}},
        "alone": {"isolate": True}, "authority": {"ca_file": str(certs / "ca.pem")},
        "addresses": {"resolve": {"a.test:80": ["127.0.0.1"]}, "interface": "127.0.0.1"}}},
        env=impersonating_env() if browsers else None)
    kinds = {**KINDS, **(BROWSERS if browsers else {})}
    chance = random.Random(browsers)
    with ScriptedOrigin(serve) as origin:
        player = Player(daemon, origin)
        expected = {name: player.play_on_a_reset_handle(keys) for name, keys in kinds.items()}
        last = None
        for name in chance.choices(list(kinds), k=50 if SANITIZED else 200):
            found = player.play(kinds[name])
            if kinds[name].get("path") not in TIMED:
                assert found == expected[name], f"{name} after {last}"
            last = name
