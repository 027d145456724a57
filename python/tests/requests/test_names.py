"""Names of curl_cffi's modules: they are here, or importing them says what to use instead."""

import importlib
import inspect
import sys
from enum import IntEnum

import curl_cffi.const
import curl_cffi.requests.exceptions
import curl_cffi.requests.impersonate
import pytest

import django_curlew.const
import django_curlew.requests.exceptions
import django_curlew.requests.impersonate
from django_curlew import Session, unsupported_names
from django_curlew.requests import CurlError, Response

MODULES = ["", ".const", ".curl", ".aio", ".utils", ".fingerprints", ".requests",
           ".requests.exceptions", ".requests.errors", ".requests.headers", ".requests.cookies",
           ".requests.models", ".requests.session", ".requests.impersonate",
           ".requests.websockets", ".requests.cache"]
# Parts of how curl_cffi works inside, which no program needs.
INSIDE = {"FingerprintSpec", "FingerprintUpdateError", "AsyncWebSocketContext", "CurlMorsel",
          "normalize_cache_backend"}


def public_names(module):
    """What a module of curl_cffi's exports, and the classes that it defines."""
    for name, value in vars(module).items():
        is_its_class = inspect.isclass(value) and value.__module__ == module.__name__
        if name in getattr(module, "__all__", ()) or is_its_class and name[0] != "_":
            if name not in INSIDE:
                yield name


def all_names():
    for suffix in MODULES:
        module = importlib.import_module("curl_cffi" + suffix)
        yield from ((suffix, name) for name in public_names(module))


@pytest.mark.parametrize("suffix, name", list(all_names()))
def test_a_name_is_there_or_importing_it_says_what_to_use(suffix, name):
    module = importlib.import_module("django_curlew" + suffix)
    if name not in unsupported_names.REASONS:
        assert getattr(module, name) is not None
        return
    with pytest.raises(ImportError, match=rf"\.{name} is not available: .*(use|pass|install) "):
        getattr(module, name)


def enums(module):
    return {name: value for name, value in vars(module).items()
            if inspect.isclass(value) and issubclass(value, IntEnum) and value is not IntEnum}


@pytest.mark.parametrize("name", enums(curl_cffi.const))
def test_a_constant_has_libcurls_number(name):
    theirs, ours = getattr(curl_cffi.const, name), getattr(django_curlew.const, name)
    wanted = {n: int(m) for n, m in theirs.__members__.items() if not n.startswith("OBSOLETE")}
    assert wanted.items() <= {n: int(m) for n, m in ours.__members__.items()}.items()


def test_an_error_of_libcurls_has_curl_cffis_class():
    for code, theirs in curl_cffi.requests.exceptions.CODE2ERROR.items():
        ours = django_curlew.requests.exceptions.code2error(code, "")
        assert ours.__name__ == theirs.__name__, code
    for text in ("CONNECT tunnel failed", "other"):
        theirs = curl_cffi.requests.exceptions.code2error(56, text)
        assert django_curlew.requests.exceptions.code2error(56, text).__name__ == theirs.__name__


def test_browsers_are_an_enum_of_the_same_names():
    theirs, ours = curl_cffi.requests.impersonate, django_curlew.requests.impersonate
    assert {m.name: m.value for m in ours.BrowserType} == \
        {m.name: m.value for m in theirs.BrowserType}
    assert ours.BrowserType.chrome120 == "chrome120"
    assert ours.BrowserTypeLiteral == theirs.BrowserTypeLiteral
    for alias in ("chrome", "safari_ios", "tor", "chrome99", "unknown"):
        assert ours.resolve_latest_browser_type(alias) == theirs.resolve_latest_browser_type(alias)
    assert vars(ours.ExtraFingerprints()) == vars(theirs.ExtraFingerprints())


def test_a_browser_may_be_a_member_or_its_name():
    for browser in (django_curlew.BrowserType.chrome120, "chrome120"):
        assert Session(impersonate=browser).keys()["impersonate"] == "chrome120"
        assert type(Session(impersonate=browser).keys()["impersonate"]) is str


def test_exceptions_of_websockets_can_be_caught():
    assert issubclass(django_curlew.WebSocketTimeout, CurlError)
    assert django_curlew.WebSocketError("text", 1000).code == django_curlew.WsCloseCode.OK


def test_there_is_no_cache():
    assert Session().cache_backend is None


def test_warnings_are_off_until_they_are_wanted(recwarn):
    import warnings

    from django_curlew.utils import CurlCffiWarning

    with warnings.catch_warnings():
        for on in (False, True):
            django_curlew.config_warnings(on=on)
            warnings.warn("text", CurlCffiWarning, stacklevel=1)
    assert [str(each.message) for each in recwarn.list] == ["text"]


def test_json_path_and_markdown_say_which_packages_they_need(monkeypatch):
    response = Response()
    response.content = b'{"a": {"b": [1, 2]}}'
    for missing in ("jsonpath_ng", "jsonpath_ng.ext", "jsonpath_ng.exceptions", "readability"):
        monkeypatch.setitem(sys.modules, missing, None)
    assert response.json(default="unused") == {"a": {"b": [1, 2]}}
    with pytest.raises(ImportError, match="pip install jsonpath-ng"):
        response.json(path=".a.b")
    with pytest.raises(ImportError, match="pip install readability-lxml"):
        response.markdown()
    for wrong, error in ((1, TypeError), ("", ValueError)):
        with pytest.raises(error):
            response.json(path=wrong)
