"""A refusal names the setting that would permit it, and where that is: file or environment."""

import json
import subprocess

import pytest

from tests.support import clients
from tests.support.curlewd import BINARY, clean_env
from tests.support.procs import Process, connects, temp_dir, wait_until
from tests.support.supervisor import PASSED_ON, Supervisor

URL = "http://127.0.0.1:9/"


def detail_of(client):
    return client.refused({"url": URL}, 403, "blocked")["detail"]


def test_of_a_daemon_with_a_file(curlewd):
    daemon = curlewd({"egress": {"allow": []}})
    assert detail_of(daemon.client).endswith(f"; egress.allow is in {daemon.config_path}")


def test_of_a_variable_that_wins_over_the_file(curlewd):
    daemon = curlewd(env={"CURLEW_EGRESS_ALLOW": "10.0.0.0/8"})
    assert detail_of(daemon.client).endswith(
        "; egress.allow is set by the environment variable CURLEW_EGRESS_ALLOW, which wins over "
        f"{daemon.config_path}")


def test_of_a_daemon_without_a_file():
    directory = temp_dir()
    socket = directory / "s"
    process = Process("curlewd", [BINARY, "--listen", f"unix:{socket}"], directory, env=clean_env())
    try:
        process.wait_ready(lambda: connects(socket))
        assert detail_of(clients.FastCgiClient(socket)).endswith(
            "; egress.allow is the environment variable CURLEW_EGRESS_ALLOW, as there is no "
            "configuration file")
    finally:
        process.stop()


def test_also_of_limits_and_in_a_batch(curlewd):
    daemon = curlewd({"egress": {"allow": []}, "limits": {"headers": 1}})
    request = {"url": URL, "headers": {"a": "1", "b": "2"}}
    place = f"is in {daemon.config_path}"
    p = daemon.client.refused(request, 400, "bad_request")
    assert p["detail"] == f"headers: over 1 (limits.headers); limits.headers {place}"
    batch = json.dumps({"requests": [{"url": URL}]}).encode()
    line = json.loads(daemon.client.ask("POST", "/v1/batch", body=batch).body)
    assert line["error"]["detail"].endswith(f"; egress.allow {place}")


def test_what_names_no_setting_is_left_as_it_is(curlewd):
    p = curlewd().client.refused({"url": "http://a b/"}, 400, "bad_url")
    assert " is in " not in p["detail"]


# -- settings without effect, and by their old names ------------------------------------------


@pytest.mark.parametrize("how", PASSED_ON)
def test_access_to_a_socket_of_systemd_is_not_ours_to_set(how):
    env = {"LISTEN_FDNAMES": "curlew.socket"} if how == "LISTEN_FDS" else {}
    systemd = Supervisor(how, {"socket_group": "33"}, env=env)
    try:
        said = wait_until("the warning", lambda: [
            e["event"] for e in systemd.daemon.log_entries() if "no effect" in e["event"]])
    finally:
        systemd.stop()
    name = env.get("LISTEN_FDNAMES", how)
    assert said == [
        f"socket_mode and socket_group have no effect on {name}, which is open already: with "
        "systemd set SocketMode= and SocketGroup= of the .socket unit"]


def test_of_a_socket_of_our_own_there_is_no_warning(curlewd):
    assert "no effect" not in curlewd({"socket_mode": "0600"}).process.err


def test_workers_may_still_be_called_responders(curlewd):
    daemon = curlewd({"responders": 3})
    assert "responders is now called workers" in daemon.process.err
    assert "now called" not in curlewd({"workers": 3}).process.err


@pytest.mark.parametrize("config, env", [
    ({"workers": 2, "responders": 2}, {}), ({"workers": 2}, {"CURLEW_RESPONDERS": "2"}),
    ({"responders": 2}, {"CURLEW_WORKERS": "2"})])
def test_by_both_names_they_are_refused(tmp_path, config, env):
    path = tmp_path / "curlewd.json"
    path.write_text(json.dumps(config))
    ran = subprocess.run([BINARY, "--check", "--config", path], capture_output=True, text=True,
                         env={"PATH": "/bin", **env})
    assert ran.returncode == 1 and "old name of workers" in ran.stderr, ran


@pytest.mark.parametrize("variable, value, says", [
    ("CURLEW_EGRESS_ALLOW", "10.0.0.0/8,*", '"*" is not a rule'),
    ("CURLEW_EGRESS_DENY", "10.0.0.1/8", "bits are set"),
    ("CURLEW_LISTEN", "127.0.0.1", "is neither"),
])
def test_of_a_bad_value_it_names_the_variable_that_has_it(tmp_path, variable, value, says):
    """The file has the same settings, good ones."""
    path = tmp_path / "curlewd.json"
    rules = {"allow": ["10.0.0.0/8"], "deny": ["10.0.0.1"]}
    path.write_text(json.dumps({"listen": "127.0.0.1:9", "egress": rules}))
    for arguments in (["--config", path], []):
        ran = subprocess.run([BINARY, "--check", *arguments], capture_output=True, text=True,
                             env={"PATH": "/bin", variable: value})
        assert ran.returncode == 1 and says in ran.stderr, ran
        assert ran.stderr.startswith(f"curlewd: {variable}: "), ran


def test_of_a_bad_value_in_the_file_it_names_the_file(tmp_path):
    path = tmp_path / "curlewd.json"
    path.write_text(json.dumps({"listen": "127.0.0.1:9", "egress": {"allow": ["*"]}}))
    ran = subprocess.run([BINARY, "--check", "--config", path], capture_output=True, text=True,
                         env={"PATH": "/bin", "CURLEW_EGRESS_DENY": "10.0.0.1"})
    assert ran.stderr.startswith(f"curlewd: {path}: egress.allow: "), ran
