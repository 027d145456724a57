"""python-gitlab through Curlew, against a stand-in for GitLab's API; it is given a Session."""

import io

import pytest

gitlab = pytest.importorskip("gitlab")

import requests  # noqa: E402
from stand_in import StandIn  # noqa: E402

from django_curlew.adapters.requests import CurlewAdapter  # noqa: E402

BIG = bytes(range(256)) * 4096 * 3  # 3 MiB


def projects(call):
    page = int(call.query.get("page", 1))
    base = f"http://{call.headers['Host']}{call.path}"
    headers = {"X-Page": str(page), "X-Per-Page": "2", "X-Total": "5", "X-Total-Pages": "3"}
    if page < 3:
        headers["X-Next-Page"] = str(page + 1)
        headers["Link"] = f'<{base}?page={page + 1}&per_page=2>; rel="next"'
    ids = [n for n in (2 * page - 1, 2 * page) if n <= 5]
    call.respond(body=[{"id": n, "name": f"p{n}"} for n in ids], headers=headers)


def created(call):
    asked = call.json()
    if asked["name"] == "taken":
        call.respond(400, {"message": {"name": ["has already been taken"]}})
    else:
        call.respond(201, {"id": 9, **asked})


def uploaded(call):
    name, content = call.parts()["file"]
    call.respond(201, {"alt": name, "url": f"/uploads/{len(content)}", "markdown": "![]()"})


def slow_down(call):
    if call.number < 2:
        call.respond(429, {"message": "slow down"}, {"Retry-After": "0"})
    else:
        call.respond(body={"id": 2, "name": "p2"})


ROUTES = {
    "GET /api/v4/projects": projects,
    "POST /api/v4/projects": created,
    "GET /api/v4/projects/1": lambda call: call.respond(body={"id": 1, "name": "p1"}),
    "GET /api/v4/projects/2": slow_down,
    "GET /api/v4/projects/404": lambda call: call.respond(404, {"message": "404 Not found"}),
    "POST /api/v4/projects/1/uploads": uploaded,
    "PUT /api/v4/projects/1/packages/generic/a/1/big": lambda call: call.respond(
        201, {"message": f"{len(call.body)} bytes"}
    ),
    "GET /api/v4/projects/1/jobs/3": lambda call: call.respond(body={"id": 3}),
    "GET /api/v4/projects/1/jobs/3/artifacts": lambda call: call.stream(
        [BIG[at : at + 100000] for at in range(0, len(BIG), 100000)], "application/zip"
    ),
}


@pytest.fixture
def api():
    with StandIn(ROUTES) as stand_in:
        yield stand_in


@pytest.fixture
def client(curlew, api):
    """As docs/adapters.md says."""
    session = requests.Session()
    session.mount("http://", CurlewAdapter())
    return gitlab.Gitlab(api.url, private_token="t0ken", session=session)


def test_lists_are_paged(client, api):
    assert [p.name for p in client.projects.list(iterator=True)] == ["p1", "p2", "p3", "p4", "p5"]
    assert len(api.calls) == 3 and api.calls[0].headers["PRIVATE-TOKEN"] == "t0ken"


def test_create_and_its_error(client):
    assert client.projects.create({"name": "neu"}).id == 9
    with pytest.raises(gitlab.GitlabCreateError, match="already been taken") as info:
        client.projects.create({"name": "taken"})
    assert info.value.response_code == 400
    with pytest.raises(gitlab.GitlabGetError, match="404"):
        client.projects.get(404)


def test_a_file_is_uploaded(client, api, tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(BIG[:100000])
    answer = client.projects.get(1).upload("a.bin", filepath=str(path))
    assert (answer["alt"], answer["url"]) == ("a.bin", "/uploads/100000")


def test_a_package_is_uploaded_from_a_file(client, tmp_path):
    path = tmp_path / "big"
    path.write_bytes(BIG[:200000])
    package = client.projects.get(1).generic_packages.upload("a", "1", "big", path=str(path))
    assert package.message == "200000 bytes"


def test_a_download_is_streamed(client):
    received = io.BytesIO()
    sizes = []

    def action(piece):
        sizes.append(len(piece))
        received.write(piece)

    job = client.projects.get(1).jobs.get(3)
    job.artifacts(streamed=True, action=action, chunk_size=65536)
    assert received.getvalue() == BIG and max(sizes) <= 65536


def test_the_sdk_waits_when_it_is_told_to(client, api):
    assert client.projects.get(2).name == "p2" and len(api.calls) == 2


def test_a_download_that_is_left_is_cancelled(client):
    pieces = client.projects.get(1).jobs.get(3).artifacts(iterator=True, chunk_size=1000)
    assert len(next(pieces)) == 1000
    pieces.close()
