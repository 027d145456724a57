"""Requests that a template encodes: the same as those that are encoded one by one."""

import copy
import json
import pickle

import pytest

from django_curlew import AsyncSession, Session
from django_curlew.requests import RetryStrategy, parameters, request_template
from django_curlew.requests.batch import Batch
from django_curlew.requests.models import Response
from django_curlew.requests.parameters import NOT_SET
from django_curlew.requests.prepared_request import PreparedRequest
from django_curlew.requests.request_template import prepare
from django_curlew.requests.urls import build_url, build_urls

URLS = ["http://a/", "a.example/x", "https://a.example:8443/p/ä?q=\"\\é&r=%41%2f#f", "http://a/%",
        "http://a/\u2028 \n"]
SESSIONS = [{}, {"cookie_jar": False}, {"headers": {"X-A": "1", "User-Agent": "ü"}}, {"name": "s"},
            {"timeout": (1, 2)}, {"verify": False, "auth": ("u", "p")}, {"impersonate": "chrome"},
            {"default_encoding": "latin-1", "discard_cookies": True, "allow_redirects": False}]


def same(session, url, kwargs):
    """The request, which must be the one that is made without a template."""
    made = prepare(session, "GET", url, kwargs)
    plain = PreparedRequest(session, "GET", url, kwargs)
    assert json.loads(made.to_body()) == json.loads(plain.to_body()) == made.keys == plain.keys
    for name in ("method", "timeout", "stream", "streams", "keeps_cookies", "default_encoding",
                 "idempotent", "impersonates", "idle_timeout", "curl_infos", "kwargs"):
        assert getattr(made, name) == getattr(plain, name), name
    ours, theirs = made.request(), plain.request()
    assert (ours.url, ours.headers, ours.body) == (theirs.url, theirs.headers, theirs.body)
    return made


@pytest.mark.parametrize("kwargs", [{}, {"timeout": 5}, {"timeout": None, "stream": True},
                                    {"stream": True}, {"stream": False}])
@pytest.mark.parametrize("params", SESSIONS, ids=str)
@pytest.mark.parametrize("session_class", [Session, AsyncSession])
def test_a_template_makes_the_same_request(session_class, params, kwargs):
    session = session_class(**params)
    for url in URLS:
        assert same(session, url, kwargs).template is not None


CHANGES = [
    lambda s: s.headers.update({"X-B": "2"}),
    lambda s: s.headers.__setitem__("X-B", "2"),
    lambda s: setattr(s, "headers", {"X-B": "2"}),
    lambda s: s.cookies.set("c", "1"),
    lambda s: s.proxies.update(all="http://proxy:3128"),
    lambda s: setattr(s, "params", {"q": "1"}),
    lambda s: setattr(s, "base_url", "http://base/"),
    lambda s: setattr(s, "timeout", 7),
    lambda s: setattr(s, "verify", False),
    lambda s: setattr(s, "retry", RetryStrategy(2)),
    lambda s: setattr(s.retry, "count", 1),
    lambda s: setattr(s, "discard_cookies", True),
    lambda s: setattr(s, "default_encoding", "latin-1"),
    lambda s: s.curl_options.update({10018: "agent"}),  # USERAGENT
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_the_session_counts_from_the_next_request_on(change):
    session = Session(headers={"X-A": "1"})
    before = same(session, "a.example/x", {})
    change(session)
    after = same(session, "a.example/x", {})
    assert (after.keys, after.keeps_cookies, after.default_encoding) != (
        before.keys, before.keeps_cookies, before.default_encoding)


def during_the_encoding(monkeypatch, before, after):
    """What another thread does just before, and just after a template has read the session."""
    class Interrupted(PreparedRequest):
        def __init__(self, *args):
            before()
            super().__init__(*args)
            after()

    monkeypatch.setattr(request_template, "PreparedRequest", Interrupted)


def test_a_header_that_another_thread_changes_meanwhile_counts_from_then_on(monkeypatch):
    session = Session(headers={"Authorization": "old"})
    during_the_encoding(monkeypatch, lambda: None,
                        lambda: session.headers.update({"Authorization": "new"}))
    prepare(session, "GET", "http://a/", {})
    monkeypatch.undo()
    assert b"new" in same(session, "http://a/", {}).to_body()


def test_a_cookie_that_another_thread_sets_meanwhile_is_in_no_template(monkeypatch):
    session = Session()
    during_the_encoding(monkeypatch, lambda: session.cookies.set("sid", "secret"), lambda: None)
    prepare(session, "GET", "http://a/", {})
    monkeypatch.undo()
    session.cookies.clear()
    assert b"secret" not in same(session, "http://a/", {}).to_body()


def test_a_proxy_that_another_thread_sets_meanwhile_is_in_no_template(monkeypatch):
    session = Session()
    during_the_encoding(monkeypatch, lambda: session.proxies.update(all="http://proxy:1"),
                        lambda: None)
    prepare(session, "GET", "http://a/", {})
    monkeypatch.undo()
    session.proxies.clear()
    assert b"proxy" not in same(session, "http://a/", {}).to_body()


def test_an_attribute_that_another_thread_sets_meanwhile_counts_from_then_on(monkeypatch):
    session = Session(auth=("old", "password"))
    session.verify = True  # what was cached is dropped
    set_verify = parameters.SESSION["verify"]

    def interrupted(keys, value):
        set_verify(keys, value)
        monkeypatch.undo()
        session.auth = ("new", "password")

    assert list(parameters.SESSION).index("auth") < list(parameters.SESSION).index("verify")
    monkeypatch.setitem(parameters.SESSION, "verify", interrupted)
    prepare(session, "GET", "http://a/", {})
    assert b"new" in prepare(session, "GET", "http://a/", {}).to_body()


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy,
                                   lambda session: pickle.loads(pickle.dumps(session))],
                         ids=["copy", "deepcopy", "pickle"])
@pytest.mark.parametrize("params", SESSIONS, ids=str)
def test_a_copy_of_a_session_makes_the_same_requests_until_it_is_changed(params, again):
    session = Session(**params)
    kwargs = {"stream": False}
    before = [same(session, "http://a/", each).to_body() for each in ({}, kwargs)]
    copied = again(session)
    assert [same(copied, "http://a/", each).to_body() for each in ({}, kwargs)] == before
    copied.auth, copied.headers = ("other", "p"), {"X-A": "other"}
    assert same(copied, "http://a/", {}).to_body() != before[0]
    assert [same(session, "http://a/", each).to_body() for each in ({}, kwargs)] == before


def test_parameters_that_a_template_does_not_know_are_refused_as_ever():
    session = Session()
    prepare(session, "GET", "http://a/", {})
    with pytest.raises(TypeError, match="timeout"):
        prepare(session, "GET", "http://a/", {"timeout": True})
    with pytest.raises(TypeError, match="nonsense"):
        prepare(session, "GET", "http://a/", {"nonsense": 1})
    assert prepare(session, "GET", "http://a/", {"timeout": NOT_SET}).timeout == 35


def test_no_more_templates_are_kept_than_a_session_needs():
    session = Session()
    for timeout in range(1, 1000):
        assert prepare(session, "GET", "http://a/", {"timeout": timeout}).timeout == timeout + 5
    assert len(session._templates._templates) <= 64


def test_the_request_of_a_response_is_its_own():
    session = Session(headers={"X-A": "1"})
    first, second = (prepare(session, "GET", "http://a/", {}).request() for _ in range(2))
    first.headers["X-A"] = "changed"
    assert second.headers["X-A"] == "1" == session.headers["X-A"]


@pytest.mark.parametrize("params", SESSIONS, ids=str)
def test_a_batch_of_urls_is_the_same_as_one_of_pairs(params):
    session = Session(**params)
    urls = Batch(session, URLS, 7)
    pairs = Batch(session, [("GET", url, {"tag": None}) for url in URLS], 7)
    ours, theirs = json.loads(urls.to_json()), json.loads(pairs.to_json())
    assert ours == theirs
    assert (urls.timeout, urls.idempotent) == (pairs.timeout, pairs.idempotent)


@pytest.mark.parametrize("urls", [
    [], ["http://a/"], URLS, ["http://a/1", "https://b/2?q=[1]"], ["http://a/\nhttp://b/"],
    ["http://a/\n", "http://b/"], ["http://a/", "\nhttp://b/"], ["http://a/", ""],
    ["http://a/", "b"],
    ["http://a/", "http://b/ü"], ["http://a/", "http://b/\r"]], ids=ascii)
def test_urls_are_built_together_as_they_are_one_by_one(urls):
    assert build_urls(urls) == [build_url(url) for url in urls]
    requests = Batch(Session(headers={"X-A": "1"}), urls, 7).requests
    assert [r.keys["url"] for r in requests] == [build_url(url) for url in urls]
    assert all(r.keys["headers"] == [["X-A", "1"]] and r.template for r in requests)


def test_a_response_is_the_same_in_one_step():
    session = Session(headers={"X-A": "1"}, default_encoding="latin-1", curl_infos=[2097154])
    prepared, envelope = PreparedRequest(session, "GET", "http://a/", {}), {"status": 200}
    loaded, of_batch = Response(), Batch(session, ["http://a/"], 7).requests.of_response(0)
    loaded.load(envelope, prepared, content=b"ab")
    assert vars(Response.loaded(envelope, prepared, b"ab")) == vars(loaded)
    response = Response.loaded(envelope, of_batch, b"ab")
    assert response.default_encoding == "latin-1" and of_batch.curl_infos == prepared.curl_infos
    assert (response.request.url, response.request.method) == ("http://a/", "GET")
    assert response.request.headers == loaded.request.headers and response.request.body is None


def test_the_attributes_of_a_subclass_are_its_own():
    class Reports(Session):
        def __init__(self):
            super().__init__()
            self.template = self.prepare = "report.html"

    assert prepare(Reports(), "GET", "http://a/", {}).method == "GET"
    assert len(Batch(Reports(), URLS, 7).requests) == len(URLS)
