"""The page of the example project, served by the stack of `make run` behind nginx."""

import http.client
import json
import re
import sys
import time

import pytest

from tests.support.clients import HttpClient
from tests.support.curlewd import ROOT

sys.path.insert(0, str(ROOT / "examples"))
import stack as example_stack  # noqa: E402


@pytest.fixture(scope="module")
def stack():
    with example_stack.Stack() as running:
        yield running
        running.check()


@pytest.fixture(params=["uvicorn", "nginx"])
def site(stack, request):
    """Django itself, and behind nginx, which delivers handoffs."""
    url = stack.uvicorn if request.param == "uvicorn" else stack.nginx.url
    return HttpClient(int(url.rsplit(":", 1)[1]), prefix="")


@pytest.fixture
def behind_nginx(stack):
    return HttpClient(stack.nginx.port, prefix="")


def test_every_link_of_the_page_works(behind_nginx):
    page = behind_nginx.ask("GET", "/").body.decode()
    links = [link.replace("&amp;", "&") for link in re.findall(r'<a href="([^"]+)"', page)]
    assert len(links) >= 5 and "/_fetch/status" in links
    for link in links:
        path, _, query = link.partition("?")
        assert behind_nginx.ask("GET", path, query).status == 200, link


def test_every_path_that_its_script_asks_for_works(behind_nginx):
    page = behind_nginx.ask("GET", "/").body.decode()
    asked = set(re.findall(r'["`](/[a-z-]+/(?:large\.bin)?)', page))
    assert asked >= {"/try/", "/one-by-one/", "/together/", "/events/", "/links/large.bin"}
    for path in asked - {"/try/"}:
        assert behind_nginx.ask("GET", path).status == 200, path


def test_a_url_is_fetched_with_its_timing(site, stack):
    site.ask("GET", "/try/", f"url={stack.origin}/")
    facts = site.ask("GET", "/try/", f"url={stack.origin}/").json()
    assert facts["status"] == 200 and facts["connection_reused"] is True
    assert 0 < facts["timing"]["first_byte"] <= facts["timing"]["total"]


def test_attacks_of_the_page_are_blocked(site):
    page = site.ask("GET", "/").body.decode()
    attacks = re.findall(r'data-url="([^"]+)"', page)
    assert len(attacks) == 3
    for url in attacks:
        response = site.ask("GET", "/try/", f"url={url}")
        if "127.1" not in url:  # the stack's daemon may reach its own origin on loopback
            assert response.status == 403 and response.json()["code"] == "blocked", url


def test_events_arrive_one_by_one(behind_nginx):
    connection = http.client.HTTPConnection("127.0.0.1", behind_nginx.port, timeout=20)
    connection.request("GET", "/events/")
    times, words = [], []
    for line in connection.getresponse():
        if line.startswith(b"data: "):
            times.append(time.monotonic())
            words.append(line[6:].strip())
    connection.close()
    assert words[-1] == b"[DONE]" and json.loads(words[0]) == "A "
    assert times[-1] - times[0] > 1


def test_a_download_is_handed_off(behind_nginx):
    link = behind_nginx.ask("GET", "/links/large.bin").body.decode().strip()
    response = behind_nginx.ask("GET", link)
    assert response.status == 200 and len(response.body) == 8_000_000
    assert response.header("x-curlew-request") is None
