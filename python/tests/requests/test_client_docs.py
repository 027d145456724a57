"""docs/client.md leaves no parameter and no exception out."""

import re
from pathlib import Path

import pytest

from django_curlew import CurlInfo, unsupported_names
from django_curlew.requests import exceptions, info_values, option_keys, parameters
from django_curlew.requests.prepared_request import OWN_PARAMETERS

TEXT = (Path(__file__).parents[3] / "docs" / "client.md").read_text()
TABLE = TEXT.split("## Parameters")[1].split("\n## ")[0]
FIRST_CELLS = {name for row in re.findall(r"^\| (.+?) \|", TABLE, re.M)
               for name in re.findall(r"`(\w+)`", row)}
OF_BASE_SESSION = {"headers", "cookies", "proxies", "proxy", "proxy_auth", "base_url", "params",
                   "timeout", "retry", "default_encoding", "response_class", "discard_cookies",
                   "raise_for_status", "name", "daemon", "max_clients",
                   "cookie_jar"}
KNOWN = OWN_PARAMETERS | set(parameters.REQUEST) | set(parameters.SESSION) | OF_BASE_SESSION


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_a_parameter_has_its_row(name):
    assert name in FIRST_CELLS


def test_no_row_is_of_a_parameter_that_is_not_there():
    assert FIRST_CELLS <= KNOWN


@pytest.mark.parametrize("name", ["Unsupported", "BadRequest", "Blocked", "Overloaded",
                                  "DaemonError"])
def test_an_exception_of_ours_has_its_row_and_its_parents(name):
    row = re.search(rf"^\| `{name}` \| (.+?) \|", TEXT, re.M)
    ours = getattr(exceptions, name)
    assert {p.__name__ for p in ours.__bases__} == set(re.findall(r"`(\w+)`", row[1]))


def words(text):
    return set(re.findall(r"`(\w+)`", text))


def section(title):
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def first_cells(text):
    rows = re.findall(r"^\| (.+?) \|", text, re.M)
    return set().union(*(words(row) for row in rows))


def test_options_of_libcurl_that_work_are_listed():
    options, infos = section("libcurl's options").split("`curl_infos` takes")
    assert first_cells(options) - {"CurlOpt"} == {each.name for each in option_keys.SETTERS}
    listed = words(infos) - {"CurlInfo", "_T"}
    listed |= {f"{name}_T" for name in listed if f"{name}_T" in CurlInfo.__members__
               and name.endswith("_TIME")}
    assert listed == {each.name for each in info_values.VALUES}


def test_names_that_are_not_there_are_listed():
    inner = {"BaseWebSocket", "CacheSpec"}
    assert first_cells(section("Names")) == set(unsupported_names.REASONS) - inner


def test_tests_of_curl_cffis_that_fail_are_listed():
    path = Path(__file__).parents[1] / "suites" / "curl_cffi" / "deselected.txt"
    groups = re.split(r"^# ", path.read_text(), flags=re.M)
    explained, = [each for each in groups if each.startswith("docs/client.md")]
    failing = set(re.findall(r"::(\w+)$", explained, re.M))
    assert first_cells(section("Where a test of curl_cffi's fails")) == failing != set()
