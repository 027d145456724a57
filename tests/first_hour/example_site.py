"""https://example.org/, for machines that cannot reach the internet or should not.

A container gets the site's real address on its loopback, so the egress guard has nothing against
it, and a process in the container's network that serves it. Needs root.
"""

import json
import subprocess
import sys

from tests.support.procs import Process

from .readme import ROOT

ADDRESS = "93.184.215.14"
HOSTS = f"{ADDRESS} example.org\n"
PAGE = "<h1>Example</h1>"


class ExampleSite:
    """Serves within the network of the process `pid` until stop()."""

    def __init__(self, pid, certs, directory):
        net = ["nsenter", f"--net=/proc/{pid}/ns/net"]
        subprocess.run([*net, "ip", "address", "add", f"{ADDRESS}/32", "dev", "lo"], check=True)
        argv = [*net, sys.executable, "-m", "tests.support.internet", certs,
                "--host", ADDRESS, "--http", "80", "--https", "443"]
        self.process = Process(f"example-site-{pid}", argv, directory, cwd=ROOT)
        self.process.wait_ready(lambda: self.process.out.endswith("\n"))
        assert json.loads(self.process.out)["https"] == 443

    def stop(self):
        self.process.stop()
