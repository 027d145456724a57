"""`make demo-impersonate`: what a TLS origin sees of curlewd as several browsers, and of curl_cffi.

The exit code is 0 if Curlew's fingerprints are those of curl_cffi, and 1 otherwise.
"""

import shutil
import sys
import tempfile
from pathlib import Path

import curl_cffi

from .certs import make_certs
from .curlewd import Curlewd
from .fingerprint import FingerprintOrigin
from .http3_origin import Http3Origin
from .libcurls import CURL_CFFI, impersonating_env

BROWSERS = ["chrome", "firefox", "safari"]
WITH_HTTP3 = ["chrome", "safari"]
ROW = "  {:<24} {:<38} {:<10} {}"


def hashed(akamai):
    """Short enough for a column."""
    settings, window, _, order = akamai.split("|")
    return f"{settings} {window} {order}" if akamai else ""


def headers_of(headers):
    return [(n, v) for n, v in headers if n not in (":authority", "Host")]


def face(seen):
    return seen.ja4, seen.akamai, headers_of(seen.headers)


def show(who, ja4, verdict, rest):
    print(ROW.format(who, ja4, verdict, rest), flush=True)


def compare(who, ours, its, rest):
    """Print the row; is it as it should be?"""
    same = ours == its
    show(who, ours[0], "equal" if same else "DIFFERS", rest)
    if not same:
        show("  curl_cffi itself", its[0], "", "")
    return same


def over_tcp(client, certs):
    with FingerprintOrigin(certs) as origin:
        client.fetch(origin.url(), verify=False)
        plain = face(origin.seen[-1])
        show("curlewd, plain", plain[0], "-", hashed(plain[1]))
        good = True
        for name in BROWSERS:
            target = client.fetch(origin.url(), verify=False, impersonate=name)["impersonated"]
            ours = face(origin.seen[-1])
            curl_cffi.get(origin.url(), verify=False, impersonate=name)
            good &= compare(f"curlewd as {target}", ours, face(origin.seen[-1]), hashed(ours[1]))
            good &= ours[0] != plain[0]
        return good


def over_quic(client, certs):
    good = True
    for name in WITH_HTTP3:
        with Http3Origin(certs) as origin:
            target = client.fetch(origin.url(), verify=False, impersonate=name,
                                  http_version="3-only")["impersonated"]
            curl_cffi.get(origin.url(), verify=False, impersonate=name, http_version="v3only")
            (ours, its), (request, own) = origin.connections, origin.requests
            good &= compare(f"curlewd as {target}", (ours.ja4, headers_of(request.headers)),
                            (its.ja4, headers_of(own.headers)), f"settings {ours.settings}")
    return good


def main():
    directory = Path(tempfile.mkdtemp(prefix="curlew-demo-"))
    certs = make_certs(directory)
    daemon = Curlewd(env=impersonating_env())
    try:
        libraries = daemon.client.get("/v1/status").json()["libraries"]
        print(f"curlewd with {libraries['libcurl'].split()[0]} of {CURL_CFFI},")
        print(f"which knows {len(libraries['impersonate'])} browsers. What an origin here sees:\n")
        print(ROW.format("TLS over TCP", "JA4", "curl_cffi", "HTTP/2: settings, window, order"))
        good = over_tcp(daemon.client, certs)
        print("\n" + ROW.format("QUIC", "JA4", "curl_cffi", "HTTP/3"))
        good &= over_quic(daemon.client, certs)
    finally:
        daemon.stop()
        shutil.rmtree(daemon.directory, ignore_errors=True)
        shutil.rmtree(directory, ignore_errors=True)
    print("\n  " + ("JA4, HTTP/2 and headers are those of curl_cffi." if good
                    else "Something differs from curl_cffi; see above."))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
