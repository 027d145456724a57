"""What `make schemas` writes from the daemon's own tables of keys: schemas.py DAEMON [--check].

docs/curlewd.schema.json is what DAEMON --schema prints, and `Session` in docs/openapi.json is its
schema of a session. With --check nothing is written: each file that would change is named, and the
exit code is 1.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONFIGURATION = "docs/curlewd.schema.json"
INTERFACE = "docs/openapi.json"


def text_of(document):
    return json.dumps(document, indent=1) + "\n"


def session_of(schema):
    """A session's name is a pattern there, and the only one."""
    (session,) = schema["properties"]["sessions"]["patternProperties"].values()
    return session


def written(daemon, root):
    """File and text of each."""
    printed = subprocess.run([daemon, "--schema"], capture_output=True, text=True, check=True)
    interface = json.loads((root / INTERFACE).read_text())
    interface["components"]["schemas"]["Session"] = session_of(json.loads(printed.stdout))
    return {CONFIGURATION: printed.stdout, INTERFACE: text_of(interface)}


def outdated(daemon, root=ROOT):
    return [name for name, text in written(daemon, root).items()
            if (root / name).read_text() != text]


def main(daemon, *options):
    old = outdated(daemon)
    for name in old:
        print(f"{name} is {'older than the daemon: make schemas' if options else 'written'}")
        if not options:
            (ROOT / name).write_text(written(daemon, ROOT)[name])
    return 1 if options and old else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
