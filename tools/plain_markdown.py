"""Markdown that any notebook shows, from the MyST of the chapters: no directive, no role, and every reference in words.

A box becomes a bold title above a quoted body; an equation that has a label gets a number, which counts anew in each
chapter; a citation becomes authors and year, with a link.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from nbformat import NotebookNode

OPTIONS = r"(?P<options>(?::.*\n)*)"
BOX = re.compile(
    rf"^(?P<fence>`{{3,}}|:{{3,}})\{{(?P<kind>[\w:]+)\}}(?P<title>.*)\n{OPTIONS}(?P<body>(?:.*\n)*?)(?P=fence)[ ]*$",
    re.MULTILINE,
)
STARTED = re.compile(r"^(`{3,})\{(\w+)-start\}(.*\n(?::.*\n)*)\1\n((?:.*\n)*?)\1\{\2-end\}\n\1[ ]*$", re.MULTILINE)
EQUATION = re.compile(rf"^(`{{3,}})\{{math\}}\n{OPTIONS}(?P<body>(?:.*\n)*?)\1[ ]*$", re.MULTILINE)
NUMBERED = re.compile(r"\$\$(?P<body>[^$]+)\$\$ \((?P<label>[\w-]+)\)")
MATH = re.compile(r"\$\$[^$]+\$\$|\$[^$]+\$")
LABEL = re.compile(r"^:label: (\S+)$", re.MULTILINE)
ROLE = re.compile(r"\{([\w:]+)\}`([^`]+)`")

ENTRY = re.compile(r"^@\w+\{(\S+),\n((?:.*\n)*?)\}$", re.MULTILINE)
FIELD = re.compile(r"^\s*(\w+)\s*= \{(.*)\},?$", re.MULTILINE)
ACCENT = re.compile(r"\{\\(['\"])(\w)\}")
COMBINING = {"'": "\N{COMBINING ACUTE ACCENT}", '"': "\N{COMBINING DIAERESIS}"}


@dataclass(frozen=True)
class Box:
    """A directive with a body: its kind, its title, its label (each may be empty) and its body."""

    kind: str
    title: str
    label: str
    body: str

    @classmethod
    def of(cls, found: re.Match) -> "Box":
        """The box that was found."""
        label = LABEL.search(found["options"])
        kind = found["kind"].removeprefix("prf:")
        return cls(kind, found["title"].strip(), label[1] if label else "", found["body"])

    def heading(self) -> str:
        """What stands above it. The label of an exercise is what its checker asks for."""
        if self.kind == "admonition":
            return self.title
        name = f"{self.kind.capitalize()} {self.label}" if self.kind == "exercise" else self.kind.capitalize()
        return f"{name} ({self.title})" if self.title else name

    def quoted(self) -> str:
        """A bold title above the quoted body, each formula on one line: a > at the start of its lines would be read."""
        body = MATH.sub(lambda formula: formula[0].replace("\n", " "), self.body.strip())
        return "\n".join([f"**{self.heading()}**", "", *(f"> {line}".rstrip() for line in body.splitlines())])


@dataclass(frozen=True)
class Names:
    """What the labels of the book and the keys of its bibliography stand for.

    Attributes:
        labels: {label: (title of its chapter, what it is called there)}.
        works: {key: (authors, year, link or "")}.
    """

    labels: dict[str, tuple[str, str]]
    works: dict[str, tuple[str, str, str]]

    @classmethod
    def of(cls, chapters: Iterable[NotebookNode], bibliography: str) -> "Names":
        """The names that these chapters and a BibTeX file give."""
        labels, works = {}, {}
        for chapter in chapters:
            text, home = in_one_way(markdown(chapter)), title(chapter)
            for box in map(Box.of, BOX.finditer(text)):
                labels |= {box.label: (home, box.heading())} if box.label else {}
            for number, equation in enumerate(NUMBERED.finditer(text), start=1):
                labels[equation["label"]] = home, f"({number})"
        for key, fields in ENTRY.findall(bibliography):
            work = dict(FIELD.findall(fields))
            works[key] = authors(work["author"]), work["year"], work.get("url", "")
        return cls(labels, works)

    def words(self, role: str, target: str, home: str) -> str:
        """What a role says in a chapter."""
        if role == "term":
            return target.partition(" <")[0]
        if role.startswith("cite"):
            return self.citation(target.split(","), in_brackets=role == "cite:p")
        chapter, name = self.labels[target]
        return name if chapter == home else f"{name} of the chapter *{chapter}*"

    def citation(self, keys: Iterable[str], in_brackets: bool) -> str:
        """Authors and year of each key."""
        cited = []
        for names, year, link in (self.works[key.strip()] for key in keys):
            name = f"{names}, {year}" if in_brackets else f"{names} ({year})"
            cited.append(f"[{name}]({link})" if link else name)
        return f"({'; '.join(cited)})" if in_brackets else ", ".join(cited)


def plain(text: str, names: Names, home: str) -> str:
    """The Markdown of a cell of the chapter with the title `home`, without MyST."""

    def numbered(equation: re.Match) -> str:
        number = names.labels[equation["label"]][1].strip("()")
        return f"$${equation['body'].rstrip()} \\tag{{{number}}}\n$$"

    text = NUMBERED.sub(numbered, in_one_way(text))
    text = BOX.sub(lambda found: Box.of(found).quoted(), text)
    return ROLE.sub(lambda role: names.words(role[1], role[2], home), text)


def in_one_way(text: str) -> str:
    """The text with equations between dollars, the label behind, and boxes in one directive, not between two."""

    def dollars(found: re.Match) -> str:
        label = LABEL.search(found["options"])
        return f"$$\n{found['body'].strip()}\n$$" + (f" ({label[1]})" if label else "")

    return STARTED.sub(r"\1{\2}\3\4\1", EQUATION.sub(dollars, text))


def authors(names: str) -> str:
    r"""The last names, of more than two the first.

    >>> authors("Garrod, Connall and Keating, Jonathan P.")
    'Garrod and Keating'
    >>> authors(r"S{\'u}ken{\'i}k, Peter and Lampert, Christoph H. and Mondelli, Marco")
    'Súkeník et al.'
    """
    accented = ACCENT.sub(lambda found: found[2] + COMBINING[found[1]], names)
    last = [name.partition(",")[0] for name in unicodedata.normalize("NFC", accented).split(" and ")]
    return " and ".join(last) if len(last) < 3 else f"{last[0]} et al."


def markdown(chapter: NotebookNode) -> str:
    """All Markdown of a chapter."""
    return "\n\n".join(cell.source for cell in chapter.cells if cell.cell_type == "markdown")


def title(chapter: NotebookNode) -> str:
    """Its first heading."""
    return re.search(r"^# (.+)$", markdown(chapter), re.MULTILINE)[1]
