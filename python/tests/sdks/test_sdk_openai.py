"""The OpenAI SDK through Curlew, blocking and async, against a stand-in for its API."""

import asyncio
import time

import pytest

openai = pytest.importorskip("openai")
httpx2 = pytest.importorskip("httpx2")

from django_curlew.adapters.httpx2 import AsyncCurlewTransport, CurlewTransport  # noqa: E402
from stand_in import StandIn  # noqa: E402

WORDS = ["Warm", " curl", " for", " all"]
PAUSE = 0.15  # seconds between two events
ASK = {"messages": [{"role": "user", "content": "say something"}]}


def chunk(delta, finish=None):
    return {
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "small",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }  # fmt: skip


def completion(call):
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1,
        "model": call.json()["model"],
        "choices": [{"index": 0, "finish_reason": "stop",
                     "message": {"role": "assistant", "content": "".join(WORDS)}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 4, "total_tokens": 5},
    }  # fmt: skip


def chat(call):
    model = call.json()["model"]
    if model == "busy" and call.number < 3:
        call.respond(429, {"error": {"message": "slow down"}}, {"retry-after-ms": "20"})
    elif model == "broken":
        call.respond(500, {"error": {"message": "it broke"}}, {"retry-after-ms": "20"})
    elif model == "unknown":
        call.respond(404, {"error": {"message": "no such model", "code": "model_not_found"}})
    elif model == "slow":
        call.hold()
    elif model == "cut":
        call.respond(200, b'{"id": ', {"Content-Length": "1000"})
        call.close()
    elif call.json().get("stream"):
        events = [(None, chunk({"content": word})) for word in WORDS]
        call.events([*events, (None, chunk({}, "stop")), (None, "[DONE]")], PAUSE)
    else:
        call.respond(200, completion(call), {"x-request-id": "req-1"})


def responses(call):
    created = {"id": "resp-1", "object": "response", "created_at": 1, "model": "small",
               "status": "in_progress", "output": [], "tools": [], "tool_choice": "auto",
               "parallel_tool_calls": True}  # fmt: skip
    message = {"type": "message", "id": "m", "role": "assistant", "status": "in_progress",
               "content": []}  # fmt: skip
    text = {"type": "output_text", "text": "", "annotations": []}
    place = {"item_id": "m", "output_index": 0, "content_index": 0}
    events = [
        {"type": "response.created", "response": created},
        {"type": "response.output_item.added", "output_index": 0, "item": message},
        {"type": "response.content_part.added", **place, "part": text},
    ]
    events += [
        {"type": "response.output_text.delta", **place, "delta": word, "logprobs": []}
        for word in WORDS
    ]
    whole = {**message, "status": "completed", "content": [{**text, "text": "".join(WORDS)}]}
    completed = {**created, "status": "completed", "output": [whole]}
    events.append({"type": "response.output_item.done", "output_index": 0, "item": whole})
    events.append({"type": "response.completed", "response": completed})
    numbered = [{**event, "sequence_number": i} for i, event in enumerate(events)]
    call.events([(event["type"], event) for event in numbered], PAUSE)


def models(call):
    call.respond(200, {"object": "list", "data": [
        {"id": name, "object": "model", "created": 1, "owned_by": "us"} for name in ("a", "b")
    ]})  # fmt: skip


def jobs(call):
    """Two pages."""
    after = call.query.get("after")
    ids = ["job-3"] if after == "job-2" else ["job-1", "job-2"]
    data = [
        {"id": name, "object": "fine_tuning.job", "created_at": 1, "model": "small",
         "organization_id": "o", "result_files": [], "seed": 1, "status": "running",
         "training_file": "f", "hyperparameters": {}}
        for name in ids
    ]  # fmt: skip
    call.respond(200, {"object": "list", "data": data, "has_more": after is None})


def files(call):
    filename, content = call.parts()["file"]
    call.respond(200, {"id": "file-1", "object": "file", "bytes": len(content), "created_at": 1,
                       "filename": filename, "purpose": "assistants", "status": "processed"})


ROUTES = {
    "POST /v1/chat/completions": chat,
    "POST /v1/responses": responses,
    "GET /v1/models": models,
    "GET /v1/fine_tuning/jobs": jobs,
    "POST /v1/files": files,
    "GET /v1/files/file-1/content": lambda call: call.respond(200, bytes(range(256)) * 4096),
    "POST /v1/audio/speech": lambda call: call.stream([b"RI", b"FF", b"!!"], "audio/wav", PAUSE),
}


@pytest.fixture
def api():
    with StandIn(ROUTES) as api:
        yield api


@pytest.fixture
def client(api, curlew):
    http_client = openai.DefaultHttpxClient(transport=CurlewTransport())
    return openai.OpenAI(base_url=f"{api.url}/v1", api_key="sk-1", http_client=http_client)


@pytest.fixture
def async_client(api, curlew):
    http_client = openai.DefaultAsyncHttpxClient(transport=AsyncCurlewTransport())
    return openai.AsyncOpenAI(base_url=f"{api.url}/v1", api_key="sk-1", http_client=http_client)


def test_a_plain_call(client, api):
    got = client.chat.completions.create(model="small", **ASK)
    assert got.choices[0].message.content == "Warm curl for all"
    assert got._request_id == "req-1"
    sent = api.calls[0]
    assert sent.headers["Authorization"] == "Bearer sk-1"
    assert sent.json() == {**ASK, "model": "small"}


def test_a_plain_async_call(async_client):
    got = asyncio.run(async_client.chat.completions.create(model="small", **ASK))
    assert got.choices[0].message.content == "Warm curl for all"


def test_a_stream_comes_token_by_token(client):
    begun = time.monotonic()
    with client.chat.completions.create(model="small", stream=True, **ASK) as stream:
        arrived = [(time.monotonic() - begun, c.choices[0].delta.content) for c in stream]
    assert [word for _, word in arrived if word] == WORDS
    assert arrived[0][0] < PAUSE * 3 < arrived[-1][0]  # the first before the last was sent


def test_an_async_stream_comes_token_by_token(async_client):
    async def main():
        begun = time.monotonic()
        stream = await async_client.chat.completions.create(model="small", stream=True, **ASK)
        return [(time.monotonic() - begun, c.choices[0].delta.content) async for c in stream]

    arrived = asyncio.run(main())
    assert [word for _, word in arrived if word] == WORDS
    assert arrived[0][0] < PAUSE * 3 < arrived[-1][0]


def test_a_stream_of_the_responses_api(client, async_client):
    with client.responses.stream(model="small", input="hello") as stream:
        deltas = [e.delta for e in stream if e.type == "response.output_text.delta"]
    assert deltas == WORDS

    async def main():
        stream = await async_client.responses.create(model="small", input="hello", stream=True)
        return [e.type async for e in stream]

    assert asyncio.run(main())[0] == "response.created"


def test_a_stream_that_is_left(client, async_client, origin):
    """The SDK's own close(): the next call works at once."""
    stream = client.chat.completions.create(model="small", stream=True, **ASK)
    next(iter(stream))
    stream.close()

    async def main():
        stream = await async_client.chat.completions.create(model="small", stream=True, **ASK)
        async for _ in stream:
            break
        await stream.close()

    asyncio.run(main())
    assert client.models.list().data[0].id == "a"


def test_too_many_requests_are_repeated(client, api):
    got = client.chat.completions.create(model="busy", **ASK)
    assert got.choices[0].message.content and len(api.calls) == 3
    assert [c.headers["x-stainless-retry-count"] for c in api.calls] == ["0", "1", "2"]


def test_errors_are_the_sdks_own(client, async_client, api):
    with pytest.raises(openai.RateLimitError, match="slow down"):
        client.with_options(max_retries=0).chat.completions.create(model="busy", **ASK)
    with pytest.raises(openai.InternalServerError, match="it broke"):
        client.with_options(max_retries=1).chat.completions.create(model="broken", **ASK)
    with pytest.raises(openai.NotFoundError) as info:
        asyncio.run(async_client.chat.completions.create(model="unknown", **ASK))
    assert info.value.code == "model_not_found"
    assert [c.json()["model"] for c in api.calls].count("broken") == 2


def test_timeouts_are_the_sdks_own(client, async_client, api):
    ours = {"timeout": 0.3, "max_retries": 1}
    with pytest.raises(openai.APITimeoutError):
        client.with_options(**ours).chat.completions.create(model="slow", **ASK)
    assert len(api.calls) == 2  # a timeout is repeated
    with pytest.raises(openai.APITimeoutError):
        slow = async_client.with_options(timeout=0.3, max_retries=0)
        asyncio.run(slow.chat.completions.create(model="slow", **ASK))


def test_connection_errors_are_the_sdks_own(client):
    with pytest.raises(openai.APIConnectionError) as info:
        client.with_options(max_retries=0, base_url="http://127.0.0.1:9/v1").models.list()
    assert isinstance(info.value.__cause__, httpx2.ConnectError)
    with pytest.raises(openai.APIConnectionError):
        client.with_options(max_retries=0).chat.completions.create(model="cut", **ASK)


def test_pages(client, async_client):
    assert [job.id for job in client.fine_tuning.jobs.list(limit=2)] == ["job-1", "job-2", "job-3"]

    async def main():
        return [job.id async for job in async_client.fine_tuning.jobs.list(limit=2)]

    assert asyncio.run(main()) == ["job-1", "job-2", "job-3"]


def test_a_file_is_uploaded(client, async_client, tmp_path):
    path = tmp_path / "notes.jsonl"
    path.write_bytes(b'{"a": 1}\n' * 30_000)
    with path.open("rb") as file:
        got = client.files.create(file=file, purpose="assistants")
    assert (got.filename, got.bytes) == ("notes.jsonl", path.stat().st_size)
    got = asyncio.run(async_client.files.create(file=path, purpose="assistants"))
    assert (got.filename, got.bytes) == ("notes.jsonl", path.stat().st_size)


def test_raw_and_streamed_responses(client, async_client, tmp_path):
    raw = client.chat.completions.with_raw_response.create(model="small", **ASK)
    assert raw.headers["x-request-id"] == "req-1" and raw.http_version == "HTTP/1.1"
    assert raw.parse().choices[0].message.content == "Warm curl for all"

    with client.audio.speech.with_streaming_response.create(
        model="tts", voice="alloy", input="hi"
    ) as spoken:
        spoken.stream_to_file(tmp_path / "a.wav")
    assert (tmp_path / "a.wav").read_bytes() == b"RIFF!!"
    assert client.files.content("file-1").read() == bytes(range(256)) * 4096

    async def main():
        speech = async_client.audio.speech.with_streaming_response
        async with speech.create(model="tts", voice="alloy", input="hi") as spoken:
            return [piece async for piece in spoken.iter_bytes()]

    assert b"".join(asyncio.run(main())) == b"RIFF!!"


def test_a_cancelled_call(curlew):
    left = []

    def hold(call):
        left.append(call.hold())

    with StandIn({"POST /v1/chat/completions": hold}) as api:
        client = openai.AsyncOpenAI(
            base_url=f"{api.url}/v1",
            api_key="sk-1",
            http_client=httpx2.AsyncClient(transport=AsyncCurlewTransport()),
        )

        async def main():
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(
                    client.chat.completions.create(model="slow", **ASK), timeout=0.5
                )

        asyncio.run(main())
        deadline = time.monotonic() + 5
        while not left and time.monotonic() < deadline:
            time.sleep(0.02)
    assert left == [True]


def test_a_client_of_httpx_itself(api, curlew):
    """The SDK still takes a client of httpx."""
    httpx = pytest.importorskip("httpx")
    adapter = pytest.importorskip("django_curlew.adapters.httpx")
    client = openai.OpenAI(
        base_url=f"{api.url}/v1",
        api_key="sk-1",
        http_client=httpx.Client(transport=adapter.CurlewTransport()),
    )
    stream = client.chat.completions.create(model="small", stream=True, **ASK)
    assert [c.choices[0].delta.content for c in stream if c.choices[0].delta.content] == WORDS


def test_one_client_for_many_event_loops(async_client):
    async def view():
        got = await async_client.chat.completions.create(model="small", **ASK)
        return got.model

    assert [asyncio.run(view()) for _ in range(10)] == ["small"] * 10
