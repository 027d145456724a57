"""The documents as a site, build/docs/html: `make docs`.

Pages are plain Markdown, so that they read as well on GitHub and in /usr/share/doc. They are copied
to build/docs/source in the places that they have here, with these changes: a link to a file that is
no page leads to the repository's site; the title of a block of code becomes its caption; manual
pages become HTML; the README gets the table of contents, and loses its badges, as the site loads
nothing from elsewhere. Then Sphinx builds them, and a warning of
it, as for a link without a target, is an error.
"""

import posixpath
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TO = ROOT / "build/docs"
SITE = "https://github.com/curlew/curlew/blob/main/"

# Tutorial, how-to, reference, explanation: https://diataxis.fr/
PAGES = {
    "Tutorial": ["docs/tutorial"],
    "How-to guides": [
        "docs/howto/llm-stream", "docs/howto/webhooks", "docs/howto/downloads",
        "docs/howto/crawler", "docs/howto/celery", "docs/howto/drf-ninja", "docs/howto/tests",
        "docs/migration", "docs/deploy", "docs/operations", "docs/observability", "docs/scaling",
        "docs/faq"],
    "Reference": [
        "docs/django", "docs/client", "docs/adapters", "docs/api", "docs/streams", "docs/batch",
        "docs/resilience", "docs/egress", "man/curlewd.8", "man/curlewd.json.5", "docs/glossary",
        "CHANGES"],
    "Explanation": [
        "docs/why-not", "docs/performance", "docs/architecture", "docs/reliability", "SECURITY",
        "docs/dependencies"],
    "Contributing": ["CONTRIBUTING", "docs/development", "docs/releasing"],
}
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)(?=[)#])")
CODE = re.compile(r"(^( *)```.*?^\2```$)", re.M | re.S)
BADGES = re.compile(r"^\[!\[.*\n", re.M)
TITLE = re.compile(r'^( *)```(\w+) title="([^"]+)"$', re.M)


def pages():
    listed = [page for group in PAGES.values() for page in group]
    found = {f"docs/{p.relative_to(ROOT / 'docs').with_suffix('')}"
             for p in (ROOT / "docs").rglob("*.md")}
    missing = sorted(found - set(listed))
    if missing:
        sys.exit(f"build_docs: not in PAGES of {__file__}: {', '.join(missing)}")
    return ["README", *listed]


def page_of(path):
    """The page that a file of the repository is, or None."""
    if path.startswith("man/"):
        return path + ".md" if path in pages() else None
    return path if path.removesuffix(".md") in pages() else None


def rewrite(markdown, source):
    pieces = CODE.split(markdown)
    for i in range(0, len(pieces), 3):  # what is not code, the code, its indentation
        pieces[i] = LINK.sub(lambda m: target(m[1], source), pieces[i])
    text = "".join(piece for i, piece in enumerate(pieces) if i % 3 != 2)
    text = BADGES.sub("", text)
    return TITLE.sub(r"\1```{code-block} \2\n\1:caption: \3", text)


def target(link, source):
    path = posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
    if not (ROOT / path).exists():
        sys.exit(f"build_docs: {source}: {link} is not there")
    if path.startswith("docs/pictures/"):
        return link
    page = page_of(path)
    return posixpath.relpath(page, posixpath.dirname(source) or ".") if page else SITE + path


def manual(source):
    """A manual page as HTML, within a page of Markdown."""
    command = ["mandoc", "-T", "html", "-O", "fragment", source]
    html = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    title = re.sub(r"man/(.*)\.(\d)$", r"\1(\2)", source)
    return f"# {title}\n\n```{{raw}} html\n{html}```\n"


def contents():
    """The navigation, at the end of the first page."""
    for group, names in PAGES.items():
        listed = "\n".join(names)
        yield f"\n```{{toctree}}\n:hidden:\n:caption: {group}\n\n{listed}\n```\n"


def prepare(source):
    shutil.rmtree(source, ignore_errors=True)
    for page in pages():
        to = source / f"{page}.md"
        to.parent.mkdir(parents=True, exist_ok=True)
        if page.startswith("man/"):
            to.write_text(manual(page))
            continue
        text = rewrite((ROOT / f"{page}.md").read_text(), f"{page}.md")
        to.write_text(text + ("".join(contents()) if page == "README" else ""))
    pictures = ROOT / "docs/pictures"
    if pictures.exists():
        shutil.copytree(pictures, source / "docs/pictures")


def main():
    prepare(TO / "source")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-E", "-n", "-b", "html",
               "-c", ROOT / "tools/sphinx", TO / "source", TO / "html"]
    done = subprocess.run(command, check=False)
    if done.returncode == 0:
        shutil.copyfile(TO / "html/README.html", TO / "html/index.html")
        print("build/docs/html/index.html")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
