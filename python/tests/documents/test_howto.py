"""docs/howto/: the code of each page, in a project of its own, with a daemon."""

import base64
import http.client
import json
import sys
import time
from pathlib import Path

import pytest

from documented_project import GUNICORN, ROOT, UVICORN

WORDS = ["A ", "curlew ", "calls."]
SERVERS = pytest.mark.parametrize("server, view", [
    (UVICORN, "/chat/"), (GUNICORN, "/chat_sync/")], ids=["asgi", "wsgi"])


# -- llm-stream.md ---------------------------------------------------------------------------------


@pytest.fixture
def llm(documented):
    return documented("docs/howto/llm-stream.md")


def events_with_times(port, path):
    """(seconds after the request, data) of each event."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    start = time.monotonic()
    connection.request("GET", path)
    response = connection.getresponse()
    assert response.getheader("content-type") == "text/event-stream"
    for line in response:
        if line.startswith(b"data: "):
            yield time.monotonic() - start, line[6:].strip()
    connection.close()


@SERVERS
def test_an_answer_arrives_event_by_event(llm, spawn, seen, server, view):
    site = llm.serve(spawn, server)
    events = list(events_with_times(site.port, view + "?q=who"))
    assert [json.loads(data)["choices"][0]["delta"]["content"] for _, data in events[:-1]] == WORDS
    assert events[-1][1] == b"[DONE]"
    assert events[-1][0] - events[0][0] > 0.25  # they leave the origin over 0.9 s
    request, = seen("llm.example")
    assert b'"content":"who"' in _body(request).replace(b" ", b"")


def test_only_the_text_leaves_the_server(llm, spawn):
    site = llm.serve(spawn, UVICORN)
    assert site.ask("GET", "/chat_text/", "q=who").body.decode() == "".join(WORDS)


def test_a_stream_is_handed_off_by_the_bridge(llm, spawn):
    llm.write("mysite/bridge.py", "from django_curlew.asgi import CurlewBridge\n"
              "from .asgi import application as django\napplication = CurlewBridge(django)\n")
    site = llm.serve(spawn, [*UVICORN[:-1], "mysite.bridge:application"])
    assert b"curlew " in site.ask("GET", "/chat_handoff/", "q=who").body


def _body(request):
    return base64.b64decode(request["body_base64"])


# -- webhooks.md -----------------------------------------------------------------------------------


@pytest.fixture
def webhooks(documented, spawn):
    return documented("docs/howto/webhooks.md").serve(spawn, GUNICORN)


def test_a_webhook_is_delivered_and_signed(webhooks, seen):
    response = webhooks.ask("GET", "/test_webhook/", "url=https://hooks.example/in")
    assert response.json() == {"delivered": True, "text": "status 200"}
    request, = seen("hooks.example")
    headers = {name.lower(): value for name, value in request["headers"]}
    assert len(headers["x-signature"]) == 64 and _body(request) == b'{"type":"ping"}'


NOT_DELIVERED = {
    "https://10.0.0.1/": "not allowed", "https://0x0a000001/": "not allowed",
    "http://hooks.example/": "not allowed", "https://hooks.example:22/": "not allowed",
    "https://169.254.169.254/": "not allowed", "https://no-such.example/": "proxy_failed"}


def test_a_webhook_into_the_network_is_not(webhooks):
    for url, text in NOT_DELIVERED.items():
        response = webhooks.ask("GET", "/test_webhook/", "url=" + url)
        assert response.status == 400 and text in response.json()["text"], url
    # nor is a redirect followed
    response = webhooks.ask("GET", "/test_webhook/", "url=https://moved.example/")
    assert response.json()["text"] == "status 302"


# -- downloads.md ----------------------------------------------------------------------------------


def test_a_download_is_delivered_by_the_bridge(documented, spawn, seen):
    site = documented("docs/howto/downloads.md").serve(spawn, UVICORN)
    for view in ("download", "download_async"):
        assert site.ask("GET", f"/{view}/film.mp4/").status == 403
        response = site.ask("GET", f"/{view}/film.mp4/", "ticket=valid")
        assert response.status == 200 and response.body == b"film " * 40000
    requests = seen("files.example")
    assert len(requests) == 2
    assert all("authorization" in {n.lower() for n, _ in r["headers"]} for r in requests)


def test_a_download_that_nobody_delivers_says_what_to_do(documented, spawn):
    site = documented("docs/howto/downloads.md").serve(spawn, GUNICORN)
    response = site.ask("GET", "/download/film.mp4/", "ticket=valid")
    assert response.status == 501 and b"nginx" in response.body


# -- crawler.md ------------------------------------------------------------------------------------


def test_the_crawler_keeps_to_its_rate(documented, seen):
    project = documented("docs/howto/crawler.md")
    urls = [f"https://example.org/{n}" for n in range(8)]
    project.write("urls.txt", "\n".join([*urls, "http://10.0.0.1/"]))
    start = time.monotonic()
    lines = project.manage("crawl", "urls.txt").split("\n")
    fetched = [f"{url} 200 17" for url in urls]
    assert sorted(lines) == sorted(["", "http://10.0.0.1/ blocked", *fetched])
    assert time.monotonic() - start > (len(urls) - 2) / 5  # burst 2, then 5 a second
    requests = seen("example.org")
    assert all("MyCrawler" in str(r["headers"]) for r in requests) and len(requests) == len(urls)


# -- celery.md -------------------------------------------------------------------------------------


def test_a_task_fetches_in_a_forked_worker(documented, spawn, tmp_path):
    project = documented("docs/howto/celery.md")
    for name in ("in", "results"):
        (tmp_path / name).mkdir()
    project.write("mysite/settings.py", f'''
CELERY_BROKER_URL = "filesystem://"
CELERY_BROKER_TRANSPORT_OPTIONS = {{"data_folder_in": "{tmp_path}/in",
                                   "data_folder_out": "{tmp_path}/in"}}
CELERY_RESULT_BACKEND = "file://{tmp_path}/results"
''')
    words = ["celery", "-A", "mysite", "worker", "--concurrency", "2", "--loglevel", "WARNING"]
    spawn("celery", [sys.executable, "-m", *words], env=project.env, cwd=project.folder)
    said = project.manage("shell", "-c", "from mysite.tasks import refresh\n"
                          "results = [refresh.delay('https://example.org/') for _ in range(4)]\n"
                          "print([r.get(timeout=40) for r in results])")
    assert said.count("{'status': 200, 'bytes': 17}") == 4


# -- drf-ninja.md ----------------------------------------------------------------------------------


@pytest.fixture
def rest(documented, spawn):
    return documented("docs/howto/drf-ninja.md").serve(spawn, UVICORN)


def test_views_of_rest_framework_and_ninja_fetch(rest):
    assert rest.ask("GET", "/price/", "id=1").json() == {"price": 7}
    assert rest.ask("GET", "/ninja/price", "id=1").json() == {"price": 7}
    assert rest.ask("GET", "/ninja/both").json() == {"price": {"price": 7}, "stock": {"stock": 3}}


# -- migration.md ----------------------------------------------------------------------------------

FETCH = """
import asyncio, from_curl_cffi, with_httpx, with_requests
URL = "https://example.org/"
async def aget():
    async with with_httpx.aclient:
        return await with_httpx.aclient.get(URL)
print([r.status_code for r in (from_curl_cffi.requests.get(URL), with_requests.session.get(URL),
                               with_httpx.client.get(URL), asyncio.run(aget()))])
"""


def test_each_client_that_is_moved_fetches_through_the_daemon(documented, seen):
    assert "[200, 200, 200, 200]" in documented("docs/migration.md").manage("shell", "-c", FETCH)
    assert len(seen("example.org")) == 4


# -- tests.md --------------------------------------------------------------------------------------


def test_the_documented_tests_pass_without_a_daemon(documented):
    project = documented("docs/howto/tests.md")
    project.curlew_url = "fcgi+unix:/nothing/here.sock"
    project.manage("test")


def test_every_page_is_tested():
    tested = Path(__file__).read_text()
    for page in (ROOT / "docs/howto").glob("*.md"):
        assert f'documented("docs/howto/{page.name}")' in tested, page
