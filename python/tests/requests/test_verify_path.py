"""verify="/path": the certificates of a file reach the daemon, on every way to it."""

import asyncio
import shutil

import pytest

from django_curlew import AsyncSession, Session, exceptions


@pytest.fixture
def own_daemon(curlewd):
    """One that trusts nobody by itself, and has seen no certificates."""
    return f"fcgi+unix:{curlewd().socket}"


@pytest.fixture
def url(origin):
    return origin.url("/hello", port="https")


@pytest.fixture
def ca(certs):
    return str(certs / "ca.pem")


def test_of_a_request_and_of_a_session(own_daemon, url, ca):
    session = Session(daemon=own_daemon)
    with pytest.raises(exceptions.CertificateVerifyError):
        session.get(url)
    assert session.get(url, verify=ca).status_code == 200
    assert Session(daemon=own_daemon, verify=ca).get(url).status_code == 200


def test_a_request_may_trust_others_than_its_session(own_daemon, url, ca, certs):
    session = Session(daemon=own_daemon, verify=ca)
    for verify in (True, str(certs / "other-ca.pem")):
        with pytest.raises(exceptions.CertificateVerifyError):
            session.get(url, verify=verify)
    assert session.get(url, verify=False).status_code == 200
    assert session.get(url).status_code == 200


def test_the_certificates_are_sent_again_after_a_restart(curlewd, url, ca):
    first, second = curlewd(), curlewd()
    for daemon in (first, second, first):
        session = Session(daemon=f"fcgi+unix:{daemon.socket}", verify=ca)
        assert session.get(url).status_code == 200


def test_of_a_stream(own_daemon, url, ca):
    session = Session(daemon=own_daemon, verify=ca)
    with session.stream("GET", url) as response:
        assert b"".join(response.iter_content()) == session.get(url).content


def test_of_a_post(own_daemon, origin, ca):
    response = Session(daemon=own_daemon, verify=ca).post(
        origin.url("/echo", port="https"), data=b"body")
    assert response.json()["body_base64"] == "Ym9keQ=="


def test_of_an_async_session(own_daemon, url, ca):
    async def fetch():
        session = AsyncSession(daemon=own_daemon, verify=ca)
        async with session.stream("GET", url) as response:
            streamed = b"".join([piece async for piece in response.aiter_content()])
        assert (await session.get(url)).content == streamed
        assert [r.status_code for r in await session.gather([url, url])] == [200, 200]

    asyncio.run(fetch())


def test_of_an_async_session_without_a_stream_before(own_daemon, url, ca):
    session = AsyncSession(daemon=own_daemon, verify=ca)
    assert asyncio.run(session.get(url)).status_code == 200


def test_of_many_at_once(own_daemon, url, ca, certs):
    session = Session(daemon=own_daemon, verify=ca)
    assert [r.status_code for r in session.gather([url, url])] == [200, 200]
    other = {"url": url, "verify": str(certs / "other-ca.pem")}
    good, bad = session.gather([url, other], return_exceptions=True)
    assert good.status_code == 200 and isinstance(bad, exceptions.CertificateVerifyError)
    assert {r.status_code for _, r in session.as_completed([url, url])} == {200}


def test_a_file_that_changes_counts_from_then_on(own_daemon, url, certs, tmp_path):
    path = tmp_path / "ca.pem"
    shutil.copy(certs / "ca.pem", path)
    session = Session(daemon=own_daemon, verify=str(path))
    assert session.get(url).status_code == 200
    shutil.copy(certs / "other-ca.pem", path)
    with pytest.raises(exceptions.CertificateVerifyError):
        session.get(url)


def test_a_file_that_can_not_be_read_is_curls_error(own_daemon, url, tmp_path):
    with pytest.raises(exceptions.CertificateVerifyError, match="invalid path") as caught:
        Session(daemon=own_daemon).get(url, verify=str(tmp_path / "missing.pem"))
    assert caught.value.code == 77
    assert isinstance(caught.value, OSError)
