"""Where the settings come from, with and without Django."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test.utils import override_settings

from django_curlew import conf

SOURCE = Path(conf.__file__).parents[1]
URL = "fcgi+unix:/run/a.sock"


def test_the_setting_wins_over_the_environment(curlew, monkeypatch):
    monkeypatch.setenv("CURLEW_URL", "http://127.0.0.1:1/env")
    assert conf.daemon_url() == "http://127.0.0.1:1/env"
    curlew(URL=URL)
    assert conf.daemon_url() == URL


def test_a_change_of_settings_counts_at_once_and_ends_with_its_block(curlew):
    curlew(URL=URL)
    with override_settings(CURLEW={"URL": "fcgi://127.0.0.1:9"}):
        assert conf.daemon_url() == "fcgi://127.0.0.1:9"
    assert conf.daemon_url() == URL


def test_the_url_is_not_set(monkeypatch):
    with pytest.raises(conf.NotConfigured, match="CURLEW_URL"):
        conf.daemon_url()
    assert conf.configured_url() is None


def test_the_bridge_may_have_an_address_of_its_own(curlew):
    curlew(URL="http://127.0.0.1:8080/_fetch", BRIDGE_URL=URL)
    assert conf.bridge_url() == URL
    curlew(URL="fcgi://127.0.0.1:9")
    assert conf.bridge_url() == "fcgi://127.0.0.1:9"


def test_what_is_not_set_has_its_default(curlew):
    curlew(HANDOFF="/elsewhere/")
    assert (conf.get("HANDOFF"), conf.get("RECORD")) == ("/elsewhere/", False)


def run(code, **env):
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), **env}
    return subprocess.run([sys.executable, "-W", "error", "-c", code], env=env,
                          capture_output=True, text=True, timeout=30)


ASK = "from django_curlew import conf; print(conf.daemon_url())"


def test_outside_django_the_environment_counts():
    for first in ("", "import sys; sys.modules['django'] = None\n"):  # not configured, not there
        done = run(first + ASK, CURLEW_URL=URL)
        assert (done.stdout, done.stderr) == (URL + "\n", "")


def test_settings_that_can_not_be_read_are_an_error():
    done = run(ASK, CURLEW_URL=URL, DJANGO_SETTINGS_MODULE="no_such_settings")
    assert done.returncode == 1 and "no_such_settings" in done.stderr
