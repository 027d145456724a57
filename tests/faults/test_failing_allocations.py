"""Every allocation on the way of a request fails in turn.

Of each kind of request the first allocation fails, then the second, and so on, until none is left
that could: in our code, libcurl, OpenSSL and the C library, and a thread's stack. Then some with
ten more after them. Each time the answer is right, or `internal`, or a break that the caller
sees; nothing dies, hangs or blames the caller; the next request is answered right.

With SWEEP=all in the environment each of the thousands that TLS makes fails, too, and each has
ten after it.
"""

import contextlib
import itertools
import json
import os
import shutil
import socket
from pathlib import Path

import pytest

from tests.support import failing_malloc, fcgi
from tests.support.batch import parse_lines
from tests.support.clients import FRAMES, FastCgiClient
from tests.support.curlewd import SANITIZED, Curlewd
from tests.support.metrics import read_metrics
from tests.support.procs import wait_until

pytestmark = [
    pytest.mark.libcurl,
    pytest.mark.skipif(SANITIZED, reason="a sanitizer has a malloc of its own"),
]

ALL = os.environ.get("SWEEP") == "all"
SECONDS = 10  # for an answer: far less than any timeout of the daemon
BURST = 10
BROKEN = "the response breaks off"
VOLATILE = {"timing", "connection", "attempts"}
GAUGES = ["curlew_in_flight", "curlew_queued", "curlew_buffered_bytes", "curlew_request_body_bytes",
          "curlew_retries_waiting", "curlew_parked"]


# -- kinds of requests: each gives back what must be the same every time, or a failure -------------


def failure(response):
    return response.status, response.json()["code"]


def is_failure(outcome):
    """One that blames nobody."""
    return outcome in [(500, "internal"), (503, "overloaded")]


def by_envelope(**keys):
    """The envelope without what differs from time to time."""
    headers = keys.pop("accept", ())

    def call(daemon, origin):
        url = origin.url(keys["path"], keys.get("host"), keys.get("port", "http"))
        request = {k: v for k, v in keys.items() if k not in ("path", "host", "port")}
        response = daemon.client.post({"url": url, **request}, headers, SECONDS)
        return envelope_of(response) if response.status == 200 else failure(response)

    return call


def envelope_of(response):
    envelope = {k: v for k, v in response.json().items() if k not in VOLATILE}
    return json.dumps(envelope, sort_keys=True)


def by_frames(daemon, origin):
    response = daemon.client.post({"url": origin.url("/bytes/100000")}, [("Accept", FRAMES)],
                                  SECONDS)
    return response.body.split(b"\n", 1)[1] if response.status == 200 else failure(response)


def by_kept_connection(daemon, origin):
    """The second request on a web server's connection."""
    with contextlib.closing(FastCgiClient(daemon.socket, keep=True)) as client:
        seen = []
        for _ in range(2):
            response = client.post({"url": origin.url("/hello")}, timeout=SECONDS)
            seen.append(envelope_of(response) if response.status == 200 else failure(response))
    return next((s for s in seen if is_failure(s)), seen[1])


def by_stream(path):
    def call(daemon, origin):
        body = json.dumps({"url": origin.url(path)}).encode()
        response = daemon.client.ask("POST", "/v1/stream", body=body, timeout=SECONDS)
        headers = {n for n, _ in response.headers}
        return (response.body, headers) if response.status == 200 else failure(response)

    return call


def by_batch(daemon, origin):
    """With failures among the lines each line must be right, or internal."""
    paths = ["/hello", "/status/404", "/gzip"]
    body = json.dumps({"requests": [{"url": origin.url(p)} for p in paths], "order": "input"})
    response = daemon.client.ask("POST", "/v1/batch", body=body.encode(), timeout=SECONDS)
    if response.status != 200:
        return failure(response)
    lines = parse_lines(response.body)
    assert [line["index"] for line in lines] == [0, 1, 2]
    results = [line["body"] if line["ok"] else line["error"]["code"] for line in lines]
    right = ["hello\n", "status 404\n", "this was gzip\n"]
    if all(got in (want, "internal") for got, want in zip(results, right)):
        return right if results == right else (500, "internal")
    return results


def by_handoff(daemon, origin):
    request = {"url": origin.url("/echo"), "forward_headers": ["X-Browser"], "method": "POST",
               "json": {"a": [1, 2.5]}}
    body = json.dumps(request).encode()
    response = daemon.client.ask("POST", "/v1/handoffs", body=body, timeout=SECONDS)
    if response.status != 200:
        return failure(response)
    params = fcgi.cgi_params("GET", "/view", headers=[("X-Browser", "this one")])
    params["CURLEW_REQUEST"] = response.json()["reference"]
    with fcgi.Connection(daemon.socket, SECONDS) as c:
        c.send(fcgi.request(params))
        response = c.read_response()
    return echo_of(response.json()) if response.status == 200 else failure(response)


def echo_of(echo):
    """What the origin got."""
    headers = [[n, v.split("boundary=")[0]] for n, v in echo["headers"]]
    return echo["method"], echo["target"], headers, len(echo["body_base64"])


def by_echo(**keys):
    """What the origin got of a request with these keys."""
    def call(daemon, origin):
        response = daemon.client.post({"url": origin.url("/echo?x=1"), **keys}, timeout=SECONDS)
        if response.status != 200:
            return failure(response)
        return echo_of(json.loads(response.json()["body"]))

    return call


_keys = itertools.count()


def by_retry(daemon, origin):
    """The first try is refused; the answer is that of the second, within the retry budget."""
    request = {"url": origin.flaky(key=f"k{next(_keys)}", fail=1), "response_body": "none",
               "retries": {"max": 2, "backoff": 0.01}}
    response = daemon.client.post(request, timeout=SECONDS)
    if response.status != 200:
        return failure(response)
    envelope = response.json()
    return (envelope["status"], envelope["attempts"]) in [(200, 2), (503, 1)]


_numbers = itertools.cycle(range(1, 1000))


def by_session(daemon, origin):
    """A session is replaced as a whole or not at all: all its numbers are the same."""
    number = next(_numbers)
    session = {"max_in_flight": number, "max_per_origin": number, "idle_seconds": number,
               "timeout": number, "headers": {"X-A": "1"}, "retries": 2,
               "proxies": ["http://127.0.0.1:1", "http://127.0.0.1:2"]}
    response = daemon.client.ask("PUT", "/v1/sessions/swept", body=json.dumps(session).encode(),
                                 timeout=SECONDS)
    seen = daemon.client.ask("GET", "/v1/sessions/swept", timeout=SECONDS)
    if seen.status != 200:
        return failure(seen if seen.status == 500 else response)
    now = seen.json()
    total = now["timeout"]["total"] if isinstance(now["timeout"], dict) else now["timeout"]
    numbers = {now["max_in_flight"], now["max_per_origin"], now["idle_seconds"], total}
    kept = len(numbers) == 1 and len(now["headers"]) == 1 and len(now["proxies"]) == 2
    if response.status >= 300:
        return failure(response) if kept else now  # or only the answer could not be written
    return kept and numbers == {number}


def shape(value):
    """The keys at every level."""
    return {key: shape(v) for key, v in value.items()} if isinstance(value, dict) else type(value)


def by_get(path):
    """A page of the daemon's own, whose figures differ."""
    def call(daemon, origin):
        response = daemon.client.ask("GET", path, timeout=SECONDS)
        if response.status != 200:
            return failure(response)
        if response.header("content-type").startswith("application/json"):
            return shape(response.json())
        return len(response.body.splitlines())

    return call


CALLS = {
    "fetch": by_echo(headers={"X-A": "1"}, json={"a": [1, 2, 3.5], "b": "ü"}),
    "new connection": by_envelope(path="/close"),
    "kept connection": by_kept_connection,
    "query": lambda daemon, origin: by_query(daemon, origin),
    "upload": by_echo(method="PUT", body="x" * 70000),
    "form": by_echo(form={"a": "b c", "d": ["e", "f"]}, params={"q": "ü x"},
                    auth={"basic": ["user", "pass"]}),
    "multipart": by_echo(multipart=[{"name": "a", "value": "b"}, {
        "name": "c", "filename": "f", "content_type": "text/x", "value_base64": "AAEC"}],
        headers={"Content-Type": None}),
    "frames": by_frames,
    "long body": by_envelope(path="/bytes/300000", response_body="base64"),
    "heads": by_envelope(path="/odd-headers"),
    "trailers": by_envelope(path="/trailers"),
    "charset": by_envelope(path="/charset/shift_jis", response_body="text"),
    "binary": by_envelope(path="/binary"),
    "gzip": by_envelope(path="/gzip"),
    "br": by_envelope(path="/br"),
    "zstd": by_envelope(path="/zstd"),
    "redirect with cookies": by_envelope(path="/cookies/set?a=1&b=2", cookies={"c": "3"}),
    "cookie jar": by_envelope(path="/cookies/set?a=1&b=2", session="jar"),
    "digest": by_envelope(path="/auth/digest", auth={"digest": ["user", "pass word"]}),
    "single flight": by_envelope(path="/hello", coalesce=True),
    "look-up": by_envelope(path="/close", host="a.localhost"),
    "international name": by_envelope(path="/hello", host="bücher.localhost"),
    "http2": by_envelope(path="/hello", port="h2c", http_version="2-prior-knowledge"),
    "retry": by_retry,
    "stream": by_stream("/bytes/200000"),
    "events": by_stream("/sse?every=0"),
    "batch": by_batch,
    "handoff": by_handoff,
    "session": by_session,
    "sessions": by_get("/v1/sessions"),
    "status": by_get("/v1/status"),
    "metrics": by_get("/metrics"),
    "tls": by_envelope(path="/close", port="https"),
}
MAY_BREAK = {"stream", "events", "batch", "handoff"}


def by_query(daemon, origin):
    query = f"url={origin.url('/hello').replace(':', '%3A')}&timeout=5"
    response = daemon.client.ask("GET", "/v1/fetch", query, timeout=SECONDS)
    return envelope_of(response) if response.status == 200 else failure(response)


# -- what is known, and not ours -------------------------------------------------------------------


def libcurl_of(daemon):
    return daemon.client.get("/v1/status").json()["libraries"]["libcurl"]


def counts_openssl(daemon):
    """Of another TLS library nothing tells that it was memory that it lacked."""
    return "OpenSSL/" in libcurl_of(daemon)


def is_known(name, got, trace, counted):
    """OpenSSL opens the file of a CA by fopen(), which allocates in libc; others do all apart."""
    modules = [Path(module).name for module, _ in trace]
    if not counted:
        return (name, got) in [("tls", (502, "tls_failed")), ("digest", (502, "protocol_error"))]
    return (name, got) == ("tls", (502, "tls_failed")) and modules[0].startswith("libc.")


# -- the sweep -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def library(directory):
    return failing_malloc.build(directory)


@pytest.fixture
def malloc(library, tmp_path):
    return failing_malloc.FailingMalloc(library, tmp_path / "control")


@pytest.fixture
def daemon(malloc, certs):
    sessions = {"default": {"ca_file": str(certs / "ca.pem")}, "jar": {"cookie_jar": "shared"}}
    one = Curlewd({"threads": 1, "workers": 1, "sessions": sessions}, env=malloc.env)
    yield one
    if one.process.running():
        one.stop()
    shutil.rmtree(one.directory, ignore_errors=True)


def outcome(call, daemon, origin):
    try:
        return call(daemon, origin)
    except fcgi.IncompleteResponse as e:
        return BROKEN if "version 0" in str(e) else str(e)


def is_idle(daemon):
    metrics = read_metrics(daemon)
    return not any(metrics[g] for g in GAUGES)


def descriptors(daemon):
    """Of an idle daemon, beside those of the connections that it counts."""
    def count():
        metrics = read_metrics(daemon)
        n = len(list(Path(f"/proc/{daemon.pid}/fd").iterdir()))
        return (not any(metrics[g] for g in GAUGES) and metrics["curlew_gateway_connections"] == 1
                and n - metrics["curlew_connections"])

    return wait_until("an idle daemon", count)


def sweep(name, daemon, origin, malloc, more, step):
    """How many allocations there were."""
    call = CALLS[name]
    counted = counts_openssl(daemon)
    for _ in range(3):  # what is allocated once is there then
        right = call(daemon, origin)
    for n in itertools.count(1, step):
        malloc.arm(n, more)
        got = outcome(call, daemon, origin)
        failed = malloc.failures
        malloc.disarm()
        what = f"{name}, {n} + {more}: {str(got)[:500]}"
        if not daemon.process.running():
            pytest.fail(f"{what}\n{malloc.places()}\n{daemon.process.err[-1000:]}")
        allowed = got == right or is_failure(got) or (got == BROKEN and name in MAY_BREAK)
        if not (allowed or is_known(name, got, malloc.trace(), counted)):
            pytest.fail(f"{what}\n{malloc.places()}")
        then = outcome(call, daemon, origin)
        if then != right:
            pytest.fail(f"the one after {what}: {str(then)[:500]}\n{malloc.places()}")
        if failed == 0:
            return n


@pytest.mark.timeout(600 if ALL else 60)
@pytest.mark.parametrize("more", [0, BURST], ids=["one", "burst"])
@pytest.mark.parametrize("name", CALLS)
def test_no_allocation_that_fails_harms_more_than_its_request(name, more, daemon, origin, malloc):
    if name == "tls" and any(each in libcurl_of(daemon) for each in ("BoringSSL", "GnuTLS")):
        pytest.skip("at some of its own, this TLS library ends the process: SECURITY.md")
    open_at_first = descriptors(daemon)
    step = 1 if ALL else (40 if name == "tls" else 1) * (7 if more else 1)
    assert sweep(name, daemon, origin, malloc, more, step) > 5
    daemon.client.ask("POST", "/v1/sessions/default/reset")
    daemon.client.ask("POST", "/v1/sessions/jar/reset")
    wait_until("no descriptor more", lambda: descriptors(daemon) <= open_at_first)


# -- a reload --------------------------------------------------------------------------------------

TOKENS = ["one-0123456789abcdef", "two-0123456789abcdef"]


def in_force(daemon):
    """Which of two configurations is in force, by every part of it that a caller can see."""
    seen = set()
    for number, token in enumerate(TOKENS):
        headers = [("Authorization", f"Bearer {token}")]
        status = daemon.client.ask("GET", "/v1/status", headers=headers)
        if status.status == 401:
            continue
        now = status.json()
        seen |= {number, now["limits"]["queue"] - 100,
                 now["sessions"]["swept"]["max_in_flight"] - 7}
    return seen


def configuration(daemon, number, path):
    path.write_text(TOKENS[number] + "\n")
    return {**daemon.config, "auth": {"tokens_file": str(path)}, "limits": {"queue": 100 + number},
            "sessions": {"swept": {"max_in_flight": 7 + number, "headers": {"X-A": "1"}}}}


@pytest.fixture
def notified(tmp_path):
    """Where the daemon says that a reload has ended, as to systemd: its log line may be lost."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(str(tmp_path / "notify"))
        s.settimeout(SECONDS)
        yield s


def wait_ready(notified):
    while b"READY=1" not in notified.recv(4096):
        pass


def test_a_reload_that_lacks_memory_changes_nothing(curlewd, malloc, notified, tmp_path):
    daemon = curlewd(env={**malloc.env, "NOTIFY_SOCKET": notified.getsockname()})
    wait_ready(notified)
    tokens = tmp_path / "tokens"
    daemon.reload(configuration(daemon, 0, tokens))
    wait_ready(notified)
    current, failed, n = 0, 1, 0
    while failed > 0:
        n += 1
        malloc.arm(n)
        daemon.reload(configuration(daemon, 1 - current, tokens))
        wait_ready(notified)
        failed = malloc.failures
        malloc.disarm()
        (current,) = in_force(daemon)
    assert n > 30
