"""files=, and data= beside it: the form that the `requests` package would send."""

import base64
import io
import json
from email.parser import BytesParser

import pytest
import requests
from parity import OURS, THEIRS

from django_curlew import CurlMime, Session
from django_curlew.requests.request_body import encode_body


def parts(content_type, body):
    """What a form's parts are: disposition, filename, other headers, content."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + body)
    return [
        (part.get_param("name", header="content-disposition"), part.get_filename(),
         part["Content-Type"] if part["Content-Type"] != "application/octet-stream" else None,
         part.get_payload(decode=True))
        for part in message.get_payload()]


def theirs(**arguments):
    made = requests.Request("POST", "http://a/", **arguments).prepare()
    return parts(made.headers["Content-Type"], made.body)


def ours(origin, **arguments):
    echo = Session().post(origin.url("/echo"), **arguments).json()
    headers = {name.lower(): value for name, value in echo["headers"]}
    return parts(headers["content-type"], base64.b64decode(echo["body_base64"]))


def named(name, content=b"x"):
    file = io.BytesIO(content)
    file.name = name
    return file


@pytest.mark.parametrize("make", [
    lambda: {"files": {"f": b"bytes"}}, lambda: {"files": {"f": "text"}},
    lambda: {"files": {"f": named("/tmp/a.bin")}}, lambda: {"files": {"f": named("<stdin>")}},
    lambda: {"files": {"f": named(7)}},
    lambda: {"files": {"f": ("n.bin", b"x")}}, lambda: {"files": {"f": ("n.bin", b"x", "a/b")}},
    lambda: {"files": {"f": ["n.bin", io.BytesIO(b"x"), "a/b"]}},
    lambda: {"files": {"f": (None, b"no filename")}},
    lambda: {"files": [("f", b"1"), ("f", b"2")]},
    lambda: {"files": {"f": b"x", "none": None}},
    lambda: {"files": {"f": b"x", "none": ("name", None)}},
    lambda: {"files": {b"f": (b"n.bin", b"x", "")}}, lambda: {"files": {"f": named(b"/t/b.bin")}},
    lambda: {"files": {"f": memoryview(b"x")}}, lambda: {"files": {"f": ("n.bin", 5)}},
    lambda: {"files": {"f": ("n.bin", b"x", "a/b", {"Content-Type": "c/d", "X-H": "1"})}},
    lambda: {"files": {"f": b"x"}, "data": {"a": ["1", "2"], "b": "3", "c": 4, "d": None}},
    lambda: {"files": {"f": b"x"}, "data": [("a", "1"), ("a", b"2")]},
    lambda: {"files": {"f": b"x"}, "data": {"t": ("1", None, "2"), "e": ""}},
])
def test_a_form_is_as_of_requests(origin, make):
    assert ours(origin, **make()) == theirs(**make())


def test_a_paths_file_is_read(tmp_path):
    path = tmp_path / "report.txt"
    path.write_bytes(b"inside")
    for file in (path, ("other.txt", path)):
        part, = encode_body("POST", files={"f": file}).keys["multipart"]
        name = "report.txt" if file is path else "other.txt"
        assert part == {"name": "f", "value": "inside", "filename": name}


def test_the_fourth_item_is_the_parts_headers():
    files = {"f": ("n", b"x", "text/plain", {"X-Part": "1", "X-Bytes": b"caf\xe9", "No": None})}
    part, = encode_body("POST", files=files).keys["multipart"]
    assert part["content_type"] == "text/plain"
    assert part["headers"] == [["X-Part", "1"], ["X-Bytes", {"base64": "Y2Fm6Q=="}]]


def test_text_beside_files_is_refused_as_of_requests():
    for data in ("text", b"bytes"):
        with pytest.raises(ValueError):
            encode_body("POST", files={"f": b"x"}, data=data)


def test_what_is_no_file_is_refused_as_of_requests():
    for file in (iter([b"x"]), {"a": 1}, object(), 1.5):
        for encode in (theirs, lambda files: encode_body("POST", files=files)):
            with pytest.raises(TypeError):
                encode(files={"f": ("name", file)})


def test_files_that_are_all_none_are_no_form():
    assert encode_body("POST", files={"f": None}).keys == {"body": ""}


def test_a_form_of_curl_cffis_takes_values_as_text():
    form = CurlMime()
    form.addpart("a", data=b"1")
    made = encode_body("POST", multipart=form, data={"l": [1, 2]}).keys["multipart"]
    assert json.dumps(made[1]) == '{"name": "l", "value": "[1, 2]"}'


@pytest.mark.parametrize("name, filename", [
    ("a.txt", None), ("a.unknown", None), ("a", None), ("a.unknown", "b.png"), ("a.png", "b"),
    ("a.png", "b.txt")])
def test_the_type_of_a_local_file_is_curl_cffis(origin, tmp_path, name, filename):
    (tmp_path / name).write_bytes(b"x")
    echoes = []
    for lib in (THEIRS, OURS):
        form = lib.top.CurlMime()
        form.addpart("f", filename=filename, local_path=str(tmp_path / name))
        echo = lib.requests.post(origin.url("/echo"), multipart=form).json()
        body = base64.b64decode(echo["body_base64"]).split(b"\r\n")
        echoes.append([line for line in body if line.startswith(b"Content-")])
    assert echoes[0] == echoes[1]
