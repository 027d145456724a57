"""libcurlew through examples/embed.c, and the files that `make install` puts in place."""

import os
import shutil
import subprocess

import pytest

from tests.support.curlewd import BINARY, ROOT, SANITIZED, clean_env

EMBED = BINARY.parent / "embed"
pytestmark = pytest.mark.skipif(not EMBED.exists(), reason="no build folder around the daemon")


def run(*argv, **kwargs):
    """Outside of the make that runs us: its jobs and variables are not for another one."""
    env = {n: v for n, v in os.environ.items() if n not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    env = {n: v for n, v in {**env, **clean_env()}.items() if v is not None}
    return subprocess.run([str(word) for word in argv], capture_output=True, text=True,
                          timeout=50, cwd=ROOT, env={**env, **kwargs.pop("env", {})}, **kwargs)


def check_embed(program, origin):
    urls = [origin.url("/hello"), origin.url("/status/404"), origin.url("/nothing-like-it")]
    done = run(program, "--allow", "127.0.0.0/8", *urls)
    assert done.returncode == 0, done.stderr
    said = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert said.keys() == set(urls)
    assert said[urls[0]].startswith("200, 6 bytes, ")
    assert said[urls[1]].startswith("404, ")


def test_the_example_fetches_all_its_urls(origin):
    check_embed(EMBED, origin)


def test_the_guard_stands_in_the_library(origin):
    done = run(EMBED, origin.url("/hello"))
    assert ": blocked: 127.0.0.1 is a loopback address" in done.stdout


@pytest.fixture
def installed(tmp_path):
    done = run("make", "install", f"B={BINARY.parent}", f"DESTDIR={tmp_path}", "PREFIX=/usr")
    assert done.returncode == 0, done.stdout + done.stderr
    return tmp_path


def files_in(directory):
    return sorted(str(f.relative_to(directory)) for f in directory.rglob("*") if f.is_file())


def test_install_and_uninstall(installed):
    there = files_in(installed / "usr")
    for name in ("sbin/curlewd", "lib/libcurlew.a", "include/curlew/curlew.h",
                 "lib/pkgconfig/curlew.pc", "share/man/man8/curlewd.8",
                 "share/man/man5/curlewd.json.5", "share/doc/curlew/README.md",
                 "share/doc/curlew/examples/nginx/nginx.conf",
                 "lib/systemd/system/curlewd.service", "lib/systemd/system/curlewd.socket",
                 "lib/sysusers.d/curlew.conf"):
        assert name in there
    assert files_in(installed / "etc") == ["curlew/curlewd.json"]
    assert not [name for name in there if "__pycache__" in name]
    done = run("make", "uninstall", f"DESTDIR={installed}", "PREFIX=/usr")
    assert done.returncode == 0, done.stderr
    assert files_in(installed) == []


def test_a_configuration_of_ones_own_outlives_both(installed):
    path = installed / "etc/curlew/curlewd.json"
    path.write_text('{"threads": 2}')
    for word in ("install", "uninstall"):
        done = run("make", word, f"B={BINARY.parent}", f"DESTDIR={installed}", "PREFIX=/usr")
        assert done.returncode == 0 and path.read_text() == '{"threads": 2}', done.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_the_sandbox_is_as_tight_as_the_docs_say(installed):
    unit = installed / "usr/lib/systemd/system/curlewd.service"
    done = run("systemd-analyze", "security", "--offline=yes", "--threshold=11", unit)
    assert done.returncode == 0, done.stdout[-300:]
    assert "curlewd.service: 1.1 OK" in done.stdout


@pytest.mark.skipif(SANITIZED, reason="the library was built with a sanitizer")
def test_the_example_builds_against_the_installed_library(installed, origin):
    env = {"PKG_CONFIG_PATH": f"{installed}/usr/lib/pkgconfig",
           "PKG_CONFIG_SYSROOT_DIR": str(installed)}
    flags = run("pkg-config", "--cflags", "--libs", "curlew", env=env)
    assert flags.returncode == 0, flags.stderr
    compiler = shutil.which("gcc") or "clang"
    program = installed / "embed"
    done = run(compiler, "-Wall", "-Werror", ROOT / "examples/embed.c", "-o", program,
               *flags.stdout.split())
    assert done.returncode == 0, done.stderr
    check_embed(program, origin)
    version = run("pkg-config", "--modversion", "curlew", env=env).stdout.strip()
    assert run(BINARY, "--version").stdout.splitlines()[0] == f"curlewd {version}"
