"""Several curlewds behind HAProxy or nginx, by examples/haproxy/replicas.cfg and its like."""

import shutil
import signal
import socket

from .curlewd import Curlewd
from .procs import Process, connects, free_port, temp_dir, wait_until
from .web_servers import HAPROXY, NGINX, Example

ADDRESSES = ["10.0.0.11:9000", "10.0.0.12:9000", "10.0.0.13:9000"]


def changes_of(example, left_out):
    return [each for each in example.changes if not any(text in each[0] for text in left_out)]


BALANCERS = {
    "haproxy": Example(
        "haproxy/replicas.cfg", "haproxy", ["-db", "-f", "{file}"],
        [("bind 127.0.0.1:8080", "bind 127.0.0.1:{port}"),
         ("    maxconn 20000\n",
          "    maxconn 2000\n    stats socket {dir}/admin.sock level admin\n")],
        HAPROXY.check, HAPROXY.unprivileged),
    "nginx": Example(
        "nginx/replicas.conf", "nginx", NGINX.argv, changes_of(NGINX, ["/run/curlew/curlew.sock"]),
        NGINX.check, NGINX.unprivileged),
}

# The line of a replica: the three of the example, and the fourth, which a test adds.
LINES = {
    "haproxy": lambda n, address: f"    server curlew-{n} {address} id {n}\n",
    "nginx": lambda n, address: f"        server {address} max_fails=1 fail_timeout=5s;\n",
}


class Replicas:
    """curlewds with one configuration, each on a port, behind a balancer at `url`.

    `count` run at first. All that the balancer is to know of a further one is its line.
    """

    def __init__(self, name, config, count=3, django_port=None):
        self.name, self.config, self.count = name, config, count
        self.directory = temp_dir()
        self.ports = [free_port() for _ in range(count + 1)]
        self.daemons = [self._start(n) for n in range(count)]
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        example = BALANCERS[name]
        self.values = {"dir": self.directory, "port": self.port,
                       "django": django_port or free_port(),
                       "file": self.directory / example.path.name}
        self._write()
        self.process = Process(name, example.command(example.argv, self.values), self.directory,
                               env={"HOME": str(self.directory)})
        self.process.wait_ready(lambda: connects(("127.0.0.1", self.port)))

    def _start(self, n):
        return Curlewd(self.config, also_listen=[f"127.0.0.1:{self.ports[n]}"])

    def _address(self, n):
        return f"127.0.0.1:{self.ports[n]}"

    def _write(self, known=None):
        """The balancer's file, with the replicas that it knows."""
        line = LINES[self.name]
        text = BALANCERS[self.name].render(self.values)
        for n, address in enumerate(ADDRESSES):
            assert line(n + 1, address) in text, "the example has other lines"
        there = "".join(line(n + 1, self._address(n)) for n in range(known or self.count))
        first = text.index(line(1, ADDRESSES[0]))
        last = text.index(line(3, ADDRESSES[2])) + len(line(3, ADDRESSES[2]))
        text = text[:first] + there + text[last:]
        self.values["file"].write_text(text)

    def kill(self, n):
        self.daemons[n].process.stop(signal.SIGKILL)

    def drain(self, n):
        """As an operator would: SIGTERM alone."""
        self.daemons[n].stop()

    def add(self):
        """One more, of which the balancer learns without an interruption."""
        n = self.count
        self.daemons.append(self._start(n))
        if self.name == "nginx":
            self._write(known=n + 1)
            before = workers_of(self.process.pid)
            self.process.send(signal.SIGHUP)
            wait_until("the end of nginx' old workers",
                       lambda: not workers_of(self.process.pid) & before)
        else:
            self._ask(f"add server curlew/curlew-{n + 1} {self._address(n)} id {n + 1} proto fcgi"
                      " weight 100")
            self._ask(f"enable server curlew/curlew-{n + 1}")
        self.count = n + 1
        return n

    def _ask(self, command):
        """HAProxy's runtime API."""
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(self.directory / "admin.sock"))
            s.sendall(command.encode() + b"\n")
            return s.makefile().read()

    def served(self, tag=None):
        """(origin, number of the replica) of each fetch in their logs; only those with that tag."""
        return [(entry["origin"], n) for n, daemon in enumerate(self.daemons)
                for entry in daemon.log_entries("fetch")
                if "origin" in entry and tag in (None, entry.get("tag"))]

    def stop(self):
        self.process.stop()
        for daemon in self.daemons:
            if daemon.process.running():
                daemon.stop()
            shutil.rmtree(daemon.directory, ignore_errors=True)
        shutil.rmtree(self.directory, ignore_errors=True)


def workers_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return set(file.read().split())


def read_events(origin):
    """How often each target has arrived."""
    counts = {}
    for event in origin.events():
        if event["event"] == "arrived":
            counts[event["target"]] = counts.get(event["target"], 0) + 1
    return counts
