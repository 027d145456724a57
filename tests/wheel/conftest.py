"""What every test of the wheels may ask for."""

import subprocess
import venv

import pytest

from tests.support.fixtures import certs, directory  # noqa: F401
from tests.wheel.wheels import DIST


def pip_install(programs, into, *arguments):
    subprocess.run([programs / "python", "-m", "pip", "--quiet", "--disable-pip-version-check",
                    "--python", into / "python", "install", "--no-compile", "--find-links", DIST,
                    *arguments], check=True)


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """The directory of the programs of a virtual environment with both wheels and Django."""
    path = tmp_path_factory.mktemp("venv")
    venv.create(path, with_pip=True)
    pip_install(path / "bin", path / "bin", "django-curlew[daemon]", "Django")
    return path / "bin"


@pytest.fixture(scope="session")
def environment_with(environment, tmp_path_factory):
    """environment_with("curl_cffi==0.16.*") → another one that has this, both wheels, and the rest
    of the first one's packages."""
    def made(requirement):
        path = tmp_path_factory.mktemp("venv")
        venv.create(path, with_pip=False)
        pip_install(environment, path / "bin", "--no-deps", "curlewd", "django-curlew", requirement)
        (packages,) = path.glob("lib/*/site-packages")
        (others,) = environment.parent.glob("lib/*/site-packages")
        (packages / "others.pth").write_text(f"{others}\n")
        return path / "bin"

    return made
