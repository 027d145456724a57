"""A request as received, and the response that a page returns."""

import base64
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, urlsplit


class Request:
    def __init__(self, method, target, headers, body, connection, version):
        self.method = method
        self.target = target
        self.headers = headers  # [name, value] in order, case as sent
        self.body = body
        self.connection = connection  # the connection it came on
        self.version = version
        parts = urlsplit(target if not target.startswith("//") else "/." + target)
        self.path = unquote(parts.path)
        self.query = parse_qsl(parts.query, keep_blank_values=True)

    def header(self, name, fallback=None):
        for key, value in self.headers:
            if key.lower() == name:
                return value
        return fallback

    def arg(self, name, fallback=None):
        for key, value in self.query:
            if key == name:
                return value
        return fallback

    def arg_float(self, name, fallback):
        return float(self.arg(name, fallback))

    def arg_int(self, name, fallback):
        return int(self.arg(name, fallback))

    def tail(self):
        """The path's last piece: N in /bytes/N."""
        return self.path.rsplit("/", 1)[1]

    def cookies(self):
        pairs = (self.header("cookie") or "").split("; ")
        return dict(pair.split("=", 1) for pair in pairs if "=" in pair)

    def as_dict(self):
        return {"method": self.method, "target": self.target, "path": self.path,
                "query": self.query, "headers": self.headers,
                "body_base64": base64.b64encode(self.body).decode(),
                "http_version": self.version, **self.connection.as_dict()}


class Response:
    """`body` is bytes, or an async generator of pieces (then `length` is their sum, or None)."""

    def __init__(self, status=200, headers=(), body=b"", reason=None, length=None, trailers=()):
        self.status = status
        self.headers = list(headers)
        self.body = body
        self.length = len(body) if isinstance(body, bytes) else length
        self.trailers = trailers  # sent after a body in chunks
        self.reason = reason if reason is not None else reason_of(status)

    def bodiless(self):
        return self.status in (204, 304) or self.status < 200


def reason_of(status):
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Odd"
