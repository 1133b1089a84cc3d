"""Sphinx, over the folder that tools/docs has laid out; its environment has USOCKET_VERSION and USOCKET_HEADERS."""

import os

project = "usocket"
author = "the usocket authors"
copyright = "the usocket authors"
version = release = os.environ["USOCKET_VERSION"]

extensions = ["myst_parser", "breathe", "sphinx.ext.autodoc"]
root_doc = "index"
exclude_patterns = ["_doxygen"]

# Headings are link targets as they are on a page of a repository, a level deeper than any link goes.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

breathe_projects = {"usocket": os.environ["USOCKET_HEADERS"]}
breathe_default_project = "usocket"
breathe_domain_by_extension = {"h": "c"}
cpp_id_attributes = ["USOCKET_API"]
autodoc_typehints = "signature"
autodoc_member_order = "bysource"

# Every reference leads somewhere, but for the names of types, of which many are not ours.
nitpicky = True
nitpick_ignore_regex = [("py:.*", ".*"), ("cpp:.*", ".*"), ("c:.*", ".*")]
# Words after a fence's language ("python every-host") are for tests/docs.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = f"usocket {release}"
html_show_sphinx = False
html_copy_source = False
