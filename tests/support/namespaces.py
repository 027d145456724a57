"""A network of its own for a daemon and its origins, with its own /etc/resolv.conf. Needs root.

    with Namespace() as net:
        with net.inside():                      # sockets made here are in the namespace for good
            origin = ScriptedOrigin(script)
        daemon = Curlewd(wrapper=net.wrapper)   # its unix socket is reached from everywhere
"""

import contextlib
import ctypes
import os
import subprocess

from .procs import Process, temp_dir, wait_until

CLONE_NEWNET = 0x40000000
SETUP = """
set -e
ip link set lo up
mount --bind {resolv} /etc/resolv.conf
mount --bind {nsswitch} /etc/nsswitch.conf
echo ready
exec sleep 3600
"""

_libc = ctypes.CDLL(None, use_errno=True)


def is_possible():
    """May this process make one?"""
    return os.getuid() == 0 and subprocess.run(
        ["unshare", "--net", "--mount", "true"], capture_output=True).returncode == 0


def _enter(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Namespace:
    def __init__(self, resolv_conf="nameserver 127.0.0.1\n"):
        self.directory = temp_dir()
        self.resolv_conf = self.directory / "resolv.conf"
        self.resolv_conf.write_text(resolv_conf)
        nsswitch = self.directory / "nsswitch.conf"
        nsswitch.write_text("hosts: files dns\n")
        script = SETUP.format(resolv=self.resolv_conf, nsswitch=nsswitch)
        self.process = Process("namespace", ["unshare", "--net", "--mount", "sh", "-c", script],
                               self.directory)
        self.process.wait_ready(lambda: self.process.out == "ready\n")
        self.pid = self.process.pid
        self.wrapper = ["nsenter", f"--target={self.pid}", "--net", "--mount", "--wd=/"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stop()

    @contextlib.contextmanager
    def inside(self):
        """This thread is in the namespace meanwhile, and so is every socket that it makes."""
        with open("/proc/thread-self/ns/net") as own, open(f"/proc/{self.pid}/ns/net") as other:
            _enter(other.fileno())
            try:
                yield
            finally:
                _enter(own.fileno())

    def run(self, *argv):
        subprocess.run([*self.wrapper, *argv], check=True, capture_output=True)


def connect(one, other, addresses=("10.99.0.1", "10.99.0.2")):
    """A cable between two namespaces: device "cable" at both ends."""
    subprocess.run(["ip", "link", "add", "cable", "netns", str(one.pid), "type", "veth",
                    "peer", "name", "cable", "netns", str(other.pid)], check=True)
    for net, address in zip((one, other), addresses):
        net.run("ip", "address", "add", f"{address}/24", "dev", "cable")
        net.run("ip", "link", "set", "cable", "up")
    for net in (one, other):
        wait_until("the cable is up", lambda net=net: "state UP" in subprocess.run(
            [*net.wrapper, "ip", "link", "show", "cable"], capture_output=True, text=True).stdout)
