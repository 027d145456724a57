"""curlewd is restarted under load, by a socket that outlives it; connections to it are kept."""

import asyncio
import json

import pytest

from django_curlew.daemon import Daemon
from tests.support.load import CountingOrigin, Load
from tests.support.supervisor import Supervisor

RESTARTS = 20


class Answer:
    def __init__(self, response):
        self.status, self.text = response.status, response.body

    def json(self):
        return json.loads(self.text)

    def __repr__(self):
        return f"<{self.status} {self.text[:300]!r}>"


def sync_post(daemon):
    def post(request):
        return Answer(daemon.exchange("POST", "/v1/fetch", body=json.dumps(request).encode(),
                                      timeout=20))
    return post


def async_post(daemon):
    """As sync_post(); each fetch has an event loop of its own, and the connections outlive it."""
    def post(request):
        body = json.dumps(request).encode()
        return Answer(asyncio.run(exchange(body)))

    async def exchange(body):
        return await daemon.aexchange("POST", "/v1/fetch", body=body, timeout=20)
    return post


@pytest.fixture
def supervisor():
    one = Supervisor()
    yield one
    one.stop()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("make_post", [sync_post, async_post])
def test_no_fetch_fails_and_none_is_sent_twice(supervisor, make_post):
    """POSTs, which nobody but the client may repeat, if curlewd has not processed them."""
    post = make_post(Daemon(f"fcgi+unix:{supervisor.path}"))
    with CountingOrigin() as origin, Load(lambda: post, origin) as load:
        for _ in range(RESTARTS):
            load.more(100)
            supervisor.restart()
        load.more(100)
    load.check()
