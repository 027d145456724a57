"""Django's own kinds of values as parameters of a request: nothing of them is lost."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import QueryDict
from django.test import RequestFactory
from django.utils.functional import SimpleLazyObject
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from django_curlew import Session, client
from django_curlew.testing import override_curlew

URL = "https://api.example/"
QUERY = "a=1&a=2&b=&a=3"
TEXTS = [gettext_lazy("hello"), mark_safe("hello"), SimpleLazyObject(lambda: "hello")]


@pytest.fixture
def sent():
    """The request object of the last request."""
    with override_curlew() as stub:
        stub.on("*")
        yield lambda: stub.requests[-1]


def values_of(parts, name):
    return [part["value"] for part in parts if part["name"] == name]


def test_a_query_dict_keeps_all_its_values(sent):
    query = QueryDict(QUERY)
    client.get(URL, params=query)
    assert sent()["url"] == URL + "?a=1&a=2&a=3&b="
    client.get(URL + "?a=0", params=query)
    assert sent()["url"] == URL + "?a=0&a=1&a=2&a=3&b="
    Session(params=query).get(URL)
    assert sent()["url"] == URL + "?a=1&a=2&a=3&b="
    client.post(URL, data=query)
    assert sent()["body"] == "a=1&a=2&a=3&b="
    client.post(URL, data=query, files={"f": b"x"})
    assert values_of(sent()["multipart"], "a") == ["1", "2", "3"]


def test_uploads_of_one_name_are_all_sent(sent):
    files = [SimpleUploadedFile(f"{i}.txt", b"%d" % i) for i in range(3)]
    request = RequestFactory().post("/", {"f": files, "g": files[0]})
    client.post(URL, files=request.FILES)
    assert values_of(sent()["multipart"], "f") == ["0", "1", "2"]
    assert [part["filename"] for part in sent()["multipart"]] == [
        "0.txt", "1.txt", "2.txt", "0.txt"]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: type(text).__name__)
def test_text_that_is_lazy_is_one_value(sent, text):
    client.get(URL, params={"q": text, "r": [text, text]})
    assert re.sub("[^=&?]*[?]", "", sent()["url"]) == "q=hello&r=hello&r=hello"
    client.get(URL + "?q=1", params=[("q", text)])
    assert sent()["url"] == URL + "?q=hello"
    client.post(URL, data={"q": text})
    assert sent()["body"] == "q=hello"
    client.post(URL, data={"q": text, "r": [text, text]}, files={"f": b"x"})
    assert values_of(sent()["multipart"], "q") == ["hello"]
    assert values_of(sent()["multipart"], "r") == ["hello"] * 2
