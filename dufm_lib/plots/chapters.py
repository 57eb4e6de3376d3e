"""Which chapter presumes which: chapters in reading order, arcs from what is needed to what needs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Arc

from dufm_lib._arguments import sequence, word
from dufm_lib.plots.style import INK, SHADES, canvas, mapping


def chapter_map(ax: Axes, chapters: Sequence[str], needs: Mapping[str, Sequence[str]]) -> Axes:
    """An arc diagram: one line of text a chapter, an arc on its left for each chapter that it needs.

    Args:
        ax: the axes to draw on.
        chapters: in reading order, from top to bottom.
        needs: {chapter: the chapters it presumes}.

    Raises:
        ValueError: a chapter in `needs` is not listed.
    """
    ax, chapters = canvas(ax), [word("chapters", chapter) for chapter in sequence("chapters", chapters, "names")]
    place = {chapter: row for row, chapter in enumerate(chapters)}
    longest = 1
    for chapter, earlier in mapping("needs", needs).items():
        for before in sequence(
            "needs", sorted(earlier) if isinstance(earlier, set) else earlier, "chapters for each chapter"
        ):
            if missing := {before, chapter} - set(place):
                raise ValueError(f"chapters must list every chapter in needs; {missing.pop()!r} is not there")
            low, high = place[before], place[chapter]
            span = abs(high - low)
            longest = max(longest, span)
            color = SHADES[low % len(SHADES)]
            ax.add_patch(Arc((0, (low + high) / 2), span, span, theta1=90, theta2=270, color=color, linewidth=1.3))
            ax.plot([0], [high], marker=">", color=color, markersize=6, clip_on=False)
    ax.plot([0] * len(place), range(len(place)), linestyle="", marker="o", color=INK, markersize=4)
    for chapter, row in place.items():
        ax.text(0.35, row, chapter, va="center", fontsize=10)
    ax.set(xlim=(-longest / 2 - 0.3, max(longest / 2, 6)), ylim=(len(place) - 0.5, -0.5))
    ax.axis("off")
    return ax
