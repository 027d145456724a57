"""A session for all of a site that needs no other.

    from django_curlew.default import asession, session

    async def view(request):
        response = await asession.get("https://api.example/prices", timeout=5)

Both live as long as the process, under every server and on every event loop, and need neither
lifespan events nor closing. They keep no cookies: what an origin sets for one of the site's
requests never goes out with another's. Fetches that belong together and need cookies want a
Session of their own, which costs nothing, or a named one of the daemon's.
"""

from __future__ import annotations

from typing import Any

from .requests import AsyncSession, Session

session: Session[Any] = Session(discard_cookies=True)
asession: AsyncSession[Any] = AsyncSession(discard_cookies=True)
