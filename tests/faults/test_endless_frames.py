"""Floods on one connection: others go on, and who only waits is not taken for one."""

import pytest

from tests.support.concurrency import BackgroundCalls, timed
from tests.support.scripted_origin import ScriptedOrigin, answer

from tests.faults.origins.http2 import goaway_without_end

pytestmark = pytest.mark.libcurl


def test_a_fetch_that_waits_beside_a_large_download_is_no_flood(curlewd, origin, certs):
    """Under HTTP/2 libcurl reads the other's bytes on its behalf."""
    daemon = curlewd({"threads": 1, "sessions": {"default": {"ca_file": str(certs / "ca.pem")}}})
    daemon.client.fetch(origin.url("/hello", port="h2"))
    with BackgroundCalls() as calls:
        for _ in range(3):
            calls.start(daemon.client.fetch, origin.url("/delay/2", port="h2"))
        for _ in range(2):
            calls.start(daemon.client.fetch, origin.url("/bytes/20000000", port="h2"),
                        response_body="none", max_body_bytes=20_000_000)
        envelopes = calls.results()
    assert [e["body_bytes"] for e in envelopes] == [5, 5, 5, 20_000_000, 20_000_000]


def test_frames_without_end_hold_up_others_for_a_moment_only(curlewd, certs):
    daemon = curlewd({"threads": 1})
    with ScriptedOrigin(lambda request, c: c.send(answer("good"))) as good, \
            goaway_without_end() as origin, BackgroundCalls() as calls:
        calls.start(daemon.client.post, {"url": origin.url("/"), "timeout": 20,
                                         "http_version": "2-prior-knowledge"})
        seconds = []
        while not calls.futures[0].done():
            envelope, took = timed(daemon.client.fetch, good.url("/"))
            assert envelope["body"] == "good"
            seconds.append(took)
        assert calls.results()[0].json()["code"] == "protocol_error"
    assert seconds and max(seconds) < 3
