"""The wheels in virtual environments of this machine: what is in them, the command, and the
libcurls of the oldest and the newest curl_cffi."""

import contextlib
import email
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from tests.support.curlewd import ROOT
from tests.support.fingerprint import FingerprintOrigin
from tests.support.procs import Process, connects, free_port
from tests.wheel.conftest import pip_install
from tests.wheel.wheels import (CODINGS, DIST, add_view, fetch_compressed, only_wheel,
                                wait_listening)

pytestmark = pytest.mark.timeout(300)


# -- what is in them ------------------------------------------------------------------------------


def metadata_of(project):
    with zipfile.ZipFile(only_wheel(project)) as wheel:
        (name,) = [n for n in wheel.namelist() if n.endswith(".dist-info/METADATA")]
        return email.message_from_bytes(wheel.read(name))


@pytest.mark.parametrize("project", ["curlewd", "django_curlew"])
def test_a_wheel_says_where_its_source_and_changes_are(project):
    metadata = metadata_of(project)
    urls = dict(each.split(", ") for each in metadata.get_all("Project-URL"))
    for name in ("Homepage", "Documentation", "Changelog", "Source", "Issues"):
        assert urls[name].startswith(urls["Homepage"])
    assert "](../" not in metadata.get_payload(), "a link that leads nowhere on PyPI"
    for version in ("4.2", "5.2", "6.0", "6.1"):
        assert f"Framework :: Django :: {version}" in metadata.get_all("Classifier")
    for version in ("3.10", "3.14"):
        assert f"Programming Language :: Python :: {version}" in metadata.get_all("Classifier")


@pytest.mark.parametrize("project", ["curlewd", "django_curlew"])
def test_a_wheel_has_its_licence_and_its_types(project):
    with zipfile.ZipFile(only_wheel(project)) as wheel:
        names = wheel.namelist()
        (licence,) = [n for n in names if n.endswith("/licenses/LICENSE")]
        assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()
        assert f"{project}/py.typed" in names


def test_the_licences_of_what_is_inside_are_shipped():
    with zipfile.ZipFile(only_wheel("curlewd")) as wheel:
        names = {Path(n).stem for n in wheel.namelist() if "/licenses/licenses/" in n
                 and not n.endswith("/")}
        assert not [n for n in wheel.namelist() if ".so" in n or ".libs/" in n]
    assert names == {"libfcgi", "jansson", "zlib", "brotli", "zstd", "public-suffix-list", "uplot"}


def test_the_source_of_the_client_can_be_installed(environment, tmp_path):
    (source,) = DIST.glob("django_curlew-*.tar.gz")
    with tarfile.open(source) as archive:
        (licence,) = [m for m in archive.getmembers() if m.name.endswith("/LICENSE")]
        assert licence.isfile()
    venv.create(tmp_path)
    python = tmp_path / "bin" / "python"
    pip_install(environment, python.parent, "--no-deps", source)
    assert "Session" in run(python, "-c", "import django_curlew; print(dir(django_curlew))").stdout


# -- the command ----------------------------------------------------------------------------------


def run(*argv, **env):
    return subprocess.run(argv, capture_output=True, text=True, timeout=60,
                          env={"PATH": "/usr/bin:/bin", **env})


def program_of(environment):
    return run(environment / "python", "-c", "import curlewd; print(curlewd.path())").stdout.strip()


def ways(environment):
    """Three ways to run the daemon."""
    return ([program_of(environment)], [environment / "curlewd"],
            [environment / "python", "-m", "curlewd"])


def test_the_program_is_there_in_three_ways(environment):
    program = program_of(environment)
    for argv in ways(environment):
        done = run(*argv, "--version")
        assert done.returncode == 0, done.stderr
        assert "IMPERSONATE" in done.stdout
        library = done.stdout.partition("libcurl from ")[2].splitlines()[0]
        assert Path(library).resolve() == Path(program).parents[2] / "curl_cffi/_wrapper.abi3.so"


def test_it_needs_no_libcurl_of_the_system(environment):
    needed = run("readelf", "-d", program_of(environment)).stdout
    assert "libcurl" not in needed and "libjansson" not in needed and "libfcgi" not in needed


def test_the_exit_code_is_the_daemons(environment):
    for argv in ways(environment):
        assert run(*argv, "--no-such-option").returncode == 2


@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 0), (signal.SIGKILL, -9)])
def test_a_signal_reaches_the_daemon(environment, tmp_path, directory, number, code):
    for k, argv in enumerate(ways(environment)):
        socket = directory / f"wheel-{number}-{k}.sock"
        daemon = Process(f"daemon-{k}", [*argv, "--listen", f"unix:{socket}"], tmp_path)
        daemon.wait_ready(lambda at=socket: connects(at))
        assert os.readlink(f"/proc/{daemon.pid}/exe") == program_of(environment)
        daemon.send(number)
        assert daemon.wait() == code


# -- machines that it cannot run on ---------------------------------------------------------------


@pytest.fixture
def copy(environment, tmp_path):
    """The installed packages again, to be damaged, and a run of the command there."""
    packages = Path(program_of(environment)).parents[2]
    for name in ("curlewd", "curl_cffi", "certifi"):
        shutil.copytree(packages / name, tmp_path / name)
    for each in packages.glob("curl_cffi-*.dist-info"):
        shutil.copytree(each, tmp_path / each.name)
    return tmp_path


def refusal(copy):
    """In isolation from the packages of the environment (-S)."""
    done = run(sys.executable, "-S", "-m", "curlewd", "--version", PYTHONPATH=str(copy))
    assert done.returncode == 1, done.stdout
    assert done.stderr.startswith("curlewd: ") and done.stderr.count("\n") == 1
    return done.stderr


def test_it_runs_where_nothing_is_damaged(copy):
    done = run(sys.executable, "-S", "-m", "curlewd", "--version", PYTHONPATH=str(copy))
    assert done.returncode == 0, done.stderr


def test_without_curl_cffi_it_says_what_to_install(copy):
    shutil.rmtree(copy / "curl_cffi")
    said = refusal(copy)
    assert "curl_cffi is not installed" in said and 'pip install "curl_cffi>=0.16,<0.18"' in said


def test_an_extension_that_is_missing_is_named(copy):
    (copy / "curl_cffi" / "_wrapper.abi3.so").unlink()
    assert "curl_cffi/_wrapper.abi3.so is missing" in refusal(copy)


def test_a_curl_cffi_without_metadata_is_refused(copy):
    (metadata,) = copy.glob("curl_cffi-*.dist-info")
    shutil.rmtree(metadata)
    assert "so its version is unknown" in refusal(copy)


@pytest.mark.parametrize("version", ["0.15.0", "0.18.0b1", "1.0"])
def test_a_curl_cffi_out_of_range_is_refused_by_its_version(copy, version):
    (metadata,) = copy.glob("curl_cffi-*.dist-info/METADATA")
    metadata.write_text(f"Metadata-Version: 2.1\nName: curl_cffi\nVersion: {version}\n")
    said = refusal(copy)
    assert f"curl_cffi {version} is installed" in said and "of 0.16 and 0.17" in said


def test_the_range_is_that_of_the_metadata():
    (needed,) = [each for each in metadata_of("curlewd").get_all("Requires-Dist")
                 if each.startswith("curl")]
    assert needed.replace("-", "_") == "curl_cffi<0.18,>=0.16"
    text = (ROOT / "packaging/wheel/src/curlewd/launcher.py").read_text()
    assert "OLDEST, TOO_NEW = (0, 16), (0, 18)" in text


def patch(program, offset, data):
    with open(program, "r+b") as file:
        file.seek(offset)
        file.write(data)


def test_another_processor_is_named(copy):
    patch(copy / "curlewd" / "bin" / "curlewd", 18, b"\xb7\0")  # e_machine: aarch64
    assert "is for aarch64, and this machine is x86_64" in refusal(copy)


def test_a_system_without_glibc_is_named(copy):
    program = copy / "curlewd" / "bin" / "curlewd"
    linker = b"/lib64/ld-linux-x86-64.so.2\0"
    patch(program, program.read_bytes().index(linker), b"/lib64/ld-none\0")
    assert "musl" in refusal(copy)


def test_a_program_that_is_missing_is_named(copy):
    (copy / "curlewd" / "bin" / "curlewd").unlink()
    assert "bin/curlewd is missing" in refusal(copy)


def test_a_curl_cffi_elsewhere_on_the_path_is_found(copy, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for each in copy.glob("curl_cffi*"):
        shutil.move(each, elsewhere / each.name)
    done = run(sys.executable, "-S", "-m", "curlewd", "--version",
               PYTHONPATH=f"{copy}:{elsewhere}")
    assert done.returncode == 0, done.stderr
    assert str(elsewhere) in done.stdout


# -- with Django ----------------------------------------------------------------------------------


@contextlib.contextmanager
def site(environment, directory, certs):
    """(server, port) of runserver, of a new project."""
    port = free_port()
    subprocess.run([environment / "python", "-m", "django", "startproject", "mysite", directory],
                   check=True)
    default = {"ca_file": str(certs / "ca.pem")}
    add_view(directory / "mysite",
             f"CURLEW = {{'EMBEDDED': {{'sessions': {{'default': {default!r}}}}}}}\n")
    runtime = directory / "run"
    runtime.mkdir(mode=0o700)
    server = Process("runserver", [environment / "python", "manage.py", "runserver", "--noreload",
                                   f"127.0.0.1:{port}"], directory, cwd=directory,
                     env={"XDG_RUNTIME_DIR": str(runtime), "CURLEW_URL": None})
    try:
        wait_listening(server, port)
        yield server, port
    finally:
        server.stop()


@pytest.mark.parametrize("version", ["0.16.*", "0.17.*"])
def test_a_view_fetches_and_impersonates(environment_with, tmp_path, certs, version):
    environment = environment_with(f"curl_cffi=={version}")
    with site(environment, tmp_path, certs) as (_, port):
        ours = [fetch_compressed(port, certs, coding) for coding in CODINGS]
    for answer, seen in ours:
        assert answer["json"] == {"n": 1}
        its = seen_from_curl_cffi(environment, certs, answer["as"])
        assert (seen.ja4, seen.akamai) == (its.ja4, its.akamai)
        assert without_authority(seen) == without_authority(its)


def without_authority(seen):
    """The headers but for the origin's port."""
    return [each for each in seen.headers if each[0] != ":authority"]


def seen_from_curl_cffi(environment, certs, target):
    """What an origin sees of the curl_cffi of that environment."""
    with FingerprintOrigin(certs) as origin:
        code = (f"import curl_cffi; curl_cffi.get({origin.url('/')!r}, verify=False,"
                f" impersonate={target!r})")
        subprocess.run([environment / "python", "-c", code], check=True)
        return origin.seen[-1]


def test_curl_cffi_0_15_is_refused_when_runserver_starts(environment_with, tmp_path, certs):
    environment = environment_with("curl_cffi==0.15.0")
    with site(environment, tmp_path, certs) as (server, port):
        pass
    assert "no curlewd could be started" in server.err
    assert "curl_cffi 0.15.0 is installed" in server.err
