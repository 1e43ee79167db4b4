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

WIDTH: Final = 640
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 24, 44, 50
_FONT: Final = "font-family='sans-serif' font-size='12'"


@dataclass(frozen=True)
class Theme:
    """Colours of a plot.

    Parameters
    ----------
    paper, ink, grid, dots : str
        Ground, letters and axes, lines of the grid, dots of a row.
    mean, limits : str
        Of the mean or bias with its interval, and of what marks it.
    """

    paper: str
    ink: str
    grid: str
    dots: str
    mean: str
    limits: str


LIGHT: Final = Theme("#ffffff", "#222222", "#dddddd", "#8a8a8a", "#0072b2", "#d55e00")
DARK: Final = Theme("#262930", "#f0f1f2", "#4a505c", "#b4b8c0", "#56b4e9", "#e69f00")


@dataclass(frozen=True)
class Spot:
    """A dot that stands for a case.

    Parameters
    ----------
    x, y : float
        Its middle, in the drawing's units.
    case : str
        Which case.
    words : str
        Its value, for a tooltip.
    """

    x: float
    y: float
    case: str
    words: str


@dataclass(frozen=True)
class Drawing:
    """A plot, and where its cases are.

    Parameters
    ----------
    svg : str
        A document.
    height : float
        Of it; its width is `WIDTH`.
    spots : tuple of Spot
        What can be clicked.
    """

    svg: str
    height: float
    spots: tuple[Spot, ...] = ()


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
    cases : tuple of str
        Of the dots; empty where they are not cases.
    """

    name: str
    values: tuple[float, ...]
    mean: float
    ends: tuple[float, float] | None
    cases: tuple[str, ...] = ()


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
    """Return `bland_altman_plot` as a document for a report."""
    return bland_altman_plot(one).svg


def dot_plot_svg(rows: Sequence[Dots], title: str, unit: str, low: float, high: float) -> str:
    """Return `dot_plot` as a document for a report."""
    return dot_plot(rows, title, unit, (low, high)).svg


def bland_altman_plot(one: VolumeAgreement, theme: Theme = LIGHT) -> Drawing:
    """Plot differences of volumes over their means, with bias and limits.

    Parameters
    ----------
    one : VolumeAgreement
        Of one label and two raters.
    theme : Theme
        Its colours.
    """
    found = one.found
    height = 380
    ends = [*found.differences, *found.low_ends, *found.high_ends, 0.0]
    x = _axis(found.means, _LEFT, WIDTH - _RIGHT)
    y = _axis(ends, height - _BOTTOM, _TOP)
    title = f"{one.name}: {one.second} less {one.first}, {len(found.differences)} cases"
    out = _frame(title, height, theme)
    out += _ticks(
        x, y, height, ("mean of both (ml)", f"{one.second} less {one.first} (ml)"), theme
    )
    for (low, high), colour in (
        (found.bias_ends, theme.mean),
        (found.low_ends, theme.limits),
        (found.high_ends, theme.limits),
    ):
        top, bottom = y.at(high), y.at(low)
        out.append(
            f"<rect x='{_LEFT}' y='{top:.1f}' width='{WIDTH - _LEFT - _RIGHT}' "
            f"height='{max(bottom - top, 0):.1f}' fill='{colour}' fill-opacity='0.15'/>"
        )
    lines = (
        (found.bias, theme.mean, "", f"bias {found.bias:.2f}"),
        (found.limits[0], theme.limits, "6 4", f"lower limit {found.limits[0]:.2f}"),
        (found.limits[1], theme.limits, "6 4", f"upper limit {found.limits[1]:.2f}"),
    )
    for value, colour, dash, words in lines:
        at = y.at(value)
        out.append(_line(_LEFT, at, WIDTH - _RIGHT, at, colour, dash))
        out.append(_text(WIDTH - _RIGHT - 4, at - 4, words, "end", colour))
    spots = []
    for case, mean, difference in zip(one.cases, found.means, found.differences, strict=True):
        at, up = x.at(mean), y.at(difference)
        spots.append(Spot(at, up, case, f"{case}: {difference:+.2f} ml"))
        out.append(
            f"<circle cx='{at:.1f}' cy='{up:.1f}' r='4' fill='none' stroke='{theme.ink}' "
            "stroke-width='1.5'/>"
        )
    return Drawing("\n".join([*out, "</svg>\n"]), height, tuple(spots))


def dot_plot(
    rows: Sequence[Dots],
    title: str,
    unit: str,
    ends: tuple[float, float],
    theme: Theme = LIGHT,
) -> Drawing:
    """Plot the values of each case in rows, with mean and interval.

    Parameters
    ----------
    rows : sequence of Dots
        From above.
    title, unit : str
        What it shows.
    ends : tuple of float
        Of the axis; values beyond them are drawn at the ends.
    theme : Theme
        Its colours.
    """
    step = 34
    height = _TOP + _BOTTOM + step * max(len(rows), 1)
    left = 190
    low, high = ends
    x = _Axis(low, high, left, WIDTH - _RIGHT)
    out = _frame(title, height, theme)
    for value in x.ticks():
        at = x.at(value)
        out.append(_line(at, _TOP, at, height - _BOTTOM, theme.grid))
        out.append(_text(at, height - _BOTTOM + 18, f"{value:g}", "middle", theme.ink))
    out.append(_text((left + WIDTH - _RIGHT) / 2, height - 10, unit, "middle", theme.ink))
    spots: list[Spot] = []
    for number, row in enumerate(rows):
        middle = _TOP + step * (number + 0.5)
        out.append(_text(left - 10, middle + 4, row.name, "end", theme.ink))
        for n, value in enumerate(row.values):
            # Dots of one value stay apart: a fixed pattern, no chance.
            up = middle + ((n * 5) % 7 - 3) * 2.0
            at = x.at(min(max(value, low), high))
            if row.cases:
                case = row.cases[n]
                spots.append(Spot(at, up, case, f"{case}: {row.name} {value:.3g}"))
            out.append(
                f"<circle cx='{at:.1f}' cy='{up:.1f}' r='3' fill='{theme.dots}' "
                "fill-opacity='0.6'/>"
            )
        if row.ends is not None:
            a, b = (x.at(min(max(end, low), high)) for end in row.ends)
            out.append(_line(a, middle, b, middle, theme.mean, width=2.5))
        mean = x.at(min(max(row.mean, low), high))
        out.append(_line(mean, middle - 9, mean, middle + 9, theme.limits, width=2.5))
    return Drawing("\n".join([*out, "</svg>\n"]), height, tuple(spots))


def matrix_plot(
    names: Sequence[str],
    counts: Sequence[Sequence[int]],
    title: str,
    theme: Theme = LIGHT,
) -> Drawing:
    """Plot how often two raters gave which answers.

    Parameters
    ----------
    names : sequence of str
        The answers.
    counts : sequence of sequence of int
        One rater's answer down, the other's across.
    title : str
        What it shows.
    theme : Theme
        Its colours.
    """
    cell, left, top = 46, 190, _TOP + 24
    height = top + cell * len(names) + 20
    most = max((n for row in counts for n in row), default=0) or 1
    out = _frame(title, height, theme)
    for across, name in enumerate(names):
        out.append(_text(left + cell * (across + 0.5), top - 8, name[:7], "middle", theme.ink))
    for down, (name, row) in enumerate(zip(names, counts, strict=True)):
        y = top + cell * down
        out.append(_text(left - 10, y + cell / 2 + 4, name[:24], "end", theme.ink))
        for across, count in enumerate(row):
            x = left + cell * across
            out.append(
                f"<rect x='{x}' y='{y}' width='{cell - 2}' height='{cell - 2}' "
                f"fill='{theme.mean}' fill-opacity='{0.7 * count / most:.2f}' "
                f"stroke='{theme.grid}'/>"
            )
            words = (x + cell / 2 - 1, y + cell / 2 + 4, str(count))
            out.append(_text(*words, "middle", theme.ink))
    return Drawing("\n".join([*out, "</svg>\n"]), height)


def _axis(values: Sequence[float], start: float, stop: float) -> _Axis:
    low, high = min(values), max(values)
    room = (high - low) * 0.06 or max(abs(high), 1.0) * 0.06
    return _Axis(low - room, high + room, start, stop)


def _frame(title: str, height: float, theme: Theme) -> list[str]:
    return [
        (
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height:g}' "
            f"width='{WIDTH}' height='{height:g}' role='img' {_FONT}>"
        ),
        f"<title>{escape(title)}</title>",
        f"<rect width='{WIDTH}' height='{height:g}' fill='{theme.paper}'/>",
        _text(WIDTH / 2, 22, title, "middle", theme.ink, size=14),
    ]


def _ticks(
    x: _Axis, y: _Axis, height: float, words: tuple[str, str], theme: Theme
) -> list[str]:
    out = [
        _line(_LEFT, height - _BOTTOM, WIDTH - _RIGHT, height - _BOTTOM, theme.ink),
        _line(_LEFT, _TOP, _LEFT, height - _BOTTOM, theme.ink),
    ]
    low = height - _BOTTOM + 18
    out += [_text(x.at(value), low, f"{value:.6g}", "middle", theme.ink) for value in x.ticks()]
    out += [
        _text(_LEFT - 6, y.at(value) + 4, f"{value:.6g}", "end", theme.ink)
        for value in y.ticks()
    ]
    out.append(_text((_LEFT + WIDTH) / 2, height - 10, words[0], "middle", theme.ink))
    middle = height / 2
    out.append(
        f"<text x='16' y='{middle:.1f}' text-anchor='middle' fill='{theme.ink}' "
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


def _text(x: float, y: float, words: str, anchor: str, colour: str, *, size: int = 12) -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' fill='{colour}' "
        f"font-size='{size}'>{escape(words)}</text>"
    )
