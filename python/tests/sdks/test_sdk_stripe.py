"""Stripe's SDK through Curlew, against a stand-in for its API.

It is given a requests.Session, and always passes a path as `verify`: its own bundle, or
`stripe.ca_bundle_path`.
"""

from urllib.parse import parse_qs

import pytest

stripe = pytest.importorskip("stripe")

import requests  # noqa: E402
from stand_in import StandIn  # noqa: E402

from django_curlew.adapters.requests import CurlewAdapter  # noqa: E402
from tests.support.procs import free_port  # noqa: E402

CUSTOMERS = [{"id": f"cus_{n}", "object": "customer", "name": f"C {n}"} for n in range(5)]


def listed(call):
    after = [c["id"] for c in CUSTOMERS].index(call.query.get("starting_after", "cus_0"))
    start = after + 1 if "starting_after" in call.query else 0
    page = CUSTOMERS[start : start + 2]
    more = start + 2 < len(CUSTOMERS)
    call.respond(body={"object": "list", "url": "/v1/customers", "data": page, "has_more": more})


def created(call):
    form = {name: values[0] for name, values in parse_qs(call.body.decode()).items()}
    if form.get("name") == "Busy" and call.number < 3:
        call.respond(500, {"error": {"type": "api_error", "message": "sorry"}})
    elif form.get("name") == "Cut" and call.number < 2:
        call.close()
    else:
        call.respond(body={"id": "cus_9", "object": "customer", **form})


def refused(call):
    error = {"type": "card_error", "code": "card_declined", "message": "Declined.", "param": "src"}
    call.respond(402, {"error": error}, {"Request-Id": "req_1"})


def missing(call):
    error = {"type": "invalid_request_error", "code": "resource_missing", "message": "None."}
    call.respond(404, {"error": error})


ROUTES = {
    "GET /v1/customers": listed,
    "POST /v1/customers": created,
    "GET /v1/customers/cus_1": lambda call: call.respond(body=CUSTOMERS[1]),
    "GET /v1/customers/none": missing,
    "DELETE /v1/customers/cus_1": lambda call: call.respond(
        body={"id": "cus_1", "object": "customer", "deleted": True}
    ),
    "POST /v1/charges": refused,
    "GET /v1/quotes/qt_1/pdf": lambda call: call.respond(
        body=b"%PDF" * 50000, headers={"Content-Type": "application/pdf"}
    ),
}


@pytest.fixture
def api(certs):
    with StandIn(ROUTES, certs) as stand_in:
        yield stand_in


@pytest.fixture
def client(curlew, api, certs, monkeypatch):
    """As docs/adapters.md says."""
    monkeypatch.setattr(stripe, "ca_bundle_path", str(certs / "ca.pem"))
    session = requests.Session()
    session.mount("https://", CurlewAdapter())
    return stripe.StripeClient(
        "sk_test_1",
        http_client=stripe.RequestsClient(session=session),
        base_addresses={
            "api": api.url,
            "files": api.url,
            "meter_events": f"https://127.0.0.1:{free_port()}",
        },
        max_network_retries=2,
    )


def test_lists_are_paged(client, api):
    names = [c.name for c in client.v1.customers.list({"limit": 2}).auto_paging_iter()]
    assert names == ["C 0", "C 1", "C 2", "C 3", "C 4"]
    assert [c.query.get("starting_after") for c in api.calls] == [None, "cus_1", "cus_3"]
    assert api.calls[0].headers["Authorization"] == "Bearer sk_test_1"


def test_create_retrieve_delete(client, api):
    made = client.v1.customers.create({"name": "Zoë", "metadata": {"a": "1"}})
    assert (made.name, made["metadata[a]"]) == ("Zoë", "1")
    assert client.v1.customers.retrieve("cus_1").name == "C 1"
    assert client.v1.customers.delete("cus_1").deleted
    assert [c.method for c in api.calls] == ["POST", "GET", "DELETE"]


@pytest.mark.parametrize("name, attempts", [("Busy", 3), ("Cut", 2)])
def test_the_sdk_retries_with_the_same_idempotency_key(client, api, name, attempts):
    assert client.v1.customers.create({"name": name}).id == "cus_9"
    keys = {call.headers["Idempotency-Key"] for call in api.calls}
    assert len(api.calls) == attempts and len(keys) == 1


def test_errors_are_stripes(client):
    with pytest.raises(stripe.CardError) as info:
        client.v1.charges.create({"amount": 1, "currency": "eur"})
    assert (info.value.code, info.value.http_status) == ("card_declined", 402)
    assert info.value.request_id == "req_1"
    with pytest.raises(stripe.InvalidRequestError, match="None"):
        client.v1.customers.retrieve("none")


def test_a_file_is_streamed(client):
    response = client.v1.quotes.pdf("qt_1")
    assert response.io.read() == b"%PDF" * 50000


def test_the_sdks_own_bundle_with_one_more_authority(client, certs, monkeypatch, tmp_path):
    own = stripe.ca_bundle_path
    monkeypatch.undo()
    bundle = tmp_path / "bundle.crt"
    with open(stripe.ca_bundle_path) as its_own, open(own) as more:
        bundle.write_text(its_own.read() + more.read())
    with pytest.raises(stripe.APIConnectionError, match="Could not verify"):
        client.v1.customers.retrieve("cus_1")  # the stand-in is not Stripe
    monkeypatch.setattr(stripe, "ca_bundle_path", str(bundle))
    assert client.v1.customers.retrieve("cus_1").name == "C 1"


def test_the_systems_bundle_is_the_daemons(client, monkeypatch):
    monkeypatch.setattr(stripe, "ca_bundle_path", "/etc/ssl/certs/ca-certificates.crt")
    assert client.v1.customers.retrieve("cus_1").name == "C 1"  # by the daemon's ca_file


def test_no_connection_is_retried_by_the_sdk(client, monkeypatch):
    tries = []
    send = CurlewAdapter.send

    def counted(*args, **kwargs):
        tries.append(1)
        return send(*args, **kwargs)

    monkeypatch.setattr(CurlewAdapter, "send", counted)
    with pytest.raises(stripe.APIConnectionError, match="connect_failed"):
        client.raw_request("get", "/v1/customers", base="meter_events")
    assert len(tries) == 3
