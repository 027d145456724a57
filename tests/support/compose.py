"""The stack of docker/compose.yml, with what docker/compose.test.yml puts upon it."""

import http.client
import json
import os
import subprocess

from .clients import HttpClient
from .origin.client import ROOT, Origin
from .procs import free_port, wait_until
from .response import Response

SERVICES = ["origin", "asgi", "wsgi", "curlewd", "nginx"]


def run(*argv, check=True, timeout=120, **kwargs):
    done = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, **kwargs)
    assert done.returncode == 0 or not check, f"{argv}: {done.stdout}{done.stderr}"
    return done


class Compose:
    """Its images are built already (make docker-test). One at a time on a machine."""

    def __init__(self):
        self.asgi, self.wsgi, fetch = (free_port() for _ in range(3))
        self.env = {**os.environ, "COMPOSE_PROJECT_NAME": "curlew-test",
                    "COMPOSE_FILE": "compose.yml:compose.test.yml", "ASGI_PORT": str(self.asgi),
                    "WSGI_PORT": str(self.wsgi), "FETCH_PORT": str(fetch)}
        self.client = HttpClient(fetch)
        self.origin = Origin("", {}, "origin")

    def __call__(self, *words, **kwargs):
        """docker compose's own words."""
        return run(ROOT / "docker/compose", *words, env=self.env, **kwargs)

    def start(self):
        self.stop()  # what a killed run has left
        self("up", "-d")
        self.containers = {name: self.container(name) for name in [*SERVICES, "socket"]}
        self.wait_ready()

    def container(self, service):
        return self("ps", "-q", service).stdout.strip()

    def upgrade(self, image):
        """As an operator does it: a new image for curlewd, and "up -d"."""
        self.env["CURLEW_IMAGE"] = image
        self("up", "-d", "curlewd")
        self.containers["curlewd"] = self.container("curlewd")

    def stop(self):
        self("down", "-v", "-t", "5")
        run("docker", "rmi", "-f", "curlew-next", check=False)  # of an upgrade

    def restart(self, service):
        self("restart", "-t", "10", service)
        self.wait_ready()

    def exec_in(self, service, *argv, **kwargs):
        return run("docker", "exec", self.containers[service], *argv, **kwargs)

    def wait_ready(self):
        """Everything answers, the origin under the ports that it has now."""
        self.find_origin()
        wait_until("curlewd to answer through nginx",
                   self.is_up(self.client.port, "/_fetch/healthz"), 30, 0.1)
        for port in (self.asgi, self.wsgi):
            wait_until("Django's page", self.is_up(port, "/"), 30, 0.1)

    def is_up(self, port, path):
        def does():
            try:
                return browse(port, path).status == 200
            except (OSError, http.client.HTTPException):
                return False

        return does

    def inspect(self, service):
        return json.loads(run("docker", "inspect", self.containers[service]).stdout)[0]

    def state(self, service):
        """Docker's word on it, also once it has ended."""
        return self.inspect(service)["State"]

    def find_origin(self):
        """Where it is, seen from here; it says its ports whenever it starts."""
        details = self.inspect("origin")
        networks = details["NetworkSettings"]["Networks"]
        self.origin.address = networks["curlew-test_origin"]["IPAddress"]
        logs = ["docker", "logs", "--since", details["State"]["StartedAt"], details["Id"]]
        said = wait_until("the origin's ports", lambda: run(*logs).stdout)
        self.origin.ports.update({**json.loads(said), "closed": 9})


def browse(port, path, headers=()):
    """What a browser on this machine gets."""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        c.request("GET", path, headers=dict(headers))
        r = c.getresponse()
        return Response(r.status, r.getheaders(), r.read())
    finally:
        c.close()
