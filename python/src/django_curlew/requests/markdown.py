"""Response.markdown(): a page's article, by the packages readability-lxml and markdownify."""

from __future__ import annotations


def from_html(content: bytes) -> str:
    try:
        from markdownify import markdownify
        from readability import Document
    except ImportError as err:
        raise ImportError(
            "markdown() needs packages: pip install readability-lxml markdownify lxml_html_clean"
        ) from err
    page = Document(content)
    article = page.summary(html_partial=True)
    return str(markdownify(f"<h1>{page.title()}</h1><main>{article}</main>"))
