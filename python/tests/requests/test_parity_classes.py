"""Headers, Cookies, exceptions, names: curl_cffi's classes and ours, method by method."""

import inspect
import pickle

import curl_cffi
import pytest
from parity import OURS, THEIRS, cookie_facts, outcome

import django_curlew
from django_curlew import unsupported_names
from django_curlew.requests import parameters, prepared_request


def agree(program):
    theirs, ours = outcome(program, THEIRS.requests), outcome(program, OURS.requests)
    assert ours == theirs
    return ours


MADE_OF = [None, {}, {"A": "1", "b": "2"}, [("A", "1"), ("a", "2"), ("B", "3")], {b"A": b"1"},
           ["A: 1", "B:  x y "], [b"A: 1"], {"A": None, "B": ""}, {"N": 5},
           [("Authorization", "secret"), ("X", "y")]]


@pytest.mark.parametrize("made_of", MADE_OF)
@pytest.mark.parametrize("name", [
    "list(h)", "h.multi_items()", "len(h)", "repr(h)", "h.get('a')", "h.get('zz', 7)", "h['A']",
    "h['b']", "'a' in h, 'B' in h, 'zz' in h", "h.get_list('a')", "h.get_list('B', True)",
    "list(h.keys())", "h == H(h), h == {'A': '1'}", "h.copy() == h", "h.raw", "h.encoding",
    "bool(h)", "dict(h)"])
def test_what_headers_say(made_of, name):
    def program(lib):
        scope = {"h": lib.Headers(made_of), "H": lib.Headers}
        return eval(name, scope)
    agree(program)


@pytest.mark.parametrize("action", [
    "h['A'] = '9'", "h['a'] = '9'", "h['C'] = '9'", "del h['a']", "del h['zz']",
    "h.update({'a': 'x'})",
    "h.update([('a', 'x'), ('A', 'y')])", "h.pop('B')", "h.setdefault('D', 'd')", "h.clear()",
    "h['E'] = None", "h.update(None)"])
@pytest.mark.parametrize("made_of", MADE_OF)
def test_what_may_be_done_to_headers(made_of, action):
    def program(lib):
        h = lib.Headers(made_of)
        exec(action, {"h": h})
        return h.multi_items()
    agree(program)


def test_a_header_line_without_a_colon_is_refused():
    agree(lambda lib: lib.Headers(["no colon"]).multi_items())


@pytest.mark.parametrize("value", [["a", "b"], ("a",), {"a": 1}, {"a"}])
def test_several_values_are_no_text(value):
    """Their repr() would be sent."""
    with pytest.raises(TypeError, match="one text as its value"):
        OURS.top.Headers({"A": value})


@pytest.mark.parametrize("action", [
    "c.set('a', '1', domain='x.example')", "c['b'] = '2'", "del c['a']",
    "c.delete('a', 'x.example')",
    "c.delete('a', 'x.example', '/')", "c.delete('zz')", "c.clear()", "c.clear('x.example')",
    "c.update({'a': '3', 'n': '4'})", "c.update([('a', '5')])", "c.set('p', '1', path='/p')",
    "c.set('s', '1', secure=True)"])
def test_what_may_be_done_to_cookies(action):
    def program(lib):
        c = lib.Cookies({"a": "0"})
        c.set("a", "0", domain="x.example")
        exec(action, {"c": c})
        return cookie_facts(c), len(c), bool(c), sorted(c), sorted(c.get_dict().items()), repr(c)
    agree(program)


@pytest.mark.parametrize("ask", [
    "c['a']", "c['zz']", "c.get('a')", "c.get('a', domain='x.example')", "c.get('zz', 'd')",
    "c.get('two')", "c.get('two', domain='x.example')", "c.get_dict('x.example')", "'a' in c",
    "c.get_dict(path='/p')", "c.get('p', path='/q')"])
def test_what_cookies_say(ask):
    def program(lib):
        c = lib.Cookies([("a", "0")])
        c.set("two", "1", domain="x.example")
        c.set("two", "2", domain="y.example")
        c.set("p", "3", path="/p")
        return eval(ask, {"c": c})
    agree(program)


def test_prefixed_cookies_are_made_what_they_must_be():
    def program(lib):
        c = lib.Cookies()
        with pytest.warns(Warning):
            c.set("__Secure-a", "1")
        with pytest.warns(Warning):
            c.set("__Host-b", "1", domain="x.example", path="/p")
        return cookie_facts(c)
    agree(program)


def test_cookies_can_be_pickled_and_taken_from_a_jar():
    def program(lib):
        c = pickle.loads(pickle.dumps(lib.Cookies({"a": "1"})))
        c["b"] = "2"
        return cookie_facts(c), lib.Cookies(c.jar).jar is c.jar, cookie_facts(lib.Cookies(c))
    agree(program)


EXCEPTIONS = sorted(name for name, each in vars(curl_cffi.requests.exceptions).items()
                    if isinstance(each, type) and issubclass(each, Exception)
                    and each.__module__.startswith("curl_cffi"))


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_an_exception_has_the_same_name_and_parents(name):
    def parents(lib):
        return [c.__name__ for c in getattr(lib.requests.exceptions, name).__mro__]
    assert parents(OURS) == parents(THEIRS)
    if issubclass(getattr(OURS.requests.exceptions, name), OURS.requests.exceptions.CurlError) \
            and name not in ("JSONDecodeError", "CurlError"):
        raised = getattr(OURS.requests.exceptions, name)("why", 28, "response")
        assert (raised.code, raised.response, str(raised)) == (28, "response", "why")
        assert raised.problem == {} and raised.reason is None


def test_the_old_names():
    assert OURS.requests.RequestsError is OURS.requests.exceptions.RequestException
    assert OURS.requests.errors.RequestsError is OURS.requests.RequestsError


@pytest.mark.parametrize("lib, module", [(curl_cffi, django_curlew),
                                         (curl_cffi.requests, django_curlew.requests)])
def test_each_name_exists_or_has_a_reason(lib, module):
    for name in lib.__all__:
        if name in ("config_warnings", "exceptions"):
            continue
        if name in unsupported_names.REASONS:
            with pytest.raises(ImportError, match=name):
                getattr(module, name)
        else:
            assert getattr(module, name) is not None, name
    with pytest.raises(AttributeError):
        module.no_such_name  # noqa: B018


def parameters_of(function):
    return {n for n, p in inspect.signature(function).parameters.items()
            if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)} - {"self", "method", "url"}


def test_each_parameter_of_curl_cffis_requests_is_known():
    theirs = parameters_of(curl_cffi.requests.Session.request) \
        | parameters_of(curl_cffi.requests.AsyncSession.request)
    assert theirs <= prepared_request.OWN_PARAMETERS | set(parameters.REQUEST)


def test_each_parameter_of_curl_cffis_sessions_is_known():
    from curl_cffi.requests.session import BaseSession
    theirs = parameters_of(BaseSession.__init__) | {
        "curl", "thread", "use_thread_local_curl", "curl_share", "loop", "async_curl",
        "max_clients"}
    own = parameters_of(django_curlew.requests.base_session.BaseSession.__init__)
    assert theirs - {"max_clients"} <= own | set(parameters.SESSION)
    assert "max_clients" in parameters_of(django_curlew.AsyncSession.__init__)


def test_attributes_of_a_session_are_those_of_curl_cffi():
    theirs, ours = curl_cffi.requests.Session(), django_curlew.Session()
    for name, value in vars(theirs).items():
        if not name.startswith("_") and name \
                not in ("headers", "retry", "verify", "response_class"):
            mine = getattr(ours, name)
            assert mine == value or (not mine and not value), name
    assert (ours.retry.count, ours.retry.delay) == (theirs.retry.count, theirs.retry.delay)
    theirs.close()
