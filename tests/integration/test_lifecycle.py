"""Start and reload: options, readiness, SIGHUP, and the kinds of listening sockets."""

import contextlib
import json
import os
import re
import signal
import socket
import stat
import subprocess

import pytest

from tests.support import fcgi, clients
from tests.support.concurrency import BackgroundCalls
from tests.support.curlewd import BINARY, clean_env, wait_logged
from tests.support.procs import Process, connects, free_port, temp_dir
from tests.support.supervisor import Supervisor

ENV = {k: v for k, v in {**os.environ, **clean_env()}.items() if v is not None}


def run(*args, env=None, **keys):
    return subprocess.run([BINARY, *args], capture_output=True, text=True, timeout=10,
                          env={**ENV, **(env or {})}, **keys)


# -- options ---------------------------------------------------------------


def test_version_and_help_are_printed():
    done = run("--version")
    assert done.returncode == 0 and re.match(r"curlewd \d+\.\d+\.\d+\n", done.stdout)
    assert "libcurl/" in done.stdout
    done = run("--help")
    assert done.returncode == 0 and done.stderr == ""
    for option in ("--config", "--listen", "--check", "--version", "--help"):
        assert option in done.stdout


@pytest.mark.parametrize("args", [["--nonsense"], ["stray"], ["--config"], ["-x"]])
def test_a_wrong_option_prints_the_usage(args):
    done = run(*args)
    assert done.returncode == 2 and done.stdout == "" and "Usage:" in done.stderr


def test_check_accepts_a_good_file_and_starts_nothing(tmp_path):
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"listen": f"unix:{tmp_path}/s.sock", "threads": 2}))
    done = run("--check", "--config", path)
    assert done.returncode == 0 and "good" in done.stdout
    assert not (tmp_path / "s.sock").exists()


def test_an_unknown_variable_is_a_warning_with_the_nearest_name(tmp_path):
    """The value may be a secret that is another program's."""
    done = run("--check", env={"CURLEW_DRAIN_SECOND": "s3cret", "CURLEW_RECORD": "1",
                               "CURLEW_URL": "http://127.0.0.1/", "CURLEW_SERVICE_HOST": "::1",
                               "CURLEW_PORT": "tcp://10.0.0.1:9000"})
    assert done.returncode == 0 and "good" in done.stdout
    assert done.stderr.count("\n") == 1 and "s3cret" not in done.stderr
    assert "CURLEW_DRAIN_SECOND is ignored; the nearest is CURLEW_DRAIN_SECONDS" in done.stderr


def test_a_daemon_starts_and_warns_once_of_an_unknown_variable(curlewd):
    daemon = curlewd(env={"CURLEW_THREAD": "2", "CURLEW_RECORD": "1"})
    wait_logged(daemon, "CURLEW_THREAD is ignored; the nearest is CURLEW_THREADS")
    daemon.reload(daemon.config)
    wait_logged(daemon, "the configuration was reloaded")
    assert daemon.process.err.count("CURLEW_THREAD is") == 1
    assert "CURLEW_RECORD" not in daemon.process.err


@pytest.mark.parametrize("name, nearest", [
    ("CURLEW_EGRESS_PROXYPORTS", "CURLEW_EGRESS_PROXY_PORTS"),
    ("CURLEW_AUTH_ORIGIN", "CURLEW_AUTH_ORIGINS"),
    ("CURLEW_LIMITS_SESSION_BYTE", "CURLEW_LIMITS_SESSION_BYTES")])
def test_an_unknown_variable_that_would_restrict_is_refused(name, nearest):
    done = run("--check", env={name: "1"})
    assert done.returncode == 1 and done.stdout == ""
    assert f"unknown environment variable {name}; the nearest is {nearest}" in done.stderr


BAD_CONFIGURATIONS = [
    ("{", "line 1"), ('{"listen":\n "x",}', "line 2"), ("[]", "object"),
    ('{"thread": 1}', "thread"), ('{"threads": 0}', "threads"), ('{"threads": "two"}', "threads"),
    ('{"listen": []}', "listen"), ('{"log": {"level": "loud"}}', "log.level"),
    ('{"limits": {"queue": -1}}', "limits.queue"),
    ('{"limits": {"in_flight": 0}}', "limits.in_flight"), ('{"socket_mode": "9"}', "socket_mode"),
    ('{"egress": {"allow": ["10.0.0.0/33"]}}', "egress.allow"),
    ('{"egress": {"ports": [0]}}', "egress.ports"),
    ('{"egress": {"schemes": ["ftp"]}}', "egress.schemes"), ('{"sessions": {"a b": {}}}', "a b"),
    ('{"sessions": {"s": {"url": "http://x/"}}}', "url"),
    ('{"sessions": {"s": {"timeout": -1}}}', "timeout"),
    ('{"sessions": {"s": {"verify": 1}}}', "verify"),
    ('{"sessions": {"s": {"cookie_jar": "mine"}}}', "cookie_jar"),
    ('{"threads": 1, "threads": 2}', "threads"),
    ('{"sessions": {"s": {"proxy": "http://p:0"}}}', "sessions.s.proxy: "),
    ('{"sessions": {"s": {"proxy": "http://p:99999"}}}', "sessions.s.proxy: "),
]


@pytest.mark.parametrize("text, named", BAD_CONFIGURATIONS)
def test_a_bad_configuration_is_reported_and_nothing_starts(tmp_path, text, named):
    path = tmp_path / "c.json"
    path.write_text(text)
    for args in (["--check"], ["--listen", f"unix:{tmp_path}/s.sock"]):
        done = run("--config", path, *args)
        assert done.returncode == 1 and done.stdout == ""
        assert named in done.stderr and str(path) in done.stderr, done.stderr


@pytest.mark.parametrize("config, named", [
    ({"auth": {"tokens_file": "/nowhere/tokens"}}, "auth.tokens_file /nowhere/tokens: No such"),
    ({"auth": {"tokens_file": "/dev/null"}}, "auth.tokens_file /dev/null: no token in it"),
    ({"socket_group": "nosuchgroup"}, 'socket_group: there is no group "nosuchgroup"')])
def test_check_finds_what_the_start_finds(tmp_path, config, named):
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"listen": f"unix:{tmp_path}/s.sock", **config}))
    for args in (["--check"], []):
        done = run("--config", path, *args)
        assert done.returncode == 1 and done.stdout == "" and named in done.stderr, done.stderr


def test_tokens_that_who_checks_may_not_read_are_a_warning(tmp_path):
    path = tmp_path / "tokens"
    path.touch(mode=0)
    no_rights = ["setpriv", "--bounding-set=-all"] if os.geteuid() == 0 else []
    done = subprocess.run([*no_rights, BINARY, "--check"], capture_output=True, text=True,
                          timeout=10, env={**ENV, "CURLEW_AUTH_TOKENS_FILE": str(path)})
    assert done.returncode == 0 and "good" in done.stdout, done.stderr
    assert f"auth.tokens_file {path} is not checked: Permission denied" in done.stderr


def test_credentials_that_systemd_hides_from_a_reload_are_a_warning():
    path = "/run/credentials/nowhere.service/tokens"
    done = run("--check", env={"CURLEW_AUTH_TOKENS_FILE": path})
    assert done.returncode == 0 and f"{path} is not checked: No such file" in done.stderr


def test_a_group_is_not_looked_up_where_no_unix_socket_is_made(tmp_path):
    done = run("--check", "--listen", "127.0.0.1:0", env={"CURLEW_SOCKET_GROUP": "nosuchgroup"})
    assert done.returncode == 0, done.stderr


def test_a_certificate_file_that_cannot_be_read_is_a_warning(curlewd, tmp_path):
    config = {"sessions": {"s": {"ca_file": str(tmp_path), "client_cert": "/nowhere/cert"}}}
    path = tmp_path / "c.json"
    path.write_text(json.dumps(config))
    done = run("--check", "--config", path)
    daemon = curlewd(config)
    assert done.returncode == 0 and "good" in done.stdout
    for text in (f"sessions.s.ca_file {tmp_path}: Is a directory",
                 "sessions.s.client_cert /nowhere/cert: No such file or directory"):
        assert text in done.stderr
        wait_logged(daemon, text)


def test_a_missing_configuration_is_an_error(tmp_path):
    done = run("--check", "--config", tmp_path / "none.json")
    assert done.returncode == 1 and "none.json" in done.stderr


def test_a_configuration_that_can_be_read_only_once_is_refused_at_start_and_reload(
        curlewd, tmp_path):
    for path, keys in (("/dev/stdin", {"input": "{}"}), ("/dev/null", {})):
        done = run("--check", "--config", path, **keys)
        assert done.returncode == 1 and f"{path}: not a regular file" in done.stderr
    daemon = curlewd({"limits": {"in_flight": 7}})
    daemon.config_path.unlink()
    os.mkfifo(daemon.config_path)
    daemon.process.send(signal.SIGHUP)
    wait_logged(daemon, "not a regular file")
    limits = daemon.client.get("/v1/status").json()["limits"]
    assert limits["in_flight"] == 7, "the old settings stay"


@pytest.mark.parametrize("address", ["unix:/tmp/twice.sock", "127.0.0.1:9000", "fd:3"])
def test_an_address_that_is_there_twice_is_an_error(address, tmp_path):
    done = run("--check", env={"CURLEW_LISTEN": f"{address},127.0.0.1:0,{address}"})
    assert done.returncode == 1
    assert f'CURLEW_LISTEN: "{address}" is there twice' in done.stderr
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"listen": [address, address]}))
    done = run("--check", "--config", path)
    assert done.returncode == 1 and f'{path}: listen: "{address}" is there twice' in done.stderr


def test_the_kernel_chooses_a_port_more_than_once():
    done = run("--check", env={"CURLEW_LISTEN": "127.0.0.1:0,127.0.0.1:0"})
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("address", ["", "nonsense", "unix:", "unix:" + "/x" * 100,
                                     "unix:/nowhere/at/all.sock", "127.0.0.1:0x",
                                     "127.0.0.1:99999", "fd:99", "fd:x"])
def test_an_address_that_cannot_be_bound_is_an_error(address):
    done = run("--listen", address)
    assert done.returncode == 1 and "listen" in done.stderr.lower() or address in done.stderr
    assert done.returncode == 1


def test_without_any_configuration_it_runs_on_safe_defaults(spawn, tmp_path):
    path = tmp_path / "s.sock"
    process = spawn("curlewd", [BINARY, "--listen", f"unix:{path}"], env=clean_env(),
                    ready=lambda: connects(path))
    client = clients.FastCgiClient(path)
    assert client.ask("GET", "/healthz").json() == {"status": "ok"}
    client.refused({"url": "http://127.0.0.1:1/"}, 403, "blocked")
    assert process.stop() == 0


def test_every_scalar_has_an_environment_variable(curlewd, origin):
    daemon = curlewd(env={"CURLEW_LIMITS_IN_FLIGHT": "1", "CURLEW_LIMITS_QUEUE": "0",
                          "CURLEW_LOG_FORMAT": "text"})
    with BackgroundCalls() as b:
        b.start(daemon.client.fetch, origin.url("/delay/0.5"))
        origin.wait_for("arrived", "/delay/0.5")
        daemon.client.refused({"url": origin.url("/hello")}, 503, "overloaded")
        b.results()
    assert not daemon.process.err.startswith("{")
    done = run("--check", env={"CURLEW_THREADS": "many"})
    assert done.returncode == 1 and "CURLEW_THREADS" in done.stderr


# -- sockets ---------------------------------------------------------------


@pytest.mark.parametrize("mode", ["0600", "0660", "0666"])
def test_socket_mode_is_applied(curlewd, mode):
    daemon = curlewd({"socket_mode": mode})
    assert oct(stat.S_IMODE(daemon.socket.stat().st_mode)) == oct(int(mode, 8))


def test_the_socket_is_removed_at_exit_and_a_stale_one_replaced(curlewd):
    daemon = curlewd()
    daemon.process.popen.kill()
    daemon.process.popen.wait()
    assert daemon.socket.exists()
    again = curlewd(directory=daemon.directory)
    assert again.client.ask("GET", "/healthz").status == 200
    again.stop()
    assert not daemon.socket.exists()


def test_a_socket_in_use_is_not_replaced(curlewd):
    daemon = curlewd()
    done = run("--listen", f"unix:{daemon.socket}")
    assert done.returncode == 1 and str(daemon.socket) in done.stderr
    assert daemon.client.ask("GET", "/healthz").status == 200


def test_a_file_that_is_no_socket_is_not_removed(tmp_path):
    path = tmp_path / "precious"
    path.write_text("kept")
    assert run("--listen", f"unix:{path}").returncode == 1
    assert path.read_text() == "kept"


def test_several_addresses_can_be_listened_on(curlewd):
    ports = [free_port(), free_port()]
    daemon = curlewd(also_listen=[f"127.0.0.1:{ports[0]}", f"[::1]:{ports[1]}"])
    assert daemon.client.ask("GET", "/healthz").status == 200
    assert clients.FastCgiClient(("127.0.0.1", ports[0])).ask("GET", "/healthz").status == 200
    with socket.create_connection(("::1", ports[1])) as s:
        s.sendall(fcgi.request(fcgi.cgi_params("GET", "/_fetch/healthz")))
        assert b'{"status":"ok"}' in s.recv(4096)


@contextlib.contextmanager
def listening(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(path))
        s.listen(64)
        yield s


@pytest.mark.parametrize("how", ["fd:5", "fd:0", "standard input", "systemd"])
def test_an_inherited_listening_socket_is_used(spawn, tmp_path, how):
    path = tmp_path / "given.sock"
    with listening(path) as s:
        fd = {"fd:5": 5, "systemd": 3}.get(how, 0)
        script = f"exec {fd}<&{s.fileno()}; "
        if how == "systemd":
            script += "export LISTEN_FDS=1 LISTEN_PID=$$; "
        script += "exec \"$0\" \"$@\""
        args = ["--listen", how] if how.startswith("fd:") else []
        process = spawn("curlewd", ["bash", "-c", script, BINARY, *args], env=clean_env(),
                        pass_fds=[s.fileno()])
        # The socket listens from the start, so only a response shows readiness.
        assert clients.FastCgiClient(path).ask("GET", "/healthz").json() == {"status": "ok"}
        assert process.stop() == 0
    assert path.exists()  # it was not ours to remove


def test_listen_fds_of_another_process_are_ignored(spawn, tmp_path):
    path, own = tmp_path / "given.sock", tmp_path / "own.sock"
    with listening(path) as s:
        script = f"exec 3<&{s.fileno()}; export LISTEN_FDS=1 LISTEN_PID=1; exec \"$0\" \"$@\""
        spawn("curlewd", ["bash", "-c", script, BINARY], pass_fds=[s.fileno()],
              env=clean_env({"CURLEW_LISTEN": f"unix:{own}"}), ready=lambda: connects(own))


# -- readiness -------------------------------------------------------------


def test_systemd_is_notified_of_ready_reloading_and_stopping(curlewd, tmp_path):
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(str(path))
        s.settimeout(10)
        daemon = curlewd(env={"NOTIFY_SOCKET": str(path)})
        assert "READY=1" in s.recv(4096).decode().split("\n")
        daemon.process.send(signal.SIGHUP)
        reloading = s.recv(4096).decode().split("\n")
        assert "RELOADING=1" in reloading
        assert any(re.fullmatch(r"MONOTONIC_USEC=\d+", line) for line in reloading)
        assert "READY=1" in s.recv(4096).decode().split("\n")
        daemon.process.send(signal.SIGTERM)
        assert "STOPPING=1" in s.recv(4096).decode().split("\n")
        daemon.wait_exit()


# -- SIGHUP ----------------------------------------------------------------


def test_a_reload_applies_new_settings_and_loses_no_fetch(curlewd, origin):
    daemon = curlewd()
    daemon.client.refused({"url": origin.url("/hello"), "session": "new"}, 404, "unknown_session")
    with BackgroundCalls() as b:
        b.start(daemon.client.fetch, origin.url("/delay/0.6"))
        origin.wait_for("arrived", "/delay/0.6")
        daemon.reload({**daemon.config, "sessions": {"new": {}}})
        wait_logged(daemon, "reloaded")
        assert daemon.client.fetch(origin.url("/hello"), session="new")["session"] == "new"
        assert b.results()[0]["body"] == "late\n"


@pytest.mark.parametrize("bad", ["{", '{"surprise": 1}', '{"limits": {"queue": "x"}}',
                                 '{"egress": {"deny": ["10.0.0.0/99"]}}'])
def test_a_bad_file_is_reported_and_the_old_one_kept(curlewd, origin, bad):
    daemon = curlewd({"sessions": {"mine": {}}})
    daemon.reload(bad)
    wait_logged(daemon, "curlewd.json")
    assert any(line["level"] == "error" for line in daemon.log_entries())
    assert daemon.client.fetch(origin.url("/hello"), session="mine")["status"] == 200


def test_fetches_of_a_removed_session_finish(curlewd, origin):
    daemon = curlewd({"sessions": {"mine": {}}})
    with BackgroundCalls() as b:
        b.start(daemon.client.fetch, origin.url("/delay/0.6"), session="mine")
        origin.wait_for("arrived", "/delay/0.6")
        daemon.reload({k: v for k, v in daemon.config.items() if k != "sessions"})
        wait_logged(daemon, "reloaded")
        daemon.client.refused({"url": origin.url("/hello"), "session": "mine"}, 404,
                              "unknown_session")
        assert b.results()[0]["session"] == "mine"


def test_connections_stay_warm_over_a_reload(curlewd, origin):
    daemon = curlewd()
    daemon.client.fetch(origin.url("/hello"))
    daemon.reload(daemon.config)
    wait_logged(daemon, "reloaded")
    assert daemon.client.fetch(origin.url("/hello"))["connection"]["reused"] is True


# -- the line that says it is ready ------------------------------------------


def test_the_ready_line_says_where_it_listens_and_which_file_it_read(curlewd):
    daemon = curlewd({})
    wait_logged(daemon, f"is ready: it listens on unix:{daemon.socket}, with the configuration "
                        f"{daemon.config_path}")


def test_the_ready_line_says_that_there_is_no_file(tmp_path):
    socket = temp_dir() / "s"
    process = Process("curlewd", [BINARY, "--listen", f"unix:{socket}"], tmp_path, env=clean_env())
    try:
        process.wait_ready(lambda: "is ready" in process.err)
        assert f"listens on unix:{socket}, without a configuration file" in process.err
    finally:
        process.stop()


def test_the_ready_line_names_the_path_of_systemds_socket():
    systemd = Supervisor("LISTEN_FDS")
    try:
        wait_logged(systemd.daemon, f"it listens on unix:{systemd.path}, with")
    finally:
        systemd.stop()
