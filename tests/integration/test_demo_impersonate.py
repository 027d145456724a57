"""`make demo-impersonate`: its exit code says whether Curlew's fingerprints are curl_cffi's."""

import subprocess
import sys

from tests.support import demo_impersonate
from tests.support.curlewd import ROOT


def test_it_says_that_all_is_equal():
    done = subprocess.run([sys.executable, "-m", "tests.support.demo_impersonate"], cwd=ROOT,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" equal ") == 5 and "DIFFERS" not in done.stdout


def test_it_tells_a_difference(capsys):
    assert not demo_impersonate.compare("curlewd", ("a", "h2"), ("b", "h2"), "")
    assert "DIFFERS" in capsys.readouterr().out
