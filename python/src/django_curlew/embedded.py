"""A curlewd for development, which all processes of a project share.

With DEBUG on and no URL set, the first process that needs a curlewd starts one: `runserver`, a
`manage.py` command or shell, a worker, uvicorn with the bridge. All others of this user and project
find it on its socket. It ends some seconds after the last of them has (embedded_supervisor.py).

The socket is in a directory that only this user may enter, named by the project, its settings
module and the configuration. CURLEW["EMBEDDED"] turns this off (False), or is a configuration (the
object of curlewd.json); CURLEW["CURLEWD"] is the program. Unless the configuration has rules of its
own (`egress`), it may fetch from loopback and private addresses.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from typing import Any, Dict, Iterator, Optional, Sequence

from . import conf, embedded_supervisor, find_curlewd

LOCK_SECONDS = 25.0  # at most, for another process that starts or stops it
LINGER_SECONDS = 5.0  # that it stays without users: a reloader's next process finds it
MAX_BASE_BYTES = 60  # of the directory's parent: a socket's path may have 107
CONFIGURATION = "CURLEW_EMBEDDED.json"  # curlewd's messages name it: not a file to edit
LISTEN_KEY = "listen"  # chosen here, so a configuration's is replaced
EGRESS = {  # of this machine, its containers, and the private networks it is in
    "allow": [
        "127.0.0.0/8",
        "::1/128",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "fc00::/7",
    ]
}


class StartError(RuntimeError):
    """curlewd could not be started."""


class ProjectDaemon:
    """The curlewd of a project for development, used by this process from use() on."""

    def __init__(self, directory: str, program: str, configuration: Dict[str, Any]) -> None:
        self.directory = directory
        self.socket = os.path.join(directory, "curlew.sock")
        self.log_path = os.path.join(directory, "curlewd.log")
        self.url = f"fcgi+unix:{self.socket}"
        self._program, self._configuration = program, configuration
        self._users_lock: Optional[int] = None

    def use(self) -> bool:
        """Make sure that it runs; True if it was started now. It runs at least as long as this
        process and the children that it forks. Raises StartError."""
        make_private_directory(self.directory)
        users = os.path.join(self.directory, "users.lock")
        if self._users_lock is not None and not _is_open(self._users_lock, users):
            self.leave()  # somebody has removed it, as of an old directory in /tmp
        if self._users_lock is None:
            self._users_lock = _open_lock(users)
        _lock(self._users_lock, fcntl.LOCK_SH)
        try:
            with self._starting():
                if embedded_supervisor.accepts_connections(self.socket):
                    return False
                self._start()
                return True
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """This process uses it no more. Calling it again has no effect."""
        lock, self._users_lock = self._users_lock, None
        if lock is not None:
            os.close(lock)

    @contextlib.contextmanager
    def _starting(self) -> Iterator[None]:
        """Only one process at a time looks whether it runs, and starts it."""
        lock = _open_lock(os.path.join(self.directory, "start.lock"))
        try:
            _lock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _start(self) -> None:
        program = find_curlewd.find(self._program)
        configuration = self._write_configuration()
        argv = [
            sys.executable,
            "-I",
            "-S",
            embedded_supervisor.__file__,
            os.path.join(self.directory, "users.lock"),
            self.socket,
            str(LINGER_SECONDS),
            program,
            configuration,
        ]
        env = find_curlewd.environment(program)
        env = {k: v for k, v in env.items() if not k.startswith("CURLEW_")}
        # Its log is a file: a terminal or a pipe of this process may end before it does.
        with open(self.log_path, "wb") as log:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                cwd="/",
                check=False,
            )
        if done.returncode != 0:
            with open(self.log_path, encoding="utf-8", errors="replace") as file:
                said = file.read(2000).strip()
            of = ' with the configuration of CURLEW["EMBEDDED"]' if self._configuration else ""
            raise StartError(f"curlewd did not start{of}: {said}")

    def _write_configuration(self) -> str:
        log = self._configuration.get("log", {})
        if isinstance(log, Mapping):  # else curlewd says what is wrong with it
            log = {"level": "warning", "format": "text", **log}
        listen = {LISTEN_KEY: [f"unix:{self.socket}"]}
        document = {"egress": EGRESS, **self._configuration, **listen, "log": log}
        path = os.path.join(self.directory, CONFIGURATION)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file, default=str)
        return path


def _open_lock(path: str) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _is_open(descriptor: int, path: str) -> bool:
    """Is this the file that the path names?"""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except OSError:
        return False


def _lock(lock: int, kind: int) -> None:
    """Wait for the lock, while another process starts or stops it."""
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, kind | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise StartError(
                    f"another process was starting or stopping it for {LOCK_SECONDS:.0f} s"
                ) from None
            time.sleep(0.02)


# -- where it is ----------------------------------------------------------------------------------


def make_private_directory(path: str) -> None:
    """Create it and its parent, for this user alone. Raises StartError if either is somebody
    else's, or if others may write to it: the socket in it could be theirs."""
    for each in (os.path.dirname(path), path):
        with contextlib.suppress(FileExistsError):
            os.mkdir(each, 0o700)
        found = os.lstat(each)
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
            raise StartError(
                f"{each} is not a directory that only this user may use: remove it, or set"
                " XDG_RUNTIME_DIR to a directory of this user's"
            )


def project_directory(base_dir: str, settings_module: str, program: str, embedded: Any) -> str:
    """The directory of the curlewd for these settings, for this user."""
    parts = [base_dir, settings_module, program, embedded]
    name = hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]
    return os.path.join(_base_directory(), name)


def _base_directory() -> str:
    """Inside XDG_RUNTIME_DIR, if that is a directory of this user's; else inside /tmp."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and len(os.fsencode(runtime)) <= MAX_BASE_BYTES and _is_own_directory(runtime):
        return os.path.join(runtime, "curlew")
    temporary = tempfile.gettempdir()
    parent = temporary if len(os.fsencode(temporary)) <= MAX_BASE_BYTES else "/tmp"
    return os.path.join(parent, f"curlew-{os.geteuid()}")


def _is_own_directory(path: str) -> bool:
    try:
        found = os.stat(path)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()


# -- the one of this process ----------------------------------------------------------------------

_current: Optional[ProjectDaemon] = None
_current_lock = threading.Lock()


def is_development() -> bool:
    """Is DEBUG on, and is no URL set, and is EMBEDDED not False?"""
    try:
        from django.conf import settings
    except ImportError:
        return False
    if conf.configured_url() is not None or not settings.configured:
        return False
    return bool(settings.DEBUG) and conf.get("EMBEDDED") is not False


def development_url() -> Optional[str]:
    """The URL of the project's curlewd, which is started if it does not run; None if this is not
    development. Raises NotConfigured if it can't be started."""
    if not is_development():
        return None
    try:
        return use_daemon().url
    except (StartError, find_curlewd.NotFound, OSError) as err:
        raise conf.NotConfigured(
            f'CURLEW["URL"] is not set, and no curlewd could be started for development: {err}'
        ) from err


def use_daemon() -> ProjectDaemon:
    """The project's curlewd, running. Raises StartError or NotFound."""
    global _current
    with _current_lock:
        wanted = _project_daemon()
        if _current is None or _current.directory != wanted.directory:
            _current = wanted
        elif embedded_supervisor.accepts_connections(_current.socket):
            return _current  # the file alone may be left of one that was killed
        if _current.use():
            _report_start(_current)
        return _current


def _project_daemon() -> ProjectDaemon:
    from django.conf import settings

    base_dir = str(getattr(settings, "BASE_DIR", "") or os.getcwd())
    module = str(getattr(settings, "SETTINGS_MODULE", "") or "")
    program, embedded = conf.get("CURLEWD"), conf.get("EMBEDDED")
    directory = project_directory(base_dir, module, program, embedded)
    return ProjectDaemon(directory, program, {} if embedded is True else dict(embedded))


def _report_start(started: ProjectDaemon) -> None:
    egress = (
        ""
        if isinstance(conf.get("EMBEDDED"), dict) and "egress" in conf.get("EMBEDDED")
        else " It may fetch from loopback and private addresses, which one in production may not;"
        ' CURLEW["EMBEDDED"] = {"egress": …} sets other rules.'
    )
    print(
        f"django-curlew: started a curlewd for development at {started.url}.{egress}"
        f" Its log is {started.log_path}.",
        file=sys.stderr,
    )


def start_if_needed(argv: Sequence[str]) -> None:
    """Start it for `runserver`, in the autoreloader's first process and in its children. Called
    once the apps are ready. An error is printed: the site may need no fetch."""
    is_runserver = list(argv[1:2]) == ["runserver"] and not {"-h", "--help"} & set(argv)
    if not is_runserver or not conf.is_valid():
        return
    try:
        development_url()
    except conf.NotConfigured as err:
        print(f"django-curlew: {err}", file=sys.stderr)
