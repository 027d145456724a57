"""docs/client.md leaves no parameter and no exception out."""

import re
from pathlib import Path

import pytest

from django_curlew.requests import exceptions, parameters
from django_curlew.requests.prepared_request import OWN_PARAMETERS

TEXT = (Path(__file__).parents[3] / "docs" / "client.md").read_text()
TABLE = TEXT.split("## Parameters")[1].split("\n## ")[0]
FIRST_CELLS = {name for row in re.findall(r"^\| (.+?) \|", TABLE, re.M)
               for name in re.findall(r"`(\w+)`", row)}
OF_BASE_SESSION = {"headers", "cookies", "proxies", "proxy", "proxy_auth", "base_url", "params",
                   "timeout", "retry", "default_encoding", "response_class", "discard_cookies",
                   "raise_for_status", "name", "daemon", "max_clients"}
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
