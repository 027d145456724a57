"""`impersonate` of both sessions: an origin sees what it sees of curl_cffi, for every name."""

import asyncio
import dataclasses
import shutil

import pytest

from django_curlew import AsyncSession, Session, conf
from tests.support.curlewd import Curlewd
from tests.support.faces import NAMES, OwnFaces, assert_alike
from tests.support.fingerprint import FingerprintOrigin
from tests.support.libcurls import impersonating_env


@pytest.fixture(scope="module")
def impersonating():
    daemon = Curlewd(env=impersonating_env())
    yield daemon
    daemon.stop()
    shutil.rmtree(daemon.directory, ignore_errors=True)


@pytest.fixture(autouse=True)
def url_of_the_daemon(impersonating, monkeypatch):
    monkeypatch.setenv("CURLEW_URL", f"fcgi+unix:{impersonating.socket}")
    conf.reload()


@pytest.fixture(scope="module")
def own(certs):
    return OwnFaces(certs)


def by_gather(requests):
    return Session(verify=False).gather(requests)


def by_async_gather(requests):
    return asyncio.run(AsyncSession(verify=False).gather(requests))


def by_sessions(requests):
    return [Session(verify=False, impersonate=r["impersonate"]).get(r["url"]) for r in requests]


def by_async_requests(requests):
    async def fetch_all():
        session = AsyncSession(verify=False)
        return await asyncio.gather(*(session.get(**r) for r in requests))

    return asyncio.run(fetch_all())


@pytest.mark.parametrize("fetch", [by_gather, by_async_gather, by_sessions, by_async_requests])
def test_an_origin_sees_what_it_sees_of_curl_cffi(certs, own, fetch):
    """Names of one browser share a connection, so it is each request that is looked at."""
    seen = {}

    def answer(connection, headers):
        seen[dict(headers)[":path"]] = dataclasses.replace(connection, headers=headers)
        return 200, [], b"ok"

    with FingerprintOrigin(certs, answer=answer) as origin:
        responses = fetch([{"url": origin.url(f"/{name}"), "impersonate": name} for name in NAMES])
    assert [r.text for r in responses] == ["ok"] * len(NAMES)
    for name in NAMES:
        assert_alike(seen[f"/{name}"], own(name), name)
