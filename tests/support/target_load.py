"""Fetches under many browsers at once, of an HTTPS origin that tells each what it looks like.

nginx is the origin: it is quick enough for a hundred thousand, and tells the User-Agent of the
request and the groups that the connection's ClientHello offered.
"""

import itertools
import json
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from .batch import parse_lines
from .procs import Process, connects, free_port, temp_dir
from .web_servers import TEMP_PATHS, find_program

# Of every family, and of each a first and a last one.
TARGETS = ["chrome152", "chrome131", "chrome120", "chrome110", "chrome99", "chrome131_android",
           "edge101", "safari270", "safari180", "safari153", "safari260_ios", "firefox155",
           "firefox147", "firefox133", "tor145"]
BATCH = 500
REQUESTS_PER_CONNECTION = 200  # so that connections, tickets and names are also made and dropped

CONFIG = """
worker_processes 1;
pid {dir}/nginx.pid;
error_log {dir}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    {temp_paths}
    server {{
        listen 127.0.0.1:{port} ssl http2 backlog=4096;
        ssl_certificate {certs}/server.pem;
        ssl_certificate_key {certs}/server.key;
        ssl_session_tickets on;
        keepalive_requests {requests};
        default_type text/plain;
        location / {{ return 200 "$http_user_agent"; }}
    }}
}}
"""


class FaceOrigin:
    """nginx; its response is the request's User-Agent."""

    def __init__(self, certs):
        self.directory, port = temp_dir(), free_port()
        self.url = f"https://127.0.0.1:{port}/"
        path = self.directory / "nginx.conf"
        path.write_text(CONFIG.format(
            dir=self.directory, port=port, certs=certs, requests=REQUESTS_PER_CONNECTION,
            temp_paths=TEMP_PATHS.replace("{dir}", str(self.directory))))
        argv = [find_program("nginx"), "-c", path, "-e", self.directory / "error.log", "-g",
                "daemon off;"]
        self.process = Process("nginx-origin", argv, self.directory)
        self.process.wait_ready(lambda: connects(("127.0.0.1", port)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


class TargetLoad:
    """Batches that go through all of TARGETS, again and again; `wrong` and `failed` are counted."""

    def __init__(self, client, url):
        self.client, self.url = client, url
        self.wrong, self.failed = Counter(), Counter()
        self.done = 0
        self.faces = {t: client.fetch(url, impersonate=t, verify=False)["body"] for t in TARGETS}

    def run(self, fetches, parallel=3):
        with ThreadPoolExecutor(parallel) as pool:
            list(pool.map(self._batch, range(fetches // BATCH)))
        return self

    def check(self):
        assert (self.wrong, self.failed) == (Counter(), Counter()), (self.wrong, self.failed)

    def _batch(self, number):
        names = list(itertools.islice(itertools.cycle(TARGETS), number % len(TARGETS),
                                      number % len(TARGETS) + BATCH))
        document = {"defaults": {"verify": False},
                    "requests": [{"url": self.url, "impersonate": name} for name in names]}
        response = self.client.ask("POST", "/v1/batch", body=json.dumps(document).encode(),
                                   timeout=120)
        envelopes = parse_lines(response.body)
        assert len(envelopes) == BATCH, response
        for envelope in envelopes:
            self._count(names[envelope["index"]], envelope)

    def _count(self, name, envelope):
        self.done += 1
        if not envelope["ok"]:
            self.failed[name, envelope["error"]["code"]] += 1
        elif (envelope["impersonated"], envelope["body"]) != (name, self.faces[name]):
            self.wrong[name, envelope["impersonated"], envelope["body"]] += 1
