"""The Anthropic SDK through Curlew, blocking and async, against a stand-in for its API."""

import asyncio
import json
import time

import pytest
from stand_in import StandIn

anthropic = pytest.importorskip("anthropic")
httpx2 = pytest.importorskip("httpx2")

from django_curlew.adapters.httpx2 import AsyncCurlewTransport, CurlewTransport  # noqa: E402

WORDS = ["Warm", " curl", " for", " all"]
PAUSE = 0.15  # seconds between two events
ASK = {"max_tokens": 99, "messages": [{"role": "user", "content": "say something"}]}
TOOL = {"name": "weather", "description": "of a place", "input_schema": {"type": "object"}}


def message(content, stop_reason="end_turn"):
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "small",
        "content": content, "stop_reason": stop_reason, "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 4},
    }  # fmt: skip


def stream_of_a_message(call):
    events = [
        {"type": "message_start", "message": message([], None)},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
    ]
    events += [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}
        for word in WORDS
    ]
    events += [
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None},
         "usage": {"output_tokens": 4}},
        {"type": "message_stop"},
    ]  # fmt: skip
    call.events([(event["type"], event) for event in events], PAUSE)


def failure(call, status, kind, words):
    body = {"type": "error", "error": {"type": kind, "message": words}}
    call.respond(status, body, {"retry-after-ms": "20", "request-id": "req_9"})


def messages(call):
    asked = call.json()
    if asked["model"] == "busy" and call.number < 3:
        failure(call, 429, "rate_limit_error", "slow down")
    elif asked["model"] == "overloaded":
        failure(call, 529, "overloaded_error", "too many ask")
    elif asked["model"] == "stream-fails":
        start = {"type": "message_start", "message": message([], None)}
        error = {"type": "error", "error": {"type": "overloaded_error", "message": "sorry"}}
        call.events([("message_start", start), ("error", error)])
    elif asked["model"] == "slow":
        call.hold()
    elif asked.get("stream"):
        stream_of_a_message(call)
    elif asked.get("tools"):
        use = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"place": "Ulm"}}
        call.respond(200, message([use], "tool_use"))
    else:
        text = {"type": "text", "text": "".join(WORDS)}
        call.respond(200, message([text]), {"request-id": "req_1"})


def batch(call):
    call.respond(200, {
        "id": "batch_1", "type": "message_batch", "processing_status": "ended",
        "request_counts": {"processing": 0, "succeeded": 2, "errored": 0, "canceled": 0,
                           "expired": 0},
        "created_at": "2026-01-01T00:00:00Z", "expires_at": "2026-01-02T00:00:00Z",
        "ended_at": "2026-01-01T01:00:00Z", "archived_at": None, "cancel_initiated_at": None,
        "results_url": f"http://{call.headers['Host']}/v1/messages/batches/batch_1/results",
    })  # fmt: skip


def results(call):
    lines = [
        {"custom_id": name, "result": {"type": "succeeded", "message": message([])}}
        for name in ("a", "b")
    ]
    pieces = [json.dumps(line).encode() + b"\n" for line in lines]
    call.stream(pieces, "application/x-jsonl")


def files(call):
    filename, content = call.parts()["file"]
    call.respond(200, {"id": "file_1", "type": "file", "filename": filename,
                       "mime_type": "text/plain", "size_bytes": len(content),
                       "created_at": "2026-01-01T00:00:00Z", "downloadable": False})


ROUTES = {
    "POST /v1/messages": messages,
    "POST /v1/messages/count_tokens": lambda call: call.respond(200, {"input_tokens": 7}),
    "GET /v1/messages/batches/batch_1": batch,
    "GET /v1/messages/batches/batch_1/results": results,
    "POST /v1/files": files,
}


@pytest.fixture
def api():
    with StandIn(ROUTES) as api:
        yield api


@pytest.fixture
def client(api, curlew):
    http_client = anthropic.DefaultHttpxClient(transport=CurlewTransport())
    return anthropic.Anthropic(base_url=api.url, api_key="sk-1", http_client=http_client)


@pytest.fixture
def async_client(api, curlew):
    http_client = anthropic.DefaultAsyncHttpxClient(transport=AsyncCurlewTransport())
    return anthropic.AsyncAnthropic(base_url=api.url, api_key="sk-1", http_client=http_client)


def test_a_plain_call(client, async_client, api):
    got = client.messages.create(model="small", **ASK)
    assert got.content[0].text == "Warm curl for all" and got._request_id == "req_1"
    assert api.calls[0].headers["Authorization"] == "Bearer sk-1"
    got = asyncio.run(async_client.messages.create(model="small", **ASK))
    assert got.content[0].text == "Warm curl for all"
    assert client.messages.count_tokens(model="small", messages=ASK["messages"]).input_tokens == 7


def test_a_stream_comes_token_by_token(client):
    begun = time.monotonic()
    with client.messages.stream(model="small", **ASK) as stream:
        arrived = [(time.monotonic() - begun, word) for word in stream.text_stream]
        whole = stream.get_final_message()
    assert [word for _, word in arrived] == WORDS
    assert whole.content[0].text == "Warm curl for all"
    assert arrived[0][0] < PAUSE * 5 and arrived[-1][0] - arrived[0][0] > PAUSE * 2


def test_an_async_stream_comes_token_by_token(async_client):
    async def main():
        begun = time.monotonic()
        async with async_client.messages.stream(model="small", **ASK) as stream:
            return [(time.monotonic() - begun, word) async for word in stream.text_stream]

    arrived = asyncio.run(main())
    assert [word for _, word in arrived] == WORDS
    assert arrived[0][0] < PAUSE * 5 and arrived[-1][0] - arrived[0][0] > PAUSE * 2


def test_raw_events(client, async_client):
    kinds = [event.type for event in client.messages.create(model="small", stream=True, **ASK)]
    assert kinds[0] == "message_start" and kinds[-1] == "message_stop"

    async def main():
        stream = await async_client.messages.create(model="small", stream=True, **ASK)
        return [event.type async for event in stream]

    assert asyncio.run(main()) == kinds


def test_a_tool_is_used(client):
    got = client.messages.create(model="small", tools=[TOOL], **ASK)
    assert (got.stop_reason, got.content[0].input) == ("tool_use", {"place": "Ulm"})


def test_too_many_requests_are_repeated(client, async_client, api):
    assert client.messages.create(model="busy", **ASK).content
    assert len(api.calls) == 3
    with pytest.raises(anthropic.RateLimitError, match="slow down"):
        api.calls.clear()
        asyncio.run(async_client.with_options(max_retries=0).messages.create(model="busy", **ASK))


def test_errors_are_the_sdks_own(client, async_client, api):
    with pytest.raises(anthropic.APIStatusError) as info:
        client.with_options(max_retries=1).messages.create(model="overloaded", **ASK)
    assert (info.value.status_code, info.value.request_id) == (529, "req_9")
    assert len(api.calls) == 2
    with pytest.raises(anthropic.APIStatusError, match="sorry"):
        list(client.messages.create(model="stream-fails", stream=True, **ASK))
    with pytest.raises(anthropic.APIConnectionError) as info:
        nobody = async_client.with_options(max_retries=0, base_url="http://127.0.0.1:9")
        asyncio.run(nobody.messages.create(model="small", **ASK))
    assert isinstance(info.value.__cause__, httpx2.ConnectError)


def test_timeouts_are_the_sdks_own(client, async_client):
    with pytest.raises(anthropic.APITimeoutError):
        client.with_options(timeout=0.3, max_retries=1).messages.create(model="slow", **ASK)
    with pytest.raises(anthropic.APITimeoutError):
        slow = async_client.with_options(timeout=0.3, max_retries=0)
        asyncio.run(slow.messages.create(model="slow", **ASK))


def test_the_results_of_a_batch_come_line_by_line(client, async_client):
    assert [r.custom_id for r in client.messages.batches.results("batch_1")] == ["a", "b"]

    async def main():
        decoder = await async_client.messages.batches.results("batch_1")
        return [result.custom_id async for result in decoder]

    assert asyncio.run(main()) == ["a", "b"]


def test_a_file_is_uploaded(client, async_client, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_bytes(b"a line of text\n" * 20_000)
    got = client.beta.files.upload(file=path)
    assert (got.filename, got.size_bytes) == ("notes.txt", path.stat().st_size)
    got = asyncio.run(async_client.beta.files.upload(file=("n.txt", b"abc", "text/plain")))
    assert (got.filename, got.size_bytes) == ("n.txt", 3)


def test_raw_and_streamed_responses(client, async_client):
    raw = client.messages.with_raw_response.create(model="small", **ASK)
    assert raw.headers["request-id"] == "req_1"
    assert raw.parse().content[0].text == "Warm curl for all"
    with client.messages.with_streaming_response.create(model="small", **ASK) as streamed:
        assert b"Warm curl for all" in b"".join(streamed.iter_bytes())

    async def main():
        create = async_client.messages.with_streaming_response.create
        async with create(model="small", **ASK) as streamed:
            return (await streamed.parse()).content[0].text

    assert asyncio.run(main()) == "Warm curl for all"


def test_a_cancelled_call(curlew):
    left = []

    with StandIn({"POST /v1/messages": lambda call: left.append(call.hold())}) as api:
        client = anthropic.AsyncAnthropic(
            base_url=api.url,
            api_key="sk-1",
            http_client=httpx2.AsyncClient(transport=AsyncCurlewTransport()),
        )

        async def main():
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.messages.create(model="slow", **ASK), timeout=0.5)

        asyncio.run(main())
        deadline = time.monotonic() + 5
        while not left and time.monotonic() < deadline:
            time.sleep(0.02)
    assert left == [True]
