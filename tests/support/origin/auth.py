"""Pages behind a password: user "user", password "secret"; the bearer token is "letmein"."""

import base64
import hashlib
import json
import re

from .message import Response

NONCE = "dcd98b7102dd2f0e8b11d0f600bfb0c0"
HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


def _granted(who):
    return Response(200, [["Content-Type", "application/json"]], json.dumps({"user": who}).encode())


def _refused(challenge):
    return Response(401, [["WWW-Authenticate", challenge], ["Content-Type", "text/plain"]], b"no\n")


async def basic(origin, request):
    right = base64.b64encode(b"user:secret").decode()
    if request.header("authorization") == f"Basic {right}":
        return _granted("user")
    return _refused('Basic realm="curlew"')


async def bearer(origin, request):
    if request.header("authorization") == "Bearer letmein":
        return _granted("bearer")
    return _refused('Bearer realm="curlew"')


def _digest(algorithm, *parts):
    return HASHES[algorithm](":".join(parts).encode()).hexdigest()


async def digest(origin, request):
    algorithm = request.arg("algorithm", "MD5")
    given = request.header("authorization") or ""
    fields = dict(re.findall(r'(\w+)="?([^",]*)"?', given.removeprefix("Digest ")))
    if given.startswith("Digest ") and fields.get("response") == _response(
            algorithm, request, fields):
        return _granted(fields["username"])
    return _refused(f'Digest realm="curlew", nonce="{NONCE}", qop="auth", algorithm={algorithm}')


def _response(algorithm, request, fields):
    """RFC 7616 section 3.4.1, for qop=auth."""
    ha1 = _digest(algorithm, "user", "curlew", "secret")
    ha2 = _digest(algorithm, request.method, request.target)
    count, own = fields.get("nc", ""), fields.get("cnonce", "")
    return _digest(algorithm, ha1, NONCE, count, own, "auth", ha2)
