"""How Sphinx builds the site: ``make docs`` writes it to docs/_build/html."""

import os
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path[:0] = [str(DOCS / "_extensions"), str(ROOT)]

# The kernels that run the course import the AINO that stands here, too.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.getenv("PYTHONPATH")]))

# Chapters run side by side, and the threads of their BLAS would stand in each other's way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import aino  # noqa: E402

project = "AINO"
author = "The AINO developers"
copyright = author
version = release = aino.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "docstrings", "reference", "calculus", "links",
              "mathml"]  # fmt: skip
exclude_patterns = ["_build"]
source_suffix = {".rst": "restructuredtext", ".md": "myst-nb"}
smartquotes = False
pygments_style, pygments_dark_style = "friendly", "github-dark"

# Pages: what a code host shows, too.
myst_enable_extensions = ["dollarmath", "deflist", "attrs_inline"]
myst_heading_anchors = 4
suppress_warnings = ["misc.highlighting_failure"]

# The course runs while the site is built; what stands in no cell is not run here.
nb_execution_mode = "cache"
nb_execution_cache_path = str(DOCS / "_build" / "executed")
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_merge_streams = True

autodoc_use_type_comments = False
autodoc_typehints_format = "short"
autodoc_class_signature = "mixed"
maximum_signature_line_length = 88
add_module_names = False
toc_object_entries = False
python_use_unqualified_type_names = True

html_math_renderer = "mathml"
html_theme = "furo"
html_title = f"AINO {release}"
html_static_path = ["_static"]
html_css_files = ["aino.css"]
html_show_copyright = False
html_copy_source = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1a5fb4", "color-brand-content": "#1a5fb4"},
    "dark_css_variables": {"color-brand-primary": "#78aeed", "color-brand-content": "#78aeed"},
    "navigation_with_keys": True,
}
