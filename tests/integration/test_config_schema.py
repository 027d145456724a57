"""docs/curlewd.schema.json: what it refuses the daemon refuses, and the other way round."""

import json
import re
import subprocess

import pytest
from jsonschema import Draft202012Validator

from tests.support.curlewd import BINARY, ROOT

SCHEMA = json.loads((ROOT / "docs/curlewd.schema.json").read_text())


@pytest.fixture(scope="module")
def validator():
    Draft202012Validator.check_schema(SCHEMA)
    return Draft202012Validator(SCHEMA)


def daemon_takes(config, tmp_path):
    path = tmp_path / "curlewd.json"
    path.write_text(json.dumps(config))
    done = subprocess.run([BINARY, "--config", path, "--check"], capture_output=True, text=True,
                          env={"PATH": "/usr/bin:/bin"}, check=False)
    return done.returncode == 0, done.stderr


def configurations_in_the_repository():
    """Name and text."""
    yield "packaging/curlewd.json", (ROOT / "packaging/curlewd.json").read_text()
    for page in [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]:
        blocks = re.findall(r'^```json title="curlewd.json"\n(.*?)^```', page.read_text(),
                            re.M | re.S)
        yield from ((f"{page.name}-{n}", block) for n, block in enumerate(blocks))


@pytest.mark.parametrize("name, text", [*configurations_in_the_repository()],
                         ids=lambda v: v[:40])
def test_the_configurations_of_the_repository_are_valid(validator, name, text):
    validator.validate(json.loads(text))


GOOD = [
    {}, {"$schema": "https://example.org/x"}, {"listen": "unix:/run/x"},
    {"listen": ["127.0.0.1:1"]}, {"socket_mode": "0660"}, {"socket_mode": "660"}, {"workers": 64},
    {"log": {"slow_seconds": 0.5}},
    {"limits": {"in_flight": 1, "queue": 0, "request_bytes": 1}},
    {"egress": {"allow": ["10.0.0.0/8"], "ports": [80], "schemes": ["https"]}},
    {"auth": {"origins": ["https://a.example"]}},
    {"sessions": {"a": {"timeout": 5, "retries": 2}}},
    {"sessions": {"a": {"timeout": {"connect": 1, "idle": 2.5}, "retries": {
        "max": 2, "backoff": 0, "methods": ["GET"], "statuses": [503], "on": ["connect"]}}}},
    {"sessions": {"a": {"headers": {"X-A": "b", "X-C": None}, "cookies": {"a": "b"}}}},
    {"sessions": {"a": {"headers": [["X-A", "b"]], "cookies": [{"name": "a", "value": "b"}]}}},
    {"sessions": {"a": {"auth": {"basic": ["u", "p"]}, "proxy": "http://p:1", "breaker": {}}}},
    {"sessions": {"a": {"rate_per_origin": 0.5, "burst": 3, "cookie_jar": "shared"}}},
    {"sessions": {"a": {"client_cert": "/c", "client_key": "/k", "tls_min": "1.2"}}},
    {"sessions": {"a": {"resolve": {"a.example:443": ["192.0.2.1"]}, "hosts": ["*.example"]}}},
]
BAD = [
    {"listne": "x"}, {"limits": {"in_fligth": 1}}, {"sessions": {"a": {"timeuot": 5}}},
    {"sessions": {"a b": {}}}, {"sessions": {"a": {"url": "http://a/"}}}, {"listen": []},
    {"socket_mode": "999"}, {"socket_mode": "1777"}, {"workers": 0}, {"workers": 65},
    {"workers": "2"}, {"workers": 1, "responders": 1}, {"log": {"level": "loud"}},
    {"log": {"slow_seconds": 0}}, {"limits": {"in_flight": 0}}, {"limits": {"queue": -1}},
    {"limits": {"request_bytes": 2 ** 53 + 1}}, {"egress": {"ports": [0]}},
    {"egress": {"schemes": []}}, {"egress": {"schemes": ["ftp"]}}, {"libcurl": "relative"},
    {"sessions": {"a": {"timeout": 0}}}, {"sessions": {"a": {"timeout": {"total": 86401}}}},
    {"sessions": {"a": {"retries": {"backoff": 1}}}}, {"sessions": {"a": {"retries": 101}}},
    {"sessions": {"a": {"retries": {"max": 1, "on": ["write"]}}}},
    {"sessions": {"a": {"auth": {"basic": ["u"]}}}}, {"sessions": {"a": {"auth": {}}}},
    {"sessions": {"a": {"client_key": "/k"}}}, {"sessions": {"a": {"hosts": []}}},
    {"sessions": {"a": {"rate_per_origin": 0}}}, {"sessions": {"a": {"breaker": {"failures": 0}}}},
    {"sessions": {"a": {"fingerprint": {"ja4": "x"}}}}, {"sessions": {"a": {"cookie_jar": "mine"}}},
    {"sessions": {"a": {"resolve": {"a.example:443": []}}}}, {"sessions": []}, {"$schema": 1}, [],
]


@pytest.mark.parametrize("config", GOOD, ids=json.dumps)
def test_both_take_it(validator, tmp_path, config):
    validator.validate(config)
    taken, said = daemon_takes(config, tmp_path)
    assert taken, said


@pytest.mark.parametrize("config", BAD, ids=json.dumps)
def test_both_refuse_it(validator, tmp_path, config):
    assert not validator.is_valid(config)
    assert not daemon_takes(config, tmp_path)[0]


def test_a_default_is_one_that_the_schema_itself_takes():
    def defaults(schema, at=""):
        for name, inner in schema.get("properties", {}).items():
            if "default" in inner:
                yield f"{at}{name}", inner
            yield from defaults(inner, f"{at}{name}.")

    found = dict(defaults(SCHEMA))
    assert found["limits.in_flight"]["default"] == 2048 and "log.slow_seconds" not in found
    for name, schema in found.items():
        assert Draft202012Validator(schema).is_valid(schema["default"]), name
