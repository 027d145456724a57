"""PyGithub through Curlew, against a stand-in for GitHub's API.

PyGithub makes its sessions itself, one for each host, in connection classes that can be replaced.
Its Retry is a subclass that reads responses, to tell rate limits from refusals.
"""

import pytest

github = pytest.importorskip("github")

import requests  # noqa: E402
from github.Requester import HTTPRequestsConnectionClass, Requester  # noqa: E402
from stand_in import StandIn  # noqa: E402

from django_curlew.adapters.requests import CurlewAdapter  # noqa: E402


class CurlewConnection(HTTPRequestsConnectionClass):
    """As docs/adapters.md says; for https it is a subclass of HTTPSRequestsConnectionClass."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.session.mount("http://", CurlewAdapter(max_retries=self.retry))


def repo(number):
    url = f"/repos/o/repo{number}"
    return {"id": number, "name": f"repo{number}", "full_name": f"o/repo{number}", "url": url}


def repos(call):
    page = int(call.query.get("page", 1))
    base = f"http://{call.headers['Host']}{call.path}"
    links = {1: f'<{base}?page=2>; rel="next", <{base}?page=3>; rel="last"',
             2: f'<{base}?page=3>; rel="next", <{base}?page=3>; rel="last"'}  # fmt: skip
    headers = {"Link": links[page]} if page in links else {}
    call.respond(body=[repo(2 * page), repo(2 * page + 1)], headers=headers)


def created(call):
    call.respond(201, {"number": 7, "title": call.json()["title"], "url": "", "state": "open"})


def limited(call):
    if call.number < 3:
        message = "You have exceeded a secondary rate limit."
        call.respond(403, {"message": message})
    else:
        call.respond(body=repo(9))


def busy(call):
    if call.number < 2:
        call.respond(503, {"message": "try again"})
    else:
        call.respond(body=repo(8))


ROUTES = {
    "GET /repos/o/repo1": lambda call: call.respond(body=repo(1)),
    "GET /repos/o/busy": busy,
    "GET /repos/o/limited": limited,
    "GET /repos/o/secret": lambda call: call.respond(403, {"message": "Must have admin rights"}),
    "GET /repos/o/none": lambda call: call.respond(404, {"message": "Not Found"}),
    "GET /repos/o/moved": lambda call: call.respond(
        301, {"url": ""}, {"Location": f"http://{call.headers['Host']}/repos/o/repo1"}
    ),
    "GET /orgs/o": lambda call: call.respond(body={"login": "o", "url": "/orgs/o", "id": 1}),
    "GET /orgs/o/repos": repos,
    "POST /repos/o/repo1/issues": created,
}


@pytest.fixture
def api():
    with StandIn(ROUTES) as stand_in:
        yield stand_in


@pytest.fixture
def client(curlew, api):
    Requester.injectConnectionClasses(CurlewConnection, CurlewConnection)
    yield github.Github(
        base_url=api.url,
        auth=github.Auth.Token("t0ken"),
        retry=github.GithubRetry(total=3, secondary_rate_wait=0.05),
        seconds_between_requests=0,
        seconds_between_writes=0,
    )
    Requester.resetConnectionClasses()


def test_a_repository(client, api):
    assert client.get_repo("o/repo1").name == "repo1"
    assert api.calls[0].headers["Authorization"] == "token t0ken"
    assert api.calls[0].headers["User-Agent"].startswith("PyGithub")


def test_an_issue_is_created(client, api):
    issue = client.get_repo("o/repo1").create_issue(title="Grüße", body="…")
    assert (issue.number, issue.title) == (7, "Grüße")
    assert api.calls[-1].json()["body"] == "…"


def test_lists_are_paged(client, api):
    assert [r.id for r in client.get_organization("o").get_repos()] == [2, 3, 4, 5, 6, 7]
    assert [call.query.get("page") for call in api.calls[1:]] == [None, "2", "3"]


def test_errors_are_pygithubs(client):
    with pytest.raises(github.UnknownObjectException) as info:
        client.get_repo("o/none")
    assert (info.value.status, info.value.data["message"]) == (404, "Not Found")


def test_a_redirect_is_followed(client):
    assert client.get_repo("o/moved").name == "repo1"


def test_its_retries_look_into_responses(client, api):
    assert client.get_repo("o/limited").id == 9 and len(api.calls) == 3
    assert client.get_repo("o/busy").id == 8 and len(api.calls) == 5
    with pytest.raises(github.GithubException, match="admin rights"):
        client.get_repo("o/secret")
    assert len(api.calls) == 6  # a refusal is not retried


def test_no_connection_is_requests_error(client, api):
    api.__exit__()
    with pytest.raises(requests.ConnectionError, match="connect_failed"):
        github.Github(base_url=api.url, retry=1).get_repo("o/repo1")
