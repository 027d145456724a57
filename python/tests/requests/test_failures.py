"""What is raised when there is no response: each code of the daemon's, and no daemon at all."""

import asyncio
import re
from pathlib import Path

import pytest

from django_curlew import AsyncSession, Session, conf, daemon, exceptions
from django_curlew.requests import problem

DOCS = Path(__file__).parents[3] / "docs" / "api.md"


def test_each_code_of_the_documents_has_an_exception():
    table = DOCS.read_text().split("## Failures")[1].split("\n## ")[0]
    codes = {c for row in re.findall(r"^\| \d+ \| (.+?) \|", table, re.M)
             for c in re.findall(r"`(\w+)`", row)}
    assert len(codes) > 20
    answered_otherwise = {"not_found", "method_not_allowed", "cancelled", "internal"}
    assert codes - answered_otherwise == set(problem.BY_REASON)


@pytest.mark.parametrize("code", [*problem.BY_REASON, "internal", "brand_new"])
def test_a_problem_becomes_an_exception(code):
    raised = problem.to_exception({"code": code, "status": 502, "title": "T", "detail": "why"})
    assert isinstance(raised, exceptions.RequestException) and isinstance(raised, OSError)
    assert raised.reason == code and raised.problem["status"] == 502
    shows_code = raised.code and code != "blocked"  # there libcurl was not asked
    assert str(raised).startswith(f"curl: ({raised.code}) " if shows_code else "why")
    assert str(raised).endswith("why")
    assert ("timed out" in str(raised)) is isinstance(raised, exceptions.Timeout)
    assert type(raised) is problem.BY_REASON.get(code, (exceptions.RequestException,))[0]


def test_libcurls_code_wins_where_there_is_one():
    document = {"code": "tls_failed", "curl_code": 60, "detail": "x"}
    assert type(problem.to_exception(document)) is exceptions.CertificateVerifyError
    document = {"code": "recv_failed", "curl_code": 56, "detail": "CONNECT tunnel failed"}
    assert type(problem.to_exception(document)) is exceptions.ProxyError


def test_the_egress_guard(curlewd, origin):
    url = f"fcgi+unix:{curlewd({'egress': {'allow': []}}).socket}"
    with pytest.raises(exceptions.Blocked) as caught:
        Session(daemon=url).get(origin.url("/hello"))
    assert isinstance(caught.value, exceptions.ConnectionError)
    assert caught.value.reason == "blocked" and "egress" in str(caught.value)


def test_impersonate_which_this_libcurl_does_not_offer(origin):
    for session in (Session(impersonate="chrome"), Session()):
        with pytest.raises(exceptions.ImpersonateError, match="impersonate"):
            session.get(origin.url("/hello"), impersonate="chrome")


@pytest.mark.parametrize("stream", [False, True])
def test_an_overloaded_daemon(curlewd, origin, stream):
    url = f"fcgi+unix:{curlewd({'limits': {'in_flight': 1, 'queue': 0}}).socket}"

    async def main():
        session = AsyncSession(daemon=url)
        first = asyncio.ensure_future(session.get(origin.url("/delay/0.5")))
        await asyncio.sleep(0.2)
        with pytest.raises(exceptions.Overloaded) as caught:
            await session.get(origin.url("/hello"), stream=stream)
        assert (await first).ok
        return caught.value

    assert asyncio.run(main()).retry_after == 1


@pytest.mark.parametrize("stream", [False, True])
def test_a_session_that_does_not_exist(stream):
    with pytest.raises(exceptions.BadRequest) as caught:
        Session(name="nobody").get("http://127.0.0.1:1/", stream=stream)
    assert caught.value.reason == "unknown_session"


def test_a_named_session_keeps_its_cookies_in_the_daemon(origin):
    one, other = Session(name="jar"), Session(name="jar")
    one.get(origin.url("/cookies/set?named=1"))
    assert other.get(origin.url("/cookies")).json() == {"named": "1"}
    assert not one.cookies and not other.cookies
    assert Session(name="other-jar").get(origin.url("/cookies")).json() == {}


@pytest.mark.parametrize("stream", [False, True])
def test_the_daemon_is_down_behind_a_web_server(curlewd, nginx, stream):
    d = curlewd()
    front = nginx(d)
    d.stop()
    with pytest.raises(exceptions.DaemonError, match="nginx answered 502: curlewd is not running"):
        Session(daemon=f"{front.url}/_fetch").get("http://127.0.0.1:1/", stream=stream)


def test_no_daemon_is_mounted_there(daemon, nginx, origin):
    with pytest.raises(exceptions.DaemonError, match="nginx answered 404: curlewd is not mounted"):
        Session(daemon=f"{nginx(daemon, origin.ports['http']).url}/elsewhere").get("http://127.0.0.1:1/")


@pytest.mark.parametrize("ask", [
    lambda s: s.get("http://a/"), lambda s: s.get("http://a/", stream=True)])
def test_no_daemon_at_all(ask):
    with pytest.raises(exceptions.DaemonError, match="curlewd is not running") as caught:
        ask(Session(daemon="fcgi+unix:/nowhere/curlew.sock"))
    assert isinstance(caught.value, exceptions.ConnectionError)
    assert caught.value.response.status_code == 0 and not caught.value.response.ok
    assert caught.value.response.request.url == "http://a/"


def test_the_daemons_url_is_not_set(monkeypatch):
    monkeypatch.delenv("CURLEW_URL")
    session = Session()
    for ask in (session.get, lambda url: session.get(url, stream=True),
                lambda url: session.gather([url]), lambda url: list(session.as_completed([url]))):
        with pytest.raises(conf.NotConfigured, match="CURLEW_URL") as caught:
            ask("http://a/")
        assert isinstance(caught.value, (exceptions.RequestException, RuntimeError))
    assert isinstance(caught.value, exceptions.ConnectionError)


def test_another_daemon_for_a_while(origin):
    class Recorder(daemon.Daemon):
        def exchange(self, method, route, **kwargs):
            calls.append((method, route))
            return super().exchange(method, route, **kwargs)

    calls = []
    with daemon.using(Recorder(daemon.current().url)):
        assert Session().get(origin.url("/hello")).ok
    Session().get(origin.url("/hello"))
    assert calls == [("POST", "/v1/fetch")]


def test_identical_gets_share_a_transfer(origin):
    async def main():
        session = AsyncSession(coalesce=True)
        return await asyncio.gather(*[session.get(origin.url("/delay/0.2")) for _ in range(4)])

    origin.reset()
    assert {r.text for r in asyncio.run(main())} == {"late\n"}
    assert len([e for e in origin.events("/delay/0.2") if e["event"] == "arrived"]) == 1


def test_a_body_has_a_limit_of_the_callers(origin):
    assert len(Session().get(origin.url("/bytes/100"), max_body_bytes=100).content) == 100
    with pytest.raises(exceptions.RequestException) as caught:
        Session().get(origin.url("/bytes/101"), max_body_bytes=100)
    assert (caught.value.reason, caught.value.code) == ("response_too_large", 63)
