"""The command curlewd: becomes the daemon, or says why it can't.

It executes the program in its own place, so the process id stays, and signals and the exit code are
the daemon's. If the daemon can't run here, it exits with 1.
"""

from __future__ import annotations

import errno
import importlib.metadata
import importlib.util
import os
import platform
import re
import struct
import sys
from pathlib import Path
from typing import NoReturn

from . import environment, path

# Of curl_cffi, as in pyproject.toml: its extension exports libcurl's functions.
OLDEST, TOO_NEW = (0, 16), (0, 18)
INSTALL = 'pip install "curl_cffi>=0.16,<0.18"'
EXTENSION = "_wrapper.abi3.so"
E_MACHINE = 18  # where an ELF file names the processor that it is for
MACHINES = {62: "x86_64", 183: "aarch64"}


class CannotRun(Exception):
    """The message says what to do."""


def main() -> NoReturn:
    try:
        run(sys.argv[1:])
    except CannotRun as err:
        sys.exit(f"curlewd: {err}")


def run(arguments: list[str]) -> NoReturn:
    """Become the daemon. Raises CannotRun."""
    program, variables = path(), environment()
    folder = curl_cffi_folder()
    # The program looks for it beside this package. It may be elsewhere on sys.path: in the system's
    # site-packages, say, where the virtual environment has these.
    if folder.resolve() != Path(program).parents[2] / "curl_cffi":
        variables["LD_LIBRARY_PATH"] = str(folder)
    try:
        os.execve(program, [program, *arguments], variables)
    except OSError as err:
        raise CannotRun(explain(program, err)) from err


def curl_cffi_folder() -> Path:
    """Where curl_cffi is, whose extension the program is linked to. Raises CannotRun."""
    spec = importlib.util.find_spec("curl_cffi")
    if spec is None or spec.origin is None:
        raise CannotRun(
            f"curl_cffi is not installed in {sys.prefix}, whose libcurl the daemon uses: {INSTALL}"
        )
    folder = Path(spec.origin).parent
    try:
        version = importlib.metadata.version("curl_cffi")
    except importlib.metadata.PackageNotFoundError:
        raise CannotRun(
            f"the curl_cffi in {folder} has no metadata, so its version is unknown: {INSTALL}"
            " --force-reinstall"
        ) from None
    numbers = tuple(int(n) for n in re.findall(r"\d+", version)[:2])
    if not OLDEST <= numbers < TOO_NEW:
        raise CannotRun(
            f"curl_cffi {version} is installed in {folder}. This version of curlewd uses the"
            f" libcurl of 0.16 and 0.17, and others may lack what it needs: {INSTALL}"
        )
    if not (folder / EXTENSION).is_file():
        raise CannotRun(f"{folder / EXTENSION} is missing: {INSTALL} --force-reinstall")
    return folder


def explain(program: str, err: OSError) -> str:
    """Why the kernel would not execute the program."""
    if not os.path.exists(program):
        return f"{program} is missing: pip install --force-reinstall curlewd"
    machine = machine_of(program)
    if err.errno == errno.ENOEXEC and machine != platform.machine():
        return f"{program} is for {machine}, and this machine is {platform.machine()}"
    if err.errno == errno.ENOENT:  # its dynamic linker
        return (
            f"{program} needs glibc, and this system has another C library, such as musl in Alpine."
            " Use an image with glibc, or build Curlew here: see docs/deploy.md"
        )
    return f"{program} cannot be executed: {err.strerror}"


def machine_of(program: str) -> str:
    """The processor, named as uname does."""
    with open(program, "rb") as file:
        head = file.read(E_MACHINE + 2)
    if len(head) < E_MACHINE + 2 or head[:4] != b"\x7fELF":
        return "no machine: it is damaged"
    (number,) = struct.unpack_from("<H", head, E_MACHINE)
    return MACHINES.get(number, f"another processor (ELF machine {number})")
