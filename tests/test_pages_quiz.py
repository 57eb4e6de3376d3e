"""The quizzes on the built pages: every chapter has one, and it replies, by mouse and by keyboard, without a kernel."""

import pytest
from bs4 import BeautifulSoup
from conftest import CONTENTS, DESK, SITE
from playwright.sync_api import expect

CHAPTERS = [c["file"] for part in CONTENTS["parts"] if part.get("numbered") for c in part["chapters"]]


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_chapter_has_a_quiz_with_a_reply_to_each_answer(name):
    questions = BeautifulSoup((SITE / f"{name}.html").read_text(), "html.parser").select("fieldset.quiz")
    assert questions
    for question in questions:
        answers, replies = question.select("input[type=radio]"), question.select("output > span")
        assert len(answers) == len(replies) >= 2
        assert all(reply["id"] in answer["onchange"] for answer, reply in zip(answers, replies, strict=True))
        assert sum(reply.text.startswith("Right. ") for reply in replies) == 1


@pytest.mark.parametrize("name", CHAPTERS[::7])
def test_an_answer_shows_its_reply_and_no_other(visit, site, name):
    page, wrong = visit(f"{site}/{name}.html", site, **DESK)
    question = page.locator("fieldset.quiz").first
    answers, shown = question.locator("input"), question.locator("output > span:visible")
    expect(shown).to_have_count(0)
    question.locator("label").nth(1).click()
    expect(shown).to_have_count(1)
    by_mouse = shown.text_content()
    answers.nth(1).focus()
    page.keyboard.press("ArrowUp")
    expect(answers.nth(0)).to_be_checked()
    expect(shown).to_have_count(1)
    assert shown.text_content() != by_mouse
    page.keyboard.press("ArrowDown")
    expect(question.locator("output > span").nth(1)).to_be_visible()
    assert shown.text_content() == by_mouse and by_mouse.startswith(("Right. ", "Not quite. "))
    assert wrong == []
