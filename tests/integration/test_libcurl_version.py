"""The daemon refuses to start on a libcurl that it cannot trust, and says which one it needs."""

import os
import shutil
import subprocess

import pytest

from tests.support.curlewd import BINARY, ROOT


@pytest.fixture(scope="module")
def old_libcurl(directory):
    library = directory / "old_libcurl.so"
    subprocess.run([shutil.which("cc"), "-shared", "-fPIC", "-o", library,
                    ROOT / "tests/faults/old_libcurl.c", "-ldl"], check=True)
    return library


def test_a_libcurl_before_8_14_is_refused_by_name(old_libcurl, tmp_path):
    end = subprocess.run(
        [BINARY, "--listen", f"unix:{tmp_path}/socket"], capture_output=True, text=True,
        timeout=30, env={**os.environ, "LD_PRELOAD": str(old_libcurl),
                         "ASAN_OPTIONS": "verify_asan_link_order=0"})
    assert end.returncode == 1
    assert "libcurl 7.88.1 is in use, and 8.14 or later is needed" in end.stderr
    assert "bookworm-backports" in end.stderr
