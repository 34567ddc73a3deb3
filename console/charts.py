"""The geometry of charts, pure: numbers in, bars out; templates/admin/board/chart.html draws them.

Lengths are in units of the drawing's own viewBox, as text, so that no locale writes them anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass

NUMBERED = 360, 140  # width and height
PLAIN = 240, 76
MOST_LABELS = 8  # where there are more bars, every other one is labelled
GAP = 0.22  # of the room that a bar has
FOOT = 16  # for the words below
HEAD = 14  # for the number above the highest bar
LEAST = 2.0  # a bar that stands for something is seen


@dataclass(frozen=True)
class Value:
    """One number, what it is of, and where what it counts is listed."""

    label: str
    number: float
    url: str = ""
    level: int = 0  # a pattern and a colour: see the legend beside the chart

    @property
    def words(self) -> str:
        """The number as people read it: whole, or with one digit behind the point."""
        is_whole = self.number == int(self.number)
        return f"{int(self.number):,}" if is_whole else f"{self.number:,.1f}"


@dataclass(frozen=True)
class Bar:
    """A value as it is drawn."""

    value: Value
    x: str
    y: str
    width: str
    height: str
    middle: str
    over: str  # where the number above it stands
    labelled: bool


@dataclass(frozen=True)
class Chart:
    """A chart of bars; `words` say of it what a reader sees at a glance."""

    ident: str
    title: str
    words: str
    bars: tuple[Bar, ...]
    width: int
    height: int
    base: str  # where the bars stand
    numbered: bool  # whether each bar has its number and label, else the first and last alone

    @property
    def viewbox(self) -> str:
        """The drawing's own units."""
        return f"0 0 {self.width} {self.height}"

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not any(bar.value.number for bar in self.bars)

    @property
    def words_at(self) -> str:
        """Where the words below the bars stand."""
        return str(self.height - 3)


def bars(
    values: Sequence[Value],
    *,
    ident: str,
    title: str,
    words: str,
    numbered: bool = False,
) -> Chart:
    """Return the chart of `values`, the highest as high as there is room.

    `ident` is the chart's id in the page. Where all are nothing, so is every bar.
    """
    width, height = NUMBERED if numbered else PLAIN
    highest = max((value.number for value in values), default=0) or 1
    room = height - FOOT - HEAD
    base = height - FOOT
    step = width / max(len(values), 1)
    drawn = []
    for place, value in enumerate(values):
        tall = max(room * value.number / highest, LEAST) if value.number else 0.0
        left = place * step + step * GAP / 2
        drawn.append(
            Bar(
                value=value,
                x=_text(left),
                y=_text(base - tall),
                width=_text(step * (1 - GAP)),
                height=_text(tall),
                middle=_text(place * step + step / 2),
                over=_text(base - tall - 3),
                labelled=len(values) <= MOST_LABELS or place % 2 == 0,
            )
        )
    return Chart(ident, title, words, tuple(drawn), width, height, _text(base), numbered)


def _text(length: float) -> str:
    return f"{length:.1f}"
