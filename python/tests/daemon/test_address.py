"""URLs of the daemon: every spelling, and what is wrong with the others."""

import re

import pytest

from django_curlew.daemon import AddressError, parse

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
    a = parse(url)
    assert (a.protocol, a.path, a.host, a.port, a.mount) == GOOD[url]
    assert a.url == url and a.is_unix == bool(a.path)


@pytest.mark.parametrize("url, word", [
    ("", "no address"),
    ("/run/curlew.sock", "fcgi+unix:"),
    ("https://example.org/_fetch", "https is not spoken"),
    ("ftp://example.org", "no address"),
    ("fcgi://127.0.0.1", "port is missing"),
    ("fcgi://127.0.0.1:0", "port is missing"),
    ("fcgi://127.0.0.1:99999", "no address"),
    ("http:///x", "no address"),
    ("http://h/x?y=1", "no address"),
    ("http://u:p@h/x", "token"),
    ("fcgi+unix:curlew.sock", "slash"),
    ("http+unix:/a:b", "slash"),
    ("http+unix:/a:/b?c", "query"),
    ("fcgi+unix:/a b", "blank"),
    ("fcgi+unix:/" + "x" * 107, "107"),
    (None, "no address"),
])
def test_what_is_no_address_is_refused_with_a_reason(url, word):
    with pytest.raises(AddressError, match=re.escape(word)):
        parse(url)


def test_the_longest_path_of_a_socket_is_taken():
    assert len(parse("fcgi+unix:/" + "x" * 106).path) == 107
