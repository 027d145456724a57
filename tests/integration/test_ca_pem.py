"""ca_pem: the certificates that one fetch trusts, given as text once and by their hash then."""

import hashlib
import json

import pytest

pytestmark = [pytest.mark.libcurl, pytest.mark.tls]

UNKNOWN = "sha256:" + "0" * 64


def name_of(pem):
    return "sha256:" + hashlib.sha256(pem.encode()).hexdigest()


@pytest.fixture
def ca(certs):
    return (certs / "ca.pem").read_text()


@pytest.fixture
def other_ca(certs):
    return (certs / "other-ca.pem").read_text()


def test_they_are_trusted_and_named_by_their_hash_then(curlewd, origin, ca):
    client, url = curlewd().client, origin.url("/hello", port="https")
    p = client.refused({"url": url, "ca_pem": name_of(ca)}, 404, "unknown_ca")
    assert "send the PEM" in p["detail"]
    assert client.fetch(url, ca_pem=ca)["status"] == 200
    assert client.fetch(url, ca_pem=name_of(ca))["status"] == 200


def test_no_others_are_trusted(curlewd, origin, certs, ca, other_ca):
    daemon = curlewd({"sessions": {"file": {"ca_file": str(certs / "ca.pem")}}})
    url = origin.url("/hello", port="https")
    for session in ("default", "file"):
        request = {"url": url, "session": session, "ca_pem": other_ca}
        p = daemon.client.refused(request, 502, "tls_failed")
        assert p["curl_code"] == 60
    assert daemon.client.fetch(url, session="file")["status"] == 200


def test_fetches_with_different_trust_share_no_connection_and_no_tls_session(
        curlewd, origin, ca, other_ca):
    """Connections are kept, and the origin gives tickets; neither serves who trusts others."""
    client, url = curlewd().client, origin.url("/hello", port="https")
    for _ in range(3):
        assert client.fetch(url, ca_pem=ca)["status"] == 200
        client.refused({"url": url, "ca_pem": other_ca}, 502, "tls_failed")
        client.refused({"url": url}, 502, "tls_failed")
        assert client.fetch(url, verify=False)["status"] == 200
    assert client.fetch(url, ca_pem=ca)["connection"]["reused"]
    client.ask("POST", "/v1/sessions/default/reset")
    assert not client.fetch(url, ca_pem=ca)["connection"]["reused"]
    client.refused({"url": url, "ca_pem": other_ca}, 502, "tls_failed")


def test_fetches_with_the_same_trust_share_a_connection(curlewd, origin, ca):
    client, url = curlewd().client, origin.url("/hello", port="https")
    assert not client.fetch(url, ca_pem=ca)["connection"]["reused"]
    assert client.fetch(url, ca_pem=name_of(ca))["connection"]["reused"]


def test_fetches_with_different_trust_share_no_transfer(curlewd, origin, ca, other_ca):
    client = curlewd().client
    request = {"url": origin.url("/delay/0.3", port="https"), "coalesce": True}
    batch = {"requests": [{**request, "ca_pem": each} for each in (ca, other_ca, ca, other_ca)]}
    lines = client.ask("POST", "/v1/batch", body=json.dumps(batch).encode()).body.splitlines()
    ok = {result["index"]: result["ok"] for result in map(json.loads, lines)}
    assert ok == {0: True, 1: False, 2: True, 3: False}


def test_verify_false_wins(curlewd, origin, other_ca):
    url = origin.url("/hello", port="https")
    assert curlewd().client.fetch(url, verify=False, ca_pem=other_ca)["status"] == 200


def test_a_bundle_of_several(curlewd, origin, ca, other_ca):
    client, url = curlewd().client, origin.url("/hello", port="https")
    assert client.fetch(url, ca_pem=f"# two\n{other_ca}\n{ca}")["status"] == 200


def test_on_every_door(curlewd, origin, ca):
    client, url = curlewd().client, origin.url("/hello", port="https")
    body = json.dumps({"url": url, "ca_pem": ca}).encode()
    assert client.ask("POST", "/v1/stream", body=body).status == 200
    missing = client.ask("POST", "/v1/stream", body=json.dumps(
        {"url": url, "ca_pem": UNKNOWN}).encode())
    assert missing.status == 404 and missing.json()["code"] == "unknown_ca"
    batch = {"requests": [{"url": url}, {"url": url}], "defaults": {"ca_pem": name_of(ca)}}
    lines = client.ask("POST", "/v1/batch", body=json.dumps(batch).encode()).body.splitlines()
    assert [json.loads(line)["status"] for line in lines] == [200, 200]
    batch["defaults"]["ca_pem"] = UNKNOWN
    refused = client.ask("POST", "/v1/batch", body=json.dumps(batch).encode())
    assert refused.status == 404 and refused.json()["code"] == "unknown_ca"


def test_of_a_session(curlewd, origin, ca, other_ca):
    daemon = curlewd({"sessions": {"configured": {"ca_pem": ca}}})
    url = origin.url("/hello", port="https")
    assert daemon.client.fetch(url, session="configured")["status"] == 200
    session = json.dumps({"ca_pem": other_ca}).encode()
    assert daemon.client.ask("PUT", "/v1/sessions/s", body=session).status == 201
    daemon.client.refused({"url": url, "session": "s"}, 502, "tls_failed")
    assert daemon.client.fetch(url, session="s", ca_pem=ca)["status"] == 200
    shown = daemon.client.ask("GET", "/v1/sessions/s").json()
    assert shown["ca_pem"] == name_of(other_ca)


def test_a_session_keeps_what_is_no_longer_found_by_its_hash(curlewd, origin, ca):
    client, url = curlewd().client, origin.url("/hello", port="https")
    session = json.dumps({"ca_pem": ca}).encode()
    assert client.ask("PUT", "/v1/sessions/s", body=session).status == 201
    for n in range(64):
        client.fetch(origin.url("/hello"), ca_pem=f"{n}\n{ca}")
    client.refused({"url": url, "ca_pem": name_of(ca)}, 404, "unknown_ca")
    shown = client.ask("GET", "/v1/sessions/s")
    assert client.ask("PUT", "/v1/sessions/s", body=shown.body).status == 200
    assert client.fetch(url, session="s")["status"] == 200


def test_a_session_counts_them(curlewd, ca):
    daemon = curlewd({"limits": {"session_bytes": 20000}})
    session = json.dumps({"ca_pem": ca + "\n" * 20000}).encode()
    answer = daemon.client.ask("PUT", "/v1/sessions/s", body=session)
    assert answer.status == 413 and "limits.session_bytes" in answer.json()["detail"]


@pytest.mark.parametrize("text, detail", [
    ("", "expected certificates in PEM"), ("ca.pem", "expected certificates in PEM"),
    ("sha256:abc", "64 hex digits"),
    ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "certificate 1"),
    (7, "expected a string")])
def test_what_holds_no_certificate_is_refused_by_name(curlewd, origin, text, detail):
    request = {"url": origin.url("/hello", port="https"), "ca_pem": text}
    p = curlewd().client.refused(request, 400, "bad_request")
    assert p["detail"].startswith("ca_pem: ") and detail in p["detail"]


def test_a_certificate_that_openssl_cannot_read_fails_the_handshake(curlewd, origin):
    pem = "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n"
    url = origin.url("/hello", port="https")
    curlewd().client.refused({"url": url, "ca_pem": pem}, 502, "tls_failed")
