"""What systemd does for curlewd.socket and curlewd.service: the socket outlives each daemon.

    supervisor = Supervisor("LISTEN_FDS", config)
    supervisor.restart()    # SIGTERM, wait until it has exited, start the next

Who connects while no daemon runs waits in the socket.
"""

import shutil
import signal
import socket

from . import clients
from .curlewd import Curlewd
from .procs import temp_dir, wait_until

PASSED_ON = ("LISTEN_FDS", "fd:3")  # how the socket reaches the daemon, as descriptor 3


class Supervisor:
    def __init__(self, how="LISTEN_FDS", config=None, env=None):
        self.directory = temp_dir()
        self.path = self.socket = self.directory / "curlew.sock"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.path.chmod(0o666)
        self.listener.listen(4096)
        self.how, self.config, self.env = how, config, env
        self.client = clients.FastCgiClient(self.path)
        self.start()

    def start(self):
        fd = self.listener.fileno()
        exports = "export LISTEN_FDS=1 LISTEN_PID=$$; " if self.how == "LISTEN_FDS" else ""
        script = f'exec 3<&{fd}; {exports}exec "$0" "$@"'
        self.daemon = Curlewd(self.config, args=[] if exports else ["--listen", self.how],
                              env=self.env, ready=False, wrapper=["bash", "-c", script],
                              pass_fds=[fd])

    def is_draining(self):
        return "draining for" in self.daemon.process.err

    def restart(self, timeout=20):
        """Ends what runs, if it has not been told already, then starts the next."""
        wait_until("it to be ready", lambda: "is ready" in self.daemon.process.err)
        if not self.is_draining():
            self.daemon.process.send(signal.SIGTERM)
        self.daemon.wait_exit(timeout)
        shutil.rmtree(self.daemon.directory, ignore_errors=True)
        self.start()

    def stop(self):
        wait_until("it to be ready", lambda: "is ready" in self.daemon.process.err)
        self.daemon.stop()
        self.listener.close()
        for directory in (self.daemon.directory, self.directory):
            shutil.rmtree(directory, ignore_errors=True)
