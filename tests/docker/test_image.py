"""The image "curlew": what it holds, what configures it, and curlewd as process 1."""

import functools
import http.server
import ipaddress
import json
import os
import re
import shlex
import sys
import threading

import curl_cffi
import pytest

from tests.support.clients import FastCgiClient
from tests.support.compose import run
from tests.support.curlewd import ROOT
from tests.support.procs import free_port, wait_until

HARDENED = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]


@pytest.fixture
def container():
    """container(options, arguments) → the id of one that runs, as hardened as can be."""
    started = []

    def start(*options, args=(), image="curlew"):
        argv = ["docker", "run", "-d", *HARDENED, *options, image, *args]
        started.append(run(*argv).stdout.strip())
        return started[-1]

    yield start
    for one in started:
        run("docker", "rm", "-f", "-v", one)


def inspected(name, path):
    return json.loads(run("docker", "inspect", "-f", "{{json %s}}" % path, name).stdout)


def bridge():
    """The network that builds use; this machine has its first address."""
    template = "{{(index .IPAM.Config 0).Subnet}}"
    done = run("docker", "network", "inspect", "bridge", "-f", template)
    return ipaddress.ip_network(done.stdout.strip())


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


# -- with curl_cffi's libcurl ------------------------------------------------


@pytest.fixture(scope="module")
def impersonating(tmp_path_factory):
    """The image that --build-arg CURL_CFFI makes, whose pip asks an index of ours."""
    root = tmp_path_factory.mktemp("index")
    wheels = root / "simple" / "curl-cffi"
    run(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--dest",
        wheels, f"curl_cffi=={curl_cffi.__version__}")
    gateway = str(next(bridge().hosts()))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=root)
    with http.server.ThreadingHTTPServer((gateway, 0), handler) as index:
        threading.Thread(target=index.serve_forever, daemon=True).start()
        arguments = {"BASE": run("docker/base.sh").stdout.strip(),
                     "CURL_CFFI": curl_cffi.__version__, "PIP_TRUSTED_HOST": gateway,
                     "PIP_INDEX_URL": f"http://{gateway}:{index.server_port}/simple/"}
        run("docker", "build", "-q", "-f", "docker/Dockerfile", "-t", "curlew:impersonate",
            *(f"--build-arg={n}={v}" for n, v in arguments.items()), ".", timeout=500)
        index.shutdown()
    return "curlew:impersonate"


@pytest.mark.timeout(600)  # with the build
def test_a_build_argument_adds_curl_cffis_libcurl(container, impersonating):
    one = container(image=impersonating)
    logged(one, "ready")
    libraries = json.loads(ask(one, "/v1/status").partition("\n\n")[2])["libraries"]
    assert libraries["libcurl_file"] == "/usr/lib/curlew/_wrapper.abi3.so"
    assert "chrome152" in libraries["impersonate"] and libraries["http3"] is True
    listed = run("docker", "exec", one, "ls", "/usr/share/doc/curl_cffi", "/usr/lib/curlew").stdout
    assert {"LICENSE", "_wrapper.abi3.so", "healthcheck"} <= set(listed.split())
    assert run("docker", "exec", one, "which", "python3", "pip", check=False).returncode != 0


@pytest.mark.timeout(600)
def test_it_impersonates(container, impersonating):
    one = container("-e", "CURLEW_EGRESS_ALLOW=127.0.0.0/8", image=impersonating)
    logged(one, "ready")
    query = "url=http://127.0.0.1:9/&timeout=5&impersonate=chrome"
    assert '"code":"connect_failed"' in ask(one, "/v1/fetch", QUERY_STRING=query)


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


# -- as README.md says -------------------------------------------------------


def documented_run():
    """The options of README.md's docker run."""
    text = (ROOT / "README.md").read_text()
    command = re.search(r"^docker run -d --name curlew (.*?) curlew$", text, re.M | re.S)[1]
    return shlex.split(command.replace("\\\n", " "))


def test_a_daemon_as_in_the_readme_is_reached_from_the_host_and_from_a_container(tmp_path):
    (tmp_path / "tokens").write_text("a token of 20 bytes!\n".replace(" ", "-"))
    port, volume = free_port(), f"curlew-test-{os.getpid()}"
    words = [w.replace("$PWD", str(tmp_path)).replace("127.0.0.1:9000:", f"127.0.0.1:{port}:")
             .replace("curlew:/run", f"{volume}:/run") for w in documented_run()]
    one = run("docker", "run", "-d", *words, "curlew").stdout.strip()
    try:
        logged(one, "is ready: it listens on unix:/run/curlew/curlew.sock, 0.0.0.0:9000")
        host = FastCgiClient(("127.0.0.1", port))
        token = [("Authorization", "Bearer a-token-of-20-bytes!")]
        assert host.ask("GET", "/v1/status").status == 401
        assert host.ask("GET", "/v1/status", headers=token).status == 200
        other = ["docker", "run", "--rm", "-v", f"{volume}:/run/curlew", "-u", "12345:12345",
                 "--entrypoint", "cgi-fcgi", "-e", "REQUEST_METHOD=GET",
                 "-e", "SCRIPT_NAME=/healthz"]
        connect = ["curlew", "-bind", "-connect", "/run/curlew/curlew.sock"]
        assert '"ok"' in run(*other, "--group-add", "10001", *connect).stdout
        assert '"ok"' not in run(*other, *connect, check=False).stdout  # without the group
    finally:
        run("docker", "rm", "-f", "-v", one)
        run("docker", "volume", "rm", "-f", volume)
