"""What is measured: a Django project of one file, whose view fetches as CLIENT says.

    CLIENT=nothing|curlew|curl_cffi|… ORIGIN=URL uvicorn project:application

/one fetches ORIGIN, /twenty fetches it twenty times at once. Each client has one session for all
requests, made on the event loop that uses it, with its defaults but for the number of connections;
curl_cffi_per_request has one for each request, as curl_cffi's own documentation does. curl_cffi's
trust the certificates of ORIGIN_CA, if it is set; Curlew's daemon has its own setting.
"""

import asyncio
import os

from django.conf import settings

settings.configure(
    SECRET_KEY="for measuring", ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, USE_TZ=True
)

from django.core.asgi import get_asgi_application  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402

URL = os.environ["ORIGIN"]
SIZE = int(os.environ["ORIGIN_SIZE"])
TRUST = {"verify": os.environ["ORIGIN_CA"]} if "ORIGIN_CA" in os.environ else {}
MOST = 100  # fetches at once


class Nothing:
    async def one(self):
        return b"x" * SIZE

    async def twenty(self):
        return [b"x" * SIZE] * 20


class Curlew:
    def __init__(self):
        from django_curlew import AsyncSession

        self.session = AsyncSession()

    async def one(self):
        return (await self.session.get(URL)).content

    async def twenty(self):
        return [r.content for r in await self.session.gather([URL] * 20)]


class CurlCffi:
    def __init__(self):
        from curl_cffi.requests import AsyncSession

        self.session = AsyncSession(max_clients=MOST, **TRUST)

    async def one(self):
        return (await self.session.get(URL)).content

    async def twenty(self):
        return await asyncio.gather(*(self.one() for _ in range(20)))


class CurlCffiPerRequest:
    async def one(self):
        from curl_cffi.requests import AsyncSession

        async with AsyncSession(**TRUST) as session:
            return (await session.get(URL)).content

    async def twenty(self):
        from curl_cffi.requests import AsyncSession

        async with AsyncSession(max_clients=20, **TRUST) as session:
            responses = await asyncio.gather(*(session.get(URL) for _ in range(20)))
            return [r.content for r in responses]


class Aiohttp:
    def __init__(self):
        import aiohttp

        self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=MOST))

    async def one(self):
        async with self.session.get(URL) as response:
            return await response.read()

    async def twenty(self):
        return await asyncio.gather(*(self.one() for _ in range(20)))


class Httpx:
    def __init__(self):
        import httpx

        limits = httpx.Limits(max_connections=MOST, max_keepalive_connections=MOST)
        self.session = httpx.AsyncClient(limits=limits, trust_env=False)

    async def one(self):
        return (await self.session.get(URL)).content

    async def twenty(self):
        return await asyncio.gather(*(self.one() for _ in range(20)))


class Pyreqwest:
    def __init__(self):
        from pyreqwest.client import ClientBuilder

        self.session = ClientBuilder().max_connections(MOST).no_proxy().build()

    async def one(self):
        return await (await self.session.get(URL).build().send()).bytes()

    async def twenty(self):
        return await asyncio.gather(*(self.one() for _ in range(20)))


class Wreq:
    def __init__(self):
        import wreq

        self.session = wreq.Client(no_proxy=True)

    async def one(self):
        return await (await self.session.get(URL)).bytes()

    async def twenty(self):
        return await asyncio.gather(*(self.one() for _ in range(20)))


CLIENTS = {"nothing": Nothing, "curlew": Curlew, "curlew_nginx": Curlew, "curl_cffi": CurlCffi,
           "curl_cffi_per_request": CurlCffiPerRequest, "aiohttp": Aiohttp, "httpx": Httpx,
           "pyreqwest": Pyreqwest, "wreq": Wreq}
_client = None


def client():
    global _client
    _client = _client or CLIENTS[os.environ["CLIENT"]]()
    return _client


async def one(request):
    return HttpResponse(str(len(await client().one())))


async def twenty(request):
    return HttpResponse(str(sum(map(len, await client().twenty()))))


urlpatterns = [path("one", one), path("twenty", twenty)]
application = get_asgi_application()
