"""Hand-off: a view decides, nginx streams the bytes, and no worker of Django's waits for them.

    def download(request, name):
        if not may_see(request, name):
            raise PermissionDenied
        return hand_off(f"https://files.internal/{name}", forward_headers=["range"])

The keywords are the keys of Curlew's request object.  The browser gets the status, the headers and
the body that the fetch brings, but no Set-Cookie and no word on caching: that is the view's to say.
It works behind nginx, with the location /_handoff/ of examples/nginx/nginx.conf; a browser that
asks this Django directly gets an empty page.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from django.conf import settings
from django.http import HttpResponse

LARGEST = 4000  # bytes of a request object that go in a header; larger ones are sent ahead


def hand_off(url: str, **request: Any) -> HttpResponse:
    """The answer of a view that has nginx stream this fetch to the browser."""
    told = json.dumps({"url": url, **request})  # in ASCII, so it is fit for a header
    response = HttpResponse()
    del response["Content-Type"]  # nginx would lend its charset to the file's own
    response["X-Accel-Redirect"] = settings.CURLEW.get("HAND_OFF", "/_handoff/")
    response["X-Curlew-Request"] = told if len(told) <= LARGEST else _send_ahead(told)
    return response


def _send_ahead(told: str) -> str:
    """Leave it with curlewd for a minute; what to call it."""
    address = f"{settings.CURLEW['URL'].rstrip('/')}/v1/handoffs"
    headers = {"Content-Type": "application/json"}
    ask = Request(address, told.encode(), headers, method="POST")
    with build_opener(ProxyHandler({})).open(ask, timeout=10) as answer:
        reference: str = json.load(answer)["reference"]
    return reference
