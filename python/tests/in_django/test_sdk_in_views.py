"""A module's AsyncOpenAI, used by async views under WSGI (an event loop for each request) and ASGI.
"""

import asyncio
import sys
import threading
import types
from pathlib import Path

import pytest
from django.http import JsonResponse, StreamingHttpResponse
from django.test import AsyncClient, Client
from django.test.utils import override_settings
from django.urls import path

openai = pytest.importorskip("openai")

from django_curlew.adapters.httpx2 import AsyncCurlewTransport, CurlewTransport  # noqa: E402

sys.path.append(str(Path(__file__).parents[1] / "sdks"))
from stand_in import StandIn  # noqa: E402

WORDS = ["Warm", " curl", " for", " all"]
ASK = {"model": "small", "messages": [{"role": "user", "content": "say something"}]}


def chat(call):
    def choice(**more):
        return {"id": "c", "created": 1, "model": "small", "choices": [{"index": 0, **more}]}

    if call.json().get("stream"):
        chunks = [choice(delta={"content": word}, finish_reason=None) for word in WORDS]
        events = [(None, {**chunk, "object": "chat.completion.chunk"}) for chunk in chunks]
        call.events([*events, (None, "[DONE]")], 0.02)
    else:
        message = {"role": "assistant", "content": "".join(WORDS)}
        whole = choice(message=message, finish_reason="stop")
        call.respond(200, {**whole, "object": "chat.completion"})


@pytest.fixture
def api(one_daemon, curlew):
    """The site's clients, made once, and the views that use them."""
    curlew(URL=f"fcgi+unix:{one_daemon.socket}")
    with StandIn({"POST /v1/chat/completions": chat}) as api:
        options = {"base_url": f"{api.url}/v1", "api_key": "sk-1", "max_retries": 0}
        transport = openai.DefaultAsyncHttpxClient(transport=AsyncCurlewTransport())
        aclient = openai.AsyncOpenAI(http_client=transport, **options)
        transport = openai.DefaultHttpxClient(transport=CurlewTransport())
        client = openai.OpenAI(http_client=transport, **options)
        urls = types.ModuleType("urls_of_sdk_views")
        urls.urlpatterns = views(client, aclient)
        with override_settings(ROOT_URLCONF=urls):
            yield api


def views(client, aclient):
    def text_of(answer):
        return JsonResponse({"text": answer.choices[0].message.content})

    async def ask_async(request):
        return text_of(await aclient.chat.completions.create(**ASK))

    async def at_once(request):
        answers = await asyncio.gather(
            *(aclient.chat.completions.create(**ASK) for _ in range(5))
        )
        return text_of(answers[-1])

    async def stream(request):
        chunks = await aclient.chat.completions.create(stream=True, **ASK)
        words = [chunk.choices[0].delta.content async for chunk in chunks]
        return JsonResponse({"text": "".join(words)})

    async def pass_on(request):
        async def words():
            async for chunk in await aclient.chat.completions.create(stream=True, **ASK):
                yield chunk.choices[0].delta.content

        return StreamingHttpResponse(words())

    def ask(request):
        return text_of(client.chat.completions.create(**ASK))

    named = {"async": ask_async, "at-once": at_once, "stream": stream, "sync": ask}
    return [path(name, view) for name, view in [*named.items(), ("pass-on", pass_on)]]


@pytest.mark.parametrize("view", ["async", "at-once", "stream", "sync"])
def test_under_wsgi(api, view):
    """Django makes an event loop for each request."""
    client = Client()
    assert [client.get(f"/{view}").json()["text"] for _ in range(8)] == ["Warm curl for all"] * 8


@pytest.mark.parametrize("view", ["async", "stream"])
def test_under_wsgi_in_threads(api, view):
    texts = []

    def ask():
        client = Client()
        for _ in range(5):
            texts.append(client.get(f"/{view}").json()["text"])

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert texts == ["Warm curl for all"] * 30


@pytest.mark.parametrize("view", ["async", "at-once", "stream", "sync"])
def test_under_asgi(api, view):
    async def main():
        responses = await asyncio.gather(*(AsyncClient().get(f"/{view}") for _ in range(8)))
        return [response.json()["text"] for response in responses]

    for _ in range(2):
        assert asyncio.run(main()) == ["Warm curl for all"] * 8


def test_a_view_passes_the_words_on_as_they_come(api):
    async def main():
        response = await AsyncClient().get("/pass-on")
        return [piece async for piece in response]

    assert asyncio.run(main()) == [word.encode() for word in WORDS]
