"""manage.py curlew check: each step to a daemon and to an origin that can fail, failing."""

import http.server
import io
import json
import os
import socket
import subprocess
import sys
import threading

import pytest
from django.core.management import CommandError, call_command

from django_curlew import diagnosis
from tests.support.procs import free_port

SOURCE = os.path.dirname(os.path.dirname(diagnosis.__file__))
TOKEN, LIMITED = "a-token-of-our-own-1", "a-limited-token-of-1"


def check(*args):
    """(the steps that were gone: name → text, the step that failed, its text and advice)"""
    out = io.StringIO()
    failed = False
    try:
        call_command("curlew", "check", *args, stdout=out, no_color=True)
    except CommandError as err:
        failed = str(err)
    lines = out.getvalue().splitlines()
    steps = {line[8:18].strip(): line[20:] for line in lines if line.startswith("ok ")}
    if not failed:
        assert all(line.startswith("ok ") for line in lines), lines
        return steps, None, ""
    name = failed.rpartition(": ")[2]
    assert lines[-2].startswith(f"failed  {name} ") and lines[-1].strip().startswith("→ "), lines
    return steps, name, f"{lines[-2]}\n{lines[-1]}"


def fails(step, *words, args=()):
    steps, failed, text = check(*args)
    assert failed == step, (steps, failed, text)
    for each in words:
        assert each in text, text
    return steps


# -- the three ways -------------------------------------------------------------------------------


@pytest.fixture(params=["unix", "tcp", "http"])
def way(request, curlewd, curlew, nginx, tmp_path):
    """A daemon with tokens, in reach by each of the three ways."""
    (tmp_path / "tokens").write_text(f"{TOKEN}\n{LIMITED} shop\n")
    port = free_port()
    daemon = curlewd({"auth": {"tokens_file": str(tmp_path / "tokens")}, "sessions": {"shop": {}}},
                     also_listen=[f"127.0.0.1:{port}"])
    url = {"unix": lambda: f"fcgi+unix:{daemon.socket}", "tcp": lambda: f"fcgi://127.0.0.1:{port}",
           "http": lambda: f"{nginx(daemon).url}/_fetch"}[request.param]()
    curlew(URL=url, TOKEN=TOKEN)
    return url, request.param


def test_a_whole_way_is_gone_step_by_step(way, origin):
    steps, failed, _ = check("--url", origin.url("/hello"))
    assert failed is None
    first = ["settings"] + (["socket"] if way[1] == "unix" else [])
    assert list(steps) == [*first, "connect", "curlewd", "token", "session", "look-up", "guard",
                           "connection", "answer"]
    assert way[0] in steps["settings"] and "accepted" in steps["token"]
    assert steps["answer"].startswith("200 OK, HTTP/1.1")


def test_a_missing_token_and_a_wrong_one(way, curlew):
    curlew(URL=way[0])
    fails("token", "asks for a token", 'set CURLEW["TOKEN"]')
    curlew(URL=way[0], TOKEN="another-token-of-ours")
    fails("token", "does not know this token", "SIGHUP")


def test_a_session_that_is_not_there_or_not_for_the_token(way, curlew):
    assert check("--session", "shop")[1] is None
    fails("session", "no session 'nix'", "curlewd.json", args=["--session", "nix"])
    curlew(URL=way[0], TOKEN=LIMITED)
    steps = fails("session", "no session 'default'")
    assert "for the sessions shop" in steps["token"]


# -- settings, socket, connection -----------------------------------------------------------------


def test_no_url_and_one_that_is_none(curlew):
    curlew()
    fails("settings", 'CURLEW["URL"] is not set', "settings.py")
    curlew(URL="https://example.com")
    fails("settings", "https is not supported")


def test_a_socket_that_is_not_there(curlew, tmp_path):
    curlew(URL=f"fcgi+unix:{tmp_path}/no/curlew.sock")
    fails("socket", f"the directory {tmp_path}/no does not exist", "start it: `mkdir -p")
    curlew(URL=f"fcgi+unix:{tmp_path}/curlew.sock")
    fails("socket", "does not exist: curlewd is not running", "start it: `curlewd")
    (tmp_path / "file").write_text("")
    curlew(URL=f"fcgi+unix:{tmp_path}/file")
    fails("socket", "is not a socket", "correct the address")


def test_a_socket_that_nobody_listens_on(curlew, tmp_path):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "curlew.sock"))
    curlew(URL=f"fcgi+unix:{tmp_path}/curlew.sock")
    fails("connect", "nobody listens", "start it")


@pytest.mark.skipif(os.getuid() != 0, reason="another user can be tried by root only")
def test_a_socket_that_the_user_may_not_use(curlewd):
    daemon = curlewd({"socket_mode": "0600"})
    os.chmod(daemon.directory, 0o755)
    script = (
        "import os, sys; from django_curlew import diagnosis, daemon; os.setgroups([]); "
        "os.setgid(65534); os.setuid(65534)\n"
        "with daemon.using(daemon.Daemon(sys.argv[1])):\n"
        "    for s in diagnosis.walk(): print(s.name, s.ok, s.text, '->', s.advice)\n")
    done = subprocess.run([sys.executable, "-c", script, f"fcgi+unix:{daemon.socket}"],
                          env={**os.environ, "PYTHONPATH": SOURCE}, capture_output=True, text=True,
                          timeout=30, check=True)
    last = done.stdout.splitlines()[-1]
    assert last.startswith("connect False permission denied") and "mode 0600" in last, done.stdout
    assert "socket_group" in last.partition("->")[2]


def test_a_port_that_nobody_listens_on(curlew):
    port = free_port()
    curlew(URL=f"fcgi://127.0.0.1:{port}")
    fails("connect", f"nobody listens on 127.0.0.1:{port}", f"curlewd --listen 127.0.0.1:{port}")
    curlew(URL=f"http://127.0.0.1:{port}/_fetch")
    fails("connect", f"nobody listens on 127.0.0.1:{port}", "start the web server")
    curlew(URL="fcgi://no-such-host.invalid:9000")
    fails("connect", "no-such-host.invalid can't be resolved")


# -- who answers ----------------------------------------------------------------------------------


def test_a_web_server_without_a_daemon_behind_it(curlewd, curlew, nginx):
    daemon = curlewd()
    web_server = nginx(daemon)
    daemon.stop()
    curlew(URL=f"{web_server.url}/_fetch")
    fails("curlewd", "nginx answered 502: curlewd is not running, or nginx may not open its socket")


def test_another_server(curlew, origin):
    curlew(URL=origin.url("/nothing"))
    fails("curlewd", "answered 404: curlewd is not mounted at this path")
    curlew(URL=f"fcgi://127.0.0.1:{origin.ports['http']}")
    fails("curlewd", "another program")


@pytest.mark.parametrize("document", [{"status": "ok"}, {"version": "1.2"}, {}, [1]])
def test_another_server_that_says_it_is_healthy(curlew, document):
    class Service(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"status": "ok"} if "healthz" in self.path else document).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service) as service:
        threading.Thread(target=service.serve_forever).start()
        curlew(URL=f"http://127.0.0.1:{service.server_port}/_fetch")
        try:
            fails("token", "something else than curlewd responds at this path")
        finally:
            service.shutdown()


# -- to the origin --------------------------------------------------------------------------------


@pytest.fixture
def there(daemon, curlew):
    curlew(URL=f"fcgi+unix:{daemon.socket}")
    return daemon


def test_a_name_that_cannot_be_looked_up(there):
    fails("look-up", "dns_failed", "getent hosts", args=["--url", "http://no-such-host.invalid/"])


def test_a_url_that_is_none(there):
    fails("look-up", "bad_url", "correct the URL", args=["--url", "nonsense"])


def test_an_address_that_the_guard_refuses(there):
    steps = fails("guard", "blocked", "egress.allow", args=["--url", "http://10.1.2.3/"])
    assert steps["look-up"] == "10.1.2.3 is an address"


def test_an_origin_that_is_down(there, origin):
    steps = fails("connection", "connect_failed", "see whether the origin runs",
                  args=["--url", origin.url("/", port="closed")])
    assert "guard" in steps


def test_a_certificate_that_is_not_known(there, origin):
    url = origin.url("/hello", port="https")
    steps = fails("TLS", "tls_failed", "ca_file", args=["--url", url, "--session", "jar"])
    assert "connection" in steps
    steps, failed, _ = check("--url", origin.url("/hello", host="localhost", port="https"))
    assert failed is None and "the certificate is good" in steps["TLS"]


def test_an_origin_that_hangs_up(there, origin):
    fails("answer", "recv_failed", "the log of the origin", args=["--url", origin.url("/hang-up")])


def test_any_status_is_an_answer(there, origin):
    steps, failed, _ = check("--url", origin.url("/status/503"))
    assert failed is None and steps["answer"].startswith("503 ")
