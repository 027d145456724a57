"""Properties of the JSON interface, on requests that hypothesis makes.

Any object is answered by an envelope or by a problem that says what is wrong, never by a 500. What
a request asks for reaches the origin as it was given.
"""

import base64
import json
import re
import string
from urllib.parse import parse_qsl

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# derandomize: the examples are the same for everybody, and in CI.
EXAMPLES = settings(max_examples=150, deadline=None, derandomize=True, database=None,
                    suppress_health_check=list(HealthCheck))

TOKEN = string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~"
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
FIELD = TEXT.map(lambda text: re.sub(r"[\x00-\x1f\x7f]", "", text).strip(" \t"))

KEYS = ["url", "params", "method", "body", "body_base64", "json", "form", "multipart", "headers",
        "cookies", "timeout", "follow_redirects", "max_redirects", "verify", "http_version",
        "proxy", "proxy_auth", "auth", "decompress", "max_body_bytes", "response_body",
        "max_recv_speed", "session", "tag", "coalesce", "forward_headers", "retries",
        "impersonate"]
INNER = ["name", "value", "value_base64", "base64", "connect", "total", "idle", "max", "backoff",
         "statuses", "methods", "basic", "digest", "bearer", "domain", "path", "secure"]

ATOM = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.integers(), TEXT,
                 st.floats(allow_nan=False, allow_infinity=False), st.sampled_from(KEYS + INNER))
ANY = st.recursive(ATOM, lambda inner: st.one_of(
    st.lists(inner, max_size=4),
    st.dictionaries(st.one_of(st.sampled_from(INNER), TEXT), inner, max_size=4)), max_leaves=12)
# Keys whose every value would look names up, or take its time.
TAME = {"proxy": st.sampled_from(["http://127.0.0.1:1", "socks5h://127.0.0.1:1", "", "x", 7, None]),
        "timeout": st.one_of(st.floats(0.5, 9), st.fixed_dictionaries({"total": st.just(5)}),
                             ANY.filter(lambda value: not isinstance(value, (int, float)))),
        "max_recv_speed": st.one_of(st.integers(1000), TEXT),
        "retries": st.one_of(st.integers(-2, 1), TEXT, st.fixed_dictionaries({"backoff": ANY}))}
SESSION_KEYS = [*KEYS[2:], "cookie_jar", "proxies", "rate_per_origin", "idle_seconds", "breaker"]
KEY_NAMED = re.compile(r"(%s)\b" % "|".join({*KEYS, *SESSION_KEYS}))


@st.composite
def any_requests(draw):
    """Objects with keys of a request, some of them right, and with others."""
    request = {}
    for key in draw(st.lists(st.sampled_from(KEYS[1:]), max_size=5, unique=True)):
        request[key] = draw(TAME.get(key, ANY))
    if draw(st.booleans()):
        request[draw(TEXT)] = draw(ANY)
    return request


def check_problem(response, status=None):
    problem = response.json()
    assert response.header("content-type") == "application/problem+json", response
    assert problem["status"] == response.status != 500 and problem["detail"], problem
    assert problem["type"] == f"urn:curlew:problem:{problem['code']}"
    if response.status == 400:
        assert KEY_NAMED.match(problem["detail"]) or problem["detail"].startswith(
            ("unknown key", "line ", "a request is a JSON object", "the body is empty")), problem


def check_answer(response):
    if response.status == 200 and response.header("content-type") == "application/json":
        assert response.json()["ok"] is True
    else:
        check_problem(response)


@EXAMPLES
@given(request=any_requests(), url=st.one_of(st.sampled_from(["/echo", "/hello", "/status/404"]),
                                             st.just(None), TEXT, ANY))
def test_any_object_is_answered_by_an_envelope_or_a_reason(client, origin, request, url):
    known = isinstance(url, str) and url.startswith("/") and url.isprintable()
    whole = dict(request, url=origin.url(url) if known else url)
    check_answer(client.post(whole))


@EXAMPLES
@given(body=st.one_of(st.binary(max_size=60), ANY.map(lambda value: json.dumps(value).encode())))
def test_any_body_is_answered_by_an_envelope_or_a_reason(client, body):
    check_answer(client.post(body) if body else client.ask("POST", "/v1/fetch"))


@EXAMPLES
@given(requests=st.lists(any_requests(), max_size=4), parallel=ANY)
def test_any_batch_is_answered_line_by_line_or_by_a_reason(client, origin, requests, parallel):
    requests = [{"url": origin.url("/hello"), **each} for each in requests]
    batch = {"requests": requests, "parallel": parallel}
    response = client.ask("POST", "/v1/batch", body=json.dumps(batch).encode())
    if response.status != 200:
        assert response.status in (400, 413) and response.json()["detail"], response
        return
    results = [json.loads(line) for line in response.body.splitlines()]
    assert sorted(each["index"] for each in results) == list(range(len(requests)))
    for each in results:
        assert each["ok"] or each["error"]["code"] != "internal", each


@EXAMPLES
@given(session=st.dictionaries(st.one_of(st.sampled_from(SESSION_KEYS), TEXT),
                               st.one_of(ANY, st.just("***")), max_size=4))
def test_any_session_is_taken_or_refused_with_a_reason(client, session):
    put = client.ask("PUT", "/v1/sessions/random", body=json.dumps(session).encode())
    if put.status in (200, 201):
        shown = client.get("/v1/sessions/random")
        again = client.ask("PUT", "/v1/sessions/random", body=shown.body)
        assert again.status == 200, (shown, again)
        assert client.get("/v1/sessions/random").json() == shown.json()
        assert client.ask("DELETE", "/v1/sessions/random").status == 204
    else:
        check_problem(put)


@EXAMPLES
@given(headers=st.lists(st.tuples(
    st.sampled_from(["traceparent", "tracestate", "x-request-id", "accept", "authorization"]),
    FIELD), max_size=3))
def test_any_header_of_the_caller_leaves_the_fetch_as_it_is(client, origin, headers):
    headers = dict(headers)
    if "application/vnd.curlew.frames" in headers.get("accept", ""):
        return
    response = client.post({"url": origin.url("/echo")}, headers=list(headers.items()))
    sent = {name.lower(): value for name, value in json.loads(response.json()["body"])["headers"]}
    assert sent.get("accept") == "*/*" and "authorization" not in sent
    for name in ("traceparent", "tracestate", "x-request-id"):
        value = headers.get(name, "")
        passed = value.isascii() and value.isprintable() and 0 < len(value) <= 512
        assert sent.get(name) == (value if passed else None), (name, value)


# -- what reaches the origin -----------------------------------------------------------------


@pytest.fixture
def echo(client, origin):
    """echo(keys…) → what the origin saw of a fetch with them."""
    def ask(**keys):
        return json.loads(client.fetch(origin.url("/echo"), **keys)["body"])

    return ask


def seen_headers(seen, prefix):
    return [tuple(pair) for pair in seen["headers"] if pair[0].lower().startswith(prefix)]


@EXAMPLES
@given(method=st.text(TOKEN, min_size=1, max_size=20).filter(
    lambda name: name not in ("HEAD", "CONNECT")))
def test_the_method_is_sent_as_it_is(echo, method):
    assert echo(method=method)["method"] == method


@EXAMPLES
@given(pairs=st.lists(st.tuples(st.text(TOKEN, max_size=20).map("X-".__add__), FIELD), max_size=6))
def test_headers_are_sent_as_they_are(echo, pairs):
    expected = [(name, value.encode().decode("latin-1")) for name, value in pairs]
    assert seen_headers(echo(headers=[list(pair) for pair in pairs]), "x-") == expected


@EXAMPLES
@given(values=st.lists(st.binary(max_size=30).map(
    lambda value: re.sub(rb"[\x00-\x1f\x7f]", b"", value).strip(b" \t")), max_size=4))
def test_bytes_of_headers_are_sent_as_they_are(echo, values):
    headers = [["X-Bytes", {"base64": base64.b64encode(value).decode()}] for value in values]
    seen = seen_headers(echo(headers=headers), "x-bytes")
    assert [value.encode("latin-1") for _, value in seen] == values


@EXAMPLES
@given(pairs=st.lists(st.tuples(TEXT, TEXT), max_size=6))
def test_params_are_sent_as_they_are(echo, pairs):
    query = echo(params=[list(pair) for pair in pairs])["query"]
    assert [tuple(pair) for pair in query] == pairs


COOKIE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7e, exclude_characters=";=,\""),
                 min_size=1, max_size=20).filter(lambda name: not name.startswith("__"))


@EXAMPLES
@given(cookies=st.dictionaries(COOKIE, COOKIE, max_size=5))
def test_cookies_are_sent_as_they_are(echo, cookies):
    seen = seen_headers(echo(cookies=cookies), "cookie")
    field = "; ".join(f"{name}={value}" for name, value in cookies.items())
    assert seen == ([("Cookie", field)] if cookies else [])


@EXAMPLES
@given(body=st.binary(max_size=300))
def test_bytes_are_sent_as_they_are(echo, body):
    seen = echo(body_base64=base64.b64encode(body).decode())
    assert base64.b64decode(seen["body_base64"]) == body and seen["method"] == "POST"
    assert ("Content-Length", str(len(body))) in seen_headers(seen, "content-length")


@EXAMPLES
@given(body=TEXT)
def test_text_is_sent_as_it_is(echo, body):
    assert base64.b64decode(echo(body=body)["body_base64"]) == body.encode()


@EXAMPLES
@given(value=ANY.filter(lambda value: abs_of(value) < 1 << 63))
def test_json_is_sent_as_it_is(echo, value):
    assert json.loads(base64.b64decode(echo(json=value)["body_base64"])) == value


def abs_of(value):
    """The largest integer in it, without its sign."""
    if isinstance(value, (list, dict)):
        inner = value.values() if isinstance(value, dict) else value
        return max(map(abs_of, inner), default=0)
    return abs(value) if isinstance(value, int) else 0


@EXAMPLES
@given(pairs=st.lists(st.tuples(TEXT, TEXT), max_size=6))
def test_a_form_is_sent_as_it_is(echo, pairs):
    body = base64.b64decode(echo(form=[list(pair) for pair in pairs])["body_base64"]).decode()
    assert parse_qsl(body, keep_blank_values=True) == pairs


@EXAMPLES
@given(parts=st.lists(st.tuples(st.text(string.ascii_letters, min_size=1), st.binary(max_size=60)),
                      min_size=1, max_size=4))
def test_parts_are_sent_as_they_are(echo, parts):
    seen = echo(multipart=[{"name": name, "value_base64": base64.b64encode(value).decode()}
                           for name, value in parts])
    (_, kind), = seen_headers(seen, "content-type")
    boundary = kind.partition("boundary=")[2].encode()
    pieces = base64.b64decode(seen["body_base64"]).split(b"--" + boundary)
    assert pieces[0] == b"" and pieces[-1] == b"--\r\n" and len(pieces) == len(parts) + 2
    for piece, (name, value) in zip(pieces[1:], parts):
        head, _, content = piece.partition(b"\r\n\r\n")
        assert f'name="{name}"'.encode() in head and content == value + b"\r\n"
