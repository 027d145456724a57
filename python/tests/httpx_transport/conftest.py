"""Each test runs with httpx and httpx2, blocking and async."""

import asyncio
import importlib

import pytest

from django_curlew import daemon

VARIANTS = [(package, kind) for package in ("httpx", "httpx2") for kind in ("sync", "async")]


class AsyncClient:
    """The async client with a sync face: each call runs on an event loop of its own."""

    def __init__(self, client):
        self.client = client

    def __getattr__(self, name):
        return lambda *args, **kw: asyncio.run(getattr(self.client, name)(*args, **kw))


class OneLoopClient:
    """The package's own client, made anew for each call."""

    def __init__(self, package, options):
        self.make = lambda: package.AsyncClient(**options)

    async def request(self, *args, **kwargs):
        async with self.make() as client:
            return await client.request(*args, **kwargs)

    async def get(self, url, **kwargs):
        return await self.request("GET", url, **kwargs)


class Variant:
    """`package`: httpx or httpx2; `is_async`; `transport`: the transport's class."""

    def __init__(self, name, kind, socket):
        self.package = pytest.importorskip(name)
        self.is_async = kind == "async"
        adapter = importlib.import_module(f"django_curlew.adapters.{name}")
        self.transport = adapter.AsyncCurlewTransport if self.is_async else adapter.CurlewTransport
        self.daemon = daemon.Daemon(f"fcgi+unix:{socket}")

    def client(self, client_options=None, **keys):
        """A client before the tests' daemon, called without await."""
        return self.wrap(transport=self.transport(self.daemon, **keys), **(client_options or {}))

    def alone(self, **options):
        """The package's own. An async one has to be new for each event loop."""
        options.setdefault("trust_env", False)
        if not self.is_async:
            return self.wrap(**options)
        return AsyncClient(OneLoopClient(self.package, options))

    def wrap(self, **options):
        if self.is_async:
            return AsyncClient(self.package.AsyncClient(**options))
        return self.package.Client(**options)


@pytest.fixture(params=VARIANTS, ids="-".join)
def variant(request, one_daemon):
    return Variant(*request.param, one_daemon.socket)
