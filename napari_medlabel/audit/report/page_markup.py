"""HTML that is safe because of how it is built: text is escaped, and only tags are not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Final

_VOID: Final = frozenset({"input", "img", "meta", "br", "hr"})
_SHORT: Final = 8


class Markup(str):
    """Text that is HTML already; only this module and `page_document` make it."""

    __slots__ = ()


Content = str | int | Markup | None


def text(content: Content) -> Markup:
    """Return content as HTML: what is not `Markup` is escaped."""
    if isinstance(content, Markup):
        return content
    return Markup("" if content is None else escape(str(content), quote=True))


def together(contents: Iterable[Content]) -> Markup:
    """Return several contents as one."""
    return Markup("".join(text(content) for content in contents))


def tag(name: str, /, *contents: Content, **attributes: str | int | bool | None) -> Markup:
    """Return an element.

    Parameters
    ----------
    name : str
        Of the element.
    *contents : str, int, Markup or None
        What it holds; plain text is escaped.
    **attributes : str, int, bool or None
        ``class_`` stands for ``class`` and other underscores for hyphens. None and False
        leave an attribute out; True gives it no value.

    Returns
    -------
    Markup
        The element.
    """
    given = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{text(value)}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    end = "" if name in _VOID else f"{together(contents)}</{name}>"
    return Markup(f"<{name}{given}>{end}")


def table(
    caption: str, heads: Sequence[str], rows: Iterable[Sequence[Content]], empty: str
) -> Markup:
    """Return a table that scrolls by itself on a narrow screen.

    Parameters
    ----------
    caption : str
        What it shows.
    heads : sequence of str
        Titles of the columns; the first cell of each row is the row's title.
    rows : iterable of sequences
        Cells.
    empty : str
        What is said instead when there are no rows.
    """
    lines = [
        tag(
            "tr",
            *(
                tag("th", cell, scope="row") if place == 0 else tag("td", cell)
                for place, cell in enumerate(row)
            ),
        )
        for row in rows
    ]
    if not lines:
        return tag("p", empty, class_="none")
    head = tag("tr", *(tag("th", name, scope="col") for name in heads))
    inner = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *lines))
    return tag("div", inner, class_="scroll", tabindex=0, role="region", aria_label=caption)


def chip(words: str, kind: str) -> Markup:
    """Return a word on a coloured ground: kind is red, amber, green or plain."""
    return tag("span", words, class_=f"chip {kind}")


def token(full: str, names: dict[str, str] | None = None) -> Markup:
    """Return a token or digest, short enough for a table; a name where one is known."""
    if not full:
        return text("—")
    prefix, _, digits = full.partition("-") if "-" in full else full.partition(":")
    mark = "-" if "-" in full else ":"
    shown = f"{prefix}{mark}{digits[:_SHORT]}…" if len(digits) > 2 * _SHORT else full
    code = tag("code", shown, title=full)
    name = (names or {}).get(full)
    # A name may hold letters that turn the direction of writing: it turns itself alone.
    return together([tag("bdi", name), " ", code]) if name else code


def moment(ms: int | None, offset_minutes: int = 0) -> Markup:
    """Return a time of the site's clocks, ``2026-11-22 10:10``."""
    if ms is None:
        return text("—")
    try:
        utc = datetime.fromtimestamp(ms / 1000, UTC)
        shown = (utc + timedelta(minutes=offset_minutes)).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return text("a time that is none")
    exact = utc.strftime("%Y-%m-%dT%H:%M:%SZ")
    return tag("time", shown, datetime=exact)


def zone(offset_minutes: int) -> str:
    """Return how the site's clocks differ from UTC, in words."""
    if offset_minutes == 0:
        return "UTC"
    hours, minutes = divmod(abs(offset_minutes), 60)
    return f"UTC{'+' if offset_minutes > 0 else '−'}{hours:02d}:{minutes:02d}"  # noqa: RUF001


def place(file: str, line: int) -> Markup:
    """Return where in the log something stands."""
    name = file.rsplit("/", 1)[-1]
    shown = f"{name[:16] if len(name) > 24 else name}:{line}"
    return tag("code", shown, title=f"{file}, line {line}")


def number(count: int) -> str:
    """Return a number with thin gaps between thousands."""
    return f"{count:,}".replace(",", "\u202f")


def counted(count: int, one: str, many: str) -> str:
    """Return a number with its noun."""
    return f"{number(count)} {one if count == 1 else many}"
