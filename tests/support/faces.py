"""What an origin sees of curl_cffi, to compare it with what it sees of Curlew."""

import re

import curl_cffi

from .fingerprint import FingerprintOrigin

FAMILIES = ["chrome", "chrome_android", "edge", "safari", "safari_ios", "firefox", "tor"]
TARGETS = [t.value for t in curl_cffi.BrowserType]
DEPRECATED = re.compile(r"safari\d+_\d.*")  # safari15_3 is safari153
NAMES = [*FAMILIES, "safari_beta", "safari_ios_beta", *TARGETS]


class OwnFaces:
    """By name, what an origin sees of a plain GET by curl_cffi; it is asked for once."""

    def __init__(self, certs):
        self.certs, self.seen = certs, {}

    def __call__(self, name):
        if name not in self.seen:
            with FingerprintOrigin(self.certs) as origin:
                curl_cffi.get(origin.url(), impersonate=name, verify=False)
                self.seen[name] = origin.seen[0]
        return self.seen[name]


def comparable(headers):
    """Without the origin's port, the request's path, and boundaries."""
    def value_of(name, value):
        if name in (":authority", "Host"):
            return value.rpartition(":")[0]
        return "/" if name == ":path" else re.sub("boundary=.*", "boundary=", value)

    return [(n, value_of(n, v)) for n, v in headers]


def assert_alike(seen, expected, name=None):
    assert (seen.ja4, seen.akamai) == (expected.ja4, expected.akamai), name
    assert comparable(seen.headers) == comparable(expected.headers), name
