"""What an adapter is made with; that it may be copied, pickled and subclassed, as HTTPAdapter."""

import copy
import pickle
import ssl
import threading

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from django_curlew import daemon
from django_curlew.adapters.requests import CurlewAdapter


def test_arguments_of_httpadapter(session, origin):
    arguments = {"pool_connections": 1, "pool_maxsize": 3, "max_retries": 0, "pool_block": True}
    assert session(**arguments).get(origin.url("/hello")).text == "hello\n"
    ours, alone = CurlewAdapter(max_retries=3), HTTPAdapter(max_retries=3)
    assert vars(ours.max_retries) == vars(alone.max_retries)
    retries = Retry(total=7, backoff_factor=0.5)
    assert CurlewAdapter(max_retries=retries).max_retries is retries


@pytest.mark.parametrize("name", ["max_retry", "pool_size", "sesion", "headers", "decompress"])
def test_an_unknown_argument_is_a_typeerror_at_once(name):
    with pytest.raises(TypeError, match=name):
        CurlewAdapter(**{name: 1})


KEYS = {
    "session": "jar",
    "http_version": "1.1",
    "coalesce": True,
    "tag": "t",
    "max_body_bytes": 1000,
    "max_recv_speed": 1000000,
    "retries": 2,
    "verify": True,
}


@pytest.mark.parametrize("name", KEYS)
def test_keys_of_the_request_object(session, origin, name):
    response = session(**{name: KEYS[name]}).get(origin.url("/hello"))
    assert response.text == "hello\n"
    if name in ("session", "tag"):
        assert response.raw.curlew[name] == KEYS[name]


def test_a_limit_for_bodies(session, origin):
    for path in ("/bytes/1000", "/pour?n=1000&rate=1000"):  # with the head, and after it
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="response_too_large"):
            session(max_body_bytes=10).get(origin.url(path))


@pytest.mark.parametrize("duplicate", [lambda s: pickle.loads(pickle.dumps(s)), copy.deepcopy])
def test_sessions_are_copied_with_their_adapters(session, origin, duplicate):
    first = session(session="jar", max_retries=Retry(total=2, status_forcelist=[503]), tag="x")
    first.get(origin.url("/hello"))
    second = duplicate(first)
    response = second.get(origin.url("/hello"))
    assert (response.raw.curlew["session"], response.raw.curlew["tag"]) == ("jar", "x")
    adapter = second.get_adapter("http://a.example/")
    assert adapter.max_retries.status_forcelist == [503]
    assert first.get(origin.url("/hello")).ok


def test_an_adapter_without_a_daemon_of_its_own_is_copied_with_the_settings(one_daemon, origin):
    adapter = pickle.loads(pickle.dumps(CurlewAdapter()))
    with daemon.using(daemon.Daemon(f"fcgi+unix:{one_daemon.socket}")):
        with requests.Session() as session:
            session.mount("http://", adapter)
            assert session.get(origin.url("/hello")).text == "hello\n"


def test_responses_are_pickled(session, origin):
    response = pickle.loads(pickle.dumps(session().get(origin.url("/hello"))))
    assert (response.text, response.reason) == ("hello\n", "OK")


def test_a_closed_session_may_be_used_again(session, origin):
    used = session()
    used.get(origin.url("/hello"))
    used.close()
    assert used.get(origin.url("/hello")).ok


def test_threads_share_an_adapter(session, origin):
    shared, found = session(), []

    def get():
        found.append(shared.get(origin.url("/bytes/100000")).content)

    threads = [threading.Thread(target=get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(body) for body in found] == [100000] * 8


class TaggedAdapter(CurlewAdapter):
    """As SDKs subclass HTTPAdapter."""

    def __init__(self, *args, **kwargs):
        self.asked = []
        super().__init__(*args, **kwargs)

    def add_headers(self, request, **kwargs):
        request.headers["X-Tag"] = "added"
        self.asked.append(sorted(kwargs))

    def build_response(self, req, resp):
        response = super().build_response(req, resp)
        response.tagged = True
        return response

    def send(self, request, **kwargs):
        kwargs["timeout"] = kwargs.get("timeout") or 5
        return super().send(request, **kwargs)


def test_subclasses_override_what_they_do_of_httpadapter(one_daemon, origin):
    adapter = TaggedAdapter(daemon.Daemon(f"fcgi+unix:{one_daemon.socket}"))
    with requests.Session() as session:
        session.mount("http://", adapter)
        response = session.get(origin.url("/echo"))
    assert response.tagged and ["X-Tag", "added"] in response.json()["headers"]
    assert adapter.asked == [["cert", "proxies", "stream", "timeout", "verify"]]


def test_the_pool_manager_fetches_through_the_daemon(session, origin):
    adapter = session().get_adapter("http://a.example/")
    response = adapter.poolmanager.request("GET", origin.url("/redirect/1"), redirect=False)
    assert response.status == 302 and response.curlew["session"] == "default"
    response = adapter.poolmanager.request("GET", origin.url("/hello"))
    assert response.data == b"hello\n"


class TlsAdapter(CurlewAdapter):
    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, ssl_context=ssl.create_default_context(), **kwargs)


def test_arguments_for_connections_are_refused():
    with pytest.raises(TypeError, match="ssl_context.*daemon makes the connections"):
        TlsAdapter()
    with pytest.raises(TypeError, match="proxy_ssl_context"):
        CurlewAdapter().proxy_manager_for("http://127.0.0.1:1", proxy_ssl_context=1)
