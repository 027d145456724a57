"""Two sessions for sites that need no session of their own.

    from django_curlew.default import asession, session

    async def view(request):
        response = await asession.get("https://api.example/prices", timeout=5)

Both live as long as the process, work under every server and on every event loop, and need neither
lifespan events nor closing. They keep no cookies, so a cookie that an origin sets for one visitor
is never sent for another. For fetches that need cookies, make a Session, which costs nothing, or
use a named session of the daemon's.
"""

from __future__ import annotations

from typing import Any

from .requests import AsyncSession, Session

session: Session[Any] = Session(discard_cookies=True)
asession: AsyncSession[Any] = AsyncSession(discard_cookies=True)
