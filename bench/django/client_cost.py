#!/usr/bin/env python3
"""CPU of one process for each fetch, without Django: django-curlew beside other clients.

    bench/django/client_cost.py [--loop uvloop] [--against DIR] [KIND…]     µs, in paired turns
    bench/django/client_cost.py --instructions …                            by callgrind

Each client has a process of its own, which fetches a file of nginx's: django-curlew through
curlewd's FastCGI socket, the others directly. They take turns, round after round; the median of
each round's ratios counts. `--against` adds another tree's python/src, to compare two versions in
one run. Instructions are those in user mode: they do not vary, but leave the kernel out. Many short
turns say more on a busy machine than a few long ones.
"""

import argparse
import asyncio
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("get", "aget", "gather", "stream", "astream")
CLIENTS = ("curlew", "aiohttp", "curl_cffi", "httpx", "pyreqwest", "wreq")
AT_ONCE = 20
READ_BYTES = 65536


# -- the clients: each has what it can of KINDS, as a function or a coroutine function ------------


class Client:
    """`gather` of those that have no call of their own for it."""

    async def gather(self, url):
        return await asyncio.gather(*(self.aget(url) for _ in range(AT_ONCE)))


class Curlew(Client):
    def __init__(self):
        from django_curlew import AsyncSession, Session

        self.session, self.asession = Session(), AsyncSession()

    def get(self, url):
        return self.session.get(url).content

    async def aget(self, url):
        return (await self.asession.get(url)).content

    async def gather(self, url):
        return [r.content for r in await self.asession.gather([url] * AT_ONCE)]

    def stream(self, url):
        with self.session.stream("GET", url) as response:
            return b"".join(response.iter_content())

    async def astream(self, url):
        async with self.asession.stream("GET", url) as response:
            return b"".join([piece async for piece in response.aiter_content()])


class Aiohttp(Client):
    session = None

    async def open(self, url):
        import aiohttp

        if self.session is None:
            self.session = aiohttp.ClientSession()
        return self.session.get(url)

    async def aget(self, url):
        async with await self.open(url) as response:
            return await response.read()

    async def astream(self, url):
        async with await self.open(url) as response:
            return b"".join([piece async for piece in response.content.iter_any()])


class CurlCffi(Curlew):
    def __init__(self):
        from curl_cffi.requests import AsyncSession, Session

        self.session, self.make = Session(), AsyncSession
        self.asession = None

    async def aget(self, url):
        if self.asession is None:
            self.asession = self.make(max_clients=100)
        return (await self.asession.get(url)).content

    gather = Client.gather

    async def astream(self, url):
        await self.aget(url) if self.asession is None else None
        return await super().astream(url)


class Httpx(Client):
    def __init__(self):
        import httpx

        self.client, self.aclient = httpx.Client(), httpx.AsyncClient()

    def get(self, url):
        return self.client.get(url).content

    async def aget(self, url):
        return (await self.aclient.get(url)).content

    def stream(self, url):
        with self.client.stream("GET", url) as response:
            return b"".join(response.iter_bytes())

    async def astream(self, url):
        async with self.aclient.stream("GET", url) as response:
            return b"".join([piece async for piece in response.aiter_bytes()])


class Pyreqwest(Client):
    def __init__(self):
        from pyreqwest.client import ClientBuilder, SyncClientBuilder

        self.client, self.aclient = SyncClientBuilder().build(), ClientBuilder().build()

    def get(self, url):
        return bytes(self.client.get(url).build().send().bytes())

    async def aget(self, url):
        return bytes(await (await self.aclient.get(url).build().send()).bytes())

    def stream(self, url):
        with self.client.get(url).build_streamed() as response:
            reader = response.body_reader
            return b"".join(iter(reader.read_chunk, None))

    async def astream(self, url):
        pieces = []
        async with self.aclient.get(url).build_streamed() as response:
            while (piece := await response.body_reader.read_chunk()) is not None:
                pieces.append(piece)
        return b"".join(pieces)


class Wreq(Client):
    def __init__(self):
        import wreq
        import wreq.blocking

        self.client, self.aclient = wreq.blocking.Client(), wreq.Client()

    def get(self, url):
        return bytes(self.client.get(url).bytes())

    async def aget(self, url):
        return bytes(await (await self.aclient.get(url)).bytes())

    def stream(self, url):
        with self.client.get(url) as response, response.stream() as streamer:
            return b"".join(streamer)

    async def astream(self, url):
        async with await self.aclient.get(url) as response, response.stream() as streamer:
            return b"".join([piece async for piece in streamer])


# -- a worker: one client's process ---------------------------------------------------------------


def work(name, url, size, loop_name):
    """Answers each line "KIND COUNT" with the seconds of CPU that took."""
    if loop_name == "uvloop":
        import uvloop

        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    else:
        runner = asyncio.Runner()
    classes = {"curlew": Curlew, "against": Curlew, "aiohttp": Aiohttp, "curl_cffi": CurlCffi,
               "httpx": Httpx, "pyreqwest": Pyreqwest, "wreq": Wreq}
    with runner:
        client = classes[name]()
        print(json.dumps([k for k in KINDS if hasattr(client, k)]), flush=True)
        for line in sys.stdin:
            kind, count = line.split()
            print(run(runner, getattr(client, kind), kind, url, size, int(count)), flush=True)


def run(runner, call, kind, url, size, count):
    async def repeat():
        for _ in range(count):
            check(await call(url))

    def check(result):
        got = len(result) if isinstance(result, bytes) else sum(map(len, result)) / AT_ONCE
        if got != size:
            raise SystemExit(f"{kind}: {got} bytes in place of {size}")

    start = time.process_time()
    if asyncio.iscoroutinefunction(call):
        runner.run(repeat())
    else:
        for _ in range(count):
            check(call(url))
    return time.process_time() - start


class Worker:
    def __init__(self, name, source, url, options, wrapper=()):
        args = ["--work", name, url, str(options.bytes), options.loop]
        env = {**os.environ, "PYTHONPATH": str(source), "PYTHONHASHSEED": "0"}
        self.process = subprocess.Popen(
            [*wrapper, options.python, __file__, *args], env=env, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.kinds = json.loads(self.process.stdout.readline())

    def cpu_us(self, kind, count):
        """Of one repetition."""
        print(kind, count, file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline()) / count * 1e6

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


# -- measuring ------------------------------------------------------------------------------------


def turns(workers, kind, options):
    """Client → µs of each round."""
    able = {name: w for name, w in workers.items() if kind in w.kinds}
    counts = {n: max(5, int(options.seconds * 1e6 / max(w.cpu_us(kind, 30), w.cpu_us(kind, 30))))
              for n, w in able.items()}
    samples = {name: [] for name in able}
    for i in range(options.rounds):
        for name in list(able)[:: 1 if i % 2 == 0 else -1]:
            samples[name].append(able[name].cpu_us(kind, counts[name]))
    return samples


def instructions(name, source, kind, url, options):
    """In user mode for one repetition: the difference of a long and a short run."""
    counts, found = (50, 50 + options.count), []
    for count in counts:
        file = f"{tempfile.gettempdir()}/callgrind.{os.getpid()}.out"
        wrapper = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={file}", "-q"]
        worker = Worker(name, source, url, options, wrapper)
        if kind in worker.kinds:
            worker.cpu_us(kind, count)
        worker.stop()
        if kind not in worker.kinds:
            return None
        found.append(int(re.search(r"^totals: (\d+)", Path(file).read_text(), re.M)[1]))
        os.unlink(file)
    return (found[1] - found[0]) / options.count


def show(kind, figures, paired, unit):
    """`figures`: client → its figure; `paired`: → its samples, or None."""
    print(f"\n{kind}: {unit} of CPU, and django-curlew's share of it")
    for name, figure in sorted(figures.items(), key=lambda each: each[1]):
        ratio = figures["curlew"] / figure
        if paired:
            ratio = median(a / b for a, b in zip(paired["curlew"], paired[name]))
        print(f"  {name:10} {figure:12,.0f}   {ratio:6.2f}", flush=True)


def measure(options, url):
    sources = {name: ROOT / "python/src" for name in options.clients}
    if options.against:
        sources["against"] = options.against
    if options.instructions:
        for kind in options.kinds:
            found = {n: instructions(n, s, kind, url, options) for n, s in sources.items()}
            show(kind, {n: each for n, each in found.items() if each}, None, "instructions")
        return
    workers = {name: Worker(name, source, url, options) for name, source in sources.items()}
    try:
        for kind in options.kinds:
            samples = turns(workers, kind, options)
            show(kind, {name: median(each) for name, each in samples.items()}, samples, "µs")
    finally:
        for worker in workers.values():
            worker.stop()


def read_options():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("kinds", nargs="*", default=KINDS, metavar="KIND", help=" ".join(KINDS))
    p.add_argument("--clients", nargs="+", default=CLIENTS, choices=CLIENTS)
    p.add_argument("--loop", choices=("asyncio", "uvloop"), default="asyncio")
    p.add_argument("--against", type=Path, help="python/src of another tree")
    p.add_argument("--bytes", type=int, default=1000, help="of the body (default %(default)s)")
    p.add_argument("--rounds", type=int, default=41)
    p.add_argument("--seconds", type=float, default=0.02, help="of CPU a turn")
    p.add_argument("--instructions", action="store_true")
    p.add_argument("--count", type=int, default=200, help="repetitions under callgrind")
    p.add_argument("--python", default=sys.executable, help="of the clients")
    p.add_argument("--daemon", default=os.environ.get("CURLEWD", ROOT / "build/curlewd"))
    return p.parse_args()


def main():
    if sys.argv[1:2] == ["--work"]:
        name, url, size, loop_name = sys.argv[2:]
        return work(name, url, int(size), loop_name)
    options = read_options()
    sys.path.insert(0, str(ROOT))
    from bench.setup import origin, start_daemon

    with contextlib.ExitStack() as stack:
        files = stack.enter_context(origin())
        files.add_file(options.bytes)
        url = files.url(size=options.bytes)
        daemon = start_daemon(options.daemon)
        stack.callback(shutil.rmtree, daemon.directory, True)
        stack.callback(daemon.process.stop)
        os.environ["CURLEW_URL"] = f"fcgi+unix:{daemon.socket}"
        measure(options, url)


if __name__ == "__main__":
    sys.exit(main())
