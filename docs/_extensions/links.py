"""Links of pages that lead out of ``docs``: into the repository, as a code host has it.

A page of the site may be read where there is no repository, so what it names there comes along as
a file to look at, but for documents that are pages themselves.
"""

from pathlib import Path

from docutils import nodes
from sphinx import addnodes

DOCS = Path(__file__).resolve().parent.parent
ROOT = DOCS.parent
#: Documents of the repository that are pages of the site, too.
PAGES = {"CONTRIBUTING.md": "contributing", "CHANGELOG.md": "changelog", "README.md": "comparison",
         "SECURITY.md": "security"}  # fmt: skip


def path_of(app, node):
    """Return what a link leads to inside the repository, or None."""
    target = str(node.get("reftarget", "")).partition("#")[0]
    if not target or "://" in target:
        return None
    found = ((DOCS / app.env.docname).parent / target).resolve()
    if not found.exists():  # a document is named without its suffix
        found = found.with_name(found.name + ".md")
    return found if found.is_relative_to(ROOT) else None


def lead_home(app, doctree):
    """Documents that are pages are linked to as pages; a folder can't be handed out."""
    kinds = (addnodes.download_reference, addnodes.pending_xref)
    for node in [node for kind in kinds for node in doctree.findall(kind)]:
        found = path_of(app, node)
        page = PAGES.get(found.relative_to(ROOT).as_posix()) if found else None
        if page is not None:
            uri = app.builder.get_relative_uri(app.env.docname, page)
            node.replace_self(nodes.reference("", "", *node.children, internal=True, refuri=uri))
        elif found is not None and found.is_dir() and node.get("reftype") == "myst":
            node.replace_self(node.children)


def setup(app):
    app.connect("doctree-read", lead_home)
    return {"parallel_read_safe": True}
