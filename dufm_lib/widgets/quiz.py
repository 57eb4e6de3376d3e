"""Questions with immediate answers, in a page without a kernel as well as in JupyterLab."""

from __future__ import annotations

import html
from dataclasses import dataclass
from itertools import count

from dufm_lib._arguments import shown, word

_NUMBER = count(1)  # of the questions shown by this kernel: their names on the page must differ

# The replies stand hidden in a live region: the one that appears is said by a screen reader, formulas and all.
_ANSWERED = "this.closest('fieldset').querySelectorAll('output > span').forEach(e => {{ e.hidden = e.id != '{}' }})"


@dataclass(frozen=True)
class Question:
    """A question with a few answers to choose from.

    Attributes:
        text: the question. It, the answers and the replies are plain text, with formulas between dollars.
        answers: {answer: reply}; the reply says why the answer is right or wrong, in plain words.
        right: the right answer, a key of `answers`.

    Raises:
        ValueError: `right` is no answer, or there are fewer than two.

    >>> Question("How many?", {"two": "Count again.", "three": "Indeed."}, right="three").reply("two")
    'Not quite. Count again.'
    """

    text: str
    answers: dict[str, str]
    right: str

    def __post_init__(self) -> None:
        word("text", self.text)
        if not isinstance(self.answers, dict):
            raise ValueError(f"answers must be a dictionary of answers and replies, got {shown(self.answers)}")
        for each in (*self.answers, *self.answers.values()):
            word("answers", each)
        if word("right", self.right) not in self.answers or len(self.answers) < 2:
            raise ValueError(f"right must be one of at least two answers, got {self.right!r} of {list(self.answers)}")

    def reply(self, answer: str) -> str:
        """What the reader is told who chooses this answer."""
        return ("Right. " if answer == self.right else "Not quite. ") + self.answers[answer]

    def _repr_html_(self) -> str:
        name = f"quiz-{next(_NUMBER)}"
        choices, replies = "", ""
        for index, answer in enumerate(self.answers):
            own = f"{name}-{index}"
            button = f'<input type="radio" name="{name}" onchange="{_ANSWERED.format(own)}">'
            choices += f"<label>{button} <span>{html.escape(answer)}</span></label>"
            replies += f'<span id="{own}" hidden>{html.escape(self.reply(answer))}</span>'
        legend = f"<legend>{html.escape(self.text)}</legend>"
        output = f'<output aria-live="polite">{replies}</output>'
        return f'<fieldset class="quiz mathjax_process">{legend}{choices}{output}</fieldset>'


class Quiz:
    """A few questions, one below the other.

    Args:
        questions: at least one.

    Raises:
        ValueError: there is none.
    """

    _STYLE = (
        "<style>.quiz { border: 1px solid currentcolor; border-radius: 4px; margin: 0 0 1rem; padding: 0.5rem 1rem }"
        ".quiz legend { float: left; width: 100%; padding: 0.25rem 0; font-size: 1rem; margin: 0; font-weight: bold }"
        ".quiz legend + label { clear: both }"
        ".quiz label { display: block; padding: 0.25rem 0; cursor: pointer }"
        ".quiz output { display: block; min-height: 1.5em; font-style: italic }</style>"
    )

    def __init__(self, *questions: Question) -> None:
        if not questions or not all(isinstance(question, Question) for question in questions):
            raise ValueError(f"questions must be at least one question, each a Question; got {shown(questions)}")
        self.questions = questions

    def __repr__(self) -> str:
        return f"Quiz({len(self.questions)} questions)"

    def _repr_html_(self) -> str:
        return self._STYLE + "".join(question._repr_html_() for question in self.questions)
