"""Random requests as docs/openapi.json says, behind nginx: the responses are as it says, too."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.curlewd import ROOT, Curlewd
from tests.support.web_servers import WebServer

CHECKS = "status_code_conformance,content_type_conformance,response_schema_conformance"
NOWHERE = ["http://127.0.0.1:1/", "http://127.0.0.1:9/x"]


def document_for_this_machine():
    """No name is looked up, and nothing leaves the machine. The page changes with every look."""
    document = json.loads((ROOT / "docs/openapi.json").read_text())
    schemas, paths = document["components"]["schemas"], document["paths"]
    schemas["Request"]["properties"]["url"] = {"enum": NOWHERE}
    for name in ("Request", "Session"):
        schemas[name]["properties"]["proxy"] = {"const": NOWHERE[0]}
    for path in ("/v1/fetch", "/v1/stream"):
        paths[path]["get"]["parameters"][0]["schema"] = {"enum": NOWHERE}
    return document


@pytest.fixture
def port():
    daemon = Curlewd()
    server = WebServer("nginx", daemon.socket)
    yield server.port
    server.stop()
    daemon.stop()
    shutil.rmtree(daemon.directory, ignore_errors=True)


@pytest.mark.timeout(300)
def test_random_requests_get_the_documented_responses(port, tmp_path):
    document = tmp_path / "openapi.json"
    document.write_text(json.dumps(document_for_this_machine()))
    run = [Path(sys.executable).with_name("schemathesis"), "run", document,
           "--url", f"http://127.0.0.1:{port}/_fetch", "--checks", CHECKS,
           "--phases", "examples,fuzzing", "--max-examples", "15", "--generation-database", "none"]
    done = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
