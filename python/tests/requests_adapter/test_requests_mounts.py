"""The daemon behind a web server: what it could say by FastCGI is there by HTTP, too."""

import pytest
import requests

from django_curlew import daemon
from django_curlew.adapters.requests import CurlewAdapter
from tests.support.scripted_origin import ScriptedOrigin, answer

LONG = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789"


@pytest.fixture
def session(nginx, one_daemon):
    with requests.Session() as session:
        session.trust_env = False
        mount = f"{nginx(one_daemon).url}/_fetch"
        session.mount("http://", CurlewAdapter(daemon.Daemon(mount)))
        yield session


def test_responses_and_failures_through_nginx(session):
    def script(request, connection):
        if request.target == "/stall":
            connection.send(LONG)
            connection.hold()
        elif request.target == "/cut":
            connection.send(LONG)
            connection.close()
        elif request.target == "/silent":
            connection.hold()
        connection.send(answer(request.body, "203 Fine Here", ["X-MiXed: caf\xe9"]))

    with ScriptedOrigin(script) as origin:
        response = session.post(origin.url(), data=b"\xff" * 100000)
        assert (response.status_code, response.reason) == (203, "Fine Here")
        assert response.content == b"\xff" * 100000
        assert ("X-MiXed", "caf\xe9") in response.raw.headers.items()
        for target, raised in (
            ("/stall", requests.ConnectionError),
            ("/cut", requests.exceptions.ChunkedEncodingError),
            ("/silent", requests.ReadTimeout),
        ):
            with pytest.raises(raised) as info:
                session.get(origin.url(target), timeout=(3, 0.4))
            assert type(info.value) is raised
            assert target == "/cut" or "Read timed out" in str(info.value)
