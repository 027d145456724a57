"""huggingface_hub through Curlew, by its set_client_factory(), against a stand-in for the Hub."""

import asyncio
import hashlib
import json

import pytest
from stand_in import StandIn

hub = pytest.importorskip("huggingface_hub")
httpx2 = pytest.importorskip("httpx2")

from huggingface_hub import constants, errors  # noqa: E402
from huggingface_hub.utils import _http as hub_http  # noqa: E402

from django_curlew.adapters.httpx2 import AsyncCurlewTransport, CurlewTransport  # noqa: E402

REVISION = "a" * 40
CONFIG = b'{"layers": 2}'
WEIGHTS = bytes(range(256)) * 8192  # 2 MiB


def resolve(call):
    """A file, by its HEAD and its GET; large ones are elsewhere."""
    name = call.path.rpartition("/")[2]
    if name == "none.bin":
        call.respond(404, {"error": "Entry not found"}, {"X-Error-Code": "EntryNotFound"})
        return
    content = {"config.json": CONFIG, "weights.bin": WEIGHTS}[name]
    facts = {"ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Repo-Commit": REVISION}
    if name == "weights.bin":
        facts["X-Linked-Size"] = str(len(content))
        facts["X-Linked-ETag"] = facts["ETag"]
        port = call.headers["Host"].partition(":")[2]
        facts["Location"] = f"http://localhost:{port}/cdn/weights.bin"  # another host, as there
        call.respond(302, b"", facts)
    else:
        call.respond(200, content, facts)


def cdn(call):
    """Breaks the first download in its middle; the second one goes on from there."""
    wanted = call.headers.get("Range")
    start = int(wanted[len("bytes=") :].partition("-")[0]) if wanted else 0
    body = WEIGHTS[start:]
    fields = {"Content-Length": str(len(body)), "ETag": '"w"'}
    if start:
        fields["Content-Range"] = f"bytes {start}-{len(WEIGHTS) - 1}/{len(WEIGHTS)}"
        call.respond(206, body, fields)
    elif call.number == 1:
        call.respond(200, body[: len(body) // 2], fields)
        call.close()
    else:
        call.respond(200, body, fields)


def info(call):
    call.respond(200, {"id": "me/model", "modelId": "me/model", "sha": REVISION, "private": False,
                       "siblings": [{"rfilename": "config.json"}, {"rfilename": "weights.bin"}],
                       "tags": [], "downloads": 1, "likes": 1})


def tree(call):
    call.respond(200, [
        {"type": "file", "path": name, "size": len(content), "oid": "b" * 40}
        for name, content in (("config.json", CONFIG), ("weights.bin", WEIGHTS))
    ])  # fmt: skip


def models(call):
    """Two pages."""
    page = int(call.query.get("page", 1))
    link = {}
    if page == 1:
        link["Link"] = f'<http://{call.headers["Host"]}/api/models?page=2>; rel="next"'
    call.respond(200, [{"id": f"me/model-{page}", "modelId": f"me/model-{page}"}], link)


def preupload(call):
    modes = [
        {"path": file["path"], "shouldIgnore": False,
         "uploadMode": "lfs" if file["path"].endswith(".bin") else "regular"}
        for file in call.json()["files"]
    ]  # fmt: skip
    call.respond(200, {"files": modes})


def lfs_batch(call):
    url = f"http://{call.headers['Host']}/lfs"
    objects = [{**each, "actions": {"upload": {"href": f"{url}/{each['oid']}"}}}
               for each in call.json()["objects"]]  # fmt: skip
    call.respond(200, {"transfer": "basic", "objects": objects})


def commit(call):
    call.respond(200, {"success": True, "commitOid": REVISION,
                       "commitUrl": f"http://{call.headers['Host']}/me/model/commit/{REVISION}"})


def busy(call):
    """Declines twice."""
    if call.number < 3:
        call.respond(429, {"error": "slow down"}, {"Retry-After": "0"})
    else:
        call.respond(200, {"name": "me", "type": "user", "auth": {}})


ROUTES = {
    "HEAD /me/model/resolve/*": resolve,
    "GET /me/model/resolve/*": resolve,
    "GET /cdn/weights.bin": cdn,
    "HEAD /cdn/weights.bin": cdn,
    "GET /api/models/me/model": info,
    "GET /api/models/me/model/revision/main": info,
    "GET /api/models/me/none": lambda call: call.respond(
        404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"}
    ),
    "GET /api/models/me/model/tree/*": tree,
    "GET /api/models": models,
    "POST /api/models/me/model/preupload/main": preupload,
    "POST /me/model.git/info/lfs/objects/batch": lfs_batch,
    "PUT /lfs/*": lambda call: call.respond(200, b""),
    "POST /api/models/me/model/commit/main": commit,
    "GET /api/whoami-v2": busy,
}


def client():
    """As in docs/adapters.md."""
    made = hub_http.default_client_factory()
    return httpx2.Client(
        transport=CurlewTransport(),
        event_hooks=made.event_hooks,
        follow_redirects=True,
        timeout=None,
    )


@pytest.fixture
def server(curlew, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    hub.set_client_factory(client)
    hub.set_async_client_factory(
        lambda: httpx2.AsyncClient(transport=AsyncCurlewTransport(), follow_redirects=True)
    )
    with StandIn(ROUTES) as server:
        yield server
    hub.set_client_factory(hub_http.default_client_factory)
    hub.set_async_client_factory(hub_http.default_async_client_factory)


@pytest.fixture
def api(server):
    return hub.HfApi(endpoint=server.url, token="hf_1")


def test_a_small_file_is_downloaded(api, server, tmp_path):
    path = api.hf_hub_download("me/model", "config.json", cache_dir=tmp_path)
    with open(path, "rb") as file:
        assert file.read() == CONFIG
    assert server.calls[0].method == "HEAD"
    assert server.calls[0].headers["Authorization"] == "Bearer hf_1"
    facts = hub.get_hf_file_metadata(f"{server.url}/me/model/resolve/main/config.json")
    assert (facts.size, facts.commit_hash) == (len(CONFIG), REVISION)


def test_a_download_that_breaks_goes_on(api, server, tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1 << 16)
    path = api.hf_hub_download("me/model", "weights.bin", cache_dir=tmp_path)
    with open(path, "rb") as file:
        assert file.read() == WEIGHTS
    ranges = [c.headers.get("Range") for c in server.calls if c.path.startswith("/cdn/")]
    assert len(ranges) == 2 and ranges[0] is None and ranges[1].startswith("bytes=")


def test_a_repository_is_downloaded_by_threads(api, tmp_path):
    path = api.snapshot_download("me/model", cache_dir=tmp_path)
    with open(f"{path}/weights.bin", "rb") as file:
        assert file.read() == WEIGHTS


def test_lists(api):
    assert api.list_repo_files("me/model") == ["config.json", "weights.bin"]
    assert [model.id for model in api.list_models()] == ["me/model-1", "me/model-2"]


def test_errors_are_the_sdks_own(api, tmp_path):
    with pytest.raises(errors.EntryNotFoundError):
        api.hf_hub_download("me/model", "none.bin", cache_dir=tmp_path)
    with pytest.raises(errors.RepositoryNotFoundError):
        api.model_info("me/none")
    nobody = hub.HfApi(endpoint="http://127.0.0.1:9", token="hf_1")
    with pytest.raises(httpx2.ConnectError):
        nobody.model_info("me/model")


def test_too_many_requests_are_repeated(server):
    url = f"{server.url}/api/whoami-v2"
    response = hub_http.http_backoff("GET", url, base_wait_time=0.01)
    assert (response.status_code, len(server.calls)) == (200, 3)


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # its own call of httpx2
def test_files_are_uploaded(api, server, tmp_path):
    weights = tmp_path / "weights.bin"
    weights.write_bytes(WEIGHTS)
    done = api.create_commit(
        "me/model",
        [
            hub.CommitOperationAdd("config.json", CONFIG),
            hub.CommitOperationAdd("weights.bin", str(weights)),
        ],
        commit_message="both",
    )
    assert done.oid == REVISION
    by_path = {f"{c.method} {c.path}": c for c in server.calls}
    oid = hashlib.sha256(WEIGHTS).hexdigest()
    assert by_path[f"PUT /lfs/{oid}"].body == WEIGHTS
    lines = by_path["POST /api/models/me/model/commit/main"].body.splitlines()
    assert [json.loads(line)["key"] for line in lines] == ["header", "file", "lfsFile"]


def test_the_async_client(server):
    async def main():
        async with hub_http.get_async_session() as session:
            response = await session.get(f"{server.url}/api/models/me/model")
            return response.json()["id"]

    assert asyncio.run(main()) == "me/model"
