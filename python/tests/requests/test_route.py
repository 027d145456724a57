"""Curlew-Route: the key that each request carries, and batches split by it."""

import asyncio
import contextlib
import gc
import json
import re
import socket
import threading
import time

import httpx
import pytest
import requests

from django_curlew import AsyncSession, Session, conf, exceptions, handoff_store, route
from django_curlew.adapters.httpx import CurlewTransport
from django_curlew.adapters.requests import CurlewAdapter
from django_curlew.daemon import Daemon
from tests.support.procs import wait_until

PARAMETER = re.compile(rb"(?s)\x11(.)HTTP_CURLEW_ROUTE(.*)")


@pytest.mark.parametrize("url, key", [
    ("http://example.org/", "http://example.org:80"),
    ("HTTPS://EXAMPLE.org", "https://example.org:443"),
    ("https://example.org:0443/a:1/", "https://example.org:443"),
    ("http://user:p@ss@example.org:8080?q=@x", "http://example.org:8080"),
    ("http://[::1]:81/", "http://[::1]:81"),
    ("http://b\u00fccher.example/", "http://b%C3%BCcher.example:80"),
    ('http://a"b/', "http://a%22b:80"),
    ("ftp://example.org/", None),
    ("", None),
])
def test_the_key_of_a_url_is_its_origin(url, key):
    assert route.key_of({"url": url}) == key


def test_the_key_of_a_session_with_a_jar_is_its_name():
    keys = {"url": "http://example.org/", "session": "shop"}
    assert route.key_of(keys) == "shop"
    assert route.key_of(keys, shared_jar=False) == "http://example.org:80"
    assert Session(name="shop", cookie_jar=False).route_key(keys) == "http://example.org:80"


def test_a_key_has_a_limit():
    assert len(route.key_of({"url": f"http://{'a' * 1000}/"})) == route.MAX_KEY_CHARS


class Relay:
    """Passes each connection on to the daemon, and notes the keys that it sees. A connection whose
    request has the key `broken` is closed; one with the key `held` gets no response."""

    def __init__(self, path, target):
        self.target = target
        self.keys, self.broken, self.held, self.ended = [], None, None, []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(128)
        self.sockets = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        server = socket.socket(socket.AF_UNIX)
        self.sockets += [client, server]
        with client, server, contextlib.suppress(OSError):  # of which one may be closed already
            server.connect(self.target)
            self.relay(client, server)

    def relay(self, client, server):
        key = None
        while data := self.receive(client):
            found = PARAMETER.search(data)
            key = found[2][:found[1][0]].decode() if found else None
            self.keys.append(key)
            if key is not None and key == self.broken:
                break
            if key is not None and key == self.held:
                continue
            server.sendall(data)
            threading.Thread(target=self.copy, args=(server, client), daemon=True).start()
        self.ended.append(key)

    @staticmethod
    def receive(sock):
        try:
            return sock.recv(1 << 20)
        except OSError:
            return b""

    @staticmethod
    def copy(server, client):
        try:
            while data := server.recv(1 << 20):
                client.sendall(data)
            client.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def close(self):
        self.listener.close()
        for sock in self.sockets:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)  # which wakes its thread, too


@pytest.fixture
def relay(daemon, tmp_path):
    relay = Relay(str(tmp_path / "relay.sock"), str(daemon.socket))
    relay.daemon = Daemon(f"fcgi+unix:{tmp_path}/relay.sock", sends_route=True)
    yield relay
    relay.close()


@pytest.fixture(params=["sync", "async"])
def kind(request):
    return request.param


def run(kind, relay, use, **kwargs):
    """use(session), or what awaiting it gives."""
    if kind == "sync":
        return use(Session(daemon=relay.daemon, **kwargs))

    async def main():
        return await use(AsyncSession(daemon=relay.daemon, **kwargs))

    return asyncio.run(main())


def origin_urls(origin, path="/echo"):
    """Of three origins, in turns."""
    origins = (("127.0.0.1", "http"), ("localhost", "http"), ("localhost", "https"))
    return [origin.url(f"{path}?n={n}", *origins[n % 3]) for n in range(9)]


def keys_of(urls):
    return sorted({route.key_of({"url": url}) for url in urls})


def test_each_request_carries_its_key(kind, relay, origin):
    run(kind, relay, lambda s: s.get(origin.url("/hello")))
    run(kind, relay, lambda s: s.get(origin.url("/hello"), stream=True))
    assert relay.keys == keys_of([origin.url()]) * 2


def test_adapters_send_it(relay, origin):
    with httpx.Client(transport=CurlewTransport(relay.daemon)) as client:
        client.get(origin.url("/hello"))
    session = requests.Session()
    session.mount("http://", CurlewAdapter(relay.daemon))
    session.get(origin.url("/hello"))
    assert relay.keys == keys_of([origin.url()]) * 2


def test_it_is_sent_only_where_it_is_asked_for(relay, origin, daemon):
    Session(daemon=Daemon(relay.daemon.url)).get(origin.url("/hello"))
    assert relay.keys == [None]


def test_the_setting_asks_for_it(monkeypatch, relay):
    monkeypatch.setitem(conf.DEFAULTS, "ROUTE", True)
    conf.reload()
    assert Session().daemon.sends_route
    monkeypatch.setitem(conf.DEFAULTS, "ROUTE", False)
    conf.reload()
    assert not Session().daemon.sends_route


def test_a_batch_of_one_key_is_one_request(kind, relay, origin):
    urls = [origin.url(f"/echo?n={n}") for n in range(5)]
    responses = run(kind, relay, lambda s: s.gather(urls))
    assert [r.url for r in responses] == urls and relay.keys == keys_of(urls)


def test_a_batch_is_split_by_key_and_merged_in_order(kind, relay, origin):
    urls = origin_urls(origin)
    responses = run(kind, relay, lambda s: s.gather(urls))
    assert [r.url for r in responses] == urls
    assert sorted(relay.keys) == keys_of(urls) and len(relay.keys) == 3


def test_a_batch_with_few_at_once_sends_one_part_after_the_other(kind, relay, origin):
    urls = origin_urls(origin, "/delay/0.02")
    responses = run(kind, relay, lambda s: s.gather(urls, max_parallel=1))
    assert [r.url for r in responses] == urls and sorted(relay.keys) == keys_of(urls)


def test_results_of_other_parts_come_while_one_is_slow(kind, relay, origin):
    slow, fast = origin.url("/delay/0.6"), origin.url("/hello", host="localhost")
    start, found = time.monotonic(), []

    def note(index):
        found.append((index, time.monotonic() - start))

    def use(session):
        for index, _ in session.as_completed([slow, fast]):
            note(index)

    async def ause(session):
        async for index, _ in session.as_completed([slow, fast]):
            note(index)

    run(kind, relay, use if kind == "sync" else ause)
    assert [index for index, _ in found] == [1, 0]
    assert found[0][1] < 0.5 <= found[1][1]


def test_a_part_that_fails_does_not_lose_the_others(kind, relay, origin):
    urls = origin_urls(origin)
    relay.broken = route.key_of({"url": urls[1]})
    results = run(kind, relay, lambda s: s.gather(urls, return_exceptions=True))
    assert [isinstance(r, exceptions.RequestException) for r in results] == [False, True, False] * 3
    assert [r.url for r in results[::3]] == urls[::3]
    with pytest.raises(exceptions.RequestException):
        run(kind, relay, lambda s: s.gather(urls))


def test_leaving_the_loop_cancels_the_parts(kind, relay, origin):
    slow = [origin.url("/delay/20"), origin.url("/delay/20", host="localhost")]
    urls = [origin.url("/hello", "localhost", "https"), *slow]

    def use(session):
        for _ in session.as_completed(urls):
            break

    async def ause(session):
        results = session.as_completed(urls)
        async for _ in results:
            break
        del results
        gc.collect()
        await asyncio.sleep(0.05)

    run(kind, relay, use if kind == "sync" else ause)
    wait_until("the parts are cancelled", lambda: set(keys_of(slow)) <= set(relay.ended))


def test_a_cancelled_gather_cancels_the_parts(relay, origin):
    urls = [origin.url("/delay/20"), origin.url("/delay/20", host="localhost")]

    async def main():
        session = AsyncSession(daemon=relay.daemon)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(session.gather(urls), 0.3)
        await asyncio.sleep(0.05)

    asyncio.run(main())
    wait_until("the parts are cancelled", lambda: set(keys_of(urls)) <= set(relay.ended))


def test_a_reference_repeats_the_key(relay, origin):
    url = origin.url("/hello")
    key = route.key_of({"url": url})
    reference = handoff_store.store(json.dumps({"url": url}), relay.daemon, route_key=key)
    assert re.fullmatch(re.escape(f"@{key}.") + "[0-9a-f]{32}", reference)
    assert relay.keys == [key]
    other = Daemon(relay.daemon.url)
    assert re.fullmatch("@[0-9a-f]{32}",
                        handoff_store.store(json.dumps({"url": url}), other, route_key=key))
    params = {"CURLEW_REQUEST": reference, "REQUEST_METHOD": "GET", "SCRIPT_NAME": "/"}
    delivered = other.exchange("GET", "/", params=params)
    assert delivered.status == 200, delivered.body
    again = other.exchange("GET", "/", params=params)
    assert again.status == 400
