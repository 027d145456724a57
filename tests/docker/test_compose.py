"""docker/compose.yml: the page of the example, what each service may do, and restarts."""

import re
from pathlib import Path

import pytest

from tests.support.compose import SERVICES, browse
from tests.support.concurrency import BackgroundCalls
from tests.support.procs import wait_until


@pytest.fixture
def origin(compose):
    compose.origin.reset()
    return compose.origin


def fetched(port, path):
    """What a view of the example says it has fetched."""
    response = browse(port, path)
    assert response.status == 200, response
    return response.json()


# -- what it serves ----------------------------------------------------------


@pytest.mark.parametrize("server", ["asgi", "wsgi"])
def test_the_page_of_the_example_and_its_views(compose, origin, server):
    port = getattr(compose, server)
    page = browse(port, "/")
    assert page.status == 200 and b"http://origin:8000" in page.body
    assert fetched(port, "/sync/hello")["body"] == "hello\n"
    assert fetched(port, "/async/hello")["connection_reused"] is True
    assert [t["body"] for t in fetched(port, "/together/?page=hello&page=hello")] == ["hello\n"] * 2


@pytest.mark.parametrize("server", ["asgi", "wsgi"])
def test_a_url_that_a_visitor_names_is_fetched_or_blocked(compose, origin, server):
    port = getattr(compose, server)
    answer = browse(port, "/try/?url=http://origin:8000/hello").json()
    assert answer["body"] == "hello\n" and answer["timing"]["total"] > 0
    blocked = browse(port, "/try/?url=http://169.254.169.254/")
    assert blocked.status == 403 and blocked.json()["code"] == "blocked"


def test_the_two_ports_are_two_servers(compose):
    assert browse(compose.asgi, "/nothing").status == browse(compose.wsgi, "/nothing").status == 404
    compose("stop", "wsgi")
    assert browse(compose.wsgi, "/").status == 502
    assert browse(compose.asgi, "/").status == 200
    compose("start", "wsgi")
    compose.wait_ready()


@pytest.mark.parametrize("server", ["asgi", "wsgi"])
def test_a_file_is_delivered_by_handoff(compose, origin, server):
    port = getattr(compose, server)
    link = browse(port, "/links/bytes/100000").body.decode().strip()
    response = browse(port, link)
    assert response.status == 200 and len(response.body) == 100000
    assert response.header("x-curlew-request") is None


def test_browsers_see_the_status_of_the_fetch_service_but_cannot_reach_it(compose):
    for port in (compose.asgi, compose.wsgi):
        assert browse(port, "/_fetch/v1/status").json()["status"] == "ok"
        assert browse(port, "/_fetch/status").status == 200
        assert browse(port, "/_fetch/v1/fetch?url=http://origin:8000/hello").status == 404
        assert browse(port, "/_fetch/v1/status", {"Host": "evil.example"}).status == 421
        assert browse(port, "/_fetch/healthz").status == 404
        assert browse(port, "/_handoff/").status == 404
    published = compose("ps").stdout
    ports = {int(p) for p in re.findall(r"127\.0\.0\.1:(\d+)->", published)}
    assert ports == {compose.asgi, compose.wsgi, compose.client.port}


# -- HTTP/3 ------------------------------------------------------------------


def test_http_3_is_used_where_asked_for(compose):
    e = compose.client.fetch("https://http3:8443/hello", http_version="3")
    assert (e["status"], e["http_version"], e["body"]) == (200, "3", "hello by HTTP/3.0\n")
    again = compose.client.fetch("https://http3:8443/hello", http_version="3")
    assert again["connection"]["reused"] is True
    auto = compose.client.fetch("https://http3:8443/hello")
    assert (auto["http_version"], auto["body"]) == ("1.1", "hello by HTTP/1.1\n")


def test_a_large_body_comes_over_http_3(compose):
    three = compose.client.fetch("https://http3:8443/large", http_version="3")
    one = compose.client.fetch("https://http3:8443/large", http_version="1.1")
    assert three["http_version"] == "3" and three["body_bytes"] > 100000
    assert three["body_base64"] == one["body_base64"]


def test_twenty_http_3_fetches_at_once_succeed(compose):
    with BackgroundCalls() as b:
        for _ in range(20):
            b.start(compose.client.fetch, "https://http3:8443/hello", http_version="3")
        assert {e["body"] for e in b.results()} == {"hello by HTTP/3.0\n"}


def test_none_of_fifty_http_3_fetches_hangs(compose):
    """With libcurl over OpenSSL's QUIC, some do."""
    for _ in range(50):
        e = compose.client.fetch("https://http3:8443/hello", http_version="3", timeout=3)
        assert e["http_version"] == "3"


def test_http_3_falls_back_where_the_origin_lacks_it(compose, origin):
    url = origin.url("/hello", port="h2")
    e = compose.client.fetch(url, http_version="3", timeout=10)
    assert e["http_version"] in ("1.1", "2")  # libcurl tries both, and takes what comes
    response = compose.client.post({"url": origin.url(port="closed"), "http_version": "3"})
    assert response.status == 502, response


# -- what each may do --------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
def test_services_have_no_root_no_capabilities_nothing_to_write(compose, service):
    status = dict(re.findall(r"^(\w+):\s+(.*)$", compose.exec_in(
        service, "cat", "/proc/1/status").stdout, re.M))
    assert "0" not in status["Uid"].split()
    assert {int(status[n], 16) for n in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {0}
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    done = compose.exec_in(service, "touch", "/etc/here", "/usr/here", "/here", check=False)
    assert done.stderr.count("Read-only file system") == 3, done.stderr


def test_the_holder_of_the_socket_has_no_root_no_capabilities_no_network(compose):
    pid = compose.state("socket")["Pid"]
    status = dict(re.findall(r"^(\w+):\s+(.*)$", Path(f"/proc/{pid}/status").read_text(), re.M))
    assert status["Uid"].split() == ["10001"] * 4 and int(status["CapBnd"], 16) == 0
    assert compose.inspect("socket")["HostConfig"]["NetworkMode"] == "none"
    listed = compose.exec_in("curlewd", "stat", "-c", "%n %a %u %g", "/run/curlew/curlew.sock",
                             "/run/curlew/holder.sock").stdout
    assert listed.split("\n")[:2] == ["/run/curlew/curlew.sock 660 10001 33",
                                      "/run/curlew/holder.sock 600 10001 10001"]


def test_the_origin_is_on_a_network_of_its_own(compose):
    assert compose.exec_in("curlewd", "getent", "hosts", "origin").stdout
    for service in ("nginx", "asgi", "wsgi"):
        assert compose.exec_in(service, "getent", "hosts", "origin", check=False).stdout == ""
    assert compose.exec_in("curlewd", "getent", "hosts", "nginx", check=False).stdout == ""


def test_the_egress_guard_works_in_a_container(compose):
    for host in (compose.origin.address, "127.0.0.1", "169.254.169.254"):
        compose.client.refused({"url": f"http://{host}:8000/"}, 403, "blocked")


# -- restarts ----------------------------------------------------------------


@pytest.mark.parametrize("service", SERVICES)
def test_a_restart_of_each_service(compose, service):
    before = compose("ps", "-q").stdout.split()
    compose.restart(service)
    assert compose("ps", "-q").stdout.split() == before
    url = compose.origin.url("/hello")
    wait_until("the origin to be found again",
               lambda: compose.client.post({"url": url, "timeout": 5}).status == 200, 30, 0.2)
    for port in (compose.asgi, compose.wsgi):
        assert fetched(port, "/async/hello")["body"] == "hello\n"


def test_curlewd_drains_as_process_1(compose, origin):
    with BackgroundCalls() as b:
        b.start(compose.client.fetch, origin.url("/delay/2"))
        origin.wait_for("arrived", "/delay/2")
        compose("stop", "curlewd")
        assert b.results()[0]["body"] == "late\n"
    assert compose.state("curlewd")["ExitCode"] == 0
    compose("start", "curlewd")
    compose.wait_ready()


def test_requests_wait_while_a_killed_curlewd_starts_again(compose, origin):
    compose("kill", "curlewd")
    with BackgroundCalls() as b:
        b.start(compose.client.fetch, origin.url("/hello"))
        compose("start", "curlewd")
        assert b.results()[0]["body"] == "hello\n"


def test_a_holder_that_starts_again_gives_curlewd_its_new_socket(compose, origin):
    before = compose.state("curlewd")["StartedAt"]
    compose("kill", "socket")
    compose("start", "socket")
    wait_until("Docker to restart curlewd",
               lambda: compose.state("curlewd")["StartedAt"] != before, 30, 0.1)
    compose.wait_ready()
    assert compose.client.fetch(origin.url("/hello"))["status"] == 200


def test_docker_reports_curlewd_as_healthy(compose):
    wait_until("Docker to find it healthy",
               lambda: compose.state("curlewd")["Health"]["Status"] == "healthy", 30, 0.5)
