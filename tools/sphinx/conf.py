"""Sphinx' settings for the site; tools/build_docs.py prepares the pages."""

project = "Curlew"
author = "The Curlew developers"
html_title = "Curlew"
extensions = ["myst_parser"]
root_doc = "README"
myst_heading_anchors = 4
# "[sent once](#sent-once)": the anchors are GitHub's, which MyST computes, too.
myst_enable_extensions = ["colon_fence"]
suppress_warnings = ["myst.header"]  # the README's sections need not begin at a fixed level
nitpicky = True
highlight_language = "text"
html_theme = "furo"
html_static_path = []
html_theme_options = {
    "source_repository": "https://github.com/curlew/curlew/",
    "source_branch": "main",
    "source_directory": "docs/",
}
html_copy_source = False
html_show_sphinx = False
