"""`impersonate`: the request's own headers stand where curl_cffi puts them, over HTTP/2 and 1.1."""

import shutil

import curl_cffi
import pytest

from tests.support.curlewd import Curlewd
from tests.support.faces import FAMILIES, TARGETS, assert_alike
from tests.support.fingerprint import FingerprintOrigin
from tests.support.libcurls import impersonating_env

PROTOCOLS = {"http2": ("h2", "http/1.1"), "http1": ("http/1.1",)}
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def daemon():
    d = Curlewd(env=impersonating_env())
    yield d
    d.stop()
    shutil.rmtree(d.directory, ignore_errors=True)


def both(**headers):
    return {"headers": headers}, {"headers": headers}


def parts():
    mime = curl_cffi.CurlMime()
    mime.addpart(name="a", data=b"1")
    return mime


# Keys of a request object, and the same for curl_cffi.
REQUESTS = {
    "get": ({}, {}),
    "head": ({"method": "HEAD"}, {"method": "HEAD"}),
    "delete": ({"method": "DELETE"}, {"method": "DELETE"}),
    "own headers": both(**{"X-A": "1", "X-Empty": "", "Authorization": "Bearer x"}),
    "user agent": both(**{"User-Agent": "mine"}),
    "accept": both(Accept="text/x"),
    "lower case": both(**{"accept-encoding": "gzip", "user-agent": "mine",
                          "accept-language": "de"}),
    "an empty one": both(Accept=""),
    "removed ones": both(**{"sec-ch-ua": None, "Accept": None, "User-Agent": None}),
    "repeated": ({"headers": [["X-A", "1"], ["X-A", "2"]]},
                 {"headers": [("X-A", "1"), ("X-A", "2")]}),
    "all of them": both(**{"X-A": "1", "accept-language": "de", "User-Agent": "mine",
                           "Accept": "*/*", "sec-ch-ua": "mine", "sec-fetch-mode": "cors",
                           "priority": "u=0"}),
    "host": both(Host="other.test"),
    "origin": both(Origin="https://a.test"),
    "referer": ({"headers": {"Referer": "https://a.test/"}}, {"referer": "https://a.test/"}),
    "basic auth": ({"auth": {"basic": ["u", "p"]}, "headers": {"X-A": "1"}},
                   {"auth": ("u", "p"), "headers": {"X-A": "1"}}),
    "cookie": ({"cookies": {"c": "1"}, "headers": {"X-A": "1"}},
               {"cookies": {"c": "1"}, "headers": {"X-A": "1"}}),
    "form": ({"form": {"a": "1"}}, {"method": "POST", "data": {"a": "1"}}),
    "form with a charset": (
        {"form": {"a": "1"}, "headers": {"Content-Type": f"{FORM}; charset=utf-8"}},
        {"method": "POST", "data": {"a": "1"},
         "headers": {"Content-Type": f"{FORM}; charset=utf-8"}}),
    "form with more": (
        {"form": {"a": "1"}, "cookies": {"c": "1"},
         "headers": {"X-A": "1", "Referer": "https://a.test/"}},
        {"method": "POST", "data": {"a": "1"}, "cookies": {"c": "1"},
         "referer": "https://a.test/", "headers": {"X-A": "1"}}),
    "json": ({"body": '{"a":1}', "headers": {"Content-Type": "application/json"}},
             {"method": "POST", "json": {"a": 1}}),
    "large json": ({"body": f'"{"x" * 5000}"', "headers": {"content-type": "application/json"}},
                   {"method": "POST", "data": f'"{"x" * 5000}"'.encode(),
                    "headers": {"content-type": "application/json"}}),
    "put": ({"method": "PUT", "body": "x", "headers": {"Content-Type": "text/x"}},
            {"method": "PUT", "data": b"x", "headers": {"Content-Type": "text/x"}}),
    "multipart": ({"multipart": [{"name": "a", "value": "1"}], "headers": {"X-A": "1"}},
                  {"method": "POST", "multipart": parts, "headers": {"X-A": "1"}}),
    "defaults left out": (
        {"default_headers": False, "decompress": False, "headers": {"X-A": "1"}},
        {"default_headers": False, "accept_encoding": None, "headers": {"X-A": "1"}}),
    "form, defaults left out": (
        {"default_headers": False, "decompress": False, "form": {"a": "1"}},
        {"default_headers": False, "accept_encoding": None, "method": "POST", "data": {"a": "1"}}),
}
# The others do not depend on how a target orders its headers.
OF_EACH_TARGET = ["get", "all of them", "cookie", "basic auth", "form with more", "json",
                  "multipart"]


def assert_same_request(daemon, origin, name, keys, arguments):
    url = origin.url(host="127.0.0.1")  # curl_cffi sends no cookies to localhost
    response = daemon.client.post({"url": url, "impersonate": name, "verify": False, **keys})
    assert response.status == 200, response
    arguments = {"method": "GET", **arguments}
    if "multipart" in arguments:
        arguments["multipart"] = arguments["multipart"]()
    curl_cffi.request(url=url, impersonate=name, verify=False, **arguments)
    ours, its = origin.seen[-2:]
    assert_alike(ours, its, name)


@pytest.mark.parametrize("request_name", REQUESTS)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_headers_stand_where_the_browsers_do(daemon, certs, protocol, request_name):
    names = TARGETS if request_name in OF_EACH_TARGET else FAMILIES
    with FingerprintOrigin(certs, once=True, protocols=PROTOCOLS[protocol]) as origin:
        for name in names:
            assert_same_request(daemon, origin, name, *REQUESTS[request_name])
    assert len(origin.seen) == 2 * len(names)
    assert {seen.protocol for seen in origin.seen} == {PROTOCOLS[protocol][0]}


def test_one_cookie_field_holds_all_cookies(daemon, certs):
    """In the browser's place; by RFC 6265 section 5.4 there is no second one."""
    with FingerprintOrigin(certs, protocols=PROTOCOLS["http1"]) as origin:
        daemon.client.fetch(origin.url(), impersonate="firefox", verify=False,
                            cookies={"c": "1"}, headers={"X-A": "1", "Cookie": "d=2"})
    names = [name.lower() for name, _ in origin.seen[0].headers]
    assert dict(origin.seen[0].headers)["Cookie"] == "c=1; d=2" and names.count("cookie") == 1
    assert names.index("cookie") < names.index("x-a")
