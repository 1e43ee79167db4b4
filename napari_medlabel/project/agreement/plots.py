"""Plots of agreement as SVG, written by hand: they need no library and open in any browser.

Colours are told apart by everybody (Okabe and Ito 2008), and by shape and position without
any. A plot shows every case: no smoothing, no bars that hide their points.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from napari_medlabel.project.agreement.summary import VolumeAgreement

BLUE, ORANGE, GREY, BLACK = "#0072b2", "#d55e00", "#8a8a8a", "#222222"
WIDTH: Final = 640
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 24, 44, 50
_FONT: Final = "font-family='sans-serif' font-size='12'"


@dataclass(frozen=True)
class Dots:
    """One row of a dot plot.

    Parameters
    ----------
    name : str
        What stands beside it.
    values : tuple of float
        A dot for each case.
    mean : float
        A line.
    ends : tuple of float or None
        Of the mean's interval; None for none.
    """

    name: str
    values: tuple[float, ...]
    mean: float
    ends: tuple[float, float] | None


@dataclass(frozen=True)
class _Axis:
    """A line of numbers on the page."""

    low: float
    high: float
    start: float
    stop: float

    def at(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (
            self.stop - self.start
        )

    def ticks(self) -> list[float]:
        step = 10.0 ** math.floor(math.log10((self.high - self.low) / 2.0))
        for wide in (1, 2, 5, 10):
            if (self.high - self.low) / (step * wide) <= 6:
                step *= wide
                break
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [n * step for n in range(first, last + 1)]


def bland_altman_svg(one: VolumeAgreement) -> str:
    """Plot differences of volumes over their means, with bias and limits.

    Parameters
    ----------
    one : VolumeAgreement
        Of one label and two raters.

    Returns
    -------
    str
        A document.
    """
    found = one.found
    height = 380
    ends = [*found.differences, *found.low_ends, *found.high_ends, 0.0]
    x = _axis(found.means, _LEFT, WIDTH - _RIGHT)
    y = _axis(ends, height - _BOTTOM, _TOP)
    out = _frame(
        f"{one.name}: {one.first} less {one.second}, {len(found.differences)} cases", height
    )
    out += _ticks(x, y, height, ("mean of both (ml)", "difference (ml)"))
    for (low, high), colour in (
        (found.bias_ends, BLUE),
        (found.low_ends, ORANGE),
        (found.high_ends, ORANGE),
    ):
        top, bottom = y.at(high), y.at(low)
        out.append(
            f"<rect x='{_LEFT}' y='{top:.1f}' width='{WIDTH - _LEFT - _RIGHT}' "
            f"height='{max(bottom - top, 0):.1f}' fill='{colour}' fill-opacity='0.15'/>"
        )
    lines = (
        (found.bias, BLUE, "", f"bias {found.bias:.2f}"),
        (found.limits[0], ORANGE, "6 4", f"lower limit {found.limits[0]:.2f}"),
        (found.limits[1], ORANGE, "6 4", f"upper limit {found.limits[1]:.2f}"),
    )
    for value, colour, dash, words in lines:
        at = y.at(value)
        out.append(_line(_LEFT, at, WIDTH - _RIGHT, at, colour, dash))
        out.append(_text(WIDTH - _RIGHT - 4, at - 4, words, "end", colour))
    out += [
        f"<circle cx='{x.at(mean):.1f}' cy='{y.at(difference):.1f}' r='4' fill='none' "
        f"stroke='{BLACK}' stroke-width='1.5'/>"
        for mean, difference in zip(found.means, found.differences, strict=True)
    ]
    return "\n".join([*out, "</svg>\n"])


def dot_plot_svg(rows: Sequence[Dots], title: str, unit: str, low: float, high: float) -> str:
    """Plot the values of each case in rows, with mean and interval.

    Parameters
    ----------
    rows : sequence of Dots
        From above.
    title, unit : str
        What it shows.
    low, high : float
        Ends of the axis; values beyond them are drawn at the ends.

    Returns
    -------
    str
        A document.
    """
    step = 34
    height = _TOP + _BOTTOM + step * max(len(rows), 1)
    left = 190
    x = _Axis(low, high, left, WIDTH - _RIGHT)
    out = _frame(title, height)
    for value in x.ticks():
        at = x.at(value)
        out.append(_line(at, _TOP, at, height - _BOTTOM, "#dddddd"))
        out.append(_text(at, height - _BOTTOM + 18, f"{value:g}", "middle"))
    out.append(_text((left + WIDTH - _RIGHT) / 2, height - 10, unit, "middle"))
    for number, row in enumerate(rows):
        middle = _TOP + step * (number + 0.5)
        out.append(_text(left - 10, middle + 4, row.name, "end"))
        for at, value in enumerate(row.values):
            # Dots of one value stay apart: a fixed pattern, no chance.
            lift = ((at * 5) % 7 - 3) * 2.0
            out.append(
                f"<circle cx='{x.at(min(max(value, low), high)):.1f}' "
                f"cy='{middle + lift:.1f}' r='3' fill='{GREY}' fill-opacity='0.6'/>"
            )
        if row.ends is not None:
            a, b = (x.at(min(max(end, low), high)) for end in row.ends)
            out.append(_line(a, middle, b, middle, BLUE, width=2.5))
        mean = x.at(min(max(row.mean, low), high))
        out.append(_line(mean, middle - 9, mean, middle + 9, ORANGE, width=2.5))
    return "\n".join([*out, "</svg>\n"])


def _axis(values: Sequence[float], start: float, stop: float) -> _Axis:
    low, high = min(values), max(values)
    room = (high - low) * 0.06 or max(abs(high), 1.0) * 0.06
    return _Axis(low - room, high + room, start, stop)


def _frame(title: str, height: float) -> list[str]:
    return [
        (
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height:g}' "
            f"width='{WIDTH}' height='{height:g}' role='img' {_FONT}>"
        ),
        f"<title>{escape(title)}</title>",
        f"<rect width='{WIDTH}' height='{height:g}' fill='white'/>",
        _text(WIDTH / 2, 22, title, "middle", size=14),
    ]


def _ticks(x: _Axis, y: _Axis, height: float, words: tuple[str, str]) -> list[str]:
    out = [
        _line(_LEFT, height - _BOTTOM, WIDTH - _RIGHT, height - _BOTTOM, BLACK),
        _line(_LEFT, _TOP, _LEFT, height - _BOTTOM, BLACK),
    ]
    low = height - _BOTTOM + 18
    out += [_text(x.at(value), low, f"{value:.6g}", "middle") for value in x.ticks()]
    out += [_text(_LEFT - 6, y.at(value) + 4, f"{value:.6g}", "end") for value in y.ticks()]
    out.append(_text((_LEFT + WIDTH) / 2, height - 10, words[0], "middle"))
    middle = height / 2
    out.append(
        f"<text x='16' y='{middle:.1f}' text-anchor='middle' fill='{BLACK}' "
        f"transform='rotate(-90 16 {middle:.1f})'>{escape(words[1])}</text>"
    )
    return out


def _line(
    x1: float, y1: float, x2: float, y2: float, colour: str, dash: str = "", *, width: float = 1
) -> str:
    dashes = f" stroke-dasharray='{dash}'" if dash else ""
    return (
        f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}' "
        f"stroke-width='{width:g}'{dashes}/>"
    )


def _text(
    x: float, y: float, words: str, anchor: str, colour: str = BLACK, *, size: int = 12
) -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' fill='{colour}' "
        f"font-size='{size}'>{escape(words)}</text>"
    )
