"""Types what README.md says on fresh machines, and nothing else, until a page is fetched.

    python -m tests.first_hour [pip] [deb] [docker] [--release trixie|bookworm] [--built]

pip and deb in a container of each release that systemd has booted, as a user who may sudo; docker
on this machine's engine. What a machine finds on the internet is put in its way: the repository
as it is committed (git's insteadOf), the wheels of `make wheel` (PIP_FIND_LINKS) and
https://example.org/. Needs root, a Docker engine, a Debian mirror and PyPI.

Both releases' containers run side by side.

--built leaves out `make deb` and `make docker`, which take minutes: what `make deb-test` and
`make docker-test` have made in this checkout is put where these would put it.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.certs import make_certs
from tests.support.procs import temp_dir, wait_until

from .example_site import HOSTS, PAGE, ExampleSite
from .readme import ROOT, commands

RELEASES = ["trixie", "bookworm"]
HERE = Path(__file__).parent
HOST_CA = Path("/etc/ssl/certs/ca-certificates.crt")  # a network may inspect TLS
# systemd needs to mount, to make control groups, and to make sandboxes.
LIKE_A_MACHINE = ["--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined",
                  "--cgroupns", "private", "-v", "/sys/fs/cgroup:/sys/fs/cgroup:rw",
                  "--tmpfs", "/run", "--tmpfs", "/tmp:exec", "-e", "container=docker"]
REPOSITORY = "https://github.com/curlew/curlew.git"
# Of the machine's administrator, whom nobody sees: containers forbid a namespace in a namespace.
DROP_IN = """mkdir -p /etc/systemd/system/curlewd.service.d
printf '[Service]\\nPrivateUsers=no\\n' >/etc/systemd/system/curlewd.service.d/container.conf
git config --system --add safe.directory '*' 2>/dev/null || true
"""
GITCONFIG = f"""[url "{{repository}}"]
    insteadOf = {REPOSITORY}
[safe]
    directory = *
"""
PROFILE = """export PIP_FIND_LINKS=/wheels PIP_CERT=/etc/ssl/certs/ca-certificates.crt
export PIP_DISABLE_PIP_VERSION_CHECK=1 DEBIAN_FRONTEND=noninteractive
"""


def run(*argv, **kwargs):
    """What a command prints; its errors are told."""
    kwargs = {"timeout": 1200, "stdin": subprocess.DEVNULL, **kwargs}
    done = subprocess.run([str(a) for a in argv], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False, **kwargs)
    if done.returncode != 0:
        raise SystemExit(f"first-hour: {argv[0]}: exit code {done.returncode}\n{done.stdout}")
    return done.stdout


def type_in(shell, text, **kwargs):
    """Each command in turn, in one shell that ends at the first that fails; what it printed."""
    print("".join(f"    $ {line}\n" for line in text.rstrip().split("\n")), end="", flush=True)
    return run(*shell, "-c", "set -e\n" + text, **kwargs)


def check_page(said):
    if PAGE not in said:
        raise SystemExit(f"first-hour: no page in\n{said}")


def without(command, text, instead=""):
    """The commands with another one in the place of `command`, which must be among them."""
    lines = text.split("\n")
    lines[lines.index(command)] = instead
    return "\n".join(lines)


class Prepared:
    """What all machines share: certificates, the repository as it is committed, the wheels."""

    def __init__(self, built=False):
        self.built = built
        self.directory = temp_dir("curlew-first-hour-")
        self.certs = make_certs(self.directory)
        run("git", "clone", "--quiet", "--bare", "--no-local", ROOT,
            self.directory / "curlew.git")
        shutil.copyfile(self.certs / "ca.pem", self.directory / "example-ca.crt")
        shutil.copyfile(HERE / "Dockerfile", self.directory / "Dockerfile")

    def image(self, release):
        """The name of an image with a fresh machine of that release."""
        base = run(ROOT / "docker/base.sh", release).strip().split("\n")[-1]
        context = self.directory / f"context-{release}"
        context.mkdir(exist_ok=True)
        for name in ("Dockerfile", "example-ca.crt"):
            shutil.copyfile(self.directory / name, context / name)
        run("docker", "build", "-q", "-t", f"curlew-first-hour:{release}",
            "--build-arg", f"BASE={base}", context)
        return f"curlew-first-hour:{release}"

    def remove_images(self):
        """They trust the test's authority. By name: another image may be built upon one of them."""
        shown = run("docker", "images", "--format", "{{.Repository}}:{{.Tag}}", "curlew-first-hour")
        for name in shown.split():
            run("docker", "rmi", name)


class Machine:
    """A container like a machine; `with Machine(…) as machine: machine.type_in(…)`."""

    def __init__(self, prepared, release):
        (ROOT / "build/deb").mkdir(exist_ok=True)
        self.id = run("docker", "run", "-d", *LIKE_A_MACHINE,
                      "-v", f"{ROOT / 'build/wheel/dist'}:/wheels:ro",
                      "-v", f"{ROOT / 'build/deb'}:/packages:ro",
                      "-v", f"{prepared.directory / 'curlew.git'}:/curlew.git:ro",
                      prepared.image(release)).strip()
        self.site = None
        try:
            self.prepare(prepared)
        except BaseException:
            self.stop()
            raise

    def prepare(self, prepared):
        root = ["docker", "exec", "-i", self.id, "sh", "-e"]
        wait_until("systemd", lambda: subprocess.run(
            ["docker", "exec", self.id, "systemctl", "is-system-running"], check=False, text=True,
            capture_output=True).stdout.strip() in ("running", "degraded"), 60, 0.2)
        bundle = HOST_CA.read_text() if HOST_CA.exists() else ""
        run(*root, input=f"cat >>/etc/ssl/certs/ca-certificates.crt <<'END'\n{bundle}END\n"
            f"cat >/etc/gitconfig <<'END'\n{GITCONFIG.format(repository='/curlew.git')}END\n"
            f"cat >/etc/profile.d/first-hour.sh <<'END'\n{PROFILE}END\n"
            f"echo '{HOSTS.strip()}' >>/etc/hosts\n{DROP_IN}apt-get update -qq\n", stdin=None)
        pid = run("docker", "inspect", "-f", "{{.State.Pid}}", self.id).strip()
        self.site = ExampleSite(pid, prepared.certs, prepared.directory)

    def type_in(self, text, folder="~"):
        """As the user dev, in a new login."""
        shell = ["docker", "exec", self.id, "su", "-", "dev"]
        return type_in(shell, f"cd {folder}\n{text}")

    def stop(self):
        if self.site:
            self.site.stop()
        run("docker", "rm", "-f", "-v", self.id)


@contextlib.contextmanager
def machine(prepared, release):
    one = Machine(prepared, release)
    try:
        yield one
    finally:
        one.stop()


def by_pip(prepared, release):
    with machine(prepared, release) as m:
        start = time.monotonic()
        typed = commands()
        m.type_in(typed["pip, before"])
        check_page(m.type_in(typed["pip"]))
        return time.monotonic() - start


def by_deb(prepared, release):
    with machine(prepared, release) as m:
        start = time.monotonic()
        typed = commands()
        text = typed["deb"].replace("git clone ", "git clone --quiet ")
        if prepared.built:
            text = without("make deb", text,  # which also sees to libcurl, in bookworm
                           f"mkdir -p build/deb && cp /packages/{release}/curlew_*.deb build/deb\n"
                           "sudo tools/curl-backports.sh")
        m.type_in(text)
        check_page(m.type_in(typed["deb, in a new login"], "~/curlew"))
        return time.monotonic() - start


def trust_in_base(prepared):
    """The image that curlew's is built upon."""
    base = run(ROOT / "docker/base.sh").strip().split("\n")[-1]
    (prepared.directory / "Dockerfile.base").write_text(
        f"FROM {base}\nRUN apt-get update -qq && apt-get install -qq -y ca-certificates\n"
        "COPY example-ca.crt /usr/local/share/ca-certificates/\nRUN update-ca-certificates\n")
    run("docker", "build", "-q", "-t", "curlew-first-hour:base", "-f",
        prepared.directory / "Dockerfile.base", prepared.directory)


def trust_in_built(prepared):
    """curlew's image, as it is built: it has no shell, but a file of authorities."""
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    container = run("docker", "create", "curlew").strip()
    run("docker", "cp", f"{container}:{bundle}", prepared.directory / "bundle.crt")
    run("docker", "rm", container)
    with open(prepared.directory / "bundle.crt", "a", encoding="utf-8") as file:
        file.write((prepared.certs / "ca.pem").read_text())
    (prepared.directory / "Dockerfile.built").write_text(f"FROM curlew\nCOPY bundle.crt {bundle}\n")
    run("docker", "build", "-q", "-t", "curlew", "-f", prepared.directory / "Dockerfile.built",
        prepared.directory)


def by_docker(prepared, _):
    """On this machine's engine. The image trusts the test's authority, so it does not stay."""
    former = subprocess.run(["docker", "image", "inspect", "-f", "{{.Id}}", "curlew"], check=False,
                            capture_output=True, text=True).stdout.strip()
    home = prepared.directory / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        GITCONFIG.format(repository=prepared.directory / "curlew.git"))
    env = {**os.environ, "HOME": str(home), "BASE": "curlew-first-hour:base"}
    shell, site, typed = ["bash"], None, commands()
    text = without("make docker", typed["docker"]) if prepared.built else typed["docker"]
    try:
        (trust_in_built if prepared.built else trust_in_base)(prepared)
        start = time.monotonic()
        type_in(shell, text, cwd=home, env=env)
        details = run("docker", "inspect", "-f", "{{.State.Pid}} {{.HostsPath}}", "curlew").split()
        with open(details[1], "a", encoding="utf-8") as hosts:
            hosts.write(HOSTS)
        site = ExampleSite(details[0], prepared.certs, prepared.directory)
        said = type_in(shell, typed["docker, on the host"], cwd=home / "curlew", env=env)
        check_page(said)
        return time.monotonic() - start
    finally:
        if site:
            site.stop()
        for words in (["rm", "-f", "curlew"], ["volume", "rm", "curlew"], ["rmi", "-f", "curlew"]):
            subprocess.run(["docker", *words], check=False, capture_output=True)
        if former:
            run("docker", "tag", former, "curlew")


WAYS = {"pip": by_pip, "deb": by_deb, "docker": by_docker}


def try_way(prepared, way, releases):
    """Seconds to the first fetch on each release; side by side, as most is waiting for a mirror."""
    def on(release):
        print(f"\n{way}, {release}", flush=True)
        seconds = WAYS[way](prepared, release)
        print(f"  {release}: fetched after {seconds:.0f} s", flush=True)
        return way, release, seconds

    with ThreadPoolExecutor() as pool:
        return list(pool.map(on, releases))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("ways", nargs="*", help="pip, deb, docker; all of them if none is given")
    p.add_argument("--release", action="append", choices=RELEASES)
    p.add_argument("--built", action="store_true", help="build neither package nor image")
    opt = p.parse_args()
    if not set(opt.ways) <= set(WAYS):
        p.error(f"ways are {', '.join(WAYS)}")
    prepared, took = Prepared(opt.built), []
    try:
        for way in opt.ways or WAYS:
            there = ["this machine"] if way == "docker" else opt.release or RELEASES
            took += try_way(prepared, way, there)
    finally:
        prepared.remove_images()
    print("\nThe first fetch, by README.md's own commands:")
    for way, release, seconds in took:
        print(f"  {way:7} {release:13} {seconds:5.0f} s")


if __name__ == "__main__":
    sys.exit(main())
