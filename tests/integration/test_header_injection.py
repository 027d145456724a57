"""Header injection: a line break in a request object is refused, or arrives as harmless text."""

import base64
import json

import pytest

from tests.support.scripted_origin import ScriptedOrigin, answer

BREAKS = {"CR": "\r", "LF": "\n", "CRLF": "\r\n", "NUL": "\0"}


def hostile(line_break):
    return f"a{line_break}X-Injected: 1{line_break}{line_break}GET /injected HTTP/1.1"


# Where the break must be refused: place → request keys with the hostile text in it.
REFUSED = {
    "header value": lambda s: {"headers": {"X-A": s}},
    "header name": lambda s: {"headers": {s: "1"}},
    "header value in pairs": lambda s: {"headers": [["X-A", s]]},
    "header name in pairs": lambda s: {"headers": [[s, "1"]]},
    "removed header": lambda s: {"headers": {s: None}},
    "header value as bytes": lambda s: {"headers": [["X-A", {"base64": base64_of(s)}]]},
    "Host": lambda s: {"headers": {"Host": s}},
    "User-Agent": lambda s: {"headers": {"User-Agent": s}},
    "Cookie": lambda s: {"headers": {"Cookie": s}},
    "Content-Type": lambda s: {"headers": {"Content-Type": s}, "body": "b"},
    "method": lambda s: {"method": s},
    "cookie name": lambda s: {"cookies": {s: "1"}},
    "cookie value": lambda s: {"cookies": {"a": s}},
    "cookie name in a list": lambda s: {"cookies": [{"name": s, "value": "1"}]},
    "cookie value as bytes": lambda s: {"cookies": [
        {"name": "a", "value": "", "value_base64": base64_of(s)}]},
    "cookie domain": lambda s: {"cookies": [{"name": "a", "value": "1", "domain": s}]},
    "cookie path": lambda s: {"cookies": [{"name": "a", "value": "1", "path": "/" + s}]},
    "basic user": lambda s: {"auth": {"basic": [s, "p"]}},
    "basic password": lambda s: {"auth": {"basic": ["u", s]}},
    "digest user": lambda s: {"auth": {"digest": [s, "p"]}},
    "digest password": lambda s: {"auth": {"digest": ["u", s]}},
    "bearer token": lambda s: {"auth": {"bearer": s}},
    "proxy user": lambda s: {"proxy_auth": [s, "p"]},
    "proxy password": lambda s: {"proxy_auth": ["u", s]},
    "path of the URL": lambda s: {"url": f"{{origin}}/{s}"},
    "query of the URL": lambda s: {"url": f"{{origin}}/?a={s}"},
    "fragment of the URL": lambda s: {"url": f"{{origin}}/#{s}"},
    "user in the URL": lambda s: {"url": f"http://{s}@127.0.0.1/"},
    "host of the URL": lambda s: {"url": f"http://127.0.0.1{s}/"},
    "scheme of the URL": lambda s: {"url": f"ht{s}tp://127.0.0.1/"},
    "proxy": lambda s: {"proxy": f"http://127.0.0.1:1/{s}"},
    "user in the proxy": lambda s: {"proxy": f"http://{percent(s)}:p@127.0.0.1:1"},
    "password in the proxy": lambda s: {"proxy": f"socks5h://u:{percent(s)}@127.0.0.1:1"},
    "session": lambda s: {"session": s},
    "http_version": lambda s: {"http_version": s},
    "response_body": lambda s: {"response_body": s},
    "forward_headers": lambda s: {"forward_headers": [s]},
    "retries.methods": lambda s: {"retries": {"max": 1, "methods": [s]}},
    "type of a part": lambda s: {"multipart": [{"name": "n", "value": "v", "content_type": s}]},
    "an unknown key": lambda s: {s: "1"},
}

# Where it is encoded, or never sent: the origin must see one request, without the line.
HARMLESS = {
    "name of a param": lambda s: {"params": {s: "1"}},
    "value of a param": lambda s: {"params": [["a", s]]},
    "name in a form": lambda s: {"form": {s: "1"}},
    "value in a form": lambda s: {"form": {"a": s}},
    "JSON": lambda s: {"json": {s: s}},
    "name of a part": lambda s: {"multipart": [{"name": s, "value": "v"}]},
    "filename of a part": lambda s: {"multipart": [{"name": "n", "value": "v", "filename": s}]},
    "tag": lambda s: {"tag": s},
    "percent-encoded in the path": lambda s: {"url": "{origin}/" + percent(s)},
    "percent-encoded in the query": lambda s: {"url": "{origin}/?a=" + percent(s)},
}


def base64_of(text):
    return base64.b64encode(text.encode()).decode()


def percent(text):
    return "".join(f"%{ord(c):02X}" for c in text)


@pytest.fixture(scope="module")
def seeing():
    with ScriptedOrigin(lambda request, connection: connection.send(answer("ok"))) as origin:
        yield origin


def post(client, seeing, keys):
    seeing.requests.clear()
    url = keys.pop("url", "{origin}/").replace("{origin}", seeing.url("").rstrip("/"))
    body = json.dumps({"url": url, "timeout": 5, **keys}).encode()
    return client.ask("POST", "/v1/fetch", body=body)


@pytest.mark.parametrize("line_break", BREAKS)
@pytest.mark.parametrize("place", REFUSED)
def test_a_line_break_is_refused(client, seeing, place, line_break):
    response = post(client, seeing, REFUSED[place](hostile(BREAKS[line_break])))
    assert response.status in (400, 404), response
    assert response.json()["code"] in ("bad_request", "bad_url", "unknown_session"), response
    assert seeing.requests == []


@pytest.mark.parametrize("line_break", BREAKS)
@pytest.mark.parametrize("place", HARMLESS)
def test_a_line_break_that_is_encoded_is_harmless(client, seeing, place, line_break):
    response = post(client, seeing, HARMLESS[place](hostile(BREAKS[line_break])))
    assert response.status in (200, 400), response
    assert len(seeing.requests) == (response.status == 200)
    for request in seeing.requests:
        assert b"x-injected" not in {n.lower() for n, _ in request.fields}


@pytest.mark.parametrize("line_break", BREAKS)
def test_a_part_has_no_headers_of_a_strangers(client, seeing, line_break):
    """The name of a part stands in a header of the part."""
    text = hostile(BREAKS[line_break])
    for part in ({"name": text, "value": "v"}, {"name": "n", "value": "v", "filename": text}):
        if post(client, seeing, {"multipart": [part]}).status == 200:
            (request,) = seeing.requests
            head, _, _ = request.body.partition(b"\r\n\r\n")
            assert not [line for line in head.replace(b"\r", b"\n").split(b"\n")
                        if line.startswith(b"X-Injected")], request.body


def test_there_are_at_least_81_ways():
    assert len(REFUSED) * len(BREAKS) >= 81
