"""The status (…/v1/status) and its page (…/status): what they tell, to whom, and how."""

import base64
import hashlib
import re

from tests.support.concurrency import BackgroundCalls
from tests.support.metrics import cpu_seconds, read_metrics
from tests.support.procs import wait_until

TOKEN, LIMITED = "operator-0123456789abcdef", "limited-0123456789abcdef"


def status(daemon, token=None):
    headers = [("Authorization", f"Bearer {token}")] if token else []
    response = daemon.client.ask("GET", "/v1/status", headers=headers)
    assert response.status == 200, response
    return response.json()


def by_name(origins):
    return {each["origin"]: each for each in origins}


def test_the_busiest_origins_are_told_with_their_figures(curlewd, origin):
    daemon = curlewd()
    for _ in range(3):
        daemon.client.fetch(origin.url("/delay/0.05"))
    daemon.client.fetch(origin.url("/redirect/2"))  # three hops
    daemon.client.post({"url": origin.url("/", port="closed")})
    origins = status(daemon)["origins"]
    assert origins["known"] == 2 and origins["breaker_open"] == []
    first, second = origins["busiest"]
    assert first["origin"] == origin.url("")
    assert (first["hops"], first["failures"], first["in_flight"], first["queued"]) == (6, 0, 0, 0)
    assert first["seconds"] > 0.15 and first["per_second"] > 0
    assert (second["hops"], second["failures"]) == (1, 1)


def test_origins_are_bounded_in_number(curlewd, origin):
    hosts = [f"h{i}.example.com" for i in range(30)]
    port = origin.ports["http"]
    daemon = curlewd({"sessions": {"default": {
        "resolve": {f"{host}:{port}": ["127.0.0.1"] for host in hosts}}}})
    for i, host in enumerate(hosts):
        for _ in range(1 + i // 10):
            daemon.client.fetch(origin.url("/hello", host=host))
    origins = status(daemon)["origins"]
    assert origins["known"] == 30 and len(origins["busiest"]) == 20
    assert [each["hops"] for each in origins["busiest"]] == [3] * 10 + [2] * 10


def test_what_runs_and_waits_at_an_origin_is_told(curlewd, origin):
    daemon = curlewd({"sessions": {"default": {"max_per_origin": 1}}})
    with BackgroundCalls() as calls:
        for i in range(3):
            calls.start(daemon.client.fetch, origin.url(f"/delay/0.7?{i}"))
        wait_until("one to run, two to wait", lambda: [
            (each["in_flight"], each["queued"]) for each in status(daemon)["origins"]["busiest"]]
            == [(1, 2)])
        calls.results()


def test_an_open_breaker_is_told_with_its_origin(curlewd, origin):
    daemon = curlewd({"sessions": {"default": {"breaker": {"failures": 2, "open_seconds": 60}}}})
    for _ in range(3):
        daemon.client.post({"url": origin.url("/status/500")})
    told = status(daemon)
    assert told["engine"]["breakers"]["open"] == 1
    [open_one] = told["origins"]["breaker_open"]
    assert open_one["origin"] == origin.url("") and open_one["breakers_open"] == 1


def test_each_limit_is_told_beside_its_gauge(curlewd):
    daemon = curlewd({"limits": {"in_flight": 70, "queue": 80, "buffered_bytes": 90_000_000,
                                 "sessions_bytes": 1_000_000}})
    metrics, open_files = read_metrics(daemon), status(daemon)["open_files"]
    limits = {name.split('"')[1]: value for name, value in metrics.items()
              if name.startswith("curlew_limit{")}
    assert limits == {"in_flight": 70, "queued": 80, "connections": open_files["origins"],
                      "gateway_connections": open_files["gateway"], "buffered_bytes": 90_000_000,
                      "request_body_bytes": 90_000_000, "sessions_bytes": 1_000_000,
                      "cookie_jars_bytes": 64 << 20}
    assert all(f"curlew_{name}" in metrics for name in limits)
    daemon.reload({**daemon.config, "limits": {**daemon.config["limits"], "in_flight": 71}})
    wait_until("the new limit",
               lambda: read_metrics(daemon)['curlew_limit{limit="in_flight"}'] == 71)


def test_processor_time_and_memory_are_told_as_the_kernel_tells_them(curlewd, origin):
    daemon = curlewd()
    daemon.client.fetch(origin.url("/hello"))
    metrics, told = read_metrics(daemon), status(daemon)["process"]
    assert 0 < metrics["process_cpu_seconds_total"] <= told["cpu_seconds"]
    assert abs(told["cpu_seconds"] - cpu_seconds(daemon)) < 0.5
    resident = daemon.rss_kib() * 1024
    for value in (metrics["process_resident_memory_bytes"], told["resident_memory_bytes"]):
        assert abs(value - resident) < 0.2 * resident


def test_figures_agree_with_the_metrics(curlewd, origin):
    daemon = curlewd()
    for path in ("/hello", "/status/404", "/status/500", "/delay/0.02"):
        daemon.client.fetch(origin.url(path))
    daemon.client.post({"url": "http://192.0.2.1.invalid/"})
    daemon.client.post({"url": "http://169.254.169.254/"})
    told, metrics = status(daemon), read_metrics(daemon)
    session = told["sessions"]["default"]
    assert session["outcomes"] == {"ok": 4, "dns_failed": 1, "blocked": 1}
    assert session["responses"] == {"2xx": 2, "4xx": 1, "5xx": 1}
    for group, prefix in (("outcomes", "fetches_total"), ("responses", "responses_total")):
        label = {"outcomes": "outcome", "responses": "status_class"}[group]
        for name, n in session[group].items():
            assert metrics[f'curlew_{prefix}{{session="default",{label}="{name}"}}'] == n
    engine = told["engine"]
    assert engine["guard_refusals"] == metrics["curlew_guard_refusals_total"] == 1
    assert engine["lookups_refused"] == metrics["curlew_lookups_refused_total"] == 0
    for name in ("queue_seconds", "first_byte_seconds", "fetch_seconds"):
        for bound, n in engine[name]["buckets"]:
            le = "+Inf" if bound is None else f"{bound:g}"
            assert metrics[f'curlew_{name}_bucket{{le="{le}"}}'] == n, (name, le)
        assert engine[name]["count"] == engine[name]["buckets"][-1][1]
    assert told["start_time_seconds"] == metrics["curlew_start_time_seconds"]


def test_percentiles_are_of_the_fetches(curlewd, origin):
    daemon = curlewd()
    for _ in range(4):
        daemon.client.fetch(origin.url("/delay/0.3"))  # between the bounds 0.25 and 0.5
    seconds = status(daemon)["engine"]["fetch_seconds"]
    assert 0.25 < seconds["p50"] < seconds["p90"] < seconds["p99"] <= 0.5


def test_a_limited_token_sees_no_origins(curlewd, origin, tmp_path):
    (tmp_path / "tokens").write_text(f"{TOKEN}\n{LIMITED} shop\n")
    daemon = curlewd({"auth": {"tokens_file": str(tmp_path / "tokens")}, "sessions": {"shop": {}}})
    assert "origins" in status(daemon, TOKEN)
    limited = status(daemon, LIMITED)
    assert "origins" not in limited and "engine" not in limited
    assert list(limited["sessions"]) == ["shop"] and limited["start_time_seconds"] > 0


def test_the_status_is_never_stored(curlewd):
    response = curlewd().client.ask("GET", "/v1/status")
    assert response.header("cache-control") == "no-store"
    assert response.header("x-content-type-options") == "nosniff"


def test_the_page_is_open_and_holds_no_figures(curlewd, tmp_path):
    """Its script asks for them, with the token that people give it."""
    (tmp_path / "tokens").write_text(f"{TOKEN}\n")
    daemon = curlewd({"auth": {"tokens_file": str(tmp_path / "tokens")}, "sessions": {"shop": {}}})
    page = daemon.client.ask("GET", "/status")
    assert page.status == 200 and b"shop" not in page.body
    assert daemon.client.ask("GET", "/v1/status").status == 401
    assert page.body == daemon.client.ask("GET", "/status").body


def test_the_policy_names_the_pages_own_style_and_script(curlewd):
    page = curlewd().client.ask("GET", "/status")
    policy = page.header("content-security-policy")
    for element, directive in (("style", "style-src"), ("script", "script-src")):
        [inner] = re.findall(rb"<%b>(.*?)</%b>" % (element.encode(), element.encode()), page.body,
                             re.S)
        digest = base64.b64encode(hashlib.sha256(inner).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy.split("; ")
    assert "default-src 'none'" in policy and "unsafe" not in policy
    for name, value in (("x-content-type-options", "nosniff"), ("x-frame-options", "DENY"),
                        ("referrer-policy", "no-referrer"), ("cache-control", "no-store"),
                        ("cross-origin-resource-policy", "same-origin")):
        assert page.header(name) == value
    assert not re.search(rb"(src|href)=[\"']?(https?:)?//", page.body), "an external resource"


def test_head_of_the_page_has_no_body(curlewd):
    response = curlewd().client.ask("HEAD", "/status")
    assert response.status == 200 and response.body == b""
