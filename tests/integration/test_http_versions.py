"""HTTP/1.1 and HTTP/2: the version asked for, and many streams on one connection."""

import concurrent.futures

import pytest

pytestmark = [pytest.mark.libcurl, pytest.mark.tls]


@pytest.mark.parametrize("port, requested, got", [
    ("http", "auto", "1.1"), ("http", "1.1", "1.1"), ("https", "auto", "1.1"),
    ("https", "2", "1.1"), ("h2", "auto", "2"), ("h2", "2", "2"), ("h2", "1.1", "1.1"),
    ("h2c", "2-prior-knowledge", "2"), ("h2", "2-prior-knowledge", "2"),
])
def test_the_requested_version_is_used(client, origin, port, requested, got):
    assert client.fetch(origin.url("/hello", port=port),
                        http_version=requested)["http_version"] == got


@pytest.mark.parametrize("port", ["h2c", "h2"])
def test_prior_knowledge_works_on_every_fetch(client, origin, port):
    url = origin.url("/delay/0.05", port=port)
    for _ in range(3):
        assert client.fetch(url, http_version="2-prior-knowledge")["http_version"] == "2"
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        got = list(pool.map(lambda _: client.fetch(url, http_version="2-prior-knowledge"),
                            range(10)))
    assert {e["body"] for e in got} == {"late\n"}


@pytest.mark.parametrize("version", ["3", "3-only"])
def test_http_3_without_support_fails_clearly_or_falls_back(client, origin, version):
    """No: where libcurl is built without it.  Else it tries 3, and `3` takes what there is."""
    response = client.post({"url": origin.url("/hello", port="h2"), "http_version": version,
                            "timeout": 5})
    if response.status == 501:
        assert response.json()["code"] == "unsupported" and "HTTP/3" in response.json()["detail"]
    elif version == "3-only":
        assert response.status in (502, 504), response
    else:
        assert response.status == 200 and response.json()["http_version"] == "2", response


def test_wrong_prior_knowledge_is_a_failure(client, origin):
    response = client.post({"url": origin.url("/hello"), "http_version": "2-prior-knowledge",
                            "timeout": 5})
    assert response.status == 502, response


def test_twenty_http_2_fetches_share_a_connection(curlewd, origin, certs):
    client = curlewd({"sessions": {"default": {"ca_file": str(certs / "ca.pem")}}}).client
    url = origin.url("/delay/0.2", port="h2")
    client.fetch(url)  # opens it
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        got = list(pool.map(lambda _: client.fetch(url), range(20)))
    assert all(e["body"] == "late\n" and e["connection"]["reused"] for e in got)
    assert origin.stats()["connections"] == 1


def test_http_2_carries_bodies_in_both_directions(client, origin):
    e = client.fetch(origin.url("/bytes/3000000", port="h2"), response_body="none")
    assert e["body_bytes"] == 3000000
    e = client.fetch(origin.url("/echo", port="h2"), body="x" * 500000, response_body="none")
    assert e["request"]["bytes_sent"] == 500000


def test_a_stream_that_the_origin_resets_is_a_failure(client, origin):
    response = client.post({"url": origin.url("/hang-up", port="h2")})
    assert response.status == 502 and response.json()["code"] in ("protocol_error", "recv_failed")
    assert client.fetch(origin.url("/hello", port="h2"))["status"] == 200


def test_a_timeout_of_one_stream_leaves_the_others_alone(client, origin):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        slow = pool.submit(client.fetch, origin.url("/delay/0.6", port="h2"))
        client.refused({"url": origin.url("/silent", port="h2"), "timeout": 0.2}, 504, "timeout")
        assert slow.result()["body"] == "late\n"
