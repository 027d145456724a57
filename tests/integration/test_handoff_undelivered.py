"""A handoff where nothing delivers it: the browser sees a 501, and nothing of the request object.

A Django of its own under gunicorn, alone, under runserver, and behind each example of a web server
whose configuration has no location for handoffs.
"""

import http.client
import json
import sys

import pytest

from tests.support.procs import connects, free_port
from tests.support.response import Response
from tests.support.web_servers import PACKAGE, WEB_SERVERS

SECRETS = ("S3CRET", "files.internal", "X-Token", "t0ken")
PROJECT = '''
import os
from django.conf import settings

settings.configure(
    SECRET_KEY="x", DEBUG=False, ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__,
    INSTALLED_APPS=["django_curlew"], CURLEW={"URL": os.environ["CURLEW_URL"], "EMBEDDED": False},
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware",
                "django.middleware.gzip.GZipMiddleware",
                "django.middleware.common.CommonMiddleware"])

from django.core.wsgi import get_wsgi_application
from django.urls import path
from django_curlew import HandOff


def view(request):
    response = HandOff(request, os.environ["TARGET"], auth=("site", "S3CRET"),
                       headers={"X-Token": "t0ken"})
    response["Cache-Control"] = "public, max-age=600"
    response["Content-Disposition"] = "inline"
    response.set_cookie("view", "1")
    return response


urlpatterns = [path("file", view)]
application = get_wsgi_application()

if __name__ == "__main__":
    from django.core.management import execute_from_command_line
    execute_from_command_line()
'''
GUNICORN = ["-m", "gunicorn", "--log-level", "warning", "--workers", "1", "--threads", "4",
            "--bind", "127.0.0.1:{port}", "site_of_test:application"]
RUNSERVER = ["site_of_test.py", "runserver", "--noreload", "127.0.0.1:{port}"]


def browse(port, path="/file", method="GET", headers=()):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        c.request(method, path, headers=dict(headers))
        r = c.getresponse()
        return Response(r.status, r.getheaders(), r.read())
    finally:
        c.close()


@pytest.fixture
def site(daemon, spawn, tmp_path):
    """site(argv, target) → the port of Django's server, and its process."""
    (tmp_path / "site_of_test.py").write_text(PROJECT)

    def start(argv=GUNICORN, target="https://files.internal/a"):
        port = free_port()
        process = spawn("site", [sys.executable, *(word.format(port=port) for word in argv)],
                        cwd=tmp_path,
                        env={"CURLEW_URL": f"fcgi+unix:{daemon.socket}", "TARGET": target,
                             "PYTHONPATH": f"{PACKAGE}:{tmp_path}", "DJANGO_SETTINGS_MODULE": None})
        process.wait_ready(lambda: connects(("127.0.0.1", port)))
        return port, process

    return start


def check_undelivered(response, body=True):
    assert response.status == 501, response
    shown = str(response.headers) + response.body.decode()
    assert not [secret for secret in SECRETS if secret in shown], shown
    reference = response.header("x-curlew-request")
    assert reference is None or (reference.startswith("@") and len(reference) == 33)
    assert "*" in response.header("vary")  # whatever else stands there: nobody may use it again
    if body:
        assert "nginx" in response.body.decode() and "CurlewBridge" in response.body.decode()
    return reference


@pytest.mark.parametrize("argv", [GUNICORN, RUNSERVER], ids=["gunicorn", "runserver"])
def test_without_a_web_server(site, argv):
    port, process = site(argv)
    references = {check_undelivered(browse(port, headers=[("Accept-Encoding", "gzip")]))
                  for _ in range(3)}
    assert len(references) == 3
    check_undelivered(browse(port, method="HEAD"), body=False)
    if argv is GUNICORN:  # runserver's own log has a line a request
        lines = process.err.splitlines()  # of HEAD it says so for every view with a body
        assert [line for line in lines if "no-body response" not in line] == []


# nginx without its location: as a site has it that has not read the documentation.
NO_LOCATION = [("location = /_handoff/ {", "location = /_elsewhere/ {")]
BEHIND = [name for name in WEB_SERVERS if not name.startswith("nginx")]


@pytest.mark.parametrize("web_server", BEHIND)
def test_behind_a_web_server_without_handoffs(site, daemon, nginx, web_server):
    port, _ = site()
    mount = nginx(daemon, port, name=web_server)
    check_undelivered(browse(mount.port))


def test_nginx_without_the_location_shows_nothing_either(site, daemon, nginx):
    """It goes to the URL of X-Accel-Redirect, which is then Django's, and a 404."""
    port, _ = site()
    mount = nginx(daemon, port, more=NO_LOCATION)
    response = browse(mount.port)
    shown = str(response.headers) + response.body.decode()
    assert response.status == 404 and not [secret for secret in SECRETS if secret in shown]


def test_the_reference_is_of_no_use_to_a_browser(site, daemon, nginx, origin):
    port, _ = site(target=origin.url("/stolen"))
    reference = browse(port).header("x-curlew-request")
    mount = nginx(daemon, port)
    body = json.dumps(reference).encode()
    for path in ("/_handoff/", "/_fetch/v1/fetch", "/_fetch/v1/stream"):
        for headers in ([("X-Curlew-Request", reference)], [("Curlew-Request", reference)],
                        [("CURLEW_REQUEST", reference)]):
            assert browse(mount.port, path, "POST", headers).status >= 400
    assert mount.ask("POST", "/v1/fetch", body=body).status == 400
    assert not origin.events("/stolen")


def test_with_the_location_nginx_replaces_it_whole(site, daemon, nginx, origin):
    port, process = site(target=origin.url("/bytes/300000"))
    response = browse(nginx(daemon, port).port)
    assert (response.status, len(response.body)) == (200, 300000)
    names = [name.lower() for name, _ in response.headers]
    assert "vary" not in names and "content-encoding" not in names
    assert names.count("content-length") == names.count("content-type") == 1
    assert response.header("content-type") == "application/octet-stream"
    assert response.header("cache-control") == "public, max-age=600"
    assert response.header("set-cookie").startswith("view=1")
    assert not [n for n in names if "curlew" in n or "accel" in n]
    assert process.err == "", process.err


def test_a_fetch_that_fails_after_it_is_a_problem_document(site, daemon, nginx):
    port, _ = site(target="http://10.1.2.3/")
    response = browse(nginx(daemon, port).port)
    assert response.status == 403 and response.json()["code"] == "blocked"
