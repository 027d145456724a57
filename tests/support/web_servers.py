"""Web servers in front of the daemon, each started for a test on its own file in examples/.

Only paths and ports are substituted. The text to replace must be in the file, so that a test
fails where the example has changed and the test has not.
"""

import os
import shutil
import signal
from pathlib import Path

from .clients import HttpClient
from .procs import Process, connects, free_port, temp_dir

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
PACKAGE = EXAMPLES.parent / "python" / "src"  # a site has it from pip
SOCKET = "/run/curlew/curlew.sock"
DJANGO = "127.0.0.1:8000"


class Example:
    """A configuration file in examples/, its program, and the substitutions a test makes."""

    def __init__(self, file, program, argv, changes, check, unprivileged=()):
        self.path = EXAMPLES / file
        self.program = program
        self.argv = argv  # after the program's name; {file} and {dir} are filled in
        self.changes = changes  # (old, new); {port} and the like in new are filled in
        self.check = check  # as argv, for the program's own check of its configuration
        self.unprivileged = list(unprivileged)  # (old, new), where the tests don't run as root

    def command(self, argv, values):
        return [find_program(self.program), *(a.format_map(values) for a in argv)]

    def render(self, values, more=()):
        changes = [*self.changes, *more, *(self.unprivileged if os.getuid() != 0 else [])]
        return substitute(self.path.read_text(), changes, values)


def substitute(text, changes, values):
    """Each old text must be there; values ({port}) are filled into the new one."""
    for old, new in changes:
        assert old in text, f"{old!r} is not in the example"
        for name, value in values.items():
            new = new.replace("{%s}" % name, str(value))
        text = text.replace(old, new)
    return text


def find_program(name):
    """Web servers are often in sbin, which is not in every user's PATH."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if path is None:
        raise FileNotFoundError(f"{name} is not installed")
    return path


TEMP_PATHS = "".join(f"{kind}_temp_path {{dir}}/{kind};\n" for kind in
                     ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))

NGINX = Example(
    "nginx/nginx.conf", "nginx", ["-c", "{file}", "-e", "{dir}/error.log", "-g", "daemon off;"],
    [("worker_processes auto;", "worker_processes 1;"),
     ("/run/nginx.pid", "{dir}/nginx.pid"),
     ("/var/log/nginx/error.log", "{dir}/error.log"),
     ("http {\n", "http {\n" + TEMP_PATHS),
     ("listen 8080 default_server;", "listen 127.0.0.1:{port} default_server;"),
     ("listen 8080;", "listen 127.0.0.1:{port};"),
     (SOCKET, "{socket}"),
     (DJANGO, "127.0.0.1:{django}")],
    ["-t", "-c", "{file}", "-e", "{dir}/error.log"],
    unprivileged=[("user www-data;\n", "")])

APACHE = Example(
    "apache/httpd.conf", "apache2", ["-f", "{file}", "-D", "FOREGROUND"],
    [('ServerRoot "/etc/apache2"', 'ServerRoot "{dir}"\nDefaultRuntimeDir {dir}'),
     ("Listen 8080", "Listen 127.0.0.1:{port}"),
     ("/run/apache2/apache2.pid", "{dir}/apache2.pid"),
     ("/var/log/apache2/error.log", "{dir}/error.log"),
     (SOCKET, "{socket}"),
     (DJANGO, "127.0.0.1:{django}")],
    ["-t", "-f", "{file}"])

LIGHTTPD = Example(
    "lighttpd/lighttpd.conf", "lighttpd", ["-D", "-f", "{file}"],
    [("= 8080", '= {port}\nserver.bind = "127.0.0.1"'),
     ("/run/lighttpd.pid", "{dir}/lighttpd.pid"),
     ("/var/log/lighttpd/error.log", "{dir}/error.log"),
     ('"/var/tmp"', '"{dir}"'),
     (SOCKET, "{socket}"),
     ('"port" => 8000', '"port" => {django}')],
    ["-tt", "-f", "{file}"])

CADDY = Example(
    "caddy/Caddyfile", "caddy", ["run", "--adapter", "caddyfile", "--config", "{file}"],
    [("admin localhost:2019", "admin off"),
     ("http://:8080 {", "http://:{port} {\n\tbind 127.0.0.1"),
     ("unix/" + SOCKET, "unix/{socket}"),
     (DJANGO, "127.0.0.1:{django}")],
    ["validate", "--adapter", "caddyfile", "--config", "{file}"])

H2O = Example(
    "h2o/h2o.conf", "h2o", ["-c", "{file}"],
    [("port: 8080", "host: 127.0.0.1\n      port: {port}"),
     ("/run/h2o.pid", "{dir}/h2o.pid"),
     ("/var/log/h2o/error.log", "{dir}/error.log"),
     (SOCKET, "{socket}"),
     (DJANGO, "127.0.0.1:{django}")],
    ["-t", "-c", "{file}"],
    unprivileged=[("user: www-data\n", "")])

HAPROXY = Example(
    "haproxy/haproxy.cfg", "haproxy", ["-db", "-f", "{file}"],
    [("bind :8080", "bind 127.0.0.1:{port}"),
     (SOCKET, "{socket}"),
     (DJANGO, "127.0.0.1:{django}")],
    ["-c", "-f", "{file}"],
    unprivileged=[("    user www-data\n    group www-data\n", "")])

NO_KEEP_ALIVE = [("fastcgi_keep_conn on;", "fastcgi_keep_conn off;"),
                 ("        keepalive 64;\n        keepalive_requests 1000000;\n"
                  "        keepalive_timeout 60s;\n", "")]

# By name: the example, and the changes beyond the usual.
ALL_WEB_SERVERS = {
    "nginx": (NGINX, []),
    "nginx-no-keep-alive": (NGINX, NO_KEEP_ALIVE),
    "apache": (APACHE, []),
    "lighttpd": (LIGHTTPD, []),
    "caddy": (CADDY, []),
    "h2o": (H2O, []),
    "haproxy": (HAPROXY, []),
}


def is_available(name):
    """Whether this Debian has a package of it: tools/deps.sh lists the packages that don't exist.

    One that is only not installed counts as available, and its tests fail.
    """
    skipped = ROOT / ".venv/skipped-packages"
    program = ALL_WEB_SERVERS[name][0].program
    return not skipped.exists() or program not in skipped.read_text().split()


UNAVAILABLE = [name for name in ALL_WEB_SERVERS if not is_available(name)]
WEB_SERVERS = {name: server for name, server in ALL_WEB_SERVERS.items() if name not in UNAVAILABLE}
EXAMPLES_BY_PROGRAM = {e.program: e for e, _ in WEB_SERVERS.values()}

# What asks for a reload that breaks no response: new connections go to new processes.
RELOAD_SIGNALS = {"nginx": signal.SIGHUP, "apache": signal.SIGUSR1}


class WebServer(HttpClient):
    """A running web server with the daemon under /_fetch/ and Django (if any) under /."""

    def __init__(self, name, socket, django_port=None, more=()):
        example, changes = WEB_SERVERS[name]
        port = free_port()
        super().__init__(port)
        self.directory = temp_dir()
        values = {"dir": self.directory, "port": port, "socket": socket,
                  "django": django_port or free_port(),
                  "file": self.directory / example.path.name}
        self.config_path = values["file"]
        self.config_path.write_text(example.render(values, [*changes, *more]))
        self.name = name
        self.argv = example.command(example.argv, values)
        self.url = f"http://127.0.0.1:{port}"
        self.start()

    def start(self):
        """Also again, after it was ended: on the same port."""
        self.process = Process(self.name, self.argv, self.directory,
                               env={"HOME": str(self.directory), "XDG_DATA_HOME": None,
                                    "XDG_CONFIG_HOME": None})
        self.process.wait_ready(lambda: connects(("127.0.0.1", self.port)))

    def kill(self):
        """All of its processes at once, by SIGKILL."""
        self.process.stop(signal.SIGKILL, group=True)

    def reload(self):
        """Ask for a graceful reload of its configuration."""
        self.process.send(RELOAD_SIGNALS[self.name])

    def error_log(self):
        path = self.directory / "error.log"
        return (path.read_text(errors="replace") if path.exists() else "") + self.process.err

    def stop(self):
        self.process.stop()
        shutil.rmtree(self.directory, ignore_errors=True)
