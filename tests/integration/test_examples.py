"""The configuration files in examples/."""

import http.client
import os
import subprocess

import pytest

from tests.support.web_servers import EXAMPLES_BY_PROGRAM, WEB_SERVERS

IDS = sorted(EXAMPLES_BY_PROGRAM)


@pytest.mark.parametrize("program", IDS)
def test_the_file_is_valid_as_it_stands(program, tmp_path):
    example = EXAMPLES_BY_PROGRAM[program]
    if program in ("nginx", "apache2", "h2o", "haproxy") and os.getuid() != 0:
        pytest.skip("its check opens the log files of the real place")
    path = tmp_path / example.path.name
    text = example.path.read_text()
    if program == "apache2":  # Debian makes these with the package apache2, not with apache2-bin
        for place in ("/var/log/apache2", "/etc/apache2"):
            text = text.replace(place, str(tmp_path))
    path.write_text(text)
    command = example.command(example.check, {"file": path, "dir": tmp_path})
    done = subprocess.run(command, capture_output=True, text=True, timeout=30,
                          env={**os.environ, "HOME": str(tmp_path)})
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", WEB_SERVERS)
def test_only_the_django_host_may_ask(daemon, nginx, name):
    web_server = nginx(daemon, name=name)

    def status_for(source):
        c = http.client.HTTPConnection("127.0.0.1", web_server.port, timeout=10,
                                       source_address=(source, 0))
        c.request("GET", "/_fetch/healthz")
        status = c.getresponse().status
        c.close()
        return status

    assert status_for("127.0.0.1") == 200
    assert status_for("127.0.0.2") == 403
