"""Quizzes: every answer gets its reply, and no two questions share a name on the page."""

import re
from html.parser import HTMLParser

import pytest

from dufm_lib.widgets import Question, Quiz

QUESTION = Question(
    "What is the rank of $I_K - \\frac1K 11^T$ & why?",
    {"$K$": "It kills the all-ones vector.", "$K - 1$": "A projection onto $1^\\perp$."},
    right="$K - 1$",
)


class Elements(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_replies_say_right_or_wrong_and_why():
    assert QUESTION.reply("$K$") == "Not quite. It kills the all-ones vector."
    assert QUESTION.reply("$K - 1$").startswith("Right. ")


def test_every_answer_shows_its_own_reply():
    page = Quiz(QUESTION, QUESTION)._repr_html_()
    found = Elements(page).found
    buttons = [given for tag, given in found if tag == "input"]
    replies = [given["id"] for tag, given in found if tag == "span" and "hidden" in given]
    assert len(buttons) == len(replies) == len(set(replies)) == 4
    assert [re.search("'(quiz.*?)'", button["onchange"])[1] for button in buttons] == replies
    assert len({button["name"] for button in buttons}) == 2
    assert "&amp; why?" in page


@pytest.mark.parametrize("answers, right", [({"a": ""}, "a"), ({"a": "", "b": ""}, "c")])
def test_a_question_without_its_answer_is_refused(answers, right):
    with pytest.raises(ValueError, match="right must be one of"):
        Question("?", answers, right)


def test_an_empty_quiz_is_refused():
    with pytest.raises(ValueError, match="at least one question"):
        Quiz()
