"""`impersonate`, with a stand-in for libcurl-impersonate.

Debian has no package of libcurl-impersonate. The tests check how its functions are called, not
what they do.
"""

import json
import os
import shutil
import subprocess

import pytest

STAND_IN = """
#include <curl/curl.h>
#include <string.h>

CURLcode curl_easy_impersonate(CURL *easy, const char *target, int default_headers)
{
    if (strcmp(target, "chrome") != 0 && strcmp(target, "firefox") != 0)
        return CURLE_BAD_FUNCTION_ARGUMENT;
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    return curl_easy_setopt(easy, CURLOPT_USERAGENT, default_headers ? target : "none");
}
"""


@pytest.fixture(scope="module")
def preload(directory):
    source, library = directory / "impersonate.c", directory / "impersonate.so"
    source.write_text(STAND_IN)
    compiler = os.environ.get("CC") or next(filter(shutil.which, ("gcc", "clang")))
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    return {"LD_PRELOAD": str(library),  # before a sanitizer's own library, which need not mind
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}


@pytest.fixture
def client(curlewd, preload):
    return curlewd({"sessions": {"fox": {"impersonate": "firefox"}}}, env=preload).client


def headers_of(envelope):
    return {n.lower(): v for n, v in json.loads(envelope["body"])["headers"]}


def seen(client, origin, **keys):
    return client.fetch(origin.url("/echo"), **keys)


def test_the_browser_profile_shapes_the_request(client, origin):
    headers = headers_of(seen(client, origin, impersonate="chrome"))
    assert headers["user-agent"] == "chrome"
    # libcurl must not decode beside us: a browser's Accept-Encoding is among the headers that
    # libcurl-impersonate sends by itself, and what an option asks for is taken back.
    assert "accept-encoding" not in headers


def test_the_requests_own_values_win(client, origin):
    headers = headers_of(seen(client, origin, impersonate="chrome", decompress=False,
                              headers={"User-Agent": "mine"}))
    assert headers["user-agent"] == "mine" and "accept-encoding" not in headers


def test_a_session_may_set_the_browser(client, origin):
    assert headers_of(seen(client, origin, session="fox"))["user-agent"] == "firefox"
    assert headers_of(seen(client, origin, session="fox", impersonate="chrome"))[
        "user-agent"] == "chrome"
    assert client.get("/v1/sessions/fox").json()["impersonate"] == "firefox"


def test_browsers_do_not_share_connections(client, origin):
    used = [seen(client, origin, **keys)["connection"]["reused"] for keys in (
        {}, {"impersonate": "chrome"}, {"impersonate": "firefox"}, {},
        {"impersonate": "chrome"}, {"impersonate": "firefox"})]
    assert used == [False, False, False, True, True, True]


def test_an_unknown_browser_is_refused(client, origin):
    p = client.refused({"url": origin.url("/echo"), "impersonate": "lynx"}, 501, "unsupported")
    assert '"lynx"' in p["detail"] and "impersonate" in p["detail"]
