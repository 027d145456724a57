"""A Django project in one file, as the servers of these tests run it."""

import json
import os
import sys

from django.conf import settings

settings.configure(
    SECRET_KEY="for tests",
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=["django_curlew"],
    MIDDLEWARE=["django_curlew.middleware.CurlewMiddleware"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    CURLEW={"URL": os.environ["CURLEW_URL"], "BRIDGE_URL": os.environ.get("BRIDGE_URL")},
)

from django.core.asgi import get_asgi_application  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402

from django_curlew.asgi import CurlewBridge  # noqa: E402
from django_curlew.handoff import HandOff  # noqa: E402


def hand_off(request):
    """?object=…: a request object, handed off."""
    response = HandOff(request, **json.loads(request.GET["object"]))
    response["Cache-Control"] = "private"
    response.set_cookie("view", "1")
    return response


async def hand_off_async(request):
    return await HandOff.prepared(request, **json.loads(request.GET["object"]))


def hello(request):
    return HttpResponse("from Django\n")


urlpatterns = [
    path("", hello),
    path("hand-off", hand_off),
    path("hand-off-async", hand_off_async),
]


async def lifespan(scope, receive, send):
    """Django has none; this one says on standard error that it was asked."""
    while True:
        kind = (await receive())["type"]
        print(kind, file=sys.stderr, flush=True)
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


async def websocket(scope, receive, send):
    """Django has none of these either: what is said comes back."""
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    message = await receive()
    while message["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": message["text"]})
        message = await receive()


async def everything(scope, receive, send):
    others = {"lifespan": lifespan, "websocket": websocket}
    await others.get(scope["type"], django)(scope, receive, send)


django = get_asgi_application()
wsgi = get_wsgi_application()
asgi = CurlewBridge(everything)
