"""Session(cookie_jar=False), the module's functions, django_curlew.client and aclient."""

import asyncio
import subprocess
import sys
from http.cookiejar import CookieJar
from pathlib import Path

import pytest

import django_curlew
from django_curlew import AsyncSession, Session, default, requests
from django_curlew.requests.cookies import make_cookie

SOURCE = Path(__file__).parents[2] / "src"


class Blocking:
    """An AsyncSession that is called like a Session."""

    def __init__(self, session):
        self.session = session

    def __getattr__(self, name):
        return getattr(self.session, name)

    def get(self, url, **kwargs):
        return asyncio.run(self.session.get(url, **kwargs))


@pytest.fixture(params=["Session", "AsyncSession", "client", "aclient", "functions"])
def cookieless(request):
    return {"Session": Session(cookie_jar=False), "client": django_curlew.client,
            "AsyncSession": Blocking(AsyncSession(cookie_jar=False)),
            "aclient": Blocking(django_curlew.aclient), "functions": requests}[request.param]


def test_no_cookie_is_kept(cookieless, origin):
    r = cookieless.get(origin.url("/cookies/set?a=1"))
    assert r.json() == {"a": "1"}, "its redirect had it"
    assert [cookie["name"] for cookie in r.envelope["cookies"]] == ["a"]
    assert cookieless.get(origin.url("/cookies")).json() == {}


def test_cookies_given_with_a_request_are_sent_once(cookieless, origin):
    assert cookieless.get(origin.url("/cookies"), cookies={"a": "1"}).json() == {"a": "1"}
    assert cookieless.get(origin.url("/cookies")).json() == {}


@pytest.mark.parametrize("session", [Session(cookie_jar=False), django_curlew.client,
                                     django_curlew.aclient])
@pytest.mark.parametrize("write", [
    lambda s: s.cookies.set("a", "1"), lambda s: s.cookies.update({"a": "1"}),
    lambda s: s.cookies.__setitem__("a", "1"), lambda s: setattr(s, "cookies", {"a": "1"}),
    lambda s: s.cookies.jar.set_cookie(make_cookie("a", "1"))])
def test_a_cookie_can_not_be_put_into_it(session, write):
    with pytest.raises(TypeError, match="cookie_jar=False"):
        write(session)
    assert not session.cookies and len(session.cookies) == 0
    session.cookies.clear()


def test_cookies_of_the_session_and_no_jar_exclude_each_other():
    with pytest.raises(TypeError, match="cookie_jar=False"):
        Session(cookies={"a": "1"}, cookie_jar=False)


def test_a_jar_of_the_callers_is_used_even_if_it_is_empty(origin):
    jar = CookieJar()
    Session(cookies=jar).get(origin.url("/cookies/set?a=1"))
    assert [cookie.name for cookie in jar] == ["a"]


def test_the_clients_of_the_process_cannot_be_closed(origin):
    with django_curlew.client as client:
        assert client is default.session
    assert django_curlew.client.get(origin.url("/hello")).ok

    async def main():
        async with django_curlew.aclient as aclient:
            assert aclient is default.asession
        return await django_curlew.aclient.get(origin.url("/hello"))

    assert asyncio.run(main()).ok


def test_importing_makes_no_client_and_loads_no_django():
    program = ("import sys, django_curlew; assert 'django_curlew.default' not in sys.modules;"
               "from django_curlew import client, aclient; client.cookies;"
               "assert 'django' not in sys.modules and 'asgiref' not in sys.modules")
    subprocess.run([sys.executable, "-c", program], check=True, cwd=SOURCE)
