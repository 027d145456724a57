"""Running the same program on curl_cffi and on django_curlew, and comparing the results."""

import asyncio
import json
import re
from types import SimpleNamespace

import curl_cffi
import curl_cffi.requests

import django_curlew
import django_curlew.requests

THEIRS = SimpleNamespace(name="curl_cffi", requests=curl_cffi.requests, top=curl_cffi)
OURS = SimpleNamespace(name="django_curlew", requests=django_curlew.requests, top=django_curlew)

# What the two send differently, and why (docs/client.md): curl_cffi's libcurl has neither header
# unless it impersonates; the daemon says who it is, and that it takes anything, as RFC 9110 has it.
OURS_ALONE = re.compile(r"user-agent: curlew/.*|accept: \*/\*")


def outcome(function, *args):
    """What it returns, or the exception as (name, code, has it a response?)."""
    try:
        return function(*args)
    except Exception as err:
        response = getattr(err, "response", None)
        return "raised", type(err).__name__, int(getattr(err, "code", -1)), response is not None


def facts(r):
    """All that should be the same of two responses."""
    return {
        "status_code": r.status_code, "reason": r.reason, "ok": r.ok, "url": r.url,
        "content": r.content, "text": r.text, "encoding": r.encoding, "charset": r.charset,
        "charset_encoding": r.charset_encoding, "http_version": int(r.http_version),
        "headers": header_facts(r.headers), "cookies": cookie_facts(r.cookies),
        "history": [(h.status_code, h.reason, h.ok, h.url, header_facts(h.headers), h.content,
                     type(h).__name__) for h in r.history],
        "redirect_count": r.redirect_count, "redirect_url": r.redirect_url,
        "primary": (r.primary_ip, r.primary_port), "local_ip": r.local_ip,
        "is_redirect": r.is_redirect, "repr": repr(r), "infos": r.infos,
        "request": (r.request.url, r.request.method, r.request.body),
        "download_size": r.download_size, "upload_size": r.upload_size,
        "header_size": r.header_size, "response_size": r.response_size,
        "elapsed": (type(r.elapsed).__name__, 0 <= r.elapsed.total_seconds() < 10),
    }


def header_facts(headers):
    volatile = {"date", "x-connection"}
    return [(n, v) for n, v in headers.multi_items() if n.lower() not in volatile]


def cookie_facts(cookies):
    return sorted((c.name, c.value, c.domain, c.path, c.secure, bool(c.expires))
                  for c in cookies.jar)


def echoed(response):
    """What /echo saw, without what differs from one connection to the next."""
    echo = json.loads(response.content)
    headers = sorted((n.lower(), v) for n, v in echo["headers"]
                     if not OURS_ALONE.fullmatch(f"{n.lower()}: {v}"))
    headers = [(n, "codings" if n == "accept-encoding" and "gzip" in v and "br" in v else v)
               for n, v in headers]
    # The daemon orders cookies by RFC 6265, libcurl by the length of names.
    headers = [(n, sorted(v.split("; ")) if n == "cookie" else v) for n, v in headers]
    return {"method": echo["method"], "target": echo["target"], "headers": headers,
            "body": echo["body_base64"]}


def run_sync(lib, program, *args):
    with lib.requests.Session() as session:
        return outcome(program, lib, session, *args)


class Blocking:
    """An AsyncSession that a program can use like a Session."""

    def __init__(self, session, loop):
        self.session, self.loop = session, loop

    def __getattr__(self, name):
        value = getattr(self.session, name)
        if not callable(value):
            return value
        return lambda *a, **k: self.loop.run_until_complete(value(*a, **k))


def run_async(lib, program, *args):
    loop = asyncio.new_event_loop()
    try:
        async def make():
            return lib.requests.AsyncSession()

        session = loop.run_until_complete(make())
        try:
            return outcome(program, lib, Blocking(session, loop), *args)
        finally:
            loop.run_until_complete(session.close())
    finally:
        loop.close()
