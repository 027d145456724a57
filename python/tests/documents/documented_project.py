"""A Django project made of the code in a page of the documents, as a reader would type it.

A block of code with a title, ```python title="mysite/views.py", is that file's content. Later
blocks of the same file are added to it, and so are all of settings.py, which startproject has made.
A page without urls.py gets a path for each function in views.py whose first parameter is `request`.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.clients import HttpClient
from tests.support.curlewd import clean_env
from tests.support.procs import connects, free_port

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "python" / "src"
BLOCK = re.compile(r'^( *)```\w+ title="([^"]+)"\n(.*?)^\1```', re.M | re.S)
STARTPROJECT = [sys.executable, "-m", "django", "startproject", "mysite", "."]
URLS = '''
import inspect

from django.urls import path

from mysite import views

KINDS = {"request": "", "name": "<str:name>/"}


def views_of(module):
    for name, view in vars(module).items():
        if inspect.isfunction(view) and view.__module__ == module.__name__:
            parameters = list(inspect.signature(view).parameters)
            if parameters[:1] == ["request"] and set(parameters) <= set(KINDS):
                yield name, view, "".join(KINDS[p] for p in parameters)


urlpatterns = [path(f"{name}/{rest}", view) for name, view, rest in views_of(views)]
'''
UVICORN = ["uvicorn", "--log-level", "warning", "--port", "{port}", "mysite.asgi:application"]
GUNICORN = ["gunicorn", "--log-level", "warning", "--bind", "127.0.0.1:{port}", "--workers", "2",
            "--worker-class", "gthread", "--threads", "4", "mysite.wsgi:application"]


def titled_blocks(page):
    """(title, code) of each block of a page that has a title."""
    return [(title, code) for _, title, code in BLOCK.findall((ROOT / page).read_text())]


class Project:
    def __init__(self, page, folder, curlew_url):
        self.folder = folder
        self.curlew_url = curlew_url
        subprocess.run(STARTPROJECT, cwd=folder, check=True, timeout=30)
        written = {"mysite/settings.py"}
        for title, code in titled_blocks(page):
            if title != "curlewd.json":
                self.write(title, code, "a" if title in written else "w")
                written.add(title)
        if "mysite/views.py" in written and "mysite/urls.py" not in written:
            self.write("mysite/urls.py", URLS, "w")

    def write(self, name, text, mode="a"):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, mode, encoding="utf-8") as file:
            file.write(text)

    @property
    def env(self):
        return {"PYTHONPATH": str(SOURCE), "CURLEW_URL": self.curlew_url,
                "DJANGO_SETTINGS_MODULE": None, "PYTHONUNBUFFERED": "1"}

    def manage(self, *words):
        """What a command of manage.py prints."""
        env = {**os.environ, **clean_env(), **self.env}
        env = {name: value for name, value in env.items() if value is not None}
        done = subprocess.run([sys.executable, "manage.py", *words], cwd=self.folder, env=env,
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def serve(self, spawn, server):
        """An HttpClient for the project, under uvicorn or gunicorn."""
        port = free_port()
        words = [word.format(port=port) for word in server]
        spawn(words[0], [sys.executable, "-m", *words], env=self.env, cwd=self.folder,
              ready=lambda: connects(("127.0.0.1", port)))
        return HttpClient(port, prefix="")


def daemon_config(page, internet, certs):
    """The page's curlewd.json, and what makes the daemon fetch from our internet."""
    config = {"egress": {}, "sessions": {"default": {}}}
    for title, code in titled_blocks(page):
        if title == "curlewd.json":
            given = json.loads(code)
            config["egress"].update(given.get("egress", {}))
            config["sessions"].update(given.get("sessions", {}))
    for session in config["sessions"].values():
        session["proxy"] = f"http://127.0.0.1:{internet['proxy']}"
        session["ca_file"] = str(certs / "ca.pem")
    return config
