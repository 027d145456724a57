"""TLS session tickets stay with one browser, proxy and session: an origin that gives one must not
recognise somebody else by it."""

import itertools
import shutil

import pytest

from tests.support.curlewd import Curlewd
from tests.support.fingerprint import FingerprintOrigin
from tests.support.libcurls import impersonating_env

FAMILIES = ["chrome", "chrome_android", "edge", "safari", "safari_ios", "firefox"]


@pytest.fixture(scope="module")
def daemon():
    sessions = {"alone": {"isolate": True}, "other": {}, "proxied": {}}
    d = Curlewd({"sessions": sessions}, env=impersonating_env())
    yield d
    d.stop()
    shutil.rmtree(d.directory, ignore_errors=True)


@pytest.fixture
def origin(certs):
    """Gives tickets, and ends each connection after one response."""
    with FingerprintOrigin(certs, once=True) as origin:
        yield origin


def fetch(daemon, origin, **keys):
    """(was a ticket offered, was it good) on the connection that this fetch opens"""
    before = len(origin.seen)
    assert daemon.client.fetch(origin.url(host="127.0.0.1"), verify=False, **keys)["body"] == "ok"
    assert len(origin.seen) == before + 1
    return origin.seen[-1].hello.offers_ticket, origin.seen[-1].resumed


@pytest.mark.parametrize("name", FAMILIES)
def test_ones_own_ticket_resumes(daemon, origin, name):
    assert fetch(daemon, origin, impersonate=name) == (False, False)
    assert fetch(daemon, origin, impersonate=name) == (True, True)


def test_a_plain_fetch_resumes(daemon, origin):
    assert [fetch(daemon, origin) for _ in range(2)] == [(False, False), (True, True)]


def test_tor_never_resumes(daemon, origin):
    """Its hello fails with a ticket in it."""
    for _ in range(5):
        assert fetch(daemon, origin, impersonate="tor145") == (False, False)


def test_no_target_offers_anothers_ticket(daemon, origin):
    targets = daemon.client.get("/v1/status").json()["libraries"]["impersonate"]
    for target in [None, *targets]:
        assert fetch(daemon, origin, **({"impersonate": target} if target else {})) == (
            False, False), target


@pytest.mark.parametrize("browser", [{}, {"impersonate": "chrome"}])
def test_a_reset_drops_the_sessions_tickets(daemon, origin, browser):
    assert fetch(daemon, origin, session="other", **browser) == (False, False)
    assert fetch(daemon, origin, session="other", **browser) == (True, True)
    daemon.client.ask("POST", "/v1/sessions/other/reset")
    assert fetch(daemon, origin, session="other", **browser) == (False, False)
    assert fetch(daemon, origin, session="other", **browser) == (True, True)


def test_sessions_with_a_browser_do_not_share(daemon, origin):
    assert fetch(daemon, origin, impersonate="safari") == (False, False)
    assert fetch(daemon, origin, impersonate="safari", session="other") == (False, False)


@pytest.mark.parametrize("browser", [{}, {"impersonate": "firefox"}])
def test_proxies_do_not_share(daemon, origin, proxy, browser):
    urls = [f"http://127.0.0.1:{proxy()[0]}" for _ in range(2)]
    assert [fetch(daemon, origin, proxy=url, **browser) for url in urls] == [(False, False)] * 2
    assert [fetch(daemon, origin, proxy=url, **browser) for url in urls] == [(True, True)] * 2
    assert fetch(daemon, origin, **browser) == (False, False)


def test_no_target_offers_anothers_ticket_through_proxies(daemon, origin, proxy):
    """Over two of them, before and after a reset; and each its own."""
    targets = daemon.client.get("/v1/status").json()["libraries"]["impersonate"]
    urls = [f"http://127.0.0.1:{proxy()[0]}" for _ in range(2)]

    def fetch_all():
        return [fetch(daemon, origin, impersonate=target, proxy=url, session="proxied")
                for url in urls for target in targets]

    own = [(True, True) if "tor" not in target else (False, False) for target in targets] * 2
    assert fetch_all() == [(False, False)] * len(own)
    assert fetch_all() == own
    daemon.client.ask("POST", "/v1/sessions/proxied/reset")
    assert fetch_all() == [(False, False)] * len(own)


def test_an_isolated_session_shares_nothing(daemon, certs):
    with FingerprintOrigin(certs) as origin:
        reused = [daemon.client.fetch(origin.url(), verify=False, session=name)["connection"]
                  ["reused"] for name in ("default", "other", "alone", "alone", "default")]
        assert reused == [False, True, False, True, True]
        assert not any(seen.hello.offers_ticket for seen in origin.seen)


def test_more_stores_than_there_is_room_for(daemon, origin):
    """256 in a thread: the oldest goes, and nothing is mixed up."""
    targets = daemon.client.get("/v1/status").json()["libraries"]["impersonate"]
    auths = [["user", str(n)] for n in range(7)]
    for target, auth in itertools.product([t for t in targets if "tor" not in t][:40], auths):
        offered = fetch(daemon, origin, impersonate=target, session="other", proxy_auth=auth)
        assert offered == (False, False)
    assert fetch(daemon, origin, impersonate=targets[0], session="other",
                 proxy_auth=auths[0]) == (False, False)
