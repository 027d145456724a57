"""A certificate authority for the tests: made with the openssl command, good for a day.

    python -m tests.support.certs DIRECTORY
"""

import subprocess
import sys
from pathlib import Path

SYSTEM = Path("/etc/ssl/certs/ca-certificates.crt")
NAMES = ("DNS:localhost,DNS:a.localhost,DNS:b.localhost,DNS:origin.test,DNS:*.origin.test,"
         "DNS:origin,DNS:http3,"  # services of docker/compose*.yml
         "DNS:example.org,DNS:api.example,DNS:llm.example,DNS:files.example,"  # internet.py
         "DNS:hooks.example,DNS:moved.example,DNS:site.example,"
         "IP:127.0.0.1,IP:127.0.0.2,IP:0:0:0:0:0:0:0:1")


def _openssl(directory, *args):
    done = subprocess.run(["openssl", *args], cwd=directory, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {' '.join(args)}: {done.stderr}")


def _key_options(name):
    return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc",
            "-keyout", f"{name}.key"]


def _make_ca(directory, name):
    _openssl(directory, "req", "-x509", *_key_options(name), "-out", f"{name}.pem", "-days", "1",
             "-subj", f"/CN=Curlew test {name}", "-addext", "basicConstraints=critical,CA:TRUE",
             "-addext", "keyUsage=critical,keyCertSign,cRLSign")


def _make_leaf(directory, name, ca, extensions, days=1):
    _openssl(directory, "req", "-new", *_key_options(name), "-out", f"{name}.csr",
             "-subj", f"/CN=Curlew test {name}")
    (directory / f"{name}.ext").write_text(extensions)
    _openssl(directory, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem",
             "-CAkey", f"{ca}.key", "-CAcreateserial", "-days", str(days),
             "-extfile", f"{name}.ext", "-out", f"{name}.pem")


def make_certs(directory):
    """ca.pem signed server.pem and client.pem; other-ca.pem signed nothing that counts.

    trusted.pem holds ca.pem and the system's authorities.
    """
    directory = Path(directory)
    _make_ca(directory, "ca")
    _make_ca(directory, "other-ca")
    _make_leaf(directory, "server", "ca", f"subjectAltName={NAMES}\nextendedKeyUsage=serverAuth\n")
    _make_leaf(directory, "client", "ca", "extendedKeyUsage=clientAuth\n")
    _make_leaf(directory, "stranger", "other-ca", "extendedKeyUsage=clientAuth\n")
    # It ends when it begins: OpenSSL 3.5 makes none that has ended before.
    _make_leaf(directory, "expired", "ca", f"subjectAltName={NAMES}\n", days=0)
    _make_leaf(directory, "elsewhere", "ca", "subjectAltName=DNS:elsewhere.example\n")
    systems = SYSTEM.read_bytes() if SYSTEM.exists() else b""
    (directory / "trusted.pem").write_bytes((directory / "ca.pem").read_bytes() + systems)
    return directory


if __name__ == "__main__":
    make_certs(sys.argv[1])
