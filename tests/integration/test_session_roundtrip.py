"""Whatever PUT …/v1/sessions/NAME accepts, GET shows, and PUT of what GET shows changes nothing."""

import hashlib
import json
import random
import re
from pathlib import Path

import pytest

SESSIONS = "/v1/sessions"
SEEDS = range(60)
API = Path(__file__).resolve().parents[2] / "docs" / "api.md"
MAN = Path(__file__).resolve().parents[2] / "man" / "curlewd.json.5"

# What a session's GET shows besides its keys.
FACTS = {"name", "at_run_time", "in_flight"}

# What a session has in every case: GET shows it also where PUT did not say it.
ALWAYS = {"cookie_jar": "none", "isolate": False, "trace_context": True, "max_in_flight": 2048,
          "max_per_origin": 1024, "idle_connections": 256, "idle_seconds": 60,
          "proxy_resolves": False}

# Keys of the request object that belong to a single request: PUT refuses them.
SINGLE = {"url", "params", "body", "body_base64", "json", "form", "multipart", "body_follows",
          "session", "traceparent", "tracestate"}

# Keys of files and of the network: only the configuration may set them.
CONFIGURED = {"ca_file", "client_cert", "client_key", "resolve", "interface"}


def word(r, alphabet="abcdefghij-", most=8):
    return "".join(r.choice(alphabet) for _ in range(r.randint(1, most)))


def seconds(r, most):
    return r.choice([most, r.randint(1, most), round(r.uniform(0.001, most), 3), 0.0004])


def header_pairs(r):
    names = [word(r, "ABCabc") for _ in range(r.randint(0, 5))]
    return [[name, r.choice([None, word(r), "", "a,b;c \u00e4"])] for name in names]


def headers(r):
    pairs = header_pairs(r)
    return r.choice([pairs, dict(pairs)])


def cookie(r):
    optional = {"domain": f"{word(r, 'abc')}.test", "path": f"/{word(r)}", "secure": True,
                "http_only": True, "expires": r.choice([0, 1, 1700000000.25, 2**40])}
    chosen = r.sample(sorted(optional), r.randint(0, len(optional)))
    return {"name": word(r, "nm"), "value": word(r), **{k: optional[k] for k in chosen}}


def cookies(r):
    if r.random() < 0.4:
        return {word(r, "nm"): word(r) for _ in range(r.randint(0, 3))}
    return [cookie(r) for _ in range(r.randint(0, 4))]


def timeout(r):
    if r.random() < 0.3:
        return seconds(r, 86400)
    parts = r.sample(["connect", "total", "idle"], r.randint(0, 3))
    return {part: seconds(r, 86400) for part in parts}


def retries(r):
    if r.random() < 0.3:
        return r.randint(0, 100)
    detail = {"backoff": seconds(r, 3600), "max_backoff": r.choice([0, seconds(r, 3600)]),
              "statuses": [r.randint(400, 599) for _ in range(r.randint(0, 6))],
              "methods": [word(r, "GETPOS") for _ in range(r.randint(1, 3))],
              "on": r.sample(["connect", "read", "status"], r.randint(1, 3)),
              "respect_retry_after": r.random() < 0.5}
    chosen = r.sample(sorted(detail), r.randint(0, len(detail)))
    return {"max": r.randint(0, 100), **{k: detail[k] for k in chosen}}


def proxy(r):
    user = r.choice(["", "user:pa55word@", "u@", "user:p%40ss@"])
    scheme = r.choice(["http", "https", "socks4", "socks4a", "socks5", "socks5h"])
    return f"{scheme}://{user}127.0.0.{r.randint(1, 3)}:{r.randint(1, 9)}"


def auth(r):
    return r.choice([{"basic": ["user", "s3cret"]}, {"digest": ["user", "s3cret"]},
                     {"bearer": "s3cret-token"}])


def ca_pem(r):
    """One of a hundred bundles: more than the daemon keeps by their hash."""
    return (f"{r.randrange(100)}\n-----BEGIN CERTIFICATE-----\nMAMCAQE=\n"
            "-----END CERTIFICATE-----\n")


def flag(r):
    return r.random() < 0.5


def fingerprint(r):
    """Without libcurl-impersonate only with details that any libcurl has."""
    texts = {"ja3": "771,4865-49195,0-10-11-13-16-43-45-51,29-23,0",
             "akamai": "1:65536,2:0;4:6291456|15663105|0|m,a,s,p",
             "perk": "1:65536;GREASE|masp|1:30000"}
    details = {"tls_min_version": r.choice(["1.2", "1.3"]),
               "http2_stream_weight": r.randint(1, 256),
               "tls_grease": flag(r), "tls_signature_algorithms": ["ed25519", "ecdsa_sha1"]}
    plain = {"extra": {k: details[k] for k in list(details)[:2]}}
    if r.random() < 0.5:
        return plain
    some = {k: texts[k] for k in r.sample(sorted(texts), r.randint(0, 3))}
    return {**some, "extra": {k: details[k] for k in r.sample(sorted(details), r.randint(0, 4))}}


def breaker(r):
    detail = {"failures": r.randint(1, 1000000), "open_seconds": r.uniform(0.001, 86400)}
    return {k: detail[k] for k in r.sample(sorted(detail), r.randint(0, 2))}


def number(least, most):
    return lambda r: r.choice([least, most, r.randint(least, most)])


def choice(*words):
    return lambda r: r.choice(words)


KEYS = {
    "method": lambda r: r.choice(["GET", "post", "M-SEARCH"]),
    "headers": headers,
    "cookies": cookies,
    "timeout": timeout,
    "follow_redirects": flag,
    "max_redirects": number(0, 100),
    "redirects_public_only": flag,
    "verify": flag,
    "ca_pem": ca_pem,
    "http_version": choice("auto", "1.1", "2", "2-prior-knowledge", "3", "3-only"),
    "proxy": proxy,
    "proxy_auth": lambda r: ["pu", "pa55word"],
    "auth": auth,
    "decompress": flag,
    "max_body_bytes": number(0, 2**53),
    "response_body": choice("auto", "text", "base64", "none"),
    "max_recv_speed": number(1, 2**53),
    "tag": lambda r: r.choice(["", "***", "t\u00e4g \u2028\u0001", "x" * 4096]),
    "coalesce": flag,
    "forward_headers": lambda r: [word(r, "ABCabc") for _ in range(r.randint(0, 4))],
    "retries": retries,
    "default_headers": flag,
    "impersonate": lambda r: r.choice(["chrome", "safari"]),
    "fingerprint": fingerprint,
    "cookie_jar": choice("none", "shared"),
    "isolate": flag,
    "trace_context": flag,
    "proxies": lambda r: [proxy(r) for _ in range(r.randint(0, 4))],
    "proxy_resolves": flag,
    "hosts": lambda r: [r.choice(["a.test", "*.b.test", "192.0.2.1", "2001:db8::1"])
                        for _ in range(r.randint(1, 4))],
    "max_in_flight": number(1, 1000000),
    "max_per_origin": number(1, 1000000),
    "idle_connections": number(0, 1000000),
    "idle_seconds": number(1, 86400),
    "rate_per_origin": lambda r: r.choice([1, 0.1, 1 / 3, r.uniform(0.0001, 1000000)]),
    "burst": number(1, 1000000),
    "breaker": breaker,
    "tls_min": choice("1.0", "1.1", "1.2", "1.3"),
    "ciphers": choice("AES128-SHA", "HIGH:!aNULL:TLS_AES_128_GCM_SHA256", "x" * 4096),
}


def generate(r):
    share = r.choice([0.1, 0.5, 1])
    session = {key: make(r) for key, make in KEYS.items() if r.random() < share}
    if "rate_per_origin" not in session:
        session.pop("burst", None)
    return session


# -- what GET is to show ---------------------------------------------------------------------------


def in_ms(value):
    return max(round(value * 1000), 1) / 1000


def shown_headers(value):
    pairs = [[name, None if text is None else "***"]
             for name, text in (value.items() if isinstance(value, dict) else value)]
    object_ = dict(pairs)
    return object_ if len(object_) == len(pairs) else pairs


def shown_cookie(given):
    shown = {**given, "value": "***", "expires": int(given.get("expires", 0))}
    if "domain" in shown:
        shown["domain"] = shown["domain"].lstrip(".")
    return {k: v for k, v in shown.items() if v not in (0, False)}


def shown_cookies(value):
    if isinstance(value, dict):
        return {name: "***" for name in value}
    shown = [shown_cookie(c) for c in value]
    plain = {c["name"]: "***" for c in shown if set(c) == {"name", "value"}}
    return plain if len(plain) == len(shown) else shown


def shown_retries(value):
    if isinstance(value, int):
        return {"max": value}
    shown = dict(value)
    if "statuses" in shown:
        shown["statuses"] = sorted(set(shown["statuses"]))
    if "on" in shown:
        shown["on"] = [kind for kind in ("connect", "read", "status") if kind in shown["on"]]
    if "backoff" in shown:
        shown["backoff"] = round(shown["backoff"] * 1000) / 1000
    if "max_backoff" in shown:
        shown["max_backoff"] = round(shown["max_backoff"] * 1000) / 1000
    return shown


def shown_proxy(value):
    return re.sub("//.*@", "//***@", value)


SHOWN = {
    "headers": shown_headers,
    "cookies": shown_cookies,
    "timeout": lambda v: {k: in_ms(t) for k, t in v.items()} if isinstance(v, dict)
    else {"total": in_ms(v)},
    "retries": shown_retries,
    "proxy": shown_proxy,
    "ca_pem": lambda v: "sha256:" + hashlib.sha256(v.encode()).hexdigest(),
    "proxies": lambda v: [shown_proxy(p) for p in v],
    "auth": lambda v: "***",
    "proxy_auth": lambda v: "***",
    "breaker": lambda v: {"failures": 5, "open_seconds": 10, **v},
}


def is_empty(value):
    return value in ({}, [])


def expected(session):
    """What GET shows of a session that was PUT: empty lists and objects say nothing."""
    shown = {key: SHOWN.get(key, lambda v: v)(value) for key, value in session.items()}
    if "rate_per_origin" in shown:
        shown.setdefault("burst", 1)
    return {**ALWAYS, **{k: v for k, v in shown.items() if not is_empty(v)}}


# -- the property ----------------------------------------------------------------------------------


def sent(daemon, method, name, body=b""):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return daemon.client.ask(method, f"{SESSIONS}/{name}", body=body)


def keys_of(answer):
    return {k: v for k, v in answer.json().items() if k not in FACTS}


def put(daemon, session):
    """PUT the session; without the key that this build does not offer, where it has one."""
    answer = sent(daemon, "PUT", "s", session)
    while answer.status == 501:
        key = answer.json()["detail"].split(":")[0].split(".")[0]
        assert key in ("impersonate", "fingerprint"), answer
        session = {k: v for k, v in session.items() if k != key}
        answer = sent(daemon, "PUT", "s", session)
    assert answer.status in (200, 201), (session, answer)
    return session


def test_what_put_accepts_get_shows_and_a_put_of_that_changes_nothing(curlewd):
    daemon = curlewd()
    for seed in SEEDS:
        r = random.Random(seed)
        session = put(daemon, generate(r))
        first = sent(daemon, "GET", "s")
        assert keys_of(first) == expected(session), (seed, session)
        text = first.body.decode()
        secrets = [s for s in ("s3cret", "pa55word", "p@ss", "%40") if s in text]
        assert secrets == [], seed
        again = sent(daemon, "PUT", "s", first.json())
        assert again.status == 200, (seed, session, again)
        assert sent(daemon, "GET", "s").json() == first.json(), seed


def test_every_key_alone_is_shown(curlewd):
    daemon = curlewd()
    for key, make in KEYS.items():
        if key in ("burst", "impersonate", "fingerprint"):
            continue
        session = {key: make(random.Random(3))}
        put(daemon, session)
        assert keys_of(sent(daemon, "GET", "s")) == expected(session), key


def test_what_three_stars_keep_is_still_sent(curlewd, origin):
    daemon = curlewd()
    put(daemon, {"headers": {"X-Key": "s3cret", "X-Other": "1"}, "cookies": {"sid": "c00kie"},
                 "auth": {"basic": ["user", "s3cret"]}})
    shown = sent(daemon, "GET", "s").json()
    shown["headers"]["X-Other"] = "2"
    assert sent(daemon, "PUT", "s", shown).status == 200
    echo = json.loads(daemon.client.fetch(origin.url("/echo"), session="s")["body"])
    given = {name.lower(): value for name, value in echo["headers"]}
    assert given["x-key"] == "s3cret" and given["x-other"] == "2"
    assert given["cookie"] == "sid=c00kie"
    assert given["authorization"] == "Basic dXNlcjpzM2NyZXQ="


@pytest.mark.parametrize("session,key", [
    ({"auth": "***"}, "auth"), ({"proxy_auth": "***"}, "proxy_auth"),
    ({"headers": {"X": "***"}}, "headers.X"), ({"headers": [["X", "***"]]}, "headers.X"),
    ({"cookies": {"c": "***"}}, "cookies.c"),
    ({"cookies": [{"name": "c", "value": "***"}]}, "cookies.c"),
    ({"auth": {"basic": ["u", "***"]}}, "auth"), ({"auth": {"bearer": "***"}}, "auth"),
    ({"proxy_auth": ["u", "***"]}, "proxy_auth"), ({"proxy": "http://u:***@127.0.0.1:1"}, "proxy"),
    ({"proxy": "http://***@127.0.0.1:1"}, "proxy"),
    ({"proxies": ["http://***@127.0.0.1:1"]}, "proxies")])
def test_three_stars_without_a_stored_value_are_refused(curlewd, session, key):
    daemon = curlewd()
    for _ in range(2):
        answer = sent(daemon, "PUT", "s", session)
        assert answer.status == 400 and answer.json()["code"] == "bad_request", answer
        assert answer.json()["detail"].startswith(f'{key}: "***"'), answer
        put(daemon, {"timeout": 1})


# -- the generator is complete ---------------------------------------------------------------------


def documented_request_keys():
    table = API.read_text().split("## The request object")[1].split("### ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| ")]
    return {key for row in rows for key in re.findall(r"`(\w+)`", row)}


def documented_session_keys():
    page = MAN.read_text()
    sessions = page[page.index(".It Cm cookie_jar"):]
    return {name.split(".")[0] for name in re.findall(r"^\.It Cm (\S+)$", sessions, re.M)}


def test_the_generator_has_every_documented_key_of_a_request():
    assert documented_request_keys() - SINGLE == set(KEYS) & documented_request_keys()
    assert len(documented_request_keys()) > 20


def test_the_generator_has_every_documented_key_of_a_session():
    assert documented_session_keys() - CONFIGURED <= set(KEYS)
    assert set(KEYS) <= documented_session_keys() | documented_request_keys()


def test_keys_of_a_single_request_are_refused(curlewd):
    daemon = curlewd()
    for key in sorted(SINGLE):
        answer = sent(daemon, "PUT", "s", {key: "x"})
        assert answer.status == 400 and answer.json()["detail"].startswith(key), answer
