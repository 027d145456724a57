"""CURLEW_LIBCURL, `libcurl`: all of libcurl comes from that file, or the daemon does not start."""

import json
import os
import re
import subprocess

import pytest

from tests.support.curlewd import BINARY, ROOT
from tests.support.libcurls import CURL_CFFI


def run(*arguments, **env):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=30,
                          env={**os.environ, **env, "ASAN_OPTIONS": "verify_asan_link_order=0"})


def linked_libcurl():
    return run("--version").stdout.partition("libcurl from ")[2].splitlines()[0]


def plain_libcurl():
    """Debian's."""
    cached = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True)
    return re.search(r"libcurl\.so\.4 .* => (\S+)", cached.stdout)[1]


def compiled(directory, source):
    library = directory / "library.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, "-x", "c", "-"], input=source,
                   text=True, check=True)
    return library


def test_a_variable_names_the_library():
    done = run("--version", CURLEW_LIBCURL=str(CURL_CFFI))
    assert done.returncode == 0, done.stderr
    assert "IMPERSONATE" in done.stdout and f"libcurl from {CURL_CFFI}\n" in done.stdout
    assert " chrome152 " in done.stdout.partition("\nimpersonates")[2]
    own = run("--version").stdout  # whatever it is linked to
    assert own.endswith("\nimpersonates nothing\n") == ("IMPERSONATE" not in own)


def test_the_configuration_names_the_library(tmp_path):
    config = tmp_path / "curlewd.json"
    config.write_text(json.dumps({"libcurl": str(CURL_CFFI),
                                  "sessions": {"default": {"impersonate": "chrome"}}}))
    done = run("--config", config, "--check")
    assert (done.returncode, done.stdout) == (0, "the configuration is good\n"), done.stderr
    assert f"libcurl from {CURL_CFFI}\n" in run("--config", config, "--version").stdout


def test_its_strtok_is_one_that_threads_do_not_share():
    done = run("--version", CURLEW_LIBCURL=str(CURL_CFFI), LD_BIND_NOW="1", LD_DEBUG="bindings")
    bound = re.findall(r"binding file \S*/(\S+) \[0\] to \S*/(\S+) \[0\]: normal symbol `strtok'",
                       done.stderr)
    assert (CURL_CFFI.name, BINARY.name) in bound


def test_what_else_is_preloaded_stays(tmp_path):
    other = compiled(tmp_path, "int of_a_test;\n")
    done = run("--version", CURLEW_LIBCURL=str(CURL_CFFI), LD_PRELOAD=str(other))
    assert done.returncode == 0 and f"libcurl from {CURL_CFFI}\n" in done.stdout


@pytest.mark.parametrize("path, words", [
    ("/nowhere/libcurl.so", "/nowhere/libcurl.so: No such file or directory"),
    ("libcurl.so", '"libcurl.so" is no absolute path'),
    ("/a b/libcurl.so", "\"/a b/libcurl.so\": colons, spaces and $"),
])
def test_a_path_that_is_none_is_refused(path, words):
    done = run("--check", CURLEW_LIBCURL=path)
    assert done.returncode == 1 and f"curlewd: libcurl: {words}" in done.stderr


def test_a_plain_libcurl_is_refused():
    done = run("--check", CURLEW_LIBCURL=plain_libcurl())
    assert done.returncode == 1 and "has no curl_easy_impersonate()" in done.stderr


def test_a_plain_libcurl_before_an_impersonating_one_is_refused(tmp_path):
    """Whose curl_easy_impersonate() would get a handle that is not its own."""
    library = compiled(tmp_path, "int curl_easy_impersonate(void) { return 0; }\n")
    done = run("--check", LD_PRELOAD=f"{plain_libcurl()}:{library}")
    assert done.returncode == 1
    assert f"two libcurls are mixed: {plain_libcurl()} has" in done.stderr
    assert f"{library} has curl_easy_impersonate" in done.stderr


def test_a_library_that_exports_no_libcurl_is_refused(tmp_path):
    """As curl_cffi before 0.16."""
    library = compiled(tmp_path, "int curl_easy_impersonate(void) { return 0; }\n")
    done = run("--check", CURLEW_LIBCURL=str(library))
    assert done.returncode == 1
    assert f"{library} could not be loaded, or exports no functions of libcurl" in done.stderr


def test_a_mix_of_two_libcurls_is_refused(tmp_path):
    library = compiled(tmp_path, "int curl_easy_impersonate(void) { return 0; }\n"
                                 "int curl_easy_cleanup(void) { return 0; }\n")
    done = run("--check", CURLEW_LIBCURL=str(library))
    assert done.returncode == 1 and "two libcurls are mixed" in done.stderr
    assert str(library) in done.stderr and linked_libcurl() in done.stderr


def test_every_function_that_is_used_is_checked():
    source = (ROOT / "src/libcurl/libcurl_choice.c").read_text()
    listed = set(re.findall(r'^    "(curl_\w+)",$', source, re.M))
    undefined = subprocess.run(["nm", "-D", "--undefined-only", BINARY], capture_output=True,
                               text=True, check=True).stdout
    assert listed == set(re.findall(r"\bU (curl_\w+)", undefined))
