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
from django.http import HttpResponse, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402

from django_curlew import AsyncSession, Session  # noqa: E402

from django_curlew.asgi import CurlewBridge  # noqa: E402
from django_curlew.handoff import HandOff  # noqa: E402

# In the module: made before gunicorn forks, used by every thread, loop and greenlet.
session = Session()
asession = AsyncSession()
session.get(os.environ["WARM"])  # so that children inherit a kept connection


def get(request):
    """?url=…: fetch it."""
    return json_response(session.get(request.GET["url"]))


async def get_async(request):
    return json_response(await asession.get(request.GET["url"]))


def own(request):
    """?url=…&url=…: fetch all of them, with a session of this request."""
    with Session() as one:
        return json_response(*[one.get(url) for url in request.GET.getlist("url")])


async def own_async(request):
    async with AsyncSession() as one:
        return json_response(*[await one.get(url) for url in request.GET.getlist("url")])


def gather(request):
    return json_response(*session.gather(request.GET.getlist("url")))


async def gather_async(request):
    return json_response(*await asession.gather(request.GET.getlist("url")))


async def stream_async(request):
    response = await asession.get(request.GET["url"], stream=True)
    body = await response.acontent()
    return HttpResponse(str(len(body)))


def json_response(*responses):
    return JsonResponse({"pid": os.getpid(), "status": [r.status_code for r in responses],
                         "text": [r.text for r in responses]})


def handoff(request):
    """?object=…: a request object, handed off."""
    response = HandOff(request, **json.loads(request.GET["object"]))
    response["Cache-Control"] = "private"
    response.set_cookie("view", "1")
    return response


async def handoff_async(request):
    return await HandOff.prepared(request, **json.loads(request.GET["object"]))


def hello(request):
    return HttpResponse("from Django\n")


urlpatterns = [
    path("", hello),
    path("get", get),
    path("get-async", get_async),
    path("own", own),
    path("own-async", own_async),
    path("gather", gather),
    path("gather-async", gather_async),
    path("stream-async", stream_async),
    path("handoff", handoff),
    path("handoff-async", handoff_async),
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
    """Django has none of these either: an echo."""
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
MOUNT_SECRET = "a-secret-of-the-tests"
asgi = CurlewBridge(everything, mount="/_fetch", secret=MOUNT_SECRET)
