"""Timeouts: each fails at its time, with the name of the limit."""

import time

import pytest

pytestmark = pytest.mark.libcurl


def refused_after(client, request, code, least, most):
    start = time.monotonic()
    p = client.refused(request, 504, code)
    took = time.monotonic() - start
    assert least <= took <= most + 2, f"{code} after {took:.3f} s"
    return p


@pytest.mark.parametrize("path", ["/silent", "/half-head", "/stall", "/drip?n=1000&every=0.02"])
def test_the_total_timeout_ends_a_fetch(client, origin, path):
    p = refused_after(client, {"url": origin.url(path), "timeout": 0.3}, "timeout", 0.29, 0.4)
    assert "0.3" in p["detail"]


def test_the_total_timeout_has_a_long_form(client, origin):
    refused_after(client, {"url": origin.url("/silent"), "timeout": {"total": 0.2}}, "timeout",
                  0.19,
                  0.3)


@pytest.mark.parametrize("path", ["/silent", "/half-head", "/stall", "/stall?n=5"])
def test_the_idle_timeout_ends_a_silent_fetch(client, origin, path):
    p = refused_after(client, {"url": origin.url(path), "timeout": {"idle": 0.25}}, "idle_timeout",
                      0.24, 0.4)
    assert "0.25" in p["detail"]


def test_bytes_that_keep_coming_are_not_idle(client, origin):
    e = client.fetch(origin.url("/drip?n=8&every=0.1"), timeout={"idle": 0.5})
    assert e["body_bytes"] == 8 and e["timing"]["total"] > 0.6


def test_the_connect_timeout_ends_a_connection_attempt(client, origin):
    refused_after(client, {"url": origin.url(port="never"), "timeout": {"connect": 0.2}},
                  "connect_timeout", 0.19, 0.4)


def test_the_shorter_of_connect_and_total_is_the_one(client, origin):
    url = origin.url(port="never")
    refused_after(client, {"url": url, "timeout": {"connect": 5, "total": 0.2}}, "timeout", 0.19,
                  0.4)
    refused_after(client, {"url": url, "timeout": {"connect": 0.2, "total": 5}}, "connect_timeout",
                  0.19, 0.4)


def test_a_slow_fetch_within_its_timeout_completes(client, origin):
    assert client.fetch(origin.url("/delay/0.4"), timeout=5)["body"] == "late\n"


def test_one_millisecond_is_a_valid_timeout(client, origin):
    client.refused({"url": origin.url("/silent"), "timeout": 0.001}, 504, "timeout")


def test_a_timeout_closes_the_connection_to_the_origin(client, origin):
    client.refused({"url": origin.url("/silent?gone"), "timeout": 0.1}, 504, "timeout")
    origin.wait_for("left", "/silent?gone", 3)
