"""An HTTP response as tests look at it, received over HTTP or FastCGI."""

import json


class Response:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers  # [(name, value)] as received
        self.body = body

    def header(self, name, fallback=None):
        for key, value in self.headers:
            if key.lower() == name:
                return value
        return fallback

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:400]!r}>"


def parse_cgi_response(stdout):
    """What a FastCGI responder wrote on its STDOUT: CGI headers, an empty line, the body."""
    head, gap, body = stdout.partition(b"\r\n\r\n")
    assert gap, f"no end of the CGI headers in {stdout[:200]!r}"
    headers = []
    for line in head.decode("latin-1").split("\r\n"):
        name, colon, value = line.partition(":")
        assert colon, f"a CGI header without colon: {line!r}"
        headers.append((name, value.strip()))
    status = [v for n, v in headers if n.lower() == "status"]
    kept = [(n, v) for n, v in headers if n.lower() != "status"]
    return Response(int(status[0].split()[0]) if status else 200, kept, body)
