"""The guidelines of a study: Markdown and pictures in its folder, a version for each content.

A submission is pinned to the digest of what its annotator could read: text and every picture
beside it, by name, so a changed picture is a new version too.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from napari_medlabel.errors import InputError

_PICTURES: Final = frozenset({".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp"})
_HEADING: Final = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
_FENCE: Final = re.compile(r"^(```|~~~)")
_LINK: Final = re.compile(r"!\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
_LARGEST: Final = 4 << 20


@dataclass(frozen=True)
class Section:
    """One heading and what stands under it.

    Parameters
    ----------
    heading : str
        As it stands, without the hashes.
    level : int
        1 to 6; 0 for what stands before the first heading.
    body : str
        Markdown up to the next heading of any level.
    """

    heading: str
    level: int
    body: str


@dataclass(frozen=True)
class Guidelines:
    """What annotators read.

    Parameters
    ----------
    text : str
        Markdown.
    folder : Path
        Where its pictures lie.
    digest : str
        ``sha256:<hex>`` of text and pictures.
    """

    text: str
    folder: Path
    digest: str

    @property
    def sections(self) -> tuple[Section, ...]:
        """The text by headings, in order."""
        return tuple(_sections(self.text))

    def about(self, heading: str) -> str:
        """Return what is said under a heading and the smaller ones below it, as Markdown.

        Parameters
        ----------
        heading : str
            A label's ``guide``, or its name; capitals do not count.

        Returns
        -------
        str
            Empty where there is no such heading.
        """
        found: list[str] = []
        level = 0
        for section in self.sections:
            if found and section.level <= level:
                break
            if found:
                found.append(f"{'#' * section.level} {section.heading}\n{section.body}")
            elif section.level and section.heading.casefold() == heading.strip().casefold():
                level = section.level
                found.append(section.body)
        return "\n".join(found).strip()

    def heading_for(self, *names: str) -> str:
        """Return the first of some headings that the text has; capitals do not count.

        Parameters
        ----------
        *names : str
            A label's ``guide``, then its name.

        Returns
        -------
        str
            As it stands in the text; empty where it has none of them.
        """
        known = {one.heading.casefold(): one.heading for one in self.sections if one.level}
        wanted = (known.get(name.strip().casefold(), "") for name in names)
        return next((one for one in wanted if one), "")

    @property
    def missing_pictures(self) -> tuple[str, ...]:
        """Pictures that the text shows and that are not there, or lie elsewhere."""
        out = []
        for name in _LINK.findall(self.text):
            path = PurePosixPath(name)
            outside = "://" in name or path.is_absolute() or ".." in path.parts
            if outside or not self.folder.joinpath(*path.parts).is_file():
                out.append(name)
        return tuple(out)


def read_guidelines(path: Path) -> Guidelines:
    """Read the guidelines of a study.

    Parameters
    ----------
    path : Path
        ``guidelines.md``; pictures lie in its folder or below.

    Raises
    ------
    InputError
        When they cannot be read, or are too large to be read by a person.
    """
    try:
        raw = path.read_bytes()
        if len(raw) > _LARGEST:
            raise InputError(
                f"Guidelines of up to {_LARGEST >> 20} MB were expected; these are larger.",
                hint="Put pictures beside the text, not into it.",
            )
        text = raw.decode("utf-8")
        digest = _digest(path, raw)
    except (OSError, ValueError) as err:
        raise InputError(
            "The guidelines cannot be read, or are not UTF-8 text.",
            hint="Check medlabel/guidelines/guidelines.md in the study's folder.",
        ) from err
    return Guidelines(text, path.parent, digest)


@dataclass(frozen=True)
class Change:
    """What became of one section between two versions.

    Parameters
    ----------
    heading : str
        Of the section; empty for what stands before the first.
    kind : str
        ``new``, ``gone`` or ``changed``.
    lines : tuple of str
        Of a changed one: lines that came begin with ``+ ``, those that went with ``- ``; of
        another all its lines.
    """

    heading: str
    kind: str
    lines: tuple[str, ...]


def changes(old: str, new: str) -> tuple[Change, ...]:
    """Return what differs between two versions of a text, section by section.

    Sections are known by their headings; one of another heading is a new one.

    Parameters
    ----------
    old, new : str
        Markdown.
    """
    before, after = _by_heading(old), _by_heading(new)
    found = []
    for key, body in after.items():
        if key not in before:
            found.append(Change(key[0], "new", _lines("+ ", body)))
        elif body != before[key]:
            told = difflib.ndiff(before[key].splitlines(), body.splitlines())
            kept = tuple(line for line in told if line[:2] in ("+ ", "- ") and line[2:].strip())
            found.append(Change(key[0], "changed", kept))
    for key, body in before.items():
        if key not in after:
            found.append(Change(key[0], "gone", _lines("- ", body)))
    return tuple(found)


def _by_heading(text: str) -> dict[tuple[str, int], str]:
    """Return bodies by heading, counted where one stands several times."""
    found: dict[tuple[str, int], str] = {}
    for section in _sections(text):
        number = 0
        while (section.heading, number) in found:
            number += 1
        found[section.heading, number] = section.body
    return found


def _lines(sign: str, body: str) -> tuple[str, ...]:
    return tuple(_signed(sign, body))


def _signed(sign: str, body: str) -> Iterator[str]:
    for line in body.splitlines():
        if line.strip():
            yield f"{sign}{line}"


def _digest(path: Path, raw: bytes) -> str:
    lines = [f"{hashlib.sha256(raw).hexdigest()}  {path.name}"]
    for picture in sorted(path.parent.rglob("*")):
        if picture.suffix.lower() in _PICTURES and picture.is_file():
            name = picture.relative_to(path.parent).as_posix()
            lines.append(f"{hashlib.sha256(picture.read_bytes()).hexdigest()}  {name}")
    listing = "\n".join([lines[0], *sorted(lines[1:])])
    return f"sha256:{hashlib.sha256(listing.encode()).hexdigest()}"


def _sections(text: str) -> list[Section]:
    found: list[tuple[str, int, list[str]]] = [("", 0, [])]
    fenced = False
    for line in text.splitlines():
        fenced ^= bool(_FENCE.match(line))
        heading = None if fenced else _HEADING.match(line)
        if heading:
            found.append((heading[2], len(heading[1]), []))
        else:
            found[-1][2].append(line)
    made = [Section(name, level, "\n".join(lines).strip()) for name, level, lines in found]
    return [one for one in made if one.level or one.body]
