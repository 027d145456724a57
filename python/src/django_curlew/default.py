"""`django_curlew.client` and `django_curlew.aclient`: for sites that need no session of their own.

    from django_curlew import aclient, client

    def sync_view(request):
        return HttpResponse(client.get("https://api.example/prices", timeout=5).content)

    async def async_view(request):
        response = await aclient.get("https://api.example/prices", timeout=5)

A Session and an AsyncSession that live as long as the process, work under every server and on every
event loop, and need neither lifespan events nor closing. They keep no cookies, so a cookie that an
origin sets for one visitor is never sent for another. All code of the process shares them: give
what belongs to one visitor (headers, cookies, auth) with the request.
"""

from __future__ import annotations

from typing import Any

from .requests import AsyncSession, Session

MAX_CLIENTS = 1000  # all of the process's views share them, long streams included


class _Client(Session[Any]):
    def close(self) -> None:
        """Does nothing: the rest of the process uses it, too."""


class _AsyncClient(AsyncSession[Any]):
    async def close(self) -> None:
        """Does nothing: the rest of the process uses it, too."""


client = _Client(cookie_jar=False)
aclient = _AsyncClient(cookie_jar=False, max_clients=MAX_CLIENTS)

session, asession = client, aclient  # former names, until version 0.3
