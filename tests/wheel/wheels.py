"""The wheels that `make wheel` has built, and a Django project that uses them."""

import json
import socket
import urllib.request

import brotli
import zstandard

from tests.support.curlewd import ROOT
from tests.support.fingerprint import FingerprintOrigin

DIST = ROOT / "build" / "wheel" / "dist"
CODINGS = {"br": brotli.compress, "zstd": zstandard.ZstdCompressor().compress}

# What is added to the files of `django-admin startproject`.
SETTINGS = """
INSTALLED_APPS += ["django_curlew"]
"""
URLS = """
from django.http import JsonResponse
from django_curlew import AsyncSession, exceptions

async def fetch(request):
    async with AsyncSession(impersonate="chrome") as session:
        try:
            response = await session.get(request.GET["url"])
        except exceptions.RequestException as error:
            return JsonResponse({"error": error.reason})
    return JsonResponse({"json": response.json(), "as": response.envelope["impersonated"]})

urlpatterns += [path("fetch", fetch)]
"""


def only_wheel(project):
    (found,) = DIST.glob(f"{project}-*.whl")
    return found


def add_to(path, text):
    with open(path, "a", encoding="utf-8") as file:
        file.write(text)


def add_urls(project):
    add_to(project / "urls.py", URLS)


def add_view(project, settings=""):
    """To the files in the directory of a new project."""
    add_to(project / "settings.py", SETTINGS + settings)
    add_urls(project)


def wait_listening(process, port):
    def answers():
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", port)) == 0

    process.wait_ready(answers, 60)


def fetch_compressed(port, certs, coding):
    """What the view at this port says that it got from an origin with a body in that coding, and
    the origin's record of the connection."""
    body = CODINGS[coding](json.dumps({"n": 1}).encode())
    with FingerprintOrigin(certs, [("content-encoding", coding)], body) as origin:
        url = f"http://127.0.0.1:{port}/fetch?url={origin.url()}"
        with urllib.request.urlopen(url, timeout=60) as response:
            return json.load(response), origin.seen[-1] if origin.seen else None


