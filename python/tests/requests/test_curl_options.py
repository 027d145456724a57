"""curl_options and curl_infos: libcurl's own names, as far as the request object has keys."""

import pytest
from parity import OURS, THEIRS, echoed, outcome

from django_curlew import CurlInfo, CurlOpt, Session
from django_curlew.const import CurlHttpVersion
from django_curlew.requests import exceptions, info_values, option_keys
from django_curlew.requests.prepared_request import PreparedRequest

SEEN = {
    "USERAGENT": b"mine/1", "REFERER": "http://r/", "COOKIE": b"a=1", "RANGE": "0-4",
    "ACCEPT_ENCODING": "gzip", "CUSTOMREQUEST": b"PURGE", "USERPWD": "me:pw",
    "HTTPHEADER": [b"X-A: 1", b"X-B: 2"], "XOAUTH2_BEARER": None}


@pytest.mark.parametrize("name", [name for name, value in SEEN.items() if value is not None])
@pytest.mark.parametrize("headers", [{}, {"User-Agent": "given", "Referer": "http://given/"}])
def test_what_the_origin_sees_is_as_with_curl_cffi(origin, name, headers):
    def program(lib):
        options = {getattr(lib.top.CurlOpt, name): SEEN[name]}
        return echoed(lib.requests.Session(curl_options=options).get(
            origin.url("/echo"), headers=headers))

    if name == "HTTPHEADER" and headers:
        return  # libcurl's replaces all headers, ours those of its names
    assert program(OURS) == program(THEIRS)


@pytest.mark.parametrize("name, value, page", [
    ("FOLLOWLOCATION", 0, "/redirect/1"), ("MAXREDIRS", 1, "/redirect/3"),
    ("TIMEOUT_MS", 200, "/silent"), ("MAXFILESIZE_LARGE", 10, "/bytes/100"),
    ("HTTP_CONTENT_DECODING", 0, "/gzip")])
def test_the_outcome_is_as_with_curl_cffi(origin, name, value, page):
    def program(lib):
        options = {getattr(lib.top.CurlOpt, name): value}
        response = lib.requests.Session(curl_options=options).get(origin.url(page))
        return response.status_code, response.content

    assert outcome(program, OURS) == outcome(program, THEIRS)


def keys(options, **arguments):
    session = Session(curl_options=options, **arguments)
    return PreparedRequest(session, "GET", "http://a/", {}).keys


@pytest.mark.parametrize("option", ["USERPWD", "PROXYUSERPWD"])
def test_empty_credentials_are_nobodys(option):
    assert not {"auth", "proxy_auth"} & set(keys({getattr(CurlOpt, option): b""}))


@pytest.mark.parametrize("options, key, value", [
    ({CurlOpt.TIMEOUT: 5}, "timeout", {"connect": 5, "total": 5}),
    ({CurlOpt.TIMEOUT: 50}, "timeout", {"connect": 30, "total": 50}),
    ({CurlOpt.CONNECTTIMEOUT_MS: 1500}, "timeout", {"connect": 1.5, "total": 30}),
    ({CurlOpt.TIMEOUT: 10**6}, "timeout", {"connect": 30, "total": option_keys.NO_TIMEOUT}),
    ({CurlOpt.TIMEOUT: 0}, "timeout", {"connect": 30, "total": option_keys.NO_TIMEOUT}),
    ({CurlOpt.SSL_VERIFYPEER: 0}, "verify", False),
    ({CurlOpt.MAXREDIRS: -1}, "max_redirects", 100),
    ({CurlOpt.MAXREDIRS: 1000}, "max_redirects", 100),
    ({CurlOpt.HTTP_VERSION: CurlHttpVersion.V2_0}, "http_version", "2"),
    ({CurlOpt.PROXY: b"http://p:1"}, "proxy", "http://p:1"),
    ({CurlOpt.PROXYUSERPWD: "u:p:q"}, "proxy_auth", ["u", "p:q"]),
    ({CurlOpt.XOAUTH2_BEARER: "t"}, "auth", {"bearer": "t"}),
    ({CurlOpt.MAX_RECV_SPEED_LARGE: 9}, "max_recv_speed", 9)])
def test_an_option_is_a_key(options, key, value):
    assert keys(options)[key] == value


def test_an_option_of_no_limit_leaves_the_key_out():
    options = {CurlOpt.PROXY: "", CurlOpt.MAX_RECV_SPEED_LARGE: 0, CurlOpt.NOSIGNAL: 1}
    made = keys(options, proxy="http://p:1")
    assert "proxy" not in made and "max_recv_speed" not in made
    assert keys({CurlOpt.HTTP_VERSION: 0}) == keys({})


def test_options_that_are_added_later_count():
    session = Session()
    session.curl_options[CurlOpt.USERAGENT] = "later"
    prepared = PreparedRequest(session, "GET", "http://a/", {})
    assert prepared.keys["headers"] == [["User-Agent", "later"]]


@pytest.mark.parametrize("option, way_out", [
    (CurlOpt.RESOLVE, "`resolve`"), (CurlOpt.INTERFACE, "`interface`"),
    (CurlOpt.SSLVERSION, "`tls_min`"), (CurlOpt.CAINFO, "verify="),
    (CurlOpt.SSLCERT, "`client_cert`"), (CurlOpt.LOCALPORT, "docs/client.md"),
    (999999, "not an option"),
    (CurlOpt.HTTP_VERSION, "HTTP_VERSION")])
def test_other_options_say_what_is_left(option, way_out):
    value = CurlHttpVersion.V1_0 if option is CurlOpt.HTTP_VERSION else 1
    with pytest.raises(exceptions.Unsupported, match="curl_options: ") as caught:
        Session(curl_options={option: value})
    assert way_out in str(caught.value)


INFOS = [info for info in info_values.VALUES if isinstance(info, CurlInfo)]
TIMES = [info for info in INFOS if "TIME" in info.name]
DIFFERENT = {CurlInfo.REQUEST_SIZE, CurlInfo.LOCAL_PORT, CurlInfo.NUM_CONNECTS}


@pytest.mark.parametrize("page", ["/hello", "/redirect/2", "/status/503", "/bytes/100?chunked=1"])
@pytest.mark.parametrize("follow", [True, False])
def test_infos_are_as_with_curl_cffi(origin, page, follow):
    def program(lib):
        infos = [lib.top.CurlInfo(int(info)) for info in INFOS]
        session = lib.requests.Session(curl_infos=infos)
        response = session.get(origin.url(page), allow_redirects=follow)
        return {info.name: value for info, value in response.infos.items()}

    ours, theirs = program(OURS), program(THEIRS)
    for info in INFOS:
        mine, other = ours[info.name], theirs[info.name]
        assert type(mine) is type(other), info
        if info in TIMES:
            assert 0 <= mine < (10 if isinstance(mine, float) else 10_000_000)
        elif info not in DIFFERENT:
            assert mine == other, info


def test_an_info_that_the_envelope_does_not_have_is_refused():
    for unknown in (CurlInfo.CERTINFO, 5):
        with pytest.raises(exceptions.Unsupported, match="curl_infos: .*envelope"):
            Session(curl_infos=[unknown])
