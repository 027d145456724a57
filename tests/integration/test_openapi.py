"""docs/openapi.json: its routes, methods, keys and codes are the daemon's, and no others."""

import json
import re

import pytest
from jsonschema import Draft202012Validator

from tests.support.curlewd import BINARY, ROOT
from tools import schemas

DOCUMENT = json.loads((ROOT / "docs/openapi.json").read_text())
SCHEMAS = DOCUMENT["components"]["schemas"]
METHODS = ("get", "post", "put", "delete")


def validator(schema):
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def documented(path):
    return {method.upper() for method in METHODS if method in DOCUMENT["paths"][path]}


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_the_daemon_takes_the_documented_methods_of_a_path_and_no_others(client, path):
    response = client.ask("PATCH", path.replace("{name}", "default"))
    assert response.status == 405, response
    allowed = set(response.header("allow").split(", ")) - {"HEAD"}
    assert allowed == documented(path)


def test_every_route_of_the_router_is_documented():
    router = (ROOT / "src/routes/router.c").read_text()
    paths = re.findall(r'^    \{ "(/[^"]*)", "', router, re.M)
    assert {path.replace("*", "{name}") for path in paths} == set(DOCUMENT["paths"])


def test_every_key_of_a_request_is_documented():
    table = (ROOT / "src/http/request.h").read_text()
    keys = set(re.findall(r'X\([A-Z_0-9]+, "(\w+)"', table))
    assert set(SCHEMAS["Request"]["properties"]) == keys


@pytest.mark.parametrize("key", SCHEMAS["Request"]["properties"])
def test_the_daemon_knows_every_documented_key(client, key):
    """A list of lists is nobody's value: so it is refused, but not as unknown."""
    detail = client.post({"url": "http://127.0.0.1:1/", key: [[[]]]}).json()["detail"]
    assert "unknown" not in detail, detail


def test_a_key_that_is_not_documented_is_unknown(client):
    detail = client.refused({"url": "http://127.0.0.1:1/", "urll": 1}, 400, "bad_request")["detail"]
    assert "urll" in detail


def test_the_schemas_are_those_of_the_daemon():
    assert schemas.outdated(BINARY) == [], "make schemas"


@pytest.mark.parametrize("name", [schemas.CONFIGURATION, schemas.INTERFACE])
def test_a_schema_that_lacks_a_key_of_a_session_is_outdated(tmp_path, name):
    (tmp_path / "docs").mkdir()
    for each in (schemas.CONFIGURATION, schemas.INTERFACE):
        (tmp_path / each).write_text((ROOT / each).read_text())
    document = json.loads((tmp_path / name).read_text())
    session = (document["components"]["schemas"]["Session"] if name == schemas.INTERFACE else
               schemas.session_of(document))
    del session["properties"]["burst"]
    (tmp_path / name).write_text(schemas.text_of(document))
    assert schemas.outdated(BINARY, tmp_path) == [name]


def test_every_code_of_a_failure_is_documented():
    table = (ROOT / "src/util/error.h").read_text()
    rows = re.findall(r'X\([A-Z_]+, (\d+), "(\w+)"', table)
    failures = {(int(status), code) for status, code in rows if int(status) >= 400}
    properties = SCHEMAS["Problem"]["properties"]
    assert set(properties["code"]["enum"]) == {code for _, code in failures}
    assert set(properties["status"]["enum"]) == {status for status, _ in failures}


def answers(client, origin):
    yield "/v1/fetch", "post", client.post({"url": origin.url("/hello")})
    yield "/v1/fetch", "get", client.get(query={"url": origin.url("/hello")})
    for path in ("/v1/fetches", "/v1/sessions", "/v1/status", "/healthz"):
        yield path, "get", client.ask("GET", path)
    yield "/v1/sessions/{name}", "get", client.ask("GET", "/v1/sessions/default")
    body = json.dumps({"url": origin.url("/hello")}).encode()
    yield "/v1/handoffs", "post", client.ask("POST", "/v1/handoffs", body=body)


def test_responses_are_as_documented(client, origin):
    for path, method, response in answers(client, origin):
        documented = DOCUMENT["paths"][path][method]["responses"][str(response.status)]
        content = documented["content"][response.header("content-type")]
        validator(content["schema"]).validate(response.json())


def test_a_failure_is_as_documented(client, origin):
    for request in ({"url": "x"}, {"url": origin.url("/close-early")}, {}):
        validator(SCHEMAS["Problem"]).validate(client.post(request).json())


def test_the_document_is_an_openapi_document():
    for name, schema in SCHEMAS.items():
        Draft202012Validator.check_schema({**schema, "title": name})
    for path, item in DOCUMENT["paths"].items():
        wanted = re.findall(r"\{(\w+)\}", path)
        assert [p["name"] for p in item.get("parameters", [])] == wanted, path
        assert all("default" in item[m]["responses"] for m in METHODS if m in item), path
