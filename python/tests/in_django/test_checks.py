"""System checks, and `manage.py curlew`."""

import http.server
import io
import json
import os
import socket
import sys
import threading

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.test.utils import override_settings

from django_curlew import checks, conf, daemon, requests, setting_values
from django_curlew.asgi import CurlewBridge
from django_curlew.testing import override_curlew
from django_curlew.testing.fake import JSON, parsed_response

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
    with pytest.warns(DeprecationWarning, match="HANDOFF.*until version 0.3"):
        curlew(URL=url, HAND_OFF="/old/")
        assert found() == ["curlew.W008"] and conf.get("HANDOFF") == "/old/"


def test_a_former_name_beside_the_new_one_is_an_error(there, curlew):
    with pytest.warns(DeprecationWarning):
        curlew(URL=f"fcgi+unix:{there.socket}", HAND_OFF="/old/", HANDOFF="/new/")
        (error,) = run_checks(tags=[checks.TAG])
        assert conf.get("HANDOFF") == "/new/"
    assert error.id == "curlew.E001" and "'HAND_OFF'" in error.msg


@pytest.mark.parametrize("name", ["HANDOFF_INLINE", "HAND_OFF_INLINE"])
def test_keys_without_an_effect_any_more_are_named(there, curlew, name):
    curlew(URL=f"fcgi+unix:{there.socket}", **{name: 7})
    (warning,) = run_checks(tags=[checks.TAG])
    assert warning.id == "curlew.W008" and name in warning.msg and "remove" in warning.msg


@pytest.mark.parametrize("curlew_setting", [{"URL": "https://127.0.0.1/_fetch"}, {"URL": "x"},
                                   {"URL": "fcgi://h:1", "BRIDGE_URL": "http://127.0.0.1:1/"}])
def test_addresses_that_are_none(curlew, curlew_setting):
    curlew(**curlew_setting)
    assert "curlew.E002" in found(include_deployment_checks=True)


def test_an_address_in_the_environment_is_checked(monkeypatch):
    monkeypatch.setenv("CURLEW_URL", "/run/curlew.sock")
    (error,) = run_checks(tags=[checks.TAG])
    assert error.id == "curlew.E002" and error.msg.startswith("CURLEW_URL: ")


@pytest.mark.parametrize("value", ["fcgi+unix:/x", ["fcgi+unix:/x"], None, 7, ("URL", "x")])
def test_settings_that_are_no_dict(value):
    with override_settings(CURLEW=value):
        (error,) = run_checks(tags=[checks.TAG], include_deployment_checks=True)
        with pytest.raises(conf.NotConfigured, match="CURLEW must be a dict, such as"):
            requests.get("http://a.example/")
    assert error.id == "curlew.E001" and repr(value) in error.msg and '{"URL": ' in error.msg


@pytest.mark.parametrize("key, value", [
    ("URL", 7), ("URL", ["fcgi://h:1"]), ("TOKEN", b"secret-of-the-site"), ("BRIDGE_URL", True),
    ("TOKEN", "secret-read-from-a-file\n"), ("TOKEN", "two words"), ("TOKEN", "a\ud800"),
    ("HANDOFF", None), ("HANDOFF", "_handoff"), ("HANDOFF", "/a\nb"), ("RECORD", "yes"),
    ("REQUEST_ID_HEADER", ""), ("REQUEST_ID_HEADER", "X Id"), ("EMBEDDED", "no"), ("CURLEWD", None),
    ("SITE_URLS", "https://a.example"), ("SITE_URLS", ["a.example"]), ("FORBID_UNSTUBBED", 1)])
def test_values_of_another_kind(curlew, key, value):
    curlew(**{"URL": "fcgi+unix:/x", key: value})
    (error,) = checks.check_settings(None)
    assert error.id == "curlew.E001" and error.msg.startswith(f'CURLEW["{key}"] must be ')
    assert value is None or f"not the {type(value).__name__} " in error.msg
    assert "secret" not in error.msg
    others = [] if key in ("URL", "TOKEN") else ["curlew.W004"]
    assert sorted(found(include_deployment_checks=True)) == ["curlew.E001", *others]
    assert "secret" not in error.msg
    with pytest.raises(conf.NotConfigured, match=f'"{key}"'):
        conf.get(key)


def test_every_setting_has_a_kind_and_a_default_of_it():
    assert set(setting_values.KINDS) == set(conf.DEFAULTS)
    assert not [k for k, v in conf.DEFAULTS.items() if setting_values.problem_of_value(k, v)]


def test_a_misspelt_url_is_named_where_it_is_missing(curlew):
    curlew(URLS="fcgi://h:1")
    with pytest.raises(conf.NotConfigured, match="'URLS'.*did you mean \"URL\""):
        conf.daemon_url()


@pytest.mark.parametrize("run", [
    lambda: run_checks(), lambda: call_command("check"), lambda: run_checks(databases=["default"]),
    lambda: run_checks(tags=["security"], include_deployment_checks=True),
    lambda: call_command("check", tags=["urls"])], ids=range(5))
def test_the_network_is_asked_only_with_its_tag_or_deploy(there, monkeypatch, run):
    asked = []
    exchange = daemon.Daemon.exchange
    monkeypatch.setattr(daemon.Daemon, "exchange",
                        lambda *args, **options: asked.append(1) or exchange(*args, **options))
    run()
    assert asked == []
    run_checks(tags=[checks.TAG])
    assert asked == [1]
    run_checks(include_deployment_checks=True)
    assert asked == [1, 1]
    call_command("check", tags=["urls", checks.TAG], deploy=True)
    assert asked == [1, 1, 1]


def test_the_url_is_not_set():
    assert found() == ["curlew.W003"]
    with override_settings(DEBUG=True):
        assert found() == []  # one is started for development
    with override_settings(DEBUG=True, CURLEW={"EMBEDDED": False}):
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
    """By its own name nginx does not know the site; a stranger may write another."""
    assert exposed(("deny all;", "allow all;")) == ["curlew.E007"]


@pytest.mark.parametrize("path", ["/%5ffetch", "//_fetch", "/x/../_fetch"])
def test_another_spelling_of_the_path_is_tried(curlew, path):
    """A site that guards /_fetch/ as it is written, and nothing else."""
    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.requestline.split()[1].startswith(path) else 403)
            self.end_headers()
            self.wfile.write(b'{"version": "1.0", "libraries": {}}')

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("0.0.0.0", 0), Site) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        site = f"http://{outside_address()}:{server.server_port}"
        curlew(URL="http://127.0.0.1:1/_fetch", SITE_URLS=[site])
        (error,) = checks.check_exposure(None)
        server.shutdown()
    assert path in error.msg and "secret=" in error.hint


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


# -- handoffs -----------------------------------------------------------------------------------

NO_LOCATION = [("location = /_handoff/ {", "location = /_elsewhere/ {")]


@pytest.fixture
def site(daemon, nginx, origin, curlew):
    """site(changes, …) → what --deploy finds of a site; the origin plays Django."""
    def ask(changes=(), curlew_settings=(), django=None):
        web_server = nginx(daemon, django or origin.ports["http"], more=changes)
        curlew(URL=f"fcgi+unix:{daemon.socket}", SITE_URLS=[web_server.url],
               **dict(curlew_settings))
        return found(include_deployment_checks=True)

    return ask


@pytest.fixture
def used(monkeypatch):
    """A view of the project has imported HandOff."""
    import django_curlew.handoff  # noqa: F401


def test_the_example_for_nginx_has_the_location(site, used):
    assert site() == []


def test_a_site_without_the_location(site, used):
    assert site(NO_LOCATION) == ["curlew.W009"]


def test_the_location_has_the_name_of_the_setting(site, used):
    assert site(NO_LOCATION, {"HANDOFF": "/_elsewhere/"}) == []
    assert site((), {"HANDOFF": "/_elsewhere/"}) == ["curlew.W009"]


def test_only_where_a_view_uses_it(site, monkeypatch):
    monkeypatch.delitem(sys.modules, "django_curlew.handoff", raising=False)
    assert site(NO_LOCATION) == []


def test_a_site_whose_django_is_down_says_nothing(site, used):
    assert site(NO_LOCATION, django=free_port()) == []


def test_a_site_that_does_not_answer_says_nothing(curlew, daemon, used):
    curlew(URL=f"fcgi+unix:{daemon.socket}", SITE_URLS=[f"http://127.0.0.1:{free_port()}"])
    assert found(include_deployment_checks=True) == []


class WithBridge(CurlewBridge):
    pass


bridge_of_project = WithBridge(lambda scope, receive, send: None)
no_bridge = object()


@pytest.mark.parametrize("application, ids", [
    ("bridge_of_project", []), ("no_bridge", ["curlew.W009"]), ("missing", ["curlew.W009"])])
def test_the_bridge_needs_no_location(site, used, application, ids):
    with override_settings(ASGI_APPLICATION=f"{__name__}.{application}"):
        assert site(NO_LOCATION) == ids


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


def test_status_and_top_with_a_token_for_certain_sessions(curlewd, curlew, tmp_path):
    tokens = tmp_path / "tokens"
    tokens.write_text("a-token-of-our-own-1 default\n")
    daemon = curlewd({"auth": {"tokens_file": str(tokens)}, "sessions": {"theirs": {}}})
    curlew(URL=f"fcgi+unix:{daemon.socket}", TOKEN="a-token-of-our-own-1")
    assert found() == []
    for args in (["status"], ["top", "--every", "0.1"]):
        output = run(*args)
        assert "\n  default " in output and "theirs" not in output
        assert "in flight," not in output and "busiest" not in output


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


@pytest.mark.parametrize("args", [["status"], ["fetch", "http://a.example/"], ["top"]])
def test_a_daemon_that_is_down(curlew, args):
    curlew(URL="fcgi+unix:/nowhere.sock")
    with pytest.raises(CommandError, match="curlewd is not running"):
        run(*args)


def test_commands_without_a_url():
    with pytest.raises(CommandError, match=conf.ENV_VAR):
        run("status")


def test_another_server_is_not_the_daemon(curlew, origin):
    curlew(URL=origin.url("/nothing"))
    with pytest.raises(CommandError, match="answered 404: curlewd is not mounted"):
        run("status")


@pytest.mark.parametrize("args", [["status"], ["status", "--json"], ["top", "--every", "0.1"],
                                  ["fetch", "http://a.example/"]])
@pytest.mark.parametrize("body", [b"<html>", b"[]", b"null", b"{}", b'{"status": "ok"}', b"\xff"])
def test_another_server_that_is_content_with_everything(curlew, args, body):
    with override_curlew() as stub:
        response = daemon.Response(parsed_response(200, JSON, body))
        stub.exchange = lambda *_, **__: response
        with pytest.raises(CommandError, match="is not curlewd"):
            run(*args)


@pytest.mark.parametrize("charset", ["x-unknown", "base64", "rot13"])
def test_a_fetch_in_a_charset_that_python_does_not_know(charset):
    with override_curlew() as stub:
        content_type = {"Content-Type": f"text/plain; charset={charset}"}
        stub.on("http://a.example/", content="grüße".encode(), headers=content_type)
        assert run("fetch", "http://a.example/") == "grüße"


def test_a_fetch_into_a_file_that_cannot_be_written(tmp_path):
    with override_curlew() as stub:
        stub.on("http://a.example/", text="x")
        with pytest.raises(CommandError, match="Is a directory"):
            run("fetch", "-o", str(tmp_path), "http://a.example/")


def test_data_that_is_not_utf_8_is_sent_as_it_was_typed():
    with override_curlew() as stub:
        stub.on("http://a.example/", text="x")
        run("fetch", "-d", os.fsdecode(b"\xff"), "http://a.example/")
        assert stub.requests[0]["body_base64"] == "/w=="
