"""The log: one access line for each fetch, as text or as JSON, without secrets."""

import json
import re

import pytest

from tests.support.procs import free_port, wait_until


def fetch_lines(daemon, count=1):
    try:
        return wait_until(f"{count} access lines", lambda: (
            lines if len(lines := daemon.log_entries("fetch")) >= count else None))
    except AssertionError as late:
        raise AssertionError(f"{late}\n{daemon.process.err}") from None


def test_each_fetch_has_one_line_with_its_outcome(curlewd, origin):
    daemon = curlewd({"sessions": {"s": {}}})
    daemon.client.fetch(origin.url("/redirect/1"), session="s", tag="a \"tag\"\n", body="xyz",
                        method="PUT")
    line, = fetch_lines(daemon)
    assert (line["session"], line["method"], line["origin"]) == ("s", "PUT", origin.url("/")[:-1])
    assert (line["status"], line["bytes"], line["redirects"]) == (200, 6, 1)
    assert line["tag"] == "a \"tag\"\n" and line["level"] == "info"
    assert 0 < line["first_byte"] <= line["total"] < 5 and line["queue"] >= 0
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", line["time"])


@pytest.mark.parametrize("path, code", [
    ("/close-early", "incomplete_body"), ("/garbage", "protocol_error"), ("/silent", "timeout"),
])
def test_a_failure_is_logged_by_its_code(curlewd, origin, path, code):
    daemon = curlewd()
    daemon.client.post({"url": origin.url(path), "timeout": 0.2})
    line, = fetch_lines(daemon)
    assert line["code"] == code and "status" not in line


def test_refused_and_overloaded_fetches_are_logged(curlewd, origin):
    daemon = curlewd({"limits": {"in_flight": 1, "queue": 0}, "egress": {"deny": ["127.0.0.2"]}})
    daemon.client.refused({"url": origin.url(host="127.0.0.2")}, 403, "blocked")
    assert fetch_lines(daemon)[0]["code"] == "blocked"


def test_there_is_one_line_for_each_fetch(curlewd, origin):
    daemon = curlewd()
    for _ in range(20):
        daemon.client.fetch(origin.url("/hello"))
    assert len(fetch_lines(daemon, 20)) == 20
    daemon.stop()
    assert len(daemon.log_entries("fetch")) == 20


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_no_caller_makes_its_line_too_long(curlewd, origin, log_format):
    """Each byte of these tags is six in the log."""
    daemon = curlewd({"log": {"format": log_format}})
    daemon.client.fetch(origin.url("/hello"), tag="\x01" * 4096, method="M" * 5000)
    daemon.client.post({"url": "http://127.0.0.1:1/" + "a" * 9000, "tag": "\u2028" * 1365})
    daemon.stop()
    lines = [line for line in daemon.process.err.splitlines() if "fetch" in line]
    assert len(lines) == 2 and all("127.0.0.1" in line for line in lines), lines
    assert "MMM..." in lines[0] and "200" in lines[0] and "connect_failed" in lines[1]


def test_the_text_format_is_readable(curlewd, origin):
    daemon = curlewd({"log": {"format": "text"}})
    daemon.client.fetch(origin.url("/hello"), tag="two words\nand a line")
    line = wait_until("a line", lambda: [l for l in daemon.process.err.splitlines()
                                         if " fetch " in l], 3)[0]
    assert f"origin={origin.url('/')[:-1]}" in line and "status=200" in line
    assert "session=default" in line and "two words" in line
    assert len([l for l in daemon.process.err.splitlines() if "and a line" in l]) == 1
    assert "and a line" in line  # a stranger's line break starts no line of its own


def test_access_can_be_turned_off(curlewd, origin):
    daemon = curlewd({"log": {"access": False}})
    daemon.client.fetch(origin.url("/hello"))
    daemon.stop()
    assert daemon.log_entries("fetch") == [] and daemon.log_entries()


def test_the_level_silences_what_is_below(curlewd, origin):
    daemon = curlewd({"log": {"level": "error"}})
    daemon.client.fetch(origin.url("/hello"))
    daemon.stop()
    assert daemon.log_entries() == []


SECRET = "s3cr3t"


def test_secrets_are_never_logged(curlewd, origin, proxy):
    daemon = curlewd({"log": {"level": "debug"},
                      "sessions": {"jar": {"cookie_jar": "shared", "auth": {"bearer": SECRET},
                                           "headers": {"X-Api-Key": SECRET}}}})
    port, _ = proxy(user="u", password=SECRET)
    url = origin.url(f"/echo?password={SECRET}#{SECRET}")
    requests = [
        {"auth": {"basic": ["u", SECRET]}}, {"auth": {"digest": ["u", SECRET]}},
        {"auth": {"bearer": SECRET}}, {"headers": {"Authorization": f"Bearer {SECRET}"}},
        {"headers": {"X-Api-Key": SECRET}}, {"cookies": {"c": SECRET}}, {"body": SECRET},
        {"params": {"token": SECRET}}, {"session": "jar"},
        {"proxy": f"http://u:{SECRET}@127.0.0.1:{port}"},
        {"proxy": f"http://127.0.0.1:{port}", "proxy_auth": ["u", SECRET]},
        {"proxy": f"http://u:{SECRET}@127.0.0.1:{free_port()}"},
        {"proxy": f"ftp://u:{SECRET}@x/"}, {"verify": SECRET}, {"timeout": 1e9},
        {"url": url.replace("//", f"//u:{SECRET}@")},
        {"url": url.replace("//", f"//u:{SECRET}@").replace("http:", "https:")},
        {"url": f"http://u:{SECRET}@10.0.0.1/?{SECRET}"},
        {"url": f"http://u:{SECRET}@nothing.invalid/?{SECRET}"},
        {"url": origin.url(f"/cookies/set?c={SECRET}"), "session": "jar"},
        {"url": origin.url(f"/redirect-to?url=http://u:{SECRET}@10.0.0.1/%3F{SECRET}")},
        {"url": origin.url(f"/redirect-to?url=ftp://u:{SECRET}@x/{SECRET}")},
        {"url": f"http://u:{SECRET}@:0/?{SECRET}"},
    ]
    for r in requests:
        daemon.client.post({"url": url, **r})
    daemon.client.get(query={"url": url, "tag": "t"})
    daemon.client.ask("GET", f"/v1/nothing/{SECRET}", f"url={SECRET}",
                      headers=[("Authorization", SECRET), ("Cookie", SECRET)])
    daemon.stop()
    assert len(daemon.log_entries("fetch")) > 15
    assert SECRET not in daemon.process.err


def test_every_line_of_the_json_log_is_json(curlewd, origin):
    daemon = curlewd({"log": {"level": "debug"}})
    daemon.client.fetch(origin.url("/hello"), tag="\u0001\u2028\"\\")
    daemon.client.post(b"oops")
    daemon.reload("{broken")
    wait_until("the bad file is reported", lambda: "curlewd.json" in daemon.process.err)
    daemon.stop()
    for line in daemon.process.err.rstrip("\n").split("\n"):
        try:
            entry = json.loads(line)
        except json.JSONDecodeError as e:
            raise AssertionError(f"{e}: {line}") from None
        assert set(entry) >= {"time", "level", "event"}


def test_a_slow_fetch_has_a_warning_of_its_own_with_its_trace(curlewd, origin):
    """A fast one and, by default, any fetch has none; a reload changes it."""
    daemon = curlewd({"log": {"access": False}})
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    slow = {"url": origin.url("/drip?n=3&every=0.2"), "tag": "t"}
    assert daemon.client.post(slow).status == 200
    daemon.reload({**daemon.config, "log": {"format": "json", "access": False,
                                            "slow_seconds": 0.3}})
    wait_until("the reload", lambda: "the configuration was reloaded" in daemon.process.err)
    daemon.client.fetch(origin.url("/hello"))
    assert daemon.client.post(slow, [("Traceparent", trace)]).status == 200
    line, = wait_until("a warning", lambda: daemon.log_entries("slow fetch"))
    assert line["level"] == "warning" and line["traceparent"] == trace and line["tag"] == "t"
    assert line["total"] > 0.3 and line["origin"] == origin.url("/")[:-1]
    assert {"queue", "dns", "connect", "tls", "first_byte", "attempts"} <= set(line)
    assert "drip" not in json.dumps(line)
    daemon.stop()
    assert len(daemon.log_entries("slow fetch")) == 1 and not daemon.log_entries("fetch")
