"""Views that fetch.  In whatever worker they run, they share the one warm session of curlewd."""

from django.conf import settings
from django.core import signing
from django.http import HttpResponse, HttpResponseForbidden, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin
from django_curlew import HandOff, aclient, client
from django_curlew.handoff_store import HandoffStoreError
from django_curlew.requests.exceptions import RequestException

ONE_HOUR = 3600  # seconds


def index(request):
    return render(request, "index.html", {"origin": settings.ORIGIN})


def sync_page(request, page=""):
    """One page, from a sync view."""
    return show(client.get(origin_url(request, page), tag="sync view"))


async def async_page(request, page=""):
    """One page, from an async view: other requests are served while this one waits."""
    return show(await aclient.get(origin_url(request, page), tag="async view"))


async def one_by_one(request):
    """Several pages (?page=...&page=...), each after the one before it, over one connection."""
    return show([await aclient.get(url) for url in several_urls(request)])


async def together(request):
    """The same pages all at once, by one call to curlewd."""
    return show(await aclient.gather(several_urls(request)))


def try_url(request):
    """Any URL that a visitor names: one into the network is refused (SSRF protection)."""
    return show(client.get(request.GET.get("url", ""), timeout=5, max_body_bytes=1_000_000))


def link(request, page):
    """A link to a page of the origin, good for an hour, for whoever it is given to."""
    ticket = signing.dumps([page, request.GET.dict()], compress=True)
    return HttpResponse(reverse("file", args=[ticket]))


def events(request):
    """The origin's Server-Sent Events, as they come; no worker waits for them."""
    return HandOff(request, f"{settings.ORIGIN}/events", timeout=(5, 30), tag="events")


def file(request, ticket):
    """What the link is for, streamed by nginx (or by bridge.py): this view is done as
    soon as it has looked at it. An async view would `return await HandOff.prepared(…)`."""
    try:
        page, query = signing.loads(ticket, max_age=ONE_HOUR)
    except signing.BadSignature:
        return HttpResponseForbidden("This link is not valid, or no longer.\n")
    response = HandOff(request, f"{settings.ORIGIN}/{page}", params=query, tag="handoff")
    response["Cache-Control"] = "private, max-age=60"
    return response


class FailedFetches(MiddlewareMixin):
    """A fetch that failed in any view becomes a response that says why."""

    def process_exception(self, request, error):
        if isinstance(error, RequestException):
            problem = {"code": error.reason, "detail": str(error)}
            return JsonResponse(problem, status=error.problem.get("status", 502))
        if isinstance(error, HandoffStoreError):  # curlewd is down, or has no room
            return JsonResponse({"code": "unreachable", "detail": str(error)}, status=502)
        return None


def origin_url(request, page):
    """A page of our origin and of no other site, with the query that the view was asked with."""
    query = request.META["QUERY_STRING"]
    return f"{settings.ORIGIN}/{page}" + (f"?{query}" if query else "")


def several_urls(request):
    return [f"{settings.ORIGIN}/{page}" for page in request.GET.getlist("page")]


def show(fetched):
    """What was fetched, as JSON to look at."""
    return JsonResponse(
        [facts(f) for f in fetched] if isinstance(fetched, list) else facts(fetched),
        safe=False,
        json_dumps_params={"indent": 2},
    )


def facts(response):
    return {
        "url": response.url,
        "status": response.status_code,
        "http_version": response.envelope["http_version"],
        "connection_reused": response.envelope["connection"]["reused"],
        "milliseconds": round(1000 * response.elapsed.total_seconds(), 1),
        "timing": response.envelope["timing"],
        "bytes": len(response.content),
        "body": response.text[:1000],
    }
