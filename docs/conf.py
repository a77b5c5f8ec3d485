"""How `make docs` builds the site: of the Markdown as it stands, so that a link holds there and on GitHub."""

project = "editfarm"
extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md", "benchmarks/RESULTS.md"]
exclude_patterns = [".*", "docs/_build", "farm", "build", "tests"]

myst_heading_anchors = 3  # a link to a heading that is not there fails the build

html_theme = "furo"
html_title = "editfarm"
html_additional_pages = {"index": "to-the-index.html"}
templates_path = ["_templates"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_show_search_summary = False  # which would be fetched, and a page from the disk may fetch nothing
