"""The promise, in a Debian that has Python and nothing else: README.md's own commands, by pip, end
with a first fetch; and behind `manage.py runserver` a view fetches as Chrome does."""

import os
import platform
import shutil

import pytest

from tests.first_hour.example_site import HOSTS, PAGE, ExampleSite
from tests.first_hour.readme import commands
from tests.support.namespaces import Namespace
from tests.support.procs import free_port, temp_dir
from tests.wheel.bare_root import HOME, USER, BareRoot
from tests.wheel.wheels import (DIST, add_to, add_urls, fetch_compressed, only_wheel,
                                wait_listening)

RELEASES = (os.environ.get("WHEEL_ROOTS")
            or platform.freedesktop_os_release()["VERSION_CODENAME"]).split()
PYTHON = "venv/bin/python"
*BEFORE, FIRST_FETCH = commands()["pip"].rstrip().split("\n")

# Debian is downloaded where it is not there yet.
pytestmark = [pytest.mark.timeout(600),
              pytest.mark.skipif(os.geteuid() != 0, reason="only root can change root")]


@pytest.fixture(scope="module", params=RELEASES)
def installed(request):
    """(release, home): a user's home where what README.md says was typed, but for the last line."""
    home = temp_dir("curlew-home-")
    shutil.copytree(DIST, home / "dist")
    root = BareRoot(request.param, home)
    root.environment.update(PIP_FIND_LINKS=f"{HOME}/dist", PIP_ONLY_BINARY=":all:")
    root.check("bash", "-ec", "\n".join(BEFORE))
    add_urls(home / "mysite" / "mysite")
    return request.param, home


def enter(installed, certificates=None):
    release, home = installed
    return BareRoot(release, home, certificates)


@pytest.fixture
def bundles(tmp_path):
    """A directory in the place of /etc/ssl/certs."""
    tmp_path.chmod(0o755)
    return tmp_path


def fetch(root, certs, *codings):
    """What the view answers for each."""
    port = free_port()
    with root.start("runserver", [PYTHON, "mysite/manage.py", "runserver", "--noreload",
                                  f"127.0.0.1:{port}"]) as server:
        wait_listening(server, port)
        return [fetch_compressed(port, certs, each) for each in codings]


def test_the_root_has_no_compiler_no_libcurl_and_no_root(installed):
    root = enter(installed)
    assert root.check("id", "-u").strip() == str(USER)
    assert root.run("sh", "-c", "command -v cc gcc make curl nginx curlewd").stdout == ""
    listed = root.check("sh", "-c", "ls /usr/lib/*/")
    for library in ("libcurl", "libfcgi", "libjansson", "libbrotli"):
        assert library not in listed
    assert not root.run("touch", "/etc/something").returncode == 0


def test_readmes_commands_end_with_a_first_fetch(installed, bundles, certs):
    """The last line, in a network where https://example.org/ is the test's."""
    shutil.copy(certs / "ca.pem", bundles / "ca-certificates.crt")
    root = enter(installed, bundles)
    add_to(root.home / "hosts", HOSTS)
    with Namespace() as net:
        root.wrapper = ["nsenter", f"--net=/proc/{net.pid}/ns/net"]
        site = ExampleSite(net.pid, certs, net.directory)
        try:
            typed = f". venv/bin/activate\ncd mysite\n{FIRST_FETCH}"
            with root.start("first fetch", ["bash", "-ec", typed]) as shell:
                shell.wait(60)
        finally:
            site.stop()
    assert PAGE in shell.out, shell.out + shell.err


def test_pip_brings_no_more_than_is_promised(installed):
    listed = enter(installed).check(PYTHON, "-m", "pip", "list", "--format", "freeze")
    names = {line.partition("==")[0].lower() for line in listed.split()}
    assert names - {"pip", "setuptools"} == {
        "django", "asgiref", "sqlparse", "django-curlew", "curlewd",
        "curl_cffi", "certifi", "cffi", "pycparser"}


def test_a_view_fetches_as_chrome(installed, bundles, certs):
    shutil.copy(certs / "ca.pem", bundles / "ca-certificates.crt")
    for answer, seen in fetch(enter(installed, bundles), certs, "br", "zstd"):
        assert answer["json"] == {"n": 1}
        assert answer["as"].startswith("chrome")
        assert seen.protocol == "h2" and seen.ja4.startswith("t13d")
        assert dict(seen.headers)["user-agent"].count("Chrome/") == 1


def test_without_a_bundle_of_the_machine_certifis_is_trusted(installed, bundles, certs):
    root = enter(installed, bundles)
    assert root.check("sh", "-c", "ls /etc/ssl/certs") == ""
    where = root.check(PYTHON, "-c", "import certifi; print(certifi.where())").strip()
    certifis = root.home / where.removeprefix(f"{HOME}/")
    before = certifis.read_bytes()
    certifis.write_bytes(before + (certs / "ca.pem").read_bytes())
    try:
        ((answer, _),) = fetch(root, certs, "br")
    finally:
        certifis.write_bytes(before)
    assert answer["json"] == {"n": 1}


def test_an_authority_in_neither_bundle_is_not_trusted(installed, certs):
    ((answer, _),) = fetch(enter(installed), certs, "br")
    assert answer == {"error": "tls_failed"}


def test_the_wheel_says_which_glibc_it_needs(installed):
    root = enter(installed)
    program = root.check(PYTHON, "-c", "import curlewd; print(curlewd.path())").strip()
    assert "IMPERSONATE" in root.check(program, "--version")
    needed = only_wheel("curlewd").name.rpartition("manylinux_")[2].split("_")[:2]
    here = root.check("ldd", "--version").split("\n")[0].split()[-1]
    assert [int(n) for n in needed] <= [int(n) for n in here.split(".")]
