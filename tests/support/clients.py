"""Clients of the daemon: FastCGI on its own socket, or HTTP through a web server.

Each has ask(method, path, query, body, headers) → Response, where path is below the mount
("/v1/fetch"), and short methods for the requests that most tests send.
"""

import http.client
import json
from urllib.parse import urlencode

from . import fcgi
from .response import Response

FRAMES = "application/vnd.curlew.frames"


class Client:
    prefix = "/_fetch"

    def ask(self, method, path, query="", body=b"", headers=(), timeout=15.0):
        raise NotImplementedError

    def post(self, request, headers=(), timeout=15.0):
        """POST …/v1/fetch; `request` is the object, or bytes as they are."""
        body = request if isinstance(request, bytes) else json.dumps(request).encode()
        headers = [("Content-Type", "application/json"), *headers]
        return self.ask("POST", "/v1/fetch", body=body, headers=headers, timeout=timeout)

    def get(self, path="/v1/fetch", query=(), headers=()):
        return self.ask("GET", path, urlencode(query), headers=headers)

    def fetch(self, url, **keys):
        """The envelope of a fetch that works."""
        response = self.post({"url": url, **keys})
        assert response.status == 200, response
        assert response.header("content-type").startswith("application/json"), response
        envelope = response.json()
        assert envelope["ok"] is True, envelope
        return envelope

    def refused(self, request, status, code):
        """The problem of a fetch that does not."""
        return problem(self.post(request), status, code)

    def frames(self, url, **keys):
        """(envelope, body) of a fetch asked for as frames."""
        response = self.post({"url": url, **keys}, [("Accept", FRAMES)])
        assert response.status == 200, response
        assert response.header("content-type") == FRAMES, response
        line, body = response.body.split(b"\n", 1)
        envelope = json.loads(line)
        assert len(body) == envelope["body_bytes"] + 1 and body.endswith(b"\n"), (envelope, body)
        return envelope, body[:-1]


def problem(response, status, code):
    """Check that the response is this problem document (RFC 9457); the decoded object."""
    assert response.status == status, response
    assert response.header("content-type") == "application/problem+json", response
    p = response.json()
    assert p["status"] == status and p["code"] == code, p
    assert p["type"] and p["title"] and p["detail"], p
    if status == 503:
        assert int(response.header("retry-after")) >= 1, response
    return p


class FastCgiClient(Client):
    """Straight FastCGI, a connection for each request unless keep is set."""

    def __init__(self, address, keep=False):
        self.address = address
        self.keep = keep
        self.kept = None

    def ask(self, method, path, query="", body=b"", headers=(), timeout=15.0):
        if not self.keep:
            return fcgi.ask(self.address, method, self.prefix + path, query, body, headers, timeout)
        if self.kept and self.kept.is_closed():
            self.close()
        self.kept = self.kept or fcgi.Connection(self.address, timeout)
        params = fcgi.cgi_params(method, self.prefix + path, query, body, headers)
        self.kept.send(fcgi.request(params, body, keep=True))
        return self.kept.read_response()

    def close(self):
        if self.kept:
            self.kept.close()
            self.kept = None


class HttpClient(Client):
    """Through a web server on 127.0.0.1."""

    def __init__(self, port, prefix="/_fetch"):
        self.port = port
        self.prefix = prefix

    def ask(self, method, path, query="", body=b"", headers=(), timeout=15.0):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            target = self.prefix + path + ("?" + query if query else "")
            c.request(method, target, body=body or None, headers=dict(headers))
            r = c.getresponse()
            return Response(r.status, r.getheaders(), r.read())
        finally:
            c.close()

    def close(self):
        pass
