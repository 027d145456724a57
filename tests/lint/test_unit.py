"""tools/unit: a second try for a few unit tests where CI asks for it, and never without a word."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

BINARY = """#!/bin/sh
if [ "$1" = --filter ]; then
    echo "tried $2"
    exit %d
fi
for n in %s; do echo "[FAIL] acceptor::test_$n: (0.00s)"; done
exit 1
"""


def run(folder, failing, reruns="1", second=0):
    binary = folder / "unit"
    binary.write_text(BINARY % (second, " ".join(map(str, range(failing)))))
    binary.chmod(0o755)
    return subprocess.run([ROOT / "tools/unit", binary], text=True, stdout=subprocess.PIPE,
                          env={**os.environ, "UNIT_RERUNS": reruns})


def test_what_passes_on_the_second_try_is_named(tmp_path):
    done = run(tmp_path, failing=2)
    assert done.returncode == 0
    assert "RERUN unit acceptor/test_0\n" in done.stdout
    assert "RERUN unit acceptor/test_1\n" in done.stdout


@pytest.mark.parametrize("given", [{"reruns": "0"}, {"second": 1}, {"failing": 6}])
def test_all_else_has_failed(tmp_path, given):
    done = run(tmp_path, **{"failing": 1, **given})
    assert done.returncode == 1
    assert "RERUN" not in done.stdout


def test_a_crash_without_a_name_has_failed(tmp_path):
    assert run(tmp_path, failing=0).returncode == 1
