"""The image "curlew": what it holds, what configures it, and curlewd as process 1."""

import json

import pytest

from tests.support.compose import run
from tests.support.procs import wait_until

HARDENED = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]


@pytest.fixture
def container():
    """container(options, arguments) → the id of one that runs, as hardened as can be."""
    started = []

    def start(*options, args=()):
        argv = ["docker", "run", "-d", *HARDENED, *options, "curlew", *args]
        started.append(run(*argv).stdout.strip())
        return started[-1]

    yield start
    for one in started:
        run("docker", "rm", "-f", "-v", one)


def inspected(name, path):
    return json.loads(run("docker", "inspect", "-f", "{{json %s}}" % path, name).stdout)


def log(one):
    done = run("docker", "logs", one)
    return done.stdout + done.stderr


def logged(one, words):
    return wait_until(f'"{words}" in the log', lambda: words in log(one), every=0.05)


def ask(one, path, **params):
    """What curlewd answers to a FastCGI request from inside its container."""
    params = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": path, **params}
    return run("docker", "exec", one, "env", "-i", *(f"{n}={v}" for n, v in params.items()),
               "cgi-fcgi", "-bind", "-connect", "/run/curlew/curlew.sock").stdout


def ended(one):
    wait_until("its end", lambda: not inspected(one, ".State.Running"), every=0.05)
    return inspected(one, ".State.ExitCode")


# -- what it holds -----------------------------------------------------------


def test_it_is_small():
    base = run("docker/base.sh").stdout.strip()
    size = {name: inspected(name, ".Size") for name in ("curlew", base)}
    assert 0 < size["curlew"] - size[base] < 120e6, size


def test_its_libcurl_has_http_2_and_http_3(container):
    one = container()
    logged(one, "ready")
    libraries = json.loads(ask(one, "/v1/status").partition("\n\n")[2])["libraries"]
    assert libraries["http2"] is True and libraries["http3"] is True
    assert libraries["libcurl"].startswith("libcurl/8.")


def test_it_starts_curlewd_without_a_shell_or_root():
    config = inspected("curlew", ".Config")
    assert config["Entrypoint"] == ["curlewd"] and not config.get("Cmd")
    assert config["User"] not in ("", "root", "0")


# -- what configures it ------------------------------------------------------


def test_variables_alone_configure_it(container):
    one = container("-e", "CURLEW_LOG_FORMAT=json", "-e", "CURLEW_EGRESS_ALLOW=127.0.0.0/8")
    logged(one, '"event":"curlewd')
    query = "url=http://127.0.0.1:9/&timeout=5"
    assert '"code":"connect_failed"' in ask(one, "/v1/fetch", QUERY_STRING=query)
    query = "url=http://10.0.0.1/&timeout=5"
    assert '"code":"blocked"' in ask(one, "/v1/fetch", QUERY_STRING=query)


def test_a_mounted_file_configures_it_and_is_reloaded(container, tmp_path):
    path = tmp_path / "curlewd.json"
    path.write_text('{"sessions": {"mine": {}}}')
    path.chmod(0o644)
    one = container("-v", f"{path}:/etc/curlew/curlewd.json:ro",
                    args=["--config", "/etc/curlew/curlewd.json"])
    assert '"mine"' in wait_until("sessions", lambda: ask(one, "/v1/sessions"))
    path.write_text('{"sessions": {"theirs": {}}}')
    run("docker", "kill", "-s", "HUP", one)
    logged(one, "reloaded")
    assert '"theirs"' in ask(one, "/v1/sessions")


def test_a_wrong_setting_is_reported_and_nothing_starts(container):
    one = container("-e", "CURLEW_THREADS=many")
    assert ended(one) == 1 and "CURLEW_THREADS" in log(one)


# -- process 1 ---------------------------------------------------------------


def test_sigterm_ends_it_with_exit_code_0(container):
    one = container()
    logged(one, "ready")
    run("docker", "stop", "-t", "20", one)
    assert ended(one) == 0 and "curlewd has stopped" in log(one)


# -- health ------------------------------------------------------------------


def wait_for_health(one, wanted):
    wait_until(wanted, lambda: inspected(one, ".State.Health.Status") == wanted, 20, 0.2)


@pytest.mark.parametrize("listen", ["", "127.0.0.1:9000"])
def test_health_is_checked_by_unix_socket_and_by_tcp(container, listen):
    wait_for_health(container("--health-interval", "1s", "-e", f"CURLEW_LISTEN={listen}"),
                    "healthy")


def test_a_stopped_daemon_is_unhealthy(container):
    one = container("--health-interval", "1s", "--health-retries", "1", "--health-timeout", "2s")
    logged(one, "ready")
    run("docker", "kill", "-s", "STOP", one)
    wait_for_health(one, "unhealthy")
    run("docker", "kill", "-s", "CONT", one)
    wait_for_health(one, "healthy")
