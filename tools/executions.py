"""Sphinx extension: the directive `executions`, a table of all executed pages and of what came out.

myst-nb's own table (nb-exec-table) names files and shows a mark; this one names the chapters, counts the cells and the
statements they assert, and has row and column headers that a screen reader can announce.
"""

import re
from pathlib import Path

import nbformat
from docutils import nodes
from myst_nb.ext.execution_tables import METADATA_KEY
from myst_nb.sphinx_ import NbMetadataCollector
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

HEAD = ("Page", "Result", "Seconds", "Cells", "Asserts")
ASSERTION = re.compile(r"^\s*assert\b", re.MULTILINE)


class Executions(nodes.General, nodes.Element):
    """Where the table will stand once all pages have run."""


class ExecutionsDirective(SphinxDirective):
    """Hold the place; myst-nb then writes this page anew whenever another one has run."""

    def run(self) -> list[nodes.Node]:
        """Return the placeholder."""
        NbMetadataCollector.set_doc_data(self.env, self.env.docname, METADATA_KEY, True)
        return [Executions()]


def counts(notebook: Path) -> tuple[int, int]:
    """Numbers of code cells and of assertions in a notebook."""
    cells = [cell.source for cell in nbformat.read(notebook, 4).cells if cell.cell_type == "code"]
    return len(cells), sum(len(ASSERTION.findall(source)) for source in cells)


def rows(env: BuildEnvironment) -> list[tuple[str, tuple[str, int, int, int]]]:
    """Each executed page, in reading order, with its result, seconds, code cells and assertions."""
    listed = []
    for page in env.collect_relations():
        if record := NbMetadataCollector.get_exec_data(env, page):
            result = "passed" if record["succeeded"] else f"failed: {record['error']}"
            listed.append((page, (result, max(1, round(record["runtime"])), *counts(env.doc2path(page)))))
    return listed


def entry(content: nodes.Node, number: bool) -> nodes.entry:
    """A cell of the table; numbers stand to the right."""
    return nodes.entry("", nodes.paragraph("", "", content), classes=["text-right"] if number else [])


def row(first: nodes.Node, others: tuple) -> nodes.row:
    """A row of the table."""
    cells = [entry(nodes.Text(str(value)), isinstance(value, int)) for value in others]
    return nodes.row("", entry(first, number=False), *cells)


class FillIn(SphinxPostTransform):
    """Put the table into its place, before the links in it are resolved."""

    default_priority = 8

    def run(self, **_: object) -> None:
        """Replace the placeholders of this page."""
        for place in list(self.document.findall(Executions)):
            place.replace_self(self.table())

    def link(self, page: str) -> pending_xref:
        """A link with the title of a page."""
        title = nodes.inline(text=self.env.titles[page].astext())
        where = {"refdoc": self.env.docname, "reftarget": f"/{page}", "refexplicit": True, "refwarn": True}
        return pending_xref("", title, reftype="doc", refdomain="std", **where)

    def table(self) -> nodes.table:
        """All executed pages and, in the last row, their sums."""
        listed = rows(self.env)
        sums = tuple(sum(values[column] for _, values in listed) for column in (1, 2, 3))
        body = [row(self.link(page), values) for page, values in listed]
        last = row(nodes.Text(f"{len(listed)} pages"), ("in all", *sums))
        head = nodes.row("", *[entry(nodes.Text(name), number=column > 1) for column, name in enumerate(HEAD)])
        columns = [nodes.colspec(colwidth=1, stub=int(column == 0)) for column in range(len(HEAD))]
        parts = [*columns, nodes.thead("", head), nodes.tbody("", *body, last)]
        return nodes.table("", nodes.tgroup("", *parts, cols=len(HEAD)), classes=["colwidths-auto", "executions"])


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_node(Executions)
    app.add_directive("executions", ExecutionsDirective)
    app.add_post_transform(FillIn)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
