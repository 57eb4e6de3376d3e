"""The teaching kit: sessions that fill their minutes, snippets that run, exercises that exist, whole projects."""

import json
import re
from pathlib import Path

import pytest

BOOK = Path(__file__).resolve().parents[1] / "book"
PAGES = {page.stem: page.read_text() for page in (BOOK / "teach").glob("*.md")}
SESSIONS = dict(re.findall(r"^## (\d[ab]): [^\n]*\n(.*?)(?=^## |\Z)", PAGES["sessions"], re.DOTALL | re.MULTILINE))


def exercises():
    """{label: title} of the exercises of the book, whichever form their directive has."""
    found = {}
    for notebook in BOOK.rglob("*.ipynb"):
        if ".ipynb_checkpoints" in notebook.parts:
            continue
        for cell in json.loads(notebook.read_text())["cells"]:
            for title, label in re.findall(r"\{exercise(?:-start)?\}(.*)\n:label: (\S+)", "".join(cell["source"])):
                found[label] = title.strip()
    return found


def test_eight_sessions_of_ninety_minutes():
    assert list(SESSIONS) == [f"{week}{half}" for week in "1234" for half in "ab"]
    for name, text in SESSIONS.items():
        assert sum(map(int, re.findall(r"^\| (\d+) \|", text, re.MULTILINE))) == 90, name


@pytest.mark.parametrize("session", SESSIONS)
def test_a_session_has_all_its_parts(session):
    heads = re.findall(r"^\*\*([^*]+?)[.:]?\*\*", SESSIONS[session], re.MULTILINE)
    wanted = ["Chapters", "Afterwards students can", "Prepare", "Board", "What you will see", "Hard for students"]
    assert heads == [*wanted, "To discuss"]


@pytest.mark.parametrize("session", SESSIONS)
def test_the_numbers_of_a_session_are_those_that_its_snippet_finds(session, capsys):
    snippets = re.findall(r"^```python\n(.*?)^```", SESSIONS[session], re.DOTALL | re.MULTILINE)
    assert snippets
    for snippet in snippets:
        exec(compile(snippet, f"session {session}", "exec"), {})
    assert capsys.readouterr().out


def test_every_exercise_has_a_title_and_those_that_are_set_exist():
    known = exercises()
    untitled = [label for label, title in known.items() if not title or title.startswith("(")]
    assert not untitled
    named = {label for page in PAGES.values() for label in re.findall(r"\{ref\}`[^`<]*<?(ex-[\w-]+)>?`", page)}
    assert len(named) > 15 and named <= set(known)


def test_every_chapter_is_taught_in_some_session():
    toc = (BOOK.parent / "_toc.yml").read_text()
    chapters = {
        name for name in re.findall(r"file: (book/\S+)", toc) if "/teach/" not in name and "/reference/" not in name
    }
    linked = set(re.findall(r"\]\(\.\./([\w/-]+)\.ipynb", PAGES["sessions"]))
    assert chapters <= {f"book/{name}" for name in linked} | {"book/index"}


def test_projects_name_a_question_and_its_trap():
    projects = re.findall(r"^\d+\. (.*?)(?=^\d+\. |^## )", PAGES["projects"], re.DOTALL | re.MULTILINE)
    assert len(projects) == 10
    for project in projects[:-1]:  # the last is to prove us wrong
        assert "*Trap:*" in project
