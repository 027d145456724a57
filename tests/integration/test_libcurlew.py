"""libcurlew through examples/embed.c, and the files that `make install` puts in place."""

import os
import re
import shutil
import subprocess

import pytest

from tests.support.curlewd import BINARY, ROOT, SANITIZED, clean_env

EMBED = BINARY.parent / "embed"
LIBRARY = BINARY.parent / "libcurlew.a"
HEADER = ROOT / "include/curlew/curlew.h"
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


def test_the_egress_guard_works_in_the_library(origin):
    done = run(EMBED, origin.url("/hello"))
    assert ": blocked: 127.0.0.1 is a loopback address" in done.stdout


@pytest.fixture
def installed(tmp_path):
    done = run("make", "install", f"B={BINARY.parent}", f"DESTDIR={tmp_path}", "PREFIX=/usr")
    assert done.returncode == 0, done.stdout + done.stderr
    return tmp_path


def files_in(directory):
    return sorted(str(f.relative_to(directory)) for f in directory.rglob("*") if f.is_file())


def test_install_and_uninstall_leave_nothing_behind(installed):
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


def test_a_changed_configuration_survives_install_and_uninstall(installed):
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


def exported_names(*objects):
    done = run("nm", "--extern-only", "--defined-only", "--format=posix", *objects)
    assert done.returncode == 0, done.stderr
    return {words[0] for words in map(str.split, done.stdout.splitlines()) if len(words) > 2}


def names_inside():
    """What the daemon's object files show to each other; a compiler's own begin with "_"."""
    objects = (BINARY.parent / "src").glob("*/*.o")
    return {name for name in exported_names(*objects) if not name.startswith(("_", "curlew_"))}


def test_the_library_exports_the_functions_of_its_header_alone():
    declared = set(re.findall(r"^(?!typedef\b).*\b(curlew_\w+)\(", HEADER.read_text(), re.M))
    assert "curlew_submit" in declared
    assert exported_names(LIBRARY) == declared


@pytest.mark.parametrize("language", [["-x", "c", "-std=c99"], ["-x", "c++", "-std=c++11"]])
def test_the_header_stands_alone_in_c_and_in_cpp(tmp_path, language):
    source = tmp_path / "source"
    source.write_text("#include <curlew/curlew.h>\n"
                      "void start(void);\n"
                      "void start(void) { curlew_new(NULL, NULL, 0); }\n")
    done = run("clang", *language, "-fsyntax-only", "-pedantic", "-Wall", "-Wextra",
               f"-I{ROOT / 'include'}", source)
    assert done.returncode == 0, done.stderr
    warnings = [line for line in done.stderr.splitlines() if "warning:" in line]
    assert len(warnings) == 1 and "ignoring return value" in warnings[0], done.stderr


CLASHING = """\
#include <curlew/curlew.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
%s
static sem_t finished;
static void on_done(struct curlew_fetch *f, void *arg) { (void)f; (void)arg; sem_post(&finished); }
int main(int argc, char **argv)
{
    const char *const allow[] = { "127.0.0.0/8", NULL };
    struct curlew_options options;
    curlew_options_init(&options);
    options.allow = allow;
    struct curlew *c = curlew_new(&options, NULL, 0);
    struct curlew_fetch *f = curlew_fetch_new(argv[argc - 1]);
    size_t size = 0;
    sem_init(&finished, 0, 0);
    if (c == NULL || f == NULL || curlew_submit(c, f, on_done, NULL) != 0)
        return 1;
    sem_wait(&finished);
    printf("%%d %%s", curlew_fetch_status(f), (const char *)curlew_fetch_body(f, &size));
    curlew_free(c);
    curlew_fetch_free(f);
    return 0;
}
"""


@pytest.mark.skipif(SANITIZED, reason="the library was built with a sanitizer")
def test_a_program_may_have_functions_named_like_those_inside(tmp_path, origin):
    names = sorted(names_inside())
    assert {"url_parse", "log_line", "buffer_init"} <= set(names) and len(names) > 250
    source, program = tmp_path / "clashing.c", tmp_path / "clashing"
    source.write_text(CLASHING % "\n".join(f"void {name}(void) {{ abort(); }}" for name in names))
    done = run(shutil.which("gcc") or "clang", f"-I{ROOT / 'include'}", source, LIBRARY, "-lcurl",
               "-pthread", "-o", program)
    assert done.returncode == 0, done.stderr
    done = run(program, origin.url("/hello"))
    assert (done.returncode, done.stdout) == (0, "200 hello\n"), done


CODINGS = {"inflate", "BrotliDecoderDecompressStream", "ZSTD_decompressStream"}


def defined_names(program, *options):
    done = run("nm", "--defined-only", "--format=posix", *options, program)
    assert done.returncode == 0, done.stderr
    return {line.split()[0] for line in done.stdout.splitlines()}


@pytest.mark.parametrize("program", [BINARY, EMBED], ids=["curlewd", "embed"])
def test_zlib_brotli_and_zstd_are_inside_and_hidden_from_libcurl(program):
    assert CODINGS <= defined_names(program)
    exported = defined_names(program, "--dynamic")
    assert not [name for name in exported
                if name.startswith(("inflate", "crc32", "adler32", "zlib", "Brotli", "ZSTD_"))]
