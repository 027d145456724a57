"""README.md and README.zh-CN.md: what their code and their diagrams promise."""

import ast
import json
import re

import pytest

import django_curlew
from documented_project import UVICORN
from tests.support.clients import HttpClient
from tests.support.curlewd import ROOT
from tests.support.procs import Process, connects, free_port, temp_dir
from tests.support.web_servers import TEMP_PATHS, find_program, substitute

READMES = pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
AFTER_COMMENT = r"<!-- {}.*?-->\n```\w*\n(.*?)^```"


def block(name, comment):
    """The block of code after an HTML comment that begins so."""
    text = (ROOT / name).read_text()
    code, = re.findall(AFTER_COMMENT.format(comment), text, re.M | re.S)
    return code


def commands(name):
    """comment → the commands after it."""
    text = (ROOT / name).read_text()
    found = re.findall(r"<!-- (first-hour: .*?) -->\n```sh\n(.*?)^```", text, re.M | re.S)
    return {comment: re.sub(r" +#.*", "", code) for comment, code in found}


# -- the diagram -----------------------------------------------------------------------------------


@READMES
def test_the_functions_of_the_diagram_exist(name):
    named = re.findall(r"([A-Za-z][\w.]*)\(\w+", block(name, "diagram"))
    assert len(named) >= 4
    for path in named:
        value = django_curlew
        for step in path.split("."):
            value = getattr(value, step)
        assert callable(value), path


@READMES
def test_the_lines_of_the_diagram_are_not_too_long(name):
    assert max(map(len, block(name, "diagram").split("\n"))) <= 92  # as wide as a page


# -- the views -------------------------------------------------------------------------------------


def test_its_views_fetch(documented, spawn):
    project = documented("README.md")
    project.write("mysite/bridge.py", "from django_curlew.asgi import CurlewBridge\n"
                  "from .asgi import application as django\napplication = CurlewBridge(django)\n")
    site = project.serve(spawn, [*UVICORN[:-1], "mysite.bridge:application"])
    assert site.ask("GET", "/sync_view/").body == b"<h1>Example</h1>\n"
    assert site.ask("GET", "/async_view/").json() == {"both": [200, 200]}
    assert site.ask("GET", "/download/").header("content-type") == "video/mp4"


# -- nginx' location -------------------------------------------------------------------------------

SERVER = """worker_processes 1;
user www-data;
pid {dir}/nginx.pid;
events {{ worker_connections 512; }}
http {{
    {temp}
    access_log off;
    server {{
        listen 127.0.0.1:{port};
        {location}
    }}
}}
"""


@pytest.fixture
def readme_nginx(daemon):
    """nginx with nothing but README's location."""
    directory, port = temp_dir(), free_port()
    location = substitute(block("README.md", "nginx"), [
        ("/run/curlew/curlew.sock", str(daemon.socket))], {})
    temp = TEMP_PATHS.format(dir=directory)
    (directory / "nginx.conf").write_text(
        SERVER.format(dir=directory, port=port, temp=temp, location=location))
    argv = [find_program("nginx"), "-c", directory / "nginx.conf", "-e", directory / "error.log",
            "-g", "daemon off;"]
    process = Process("nginx", argv, directory)
    process.wait_ready(lambda: connects(("127.0.0.1", port)))
    yield HttpClient(port)
    process.stop()


def test_behind_its_location_a_head_of_16_kb_works(readme_nginx, origin):
    """limits.head_bytes, less what the head has besides."""
    url = origin.url(f"/bigheader/{16384 - 400}")
    response = readme_nginx.get("/v1/stream", {"url": url})
    assert response.status == 200, response
    assert len(response.header("x-big")) == 16384 - 400
    assert readme_nginx.fetch(url)["status"] == 200


def test_its_location_answers_to_no_other_name(readme_nginx):
    assert readme_nginx.ask("GET", "/healthz").status == 200
    assert readme_nginx.ask("GET", "/healthz", headers=[("Host", "evil.example")]).status == 421


def test_a_page_of_its_own_may_ask_whatever_the_port(readme_nginx, origin):
    """From a browser that sends Origin alone: Host must come with its port."""
    page = [("Origin", f"http://127.0.0.1:{readme_nginx.port}"), ("Content-Type", "text/plain")]
    body = json.dumps({"url": origin.url("/hello")}).encode()
    response = readme_nginx.ask("POST", "/v1/fetch", body=body, headers=page)
    assert response.status == 200, response


def test_deploy_shows_the_same_location():
    location = re.sub(r" +#.*", "", block("README.md", "nginx"))
    text = (ROOT / "docs/deploy.md").read_text()
    row, = re.findall(r"^\| \[nginx\].*?\) \| `(.*?)`;", text, re.M)
    assert row.replace("\\|", "|").split() == location.split()


# -- two languages, one content --------------------------------------------------------------------


def shell_blocks(name):
    blocks = re.findall(r"^```sh\n(.*?)^```", (ROOT / name).read_text(), re.M | re.S)
    return [re.sub(r" +#.*", "", each) for each in blocks]


def test_both_have_the_same_commands_and_the_same_location():
    assert commands("README.md") == commands("README.zh-CN.md") != {}
    assert shell_blocks("README.md") == shell_blocks("README.zh-CN.md")
    locations = [re.sub(r" +#.*", "", block(n, "nginx")) for n in ("README.md", "README.zh-CN.md")]
    assert locations[0] == locations[1]


def test_both_have_the_same_views():
    text = [(ROOT / n).read_text() for n in ("README.md", "README.zh-CN.md")]
    code = [re.findall(r"```python[^\n]*\n(.*?)^```", t, re.M | re.S) for t in text]
    trees = [[ast.dump(ast.parse(c)) for c in each] for each in code]
    assert trees[0] == trees[1] and trees[0]


def test_both_have_the_same_figures():
    text = [(ROOT / n).read_text() for n in ("README.md", "README.zh-CN.md")]
    between = r"<!-- demo: begin.*?-->(.*?)<!-- demo: end -->"
    figures = [re.search(between, t, re.S)[1] for t in text]
    numbers = [sorted(re.findall(r"\d[\d,.]*\d|\d", each)) for each in figures]
    assert numbers[0] == numbers[1]
