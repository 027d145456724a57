"""The same fetches as people do them without Curlew, for the demo to compare. Do not copy these."""

import os

from curl_cffi.requests import AsyncSession
from django.http import JsonResponse

from .views import several_urls

TRUST = {"verify": os.environ.get("ORIGIN_CA", True), "timeout": 5}
one_session = None


async def new_session(request):
    """A session of curl_cffi for each view: it works, and each opens its own connections."""
    async with AsyncSession(**TRUST) as session:
        return fetched([await session.get(url) for url in several_urls(request)])


async def shared_session(request):
    """One session of curl_cffi for the process: it belongs to the event loop of the first view."""
    global one_session
    one_session = one_session or AsyncSession(**TRUST)
    try:
        return fetched([await one_session.get(url) for url in several_urls(request)])
    except Exception as error:
        return JsonResponse({"error": f"{type(error).__name__}: {error}"}, status=500)


def fetched(responses):
    return JsonResponse([{"url": r.url, "status": r.status_code} for r in responses], safe=False)
