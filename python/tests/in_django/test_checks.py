"""System checks, and `manage.py curlew`."""

import io
import json
import re
import socket
import threading

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.test.utils import override_settings

from django_curlew import checks, conf

from tests.support.procs import free_port


def found(**options):
    """The ids of what our checks find."""
    return [each.id for each in run_checks(tags=[checks.TAG], **options)]


@pytest.fixture
def there(daemon, curlew):
    curlew(URL=f"fcgi+unix:{daemon.socket}")
    return daemon


# -- settings and daemon ------------------------------------------------------------------------


def test_all_is_well(there):
    assert found() == []


def test_all_is_well_by_http(daemon, nginx, curlew):
    curlew(URL=f"{nginx(daemon).url}/_fetch")
    assert found() == []


@pytest.mark.parametrize("curlew_setting, hint", [
    ({"URLS": 1}, "'URL'"), ({"surprise": 1}, "HANDOFF"), ("fcgi:", None), ("", None)])
def test_keys_that_do_not_exist(curlew_setting, hint):
    with override_settings(CURLEW=curlew_setting):
        (error,) = checks.check_settings(None)
    assert error.id == "curlew.E001" and (hint is None or hint in error.hint)


def test_former_names_of_keys_work_with_a_warning(there, curlew):
    url = f"fcgi+unix:{there.socket}"
    curlew(URL=url, HAND_OFF="/old/", HAND_OFF_INLINE=7)
    assert found() == ["curlew.W008", "curlew.W008"]
    assert (conf.get("HANDOFF"), conf.get("HANDOFF_INLINE")) == ("/old/", 7)
    curlew(URL=url, HAND_OFF="/old/", HANDOFF="/new/")
    assert found() == ["curlew.W008"] and conf.get("HANDOFF") == "/new/"


@pytest.mark.parametrize("curlew_setting", [{"URL": "https://127.0.0.1/_fetch"}, {"URL": 7},
                                   {"URL": "fcgi://h:1", "BRIDGE_URL": "http://127.0.0.1:1/"}])
def test_addresses_that_are_none(curlew, curlew_setting):
    curlew(**curlew_setting)
    assert "curlew.E002" in [e.id for e in checks.check_settings(None)]


def test_the_url_is_not_set(curlew):
    assert found() == ["curlew.W003"]
    with override_settings(DEBUG=True):
        assert found() == []  # runserver starts its own
        curlew(EMBEDDED=False)
        assert found() == ["curlew.W003"]


def test_nothing_listens_there(curlew):
    curlew(URL=f"fcgi://127.0.0.1:{free_port()}")
    assert found() == ["curlew.W004"]


def test_another_server_is_there(origin, curlew):
    for path in ("/hello", "/nothing"):
        curlew(URL=origin.url(path))
        assert found() == ["curlew.W004"]


def test_a_server_that_does_not_respond_is_not_waited_for_long(curlew, monkeypatch):
    monkeypatch.setattr(checks, "TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        curlew(URL=f"fcgi://127.0.0.1:{listener.getsockname()[1]}")
        assert found() == ["curlew.W004"]


def test_a_token_that_is_missing_or_wrong(curlewd, curlew, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("a-token-of-our-own-1 *\n")
    tokens.chmod(0o600)
    url = f"fcgi+unix:{curlewd({'auth': {'tokens_file': str(tokens)}}).socket}"
    for token in (None, "another"):
        curlew(URL=url, TOKEN=token)
        assert found() == ["curlew.E006"]
    curlew(URL=url, TOKEN="a-token-of-our-own-1")
    assert found() == []


def test_a_daemon_that_is_too_old(there, monkeypatch):
    monkeypatch.setattr(checks, "MIN_DAEMON_VERSION", (9, 9))
    assert found() == ["curlew.W005"]


# -- exposure -----------------------------------------------------------------------------------


def outside_address():
    """An address of this machine that is not the loopback; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("203.0.113.1", 9))
        return probe.getsockname()[0]


@pytest.fixture
def exposed(daemon, nginx, curlew):
    """exposed(changes…) → ids that --deploy finds of a site whose nginx listens to everybody."""
    def ask(*changes):
        mount = nginx(daemon, more=[("listen 127.0.0.1:", "listen 0.0.0.0:"), *changes])
        site = f"http://{outside_address()}:{mount.port}"
        curlew(URL=f"{mount.url}/_fetch", SITE_URLS=["http://no-such-host.invalid", site])
        return found(include_deployment_checks=True)

    return ask


def test_the_example_for_nginx_is_not_exposed(exposed):
    assert exposed() == []


def test_one_that_admits_everybody_is(exposed):
    assert exposed(("deny all;", "allow all;")) == ["curlew.E007"]


def test_only_deployment_is_checked_for_it(exposed):
    exposed(("deny all;", "allow all;"))
    assert found() == []


def test_the_loopback_says_nothing_of_outsiders(daemon, nginx, curlew):
    mount = nginx(daemon)
    curlew(URL=f"{mount.url}/_fetch", SITE_URLS=[mount.url])
    assert found(include_deployment_checks=True) == []


def test_sites_are_those_of_allowed_hosts():
    with override_settings(ALLOWED_HOSTS=["*", ".a.example", "b.example", "*.c.example"]):
        assert checks.sites() == ["https://a.example", "http://a.example", "https://b.example",
                                  "http://b.example"]
    with override_settings(ALLOWED_HOSTS=[f"h{i}.example" for i in range(99)]):
        assert len(checks.sites()) == checks.MAX_SITES


# -- manage.py curlew ---------------------------------------------------------------------------


def run(*args):
    out = io.StringIO()
    call_command("curlew", *args, stdout=out)
    return out.getvalue()


def test_status(there):
    output = run("status")
    assert f"at fcgi+unix:{there.socket}: ok, up" in output
    assert any(line.split()[0] == "default" for line in output.splitlines()[2:])
    assert json.loads(run("status", "--json"))["status"] == "ok"


def test_fetch(there, origin, tmp_path):
    url = origin.url("/hello")
    assert run("fetch", url) == "hello\n"
    assert run("fetch", "-i", url).startswith("HTTP/1.1 200 OK\n")
    seen = json.loads(run("fetch", "-X", "PUT", "-H", "X-A: b: c", "-d", "grüße",
                          origin.url("/echo")))
    assert seen["method"] == "PUT" and ["X-A", "b: c"] in seen["headers"]
    assert json.loads(run("fetch", "--envelope", "--session", "jar", url))["session"] == "jar"
    (tmp_path / "in").write_bytes(b"\x00\xff")
    output = run("fetch", "-d", f"@{tmp_path / 'in'}", origin.url("/upload"))
    assert json.loads(output)["bytes"] == 2
    assert run("fetch", "-o", str(tmp_path / "out"), origin.url("/binary")) == ""
    assert (tmp_path / "out").read_bytes() == b"\x00\xff\xfe\x80" * 4
    assert "302" in run("fetch", "-i", "--no-redirects", origin.url("/redirect/1"))
    assert run("fetch", "-k", "--session", "jar", origin.url("/hello", port="https")) == "hello\n"


@pytest.mark.parametrize("args, output", [
    (["http://10.1.2.3/"], "blocked: "), (["nonsense"], "bad_url: "),
    (["http://a.example/", "-H", "X"], "invalid header"),
    (["http://a/", "-d", "@/no/file"], "No such"),
    (["{origin}/silent", "--timeout", "0.1"], "timeout: ")])
def test_a_fetch_that_fails(there, origin, args, output):
    with pytest.raises(CommandError, match=output):
        run("fetch", *[word.replace("{origin}", origin.url("")) for word in args])


def test_top(there, origin):
    ask = threading.Timer(0.1, there.client.fetch, [origin.url("/hello")])
    ask.start()
    output = run("top", "--every", "0.5", "--count", "2")
    ask.join()
    assert output.count("curlewd ") == 2
    assert re.search(r"^  [12]\.\d fetches a second", output, re.M), output  # one in half a second


@pytest.mark.parametrize("args", [["status"], ["fetch", "http://a.example/"], ["top"]])
def test_a_daemon_that_is_down(curlew, args):
    curlew(URL="fcgi+unix:/nowhere.sock")
    with pytest.raises(CommandError, match="is curlewd running"):
        run(*args)


def test_commands_without_a_url():
    with pytest.raises(CommandError, match=conf.ENV_VAR):
        run("status")


def test_another_server_is_not_the_daemon(curlew, origin):
    curlew(URL=origin.url("/nothing"))
    with pytest.raises(CommandError, match="HTTP 404"):
        run("status")
