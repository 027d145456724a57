"""What the error says if the daemon's socket can't be connected to."""

import asyncio
import grp
import os
import pwd
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import django_curlew
from django_curlew.daemon import Daemon, Unreachable, socket_advice
from tests.support.procs import free_port, temp_dir

SOURCE = Path(django_curlew.__file__).parents[1]
NOBODY = pwd.getpwnam("nobody")
# It imports before it becomes another user, who may not be able to read this checkout, as /root is.
ASK = f"""
import os, sys
from django_curlew.daemon import Daemon, socket_advice
os.setgroups([])
os.setgid({NOBODY.pw_gid})
os.setuid({NOBODY.pw_uid})
try:
    Daemon("fcgi+unix:" + sys.argv[1]).exchange("GET", "/healthz", timeout=5)
except Exception as err:
    print(type(err).__name__, err)
"""
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="it makes sockets of other owners")


def ask_as_nobody(path):
    """What another user's process is told."""
    done = subprocess.run([sys.executable, "-c", ASK, str(path)], capture_output=True, text=True,
                          env={"PYTHONPATH": str(SOURCE)}, timeout=30)
    assert done.stderr == ""
    return done.stdout


@pytest.fixture
def listening():
    """listening(mode, gid, folder_mode, folder_gid) → the path of a socket that listens."""
    listeners = []

    def make(mode=0o660, gid=0, folder_mode=0o755, folder_gid=0):
        folder = Path(temp_dir()) / "curlew"
        folder.parent.chmod(0o755)
        folder.mkdir()
        path = folder / "curlew.sock"
        listeners.append(socket.socket(socket.AF_UNIX))
        listeners[-1].bind(str(path))
        listeners[-1].listen()
        os.chown(path, 0, gid)
        path.chmod(mode)
        os.chown(folder, 0, folder_gid)
        folder.chmod(folder_mode)
        return path

    yield make
    for listener in listeners:
        listener.close()


WEB = grp.getgrnam("www-data")


@needs_root
def test_a_socket_for_a_group_that_the_user_is_not_in(listening):
    path = listening(gid=WEB.gr_gid)
    told = ask_as_nobody(path)
    assert f"{path} belongs to root:www-data with mode 0660" in told
    assert "runs as the user nobody" in told
    assert "add the user nobody to the group www-data: `sudo usermod -aG www-data nobody`" in told


@needs_root
def test_a_directory_for_a_group_that_the_user_is_not_in(listening):
    path = listening(mode=0o666, folder_mode=0o750, folder_gid=WEB.gr_gid)
    told = ask_as_nobody(path)
    assert f"the directory {path.parent} belongs to root:www-data with mode 0750" in told
    assert "usermod -aG www-data nobody" in told


@needs_root
@pytest.mark.parametrize("gid, mode", [(0, 0o660), (WEB.gr_gid, 0o600)])
def test_nobody_is_told_to_join_roots_group_or_one_without_access(listening, gid, mode):
    told = ask_as_nobody(listening(gid=gid, mode=mode))
    assert "usermod" not in told and "SocketGroup=" in told and "socket_group" in told


@needs_root
def test_a_user_who_joined_the_group_after_the_process_began(listening, monkeypatch):
    path = listening(gid=WEB.gr_gid)
    monkeypatch.setattr(socket_advice, "_is_member", lambda user, gid: True)
    monkeypatch.setattr(os, "access", lambda p, mode, **_: mode == os.X_OK)
    told = socket_advice.explain(str(path), PermissionError())
    assert "in the group www-data already" in told and "log in again" in told


def test_what_the_mode_admits_is_denied_by_something_else(tmp_path):
    path = tmp_path / "s"
    path.touch()
    assert "AppArmor" in socket_advice.explain(str(path), PermissionError())


@pytest.mark.parametrize("path, missing", [("curlew.sock", "socket {}/curlew.sock"),
                                           ("a/b/curlew.sock", "directory {}/a"),
                                           ("file/curlew.sock", "directory {}/file")])
def test_what_is_missing_is_named(tmp_path, path, missing):
    (tmp_path / "file").touch()
    with pytest.raises(Unreachable, match="curlewd is not running") as caught:
        Daemon(f"fcgi+unix:{tmp_path}/{path}").exchange("GET", "/healthz", timeout=5)
    assert f"the {missing.format(tmp_path)} does not exist" in str(caught.value)
    assert f"curlewd --listen unix:{tmp_path}/{path}`" in str(caught.value)
    made = f"`mkdir -p {tmp_path}/a/b && curlewd "  # which does not make the directory itself
    assert (made in str(caught.value)) == path.startswith("a/")


def test_the_packages_own_socket_is_started_by_its_unit(monkeypatch, tmp_path):
    missing = FileNotFoundError()
    monkeypatch.setattr(socket_advice, "PACKAGED_SOCKET", "/nowhere/curlew.sock")
    monkeypatch.setattr(socket_advice, "UNIT_FOLDERS", (str(tmp_path),))
    assert "systemctl" not in socket_advice.explain("/nowhere/curlew.sock", missing)
    (tmp_path / "curlewd.socket").touch()
    told = socket_advice.explain("/nowhere/curlew.sock", missing)
    assert told.endswith("start it: `sudo systemctl start curlewd.socket`")
    assert "systemctl" not in socket_advice.explain("/nowhere/other.sock", missing)


def test_a_socket_whose_daemon_has_ended(tmp_path):
    path = tmp_path / "curlew.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    assert stat.S_ISSOCK(path.stat().st_mode)
    with pytest.raises(Unreachable, match=f"nobody listens on {path} any more"):
        asyncio.run(Daemon(f"fcgi+unix:{path}").aexchange("GET", "/healthz", timeout=5))


def test_a_file_that_is_no_socket(tmp_path):
    path = tmp_path / "curlew.sock"
    path.touch()
    with pytest.raises(Unreachable, match=f"{path} is not a socket: correct the address"):
        Daemon(f"fcgi+unix:{path}").exchange("GET", "/healthz", timeout=5)


def test_the_web_servers_socket_is_called_so():
    with pytest.raises(Unreachable, match="the web server is not running") as caught:
        Daemon("http+unix:/nowhere/nginx.sock:/_fetch").exchange("GET", "/healthz", timeout=5)
    assert "--listen" not in str(caught.value)


def test_a_port_where_nothing_listens():
    port = free_port()
    with pytest.raises(Unreachable, match=f"curlewd is not running at 127.0.0.1:{port}"):
        Daemon(f"fcgi://127.0.0.1:{port}").exchange("GET", "/healthz", timeout=5)


def test_users_and_groups_without_a_name_are_numbers():
    assert (socket_advice.user_name(4123456), socket_advice.group_name(4123456)) == (
        "4123456", "4123456")
