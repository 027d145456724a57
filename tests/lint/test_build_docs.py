"""The documents as a site: tools/build_docs.py, without Sphinx."""

import re

import pytest

from tools import build_docs


@pytest.mark.parametrize("link, source, becomes", [
    ("api.md", "docs/django.md", "api.md"),
    ("../README.md", "docs/faq.md", "../README.md"),
    ("../../examples/nginx/nginx.conf", "docs/howto/downloads.md",
     build_docs.SITE + "examples/nginx/nginx.conf"),
    ("../man/curlewd.8", "docs/api.md", "../man/curlewd.8.md"),
    ("docs/api.md", "README.md", "docs/api.md"),
    ("LICENSE", "README.md", build_docs.SITE + "LICENSE")])
def test_a_link_leads_to_a_page_or_to_the_repository(link, source, becomes):
    assert build_docs.target(link, source) == becomes


def test_a_link_to_nothing_is_an_error():
    with pytest.raises(SystemExit, match="docs/api.md: nothing.c is not there"):
        build_docs.target("nothing.c", "docs/api.md")


def test_code_stays_as_it_is_and_its_title_becomes_a_caption():
    text = 'See [it](../LICENSE):\n```python title="a/b.py"\nx = "[a](../LICENSE)"\n```\n'
    assert build_docs.rewrite(text, "docs/api.md") == (
        f"See [it]({build_docs.SITE}LICENSE):\n"
        '```{code-block} python\n:caption: a/b.py\nx = "[a](../LICENSE)"\n```\n')


def test_the_site_has_no_badges_from_elsewhere():
    text = "A\n\n[![x](https://img.example/x)](LICENSE)\n[![y](https://img.example/y)](LICENSE)\n\nB\n"
    assert build_docs.rewrite(text, "README.md") == "A\n\n\nB\n"


def test_every_page_is_in_the_navigation():
    assert len(build_docs.pages()) == len(set(build_docs.pages())) > 20


def test_each_listed_page_exists():
    for page in build_docs.pages():
        path = page if page.startswith("man/") else f"{page}.md"
        assert (build_docs.ROOT / path).exists(), path


def test_manual_pages_become_html():
    page = build_docs.manual("man/curlewd.8")
    assert page.startswith("# curlewd(8)\n") and re.search(r"<h[12] class=\"Sh\"", page, re.I)
