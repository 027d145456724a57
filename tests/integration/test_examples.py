"""The configuration files in examples/."""

import http.client
import json
import os
import subprocess

import pytest

from tests.support.fcgi_responder import ParamsResponder
from tests.support.web_servers import EXAMPLES_BY_PROGRAM, WEB_SERVERS, WebServer

IDS = sorted(EXAMPLES_BY_PROGRAM)


@pytest.mark.parametrize("program", IDS)
def test_the_file_is_valid_as_it_stands(program, tmp_path):
    example = EXAMPLES_BY_PROGRAM[program]
    if program in ("nginx", "apache2", "h2o", "haproxy") and os.getuid() != 0:
        pytest.skip("its check opens the log files of the real place")
    path = tmp_path / example.path.name
    text = example.path.read_text()
    if program == "apache2":  # Debian makes these with the package apache2, not with apache2-bin
        for place in ("/var/log/apache2", "/etc/apache2"):
            text = text.replace(place, str(tmp_path))
    path.write_text(text)
    command = example.command(example.check, {"file": path, "dir": tmp_path})
    done = subprocess.run(command, capture_output=True, text=True, timeout=30,
                          env={**os.environ, "HOME": str(tmp_path)})
    assert done.returncode == 0, done.stdout + done.stderr


# -- who may use the mount -------------------------------------------------------------------------

LOCAL, STRANGER = "127.0.0.1", "127.0.0.2"  # the examples allow the first address only
SPELLINGS = ["/_fetch/healthz", "/%5ffetch/healthz", "/_fetch%2fhealthz", "/%5Ffetch%2Fhealthz",
             "//_fetch/healthz", "/./_fetch/healthz", "/x/../_fetch/healthz",
             "/x/%2e%2e/_fetch/healthz", "/x/..%2f_fetch/healthz", "/_fetch//healthz",
             "/_fetch/./healthz", "/_FETCH/healthz", "/_fetch;x/healthz", "/%255ffetch/healthz",
             "///_fetch/healthz?x=/", "/_fetch/..%2f_fetch/healthz"]
FOREIGN_HOSTS = [["evil.example"], ["evil.example:{port}"], ["localhost.evil.example"],
                 ["127.0.0.1.evil.example"], ["[::1]evil"], ["localhost:x@evil"],
                 ["localhost@evil"], ["localhost", "evil.example"], ["evil.example", "localhost"],
                 ["localhost, evil.example"]]
OWN_HOSTS = ["127.0.0.1", "127.0.0.1:{port}", "localhost", "LOCALHOST:{port}", "[::1]:{port}"]


@pytest.fixture(params=WEB_SERVERS)
def site(request, daemon, nginx, origin):
    """A web server by its example, with the tests' origin in Django's place."""
    return nginx(daemon, origin.ports["http"], name=request.param)


def send(site, path, hosts=("localhost",), source=LOCAL, headers=()):
    """(status, body) for a request whose path and headers are sent as they are; status is 0 if the
    connection was closed without a response."""
    c = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10, source_address=(source, 0))
    c.putrequest("GET", path, skip_host=True)
    for host in hosts:
        c.putheader("Host", host.format(port=site.port))
    for name, value in headers:
        c.putheader(name, value)
    c.endheaders()
    try:
        response = c.getresponse()
        return response.status, response.read()
    except (http.client.RemoteDisconnected, ConnectionResetError):
        return 0, b""
    finally:
        c.close()


def is_from_daemon(body):
    return b'"status":"ok"' in body or b"urn:curlew" in body


def test_only_the_django_host_may_ask(site):
    for host in OWN_HOSTS:
        assert send(site, "/_fetch/healthz", [host]) == (200, b'{"status":"ok"}')
    assert send(site, "/_fetch/healthz", source=STRANGER)[0] == 403


def test_a_stranger_gets_no_answer_of_the_daemon_by_any_spelling(site):
    for host in ("localhost", "127.0.0.1", "evil.example"):
        for path in SPELLINGS:
            answer = send(site, path, [host], STRANGER)
            assert not is_from_daemon(answer[1]), (host, path, answer)


@pytest.mark.parametrize("hosts", FOREIGN_HOSTS, ids=str)
def test_a_page_whose_name_was_rebound_gets_no_answer_of_the_daemon(site, hosts):
    if hosts == ["evil.example", "localhost"] and site.config_path.name == "h2o.conf":
        pytest.skip("h2o 2.2 drops all but the last Host; no browser sends two")
    for path in SPELLINGS:
        status, body = send(site, path, hosts)
        assert status != 200 and not is_from_daemon(body), (path, status, body)


REACH_DJANGO = {"/_FETCH/healthz", "/_fetch;x/healthz", "/%255ffetch/healthz"}  # other paths
ENCODED_SLASH = {path for path in SPELLINGS if "%2f" in path.lower()}


def test_a_stranger_reaches_nobody_by_another_spelling_of_the_mount(site, origin):
    """So a bridge behind the web server need not be asked."""
    is_kept = site.config_path.name == "haproxy.cfg"  # it leaves an encoded slash as it is
    for path in set(SPELLINGS) - REACH_DJANGO - (ENCODED_SLASH if is_kept else set()):
        origin.reset()
        status, body = send(site, path, source=STRANGER)
        assert 400 <= status < 500 and not origin.stats()["requests"], (path, status, body)


def test_the_site_answers_strangers(site):
    assert send(site, "/hello", ["localhost"], STRANGER) == (200, b"hello\n")


CLIENTS_OWN = ["X-Curlew-Request", "Curlew-Request", "CURLEW_REQUEST", "CURLEW-REQUEST",
               "X_Curlew_Request", "Curlew-Client", "Proxy", "PROXY"]


def test_django_sees_no_handoff_of_a_client(site):
    if site.config_path.name == "h2o.conf":
        pytest.skip("h2o 2.2 can remove no header; Django reads none of these")
    headers = [(name, "theirs") for name in CLIENTS_OWN if name.upper().endswith("REQUEST")]
    status, body = send(site, "/echo", headers=headers)
    assert status == 200 and "theirs" not in str(json.loads(body)["headers"])


@pytest.mark.parametrize("name", WEB_SERVERS)
def test_no_header_of_a_client_becomes_a_parameter_that_means_something(name):
    with ParamsResponder() as responder:
        other = WebServer(name, responder.address)
        headers = [(each, "theirs") for each in CLIENTS_OWN]
        status, body = send(other, "/_fetch/healthz", headers=headers)
        other.stop()
    params = json.loads(body)
    assert status == 200 and params["REQUEST_METHOD"] == "GET"
    if name != "h2o":  # which can remove no header; with HTTP_ before it none has a meaning
        assert not [n for n, v in params.items() if "theirs" in v], params
    assert not set(params) & {"CURLEW_REQUEST", "CURLEW_CLIENT"}


def test_no_header_of_a_client_starts_a_handoff(site, origin):
    request = json.dumps({"url": origin.url("/stolen")})
    for path in ("/hello", "/_fetch/healthz", "/_handoff/"):
        send(site, path, headers=[(name, request) for name in CLIENTS_OWN])
    assert not origin.events("/stolen")
