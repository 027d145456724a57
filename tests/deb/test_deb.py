"""The Debian package in a Debian that systemd has booted: installed, asked, restarted, removed.

The packages of make deb-bookworm deb-trixie are in build/deb; each release is a container.
"""

import json
import re

import pytest

from tests.support.compose import run
from tests.support.curlewd import ROOT
from tests.support.libcurls import CURL_CFFI
from tests.support.procs import wait_until

RELEASES = ["bookworm", "trixie"]
pytestmark = pytest.mark.timeout(300)  # with the installation, by apt
EXTENSION = "/opt/curl_cffi/_wrapper.abi3.so"
ITSELF = "http://127.0.0.1:8080/_fetch/healthz"  # something that can be fetched there
# systemd needs to mount and to make control groups, and its sandboxes are made of what the default
# profile of Docker forbids.
LIBCURL = {"bookworm": "libcurl4", "trixie": "libcurl3t64-gnutls"}  # as docs/dependencies.md says
LIKE_A_MACHINE = ["--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined",
                  "--cgroupns", "private", "-v", "/sys/fs/cgroup:/sys/fs/cgroup:rw",
                  "--tmpfs", "/run", "--tmpfs", "/tmp", "-e", "container=docker"]


class Machine:
    """One release, with the package installed and nginx on the example that came with it."""

    def __init__(self, release):
        base = run(ROOT / "docker/base.sh", release).stdout.strip()
        image = f"curlew-test-deb:{release}"
        run("docker", "build", "-q", "-t", image, "--build-arg", f"BASE={base}", ROOT / "tests/deb")
        debs = ROOT / "build/deb" / release
        self.id = run("docker", "run", "-d", *LIKE_A_MACHINE, "-v", f"{debs}:/debs:ro",
                      "-v", f"{ROOT / 'tools'}:/tools:ro", image).stdout.strip()
        wait_until("systemd", lambda: self.systemctl("is-system-running", check=False)
                   .stdout.strip() in ("running", "degraded"), 30, 0.2)

    def __call__(self, *argv, **kwargs):
        return run("docker", "exec", self.id, *argv, **kwargs)

    def sh(self, script, **kwargs):
        return self("sh", "-ec", script, **kwargs).stdout

    def systemctl(self, *words, **kwargs):
        return self("systemctl", *words, **kwargs)

    def install(self):
        # A user namespace for PrivateUsers is more than a container may make.
        self.sh("""
            mkdir -p /etc/systemd/system/curlewd.service.d
            printf '[Service]\\nPrivateUsers=no\\n' >/etc/systemd/system/curlewd.service.d/here.conf
            echo CURLEW_EGRESS_ALLOW=127.0.0.1 >/etc/default/curlewd
            apt-get update -qq
            /tools/curl-backports.sh
            apt-get install -y /debs/curlew_*.deb >/tmp/installation.log
            cp /usr/share/doc/curlew/examples/nginx/nginx.conf /etc/nginx/nginx.conf
            systemctl restart nginx""")

    def fetch(self, url=ITSELF, **keys):
        """The response to a fetch through nginx, decoded."""
        request = json.dumps({"url": url, **keys})
        return json.loads(self.sh(
            f"curl -sS -m 20 -d '{request}' http://127.0.0.1:8080/_fetch/v1/fetch"))

    def main_pid(self):
        return int(self.systemctl("show", "-p", "MainPID", "--value", "curlewd").stdout)


@pytest.fixture(scope="module", params=RELEASES)
def machine(request):
    one = Machine(request.param)
    try:
        one.install()
        yield one
    finally:
        run("docker", "rm", "-f", "-v", one.id)


def test_it_runs_as_installed_and_fetches_through_nginx(machine):
    for unit in ("curlewd.service", "curlewd.socket"):
        assert machine.systemctl("is-active", unit).stdout == "active\n"
        assert machine.systemctl("is-enabled", unit).stdout == "enabled\n"
    assert machine.fetch()["body"] == '{"status":"ok"}'
    assert machine.fetch("http://10.0.0.1/")["code"] == "blocked"


def test_the_socket_belongs_to_the_web_server(machine):
    assert machine.sh("stat -c '%a %U %G' /run/curlew/curlew.sock") == "660 root www-data\n"


def test_the_installation_names_the_one_command_that_lets_django_connect(machine):
    said = machine.sh("cat /tmp/installation.log")
    command, = re.findall(r"sudo (usermod -aG www-data) USER", said)
    machine.sh(f"useradd django && {command} django")
    machine.sh("setpriv --reuid django --regid django --init-groups"
               " test -w /run/curlew/curlew.sock")


def test_the_daemon_brings_no_web_server_with_it(machine):
    """apt installs what is recommended, too, and Debian starts a web server as it installs it."""
    needed = machine.sh("dpkg-query -W -f '${Depends} ${Recommends}' curlew")
    assert "libjansson4" in needed and "nginx" not in needed and "httpd" not in needed


def test_it_uses_the_libcurl_that_the_docs_recommend(machine):
    release = machine.sh(". /etc/os-release; echo $VERSION_CODENAME").strip()
    depends = machine.sh("dpkg-query -W -f '${Depends}' curlew")
    assert re.findall(r"libcurl[\w-]*", depends) == [LIBCURL[release]]
    assert machine.sh("curlewd --version").count("GnuTLS") == (release == "trixie")


def test_it_is_sandboxed(machine):
    status = dict(re.findall(r"^(\w+):\s+(.*)$",
                             machine("cat", f"/proc/{machine.main_pid()}/status").stdout, re.M))
    assert "0" not in status["Uid"].split()
    assert {int(status[n], 16) for n in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {0}
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
    machine("systemd-analyze", "security", "--threshold=15", "curlewd.service")  # no PrivateUsers
    # As shipped, without the drop-in of install(): the figure in SECURITY.md.
    machine.sh("cp /lib/systemd/system/curlewd.service /tmp/shipped.service &&"
               " systemd-analyze security --offline=true --threshold=11 /tmp/shipped.service")


def test_a_reload_keeps_the_process_and_refuses_a_bad_file(machine):
    pid = machine.main_pid()
    machine.sh("""echo '{"sessions": {"mine": {}}}' >/etc/curlew/curlewd.json""")
    machine.systemctl("reload", "curlewd")
    wait_until("the session", lambda: "mine" in machine.sh(
        "curl -sS http://127.0.0.1:8080/_fetch/v1/sessions"))
    machine.sh("echo nonsense >/etc/curlew/curlewd.json")
    assert machine.systemctl("reload", "curlewd", check=False).returncode != 0
    machine.sh("echo '{}' >/etc/curlew/curlewd.json")
    assert machine.main_pid() == pid


def test_a_restart_and_an_upgrade_keep_the_socket(machine):
    for command in ("systemctl restart curlewd",
                    "apt-get install -y --reinstall --no-install-recommends /debs/curlew_*.deb"):
        inode, pid = machine.sh("stat -c %i /run/curlew/curlew.sock"), machine.main_pid()
        machine.sh(command)
        assert machine.sh("stat -c %i /run/curlew/curlew.sock") == inode
        assert machine.main_pid() not in (0, pid)
        assert machine.fetch()["body"] == '{"status":"ok"}'


def libraries(machine):
    return json.loads(machine.sh("curl -sS http://127.0.0.1:8080/_fetch/v1/status"))["libraries"]


def use_libcurl(machine, path="", config="{}"):
    """As the administrator does: in /etc/default/curlewd, or in the configuration."""
    machine.sh(f"""
        sed -i /CURLEW_LIBCURL/d /etc/default/curlewd
        echo CURLEW_LIBCURL={path} >>/etc/default/curlewd
        echo '{config}' >/etc/curlew/curlewd.json
        systemctl reset-failed curlewd""")
    return machine.systemctl("restart", "curlewd", check=False).returncode


@pytest.mark.parametrize("place", ["variable", "configuration"])
def test_another_libcurl_is_loaded_within_the_sandbox(machine, place):
    """It is executed anew, in the same process, with the sockets and the notifications it had."""
    machine.sh("mkdir -p /opt/curl_cffi")
    run("docker", "cp", CURL_CFFI, f"{machine.id}:{EXTENSION}")
    machine.sh(f"chown root:root {EXTENSION} && chmod 644 {EXTENSION}")
    plain = libraries(machine)
    assert plain["impersonate"] == []
    config = json.dumps({"libcurl": EXTENSION})
    assert use_libcurl(machine, *([EXTENSION] if place == "variable" else ["", config])) == 0
    assert libraries(machine)["libcurl_file"] == EXTENSION
    assert "chrome152" in libraries(machine)["impersonate"]
    assert machine.fetch(impersonate="chrome")["impersonated"] == "chrome152"
    assert machine.systemctl("reload", "curlewd").returncode == 0
    pid = machine.main_pid()
    assert EXTENSION in machine.sh(f"cat /proc/{pid}/maps")
    assert use_libcurl(machine) == 0 and libraries(machine) == plain


def test_a_libcurl_in_roots_home_is_refused(machine):
    """ProtectHome hides it; the same file is good elsewhere."""
    path = machine.sh("echo ~").strip() + "/libcurl.so"
    machine.sh(f"cp {EXTENSION} {path}")
    assert use_libcurl(machine, path) != 0
    assert use_libcurl(machine) == 0 and machine.fetch()["body"] == '{"status":"ok"}'


def test_a_crashed_daemon_is_started_again(machine):
    pid = machine.main_pid()
    machine.sh(f"kill -9 {pid}")
    wait_until("another process", lambda: machine.main_pid() not in (0, pid), 20, 0.2)
    assert machine.fetch()["body"] == '{"status":"ok"}'


def test_manual_pages_and_examples_are_installed(machine):
    listed = machine.sh("dpkg -L curlew").split()
    for path in ("/usr/share/man/man8/curlewd.8.gz", "/usr/share/man/man5/curlewd.json.5.gz",
                 "/etc/curlew/curlewd.json", "/usr/share/doc/curlew/examples/nginx/nginx.conf"):
        assert path in listed


def test_a_purge_leaves_nothing(machine):
    machine.sh("apt-get purge -y curlew")
    assert machine.systemctl("is-active", "curlewd.socket", check=False).returncode != 0
    assert machine.sh("ls /etc/curlew /usr/sbin/curlewd /run/curlew/curlew.sock 2>/dev/null || :"
                      ) == ""
