"""URLs of the daemon: every notation, and what is wrong with the others."""

import re

import pytest

from django_curlew.daemon import AddressError, parse_address

GOOD = {
    "fcgi+unix:/run/curlew.sock": ("fcgi", "/run/curlew.sock", "", 0, ""),
    "FCGI+UNIX:/run/curlew.sock": ("fcgi", "/run/curlew.sock", "", 0, ""),
    "fcgi+unix:///run/curlew.sock": ("fcgi", "/run/curlew.sock", "", 0, ""),
    "fcgi://127.0.0.1:9000": ("fcgi", "", "127.0.0.1", 9000, ""),
    "fcgi://[::1]:9000": ("fcgi", "", "::1", 9000, ""),
    "http://127.0.0.1:8080/_fetch": ("http", "", "127.0.0.1", 8080, "/_fetch"),
    "http://curlew/_fetch/": ("http", "", "curlew", 80, "/_fetch"),
    "http://curlew": ("http", "", "curlew", 80, ""),
    "http+unix:/run/nginx.sock:/_fetch": ("http", "/run/nginx.sock", "", 0, "/_fetch"),
    "http+unix:/run/nginx.sock": ("http", "/run/nginx.sock", "", 0, ""),
    "http+unix://%2Frun%2Fnginx.sock/_fetch": ("http", "/run/nginx.sock", "", 0, "/_fetch"),
}


@pytest.mark.parametrize("url", GOOD)
def test_a_url_names_an_address(url):
    a = parse_address(url)
    assert (a.protocol, a.path, a.host, a.port, a.mount) == GOOD[url]
    assert a.url == url and a.is_unix == bool(a.path)


@pytest.mark.parametrize("url, word", [
    ("", "invalid URL of curlewd"),
    ("/run/curlew.sock", "fcgi+unix:"),
    ("https://example.org/_fetch", "https is not supported"),
    ("ftp://example.org", "invalid URL of curlewd"),
    ("fcgi://127.0.0.1", "port is missing"),
    ("fcgi://127.0.0.1:0", "port is missing"),
    ("fcgi://127.0.0.1:99999", "invalid URL of curlewd"),
    ("http:///x", "invalid URL of curlewd"),
    ("http://h/x?y=1", "invalid URL of curlewd"),
    ("http://u:p@h/x", "TOKEN"),
    ("fcgi+unix:curlew.sock", "must begin with /"),
    ("http+unix:/a:b", "must begin with /"),
    ("http+unix:/a:/b?c", "query"),
    ("fcgi+unix:/a b", "space or control character"),
    ("fcgi+unix:/" + "x" * 107, "107"),
    (None, "invalid URL of curlewd"),
])
def test_an_invalid_url_is_refused_with_a_reason(url, word):
    with pytest.raises(AddressError, match=re.escape(word)):
        parse_address(url)


def test_the_longest_path_of_a_socket_is_taken():
    assert len(parse_address("fcgi+unix:/" + "x" * 106).path) == 107
