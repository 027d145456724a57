"""The daemon on the library of curl_cffi 0.16.3, which knows fewer browsers: CURLEW_LIBCURL."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from tests.support.curlewd import Curlewd
from tests.support.faces import FAMILIES, assert_alike
from tests.support.fingerprint import FingerprintOrigin
from tests.support.libcurls import impersonating_env

VERSION = "0.16.3"


class OlderCurlCffi:
    """Installed into a directory of its own."""

    def __init__(self, directory):
        self.directory = directory
        subprocess.run([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check",
                        "install", "--no-deps", "--target", directory, f"curl_cffi=={VERSION}"],
                       check=True)
        self.library = directory / "curl_cffi" / "_wrapper.abi3.so"

    def run(self, program, *arguments):
        done = subprocess.run([sys.executable, "-c", program, *arguments], text=True, check=True,
                              capture_output=True, timeout=60,
                              env={**os.environ, "PYTHONPATH": str(self.directory)})
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def older(tmp_path_factory):
    return OlderCurlCffi(tmp_path_factory.mktemp("older"))


@pytest.fixture(scope="module")
def daemon(older):
    d = Curlewd(env={**impersonating_env(), "CURLEW_LIBCURL": str(older.library)})
    yield d
    d.stop()
    shutil.rmtree(d.directory, ignore_errors=True)


NAMES = """
import curl_cffi, json
from curl_cffi.requests.impersonate import REAL_TARGET_MAP
targets = [t.value for t in curl_cffi.BrowserType]
print(json.dumps([curl_cffi.__version__, targets, REAL_TARGET_MAP]))
"""
GET = """
import curl_cffi, sys
for name in sys.argv[2:]:
    curl_cffi.get(sys.argv[1], impersonate=name, verify=False)
print("null")
"""


def test_the_daemon_takes_its_browsers(daemon, older):
    version, names, _ = older.run(NAMES)
    assert version == VERSION
    libraries = daemon.client.get("/v1/status").json()["libraries"]
    assert libraries["libcurl_file"] == str(older.library)
    assert set(libraries["impersonate"]) <= set(names) and len(libraries["impersonate"]) >= 38
    p = daemon.client.refused({"url": "http://127.0.0.1/", "impersonate": "chrome152"}, 501,
                              "unsupported")
    assert '"chrome152"' in p["detail"]


def test_an_alias_is_the_newest_that_it_has(daemon, older, certs):
    newest = older.run(NAMES)[2]
    with FingerprintOrigin(certs) as origin:
        worn = {name: daemon.client.fetch(origin.url(), impersonate=name, verify=False)
                ["impersonated"] for name in FAMILIES}
    assert worn == {name: newest[name] for name in FAMILIES}


def test_an_origin_sees_what_it_sees_of_that_curl_cffi(daemon, older, certs):
    names = older.run(NAMES)[1]
    with FingerprintOrigin(certs, once=True) as origin:
        older.run(GET, origin.url(), *names)
        for name in names:
            daemon.client.fetch(origin.url(), impersonate=name, verify=False)
        seen = list(origin.seen)
    assert len(seen) == 2 * len(names)
    for name, its, ours in zip(names, seen[:len(names)], seen[len(names):]):
        assert_alike(ours, its, name)


def test_own_tickets_resume_and_no_foreign_ones(daemon, certs):
    targets = daemon.client.get("/v1/status").json()["libraries"]["impersonate"]
    with FingerprintOrigin(certs, once=True) as origin:
        for _ in range(2):
            for target in targets:
                daemon.client.fetch(origin.url(host="127.0.0.1"), impersonate=target, verify=False)
        first, second = origin.seen[:len(targets)], origin.seen[len(targets):]
    assert not any(seen.hello.offers_ticket for seen in first)
    assert [seen.resumed for seen in second] == [not t.startswith("tor") for t in targets]
