"""Figures, intervals and tables of a report, as text."""

from __future__ import annotations

from collections.abc import Sequence

from napari_medlabel.project.agreement.summary import Figure


def figure_words(one: Figure | None, digits: int) -> str:
    """Return a mean with its interval; a dash where there is none, and one case said."""
    if one is None:
        return "-"
    said = f"{one.mean:.{digits}f}"
    if one.interval is None:
        return f"{said} (one case)" if one.cases == 1 else said
    return f"{said} ({ends_words((one.interval.low, one.interval.high), digits)})"


def ends_words(ends: tuple[float, float], digits: int = 2) -> str:
    """Return the ends of an interval."""
    return f"{ends[0]:.{digits}f} to {ends[1]:.{digits}f}"


def table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of Markdown under its title; a bar in a cell becomes a slash."""
    lines = [f"**{title}**", "", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join(lines)


def spaced_words(said: Sequence[str]) -> list[str]:
    """Return paragraphs with an empty line after each."""
    return [line for one in said for line in (one, "")]
