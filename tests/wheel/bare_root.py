"""Debian with Python and the CA bundle and nothing else: no compiler, no libcurl, no nginx.

    root = BareRoot("trixie", home)       # home: a new directory, which is all that it may write to
    root.run("python3", "-m", "venv", "venv")
    root.start("server", ["venv/bin/python", ...])

Programs run in a chroot as a user that is not root. The root itself is made once, by debootstrap,
is kept in build/roots, and stays as it is: what a test changes is mounted over it, in a mount
namespace that ends with the program.
"""

import ast
import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
from pathlib import Path

from tests.support.curlewd import ROOT
from tests.support.procs import Process, wait_until

ROOTS = ROOT / "build" / "roots"
PACKAGES = "python3,python3-venv,ca-certificates"
USER = 1000
HOME = "/home"
CERTS = "/etc/ssl/certs"
NAME_FILES = ("hosts", "resolv.conf")
# Each argument SOURCE:TARGET is mounted, up to the directory to change root to.
ENTER = f"""
set -eu
while [ $# -gt 0 ]; do
    case $1 in
    --) shift; break ;;
    *) mount --bind "${{1%%:*}}" "${{1#*:}}" ;;
    esac
    shift
done
root=$1 variables=$2
shift 2
mount -t proc proc "$root/proc"
cd "$root"
exec chroot --userspec={USER}:{USER} --groups= . env -i $variables sh -c 'cd "$0" && exec "$@"' \\
    {HOME} "$@"
"""


class BareRoot:
    """`certificates`: a directory in the place of /etc/ssl/certs."""

    def __init__(self, release, home, certificates=None):
        self.path, self.home = make_root(release), home
        self.wrapper = []  # a command that enters a network, say, and runs what follows
        self.mounts = {home: HOME, home / "tmp": "/tmp", **name_files(home)}
        if certificates:
            self.mounts[certificates] = CERTS
        (home / "tmp").mkdir(exist_ok=True)
        self.environment = {"PATH": "/usr/bin:/bin", "HOME": HOME, "LANG": "C.UTF-8",
                            **pip_settings(home)}
        for each in (home, home / "tmp"):
            os.chown(each, USER, USER)

    def argv(self, *argv):
        """The command that runs this one inside."""
        variables = " ".join(f"{name}={value}" for name, value in self.environment.items())
        mounts = [f"{source}:{self.path}{target}" for source, target in self.mounts.items()]
        return [*self.wrapper, "unshare", "--mount", "sh", "-c", ENTER, "enter", *mounts, "--",
                self.path, variables, *argv]

    def run(self, *argv):
        return subprocess.run(self.argv(*argv), capture_output=True, text=True, timeout=300)

    def check(self, *argv):
        """The standard output; the program must end with 0."""
        done = self.run(*argv)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextlib.contextmanager
    def start(self, name, argv):
        process = Process(name, self.argv(*argv), self.home)
        try:
            yield process
        finally:
            process.stop()
            with contextlib.suppress(AssertionError):
                wait_until("an empty root", lambda: not self.processes(), 15)
            left = self.processes()
            for pid in left:
                os.kill(pid, signal.SIGKILL)
        assert not left, "something was left running in the root"

    def processes(self):
        """Those that run in the root."""
        found = []
        for each in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.path.samefile(each / "root", self.path):
                    found.append(int(each.name))
        return found


def make_root(release):
    """The directory with that release of Debian, made if it is not there yet."""
    path = ROOTS / release
    ROOTS.mkdir(parents=True, exist_ok=True)
    with open(ROOTS / f"{release}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            unfinished = ROOTS / f"{release}.new"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            with open(ROOTS / f"{release}.tar", "w+b") as archive:
                subprocess.run([ROOT / "docker" / "base.sh", release, "--archive"], check=True,
                               stdout=archive, env={**os.environ, "INCLUDE": PACKAGES})
                archive.seek(0)
                subprocess.run(["tar", "--numeric-owner", "-x", "-C", unfinished], check=True,
                               stdin=archive)
            os.unlink(archive.name)
            unfinished.chmod(0o755)  # debootstrap's directory was root's alone
            for name in NAME_FILES:  # to be mounted over
                (unfinished / "etc" / name).touch()
            unfinished.rename(path)
    return path


def name_files(home):
    """This machine's files for look-ups, as copies: they may be links. The root has none."""
    copies = {}
    for name in NAME_FILES:
        shutil.copy(f"/etc/{name}", home / name)
        copies[home / name] = f"/etc/{name}"
    return copies


def pip_settings(home):
    """pip's configuration on this machine, as variables: the package index, and the CA bundle that
    it needs, copied to `home`."""
    listed = subprocess.run([ROOT / ".venv" / "bin" / "python", "-m", "pip", "config", "list"],
                            check=True, capture_output=True, text=True).stdout
    settings = {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        name = key.rpartition(".")[2].upper().replace("-", "_")
        settings[f"PIP_{name}"] = ast.literal_eval(value)
    settings.pop("PIP_FIND_LINKS", None)  # directories that the root does not have
    bundle = settings.get("PIP_CERT") or os.environ.get("SSL_CERT_FILE")
    if bundle:
        shutil.copy(bundle, home / "pip-ca.pem")
        settings["PIP_CERT"] = f"{HOME}/pip-ca.pem"
    return settings
