"""Search written files for what tells whose they are; shares nothing with what cleans them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.scan.companions import (
    companion_faults,
    companion_needles,
    name_faults,
)
from napari_medlabel.deid.scan.dicom import needle_groups
from napari_medlabel.deid.scan.file import distinct, file_faults
from napari_medlabel.deid.scan.finding import Allowance, Finding, Sign
from napari_medlabel.deid.scan.read import Recall, looks_like_dicom, read_parts
from napari_medlabel.deid.scan.search import Searcher
from napari_medlabel.deid.scan.tables import tag_of
from napari_medlabel.deid.scan.walk import BrokenError
from napari_medlabel.deid.scan.words import Needle

if TYPE_CHECKING:
    from napari_medlabel.deid.rules.site_rules import SiteRules

__all__ = [
    "Allowance",
    "Finding",
    "Searched",
    "Sign",
    "SourceIdentity",
    "allowance_for",
    "check_output",
    "scan_output",
    "source_identity",
]

_HEAD = 4096
_MOST_EXTRA = 200
_STAYING = frozenset("KC")

Group = tuple[Needle, ...]


@dataclass(frozen=True)
class SourceIdentity:
    """What tells whose file it is.

    Parameters
    ----------
    groups : tuple of tuple of Needle
        What each attribute tells, in every spelling.
    """

    groups: tuple[Group, ...] = field(default=(), repr=False)

    def __or__(self, other: SourceIdentity) -> SourceIdentity:
        """Return all that both tell."""
        return SourceIdentity(tuple(dict.fromkeys((*self.groups, *other.groups))))


class _Shared:
    """The searcher of what the files of a series have in common, so that it is built once."""

    def __init__(self) -> None:
        self._groups: dict[int, Group] = {}
        self._searcher = Searcher(())

    def searcher_for(self, identity: SourceIdentity) -> tuple[Searcher, Group]:
        """Return a searcher, and the patterns of this file that it does not know."""
        groups = {id(group): group for group in identity.groups}
        if not self._groups.keys() <= groups.keys():
            common = {key: self._groups[key] for key in self._groups.keys() & groups.keys()}
            self._build(common if 2 * len(common) > len(groups) else groups)
        extra = _flat(groups[key] for key in groups.keys() - self._groups.keys())
        if len(extra) > _MOST_EXTRA:
            self._build(groups)
            extra = ()
        return self._searcher, extra

    def _build(self, groups: dict[int, Group]) -> None:
        self._groups = groups  # holds the groups themselves: an id stays taken
        self._searcher = Searcher(_flat(groups.values()))


def _flat(groups: Iterable[Group]) -> Group:
    return tuple(dict.fromkeys(needle for group in groups for needle in group))


_SHARED, _SOURCES, _OUTPUTS = _Shared(), Recall(), Recall()


def allowance_for(options: frozenset[Option], site: SiteRules | None = None) -> Allowance:
    """Return what may stay by the options and by a site's rules.

    Parameters
    ----------
    options : frozenset of Option
        Those in force.
    site : SiteRules, optional
        Rules that come before them.
    """
    if site is None:
        return Allowance(options)
    keywords = [*site.keep, *site.patterns]
    keywords += [path[-1] for path, code in site.paths.items() if code in _STAYING]
    tags = {tag for tag, code in site.actions.items() if code in _STAYING}
    tags |= {tag for tag in map(tag_of, keywords) if tag is not None}
    private = {
        (int(group, 16), creator, int(low, 16)) for group, low, creator, _ in site.private
    }
    return Allowance(options, frozenset(tags), site.words, frozenset(private))


def source_identity(path: Path, *, allowance: Allowance) -> SourceIdentity:
    """Return all that tells whose file it is, from a source's bytes.

    Parameters
    ----------
    path : Path
        DICOM, NIfTI, NRRD, MetaImage, a JSON sidecar or other text.
    allowance : Allowance
        What the options retain is no identity.

    Returns
    -------
    SourceIdentity
        Every part of every person's name at every depth, numbers, dates, UIDs, and the text
        of the attributes of Table E.1-1. Empty for a file that cannot be read.

    Raises
    ------
    OSError
        When the file cannot be opened.
    """
    with path.open("rb", buffering=0) as stream:
        head = stream.read(_HEAD)
        if not looks_like_dicom(head):
            return SourceIdentity(tuple(companion_needles(stream, head, allowance)))
        try:
            return SourceIdentity(tuple(needle_groups(read_parts(stream, _SOURCES), allowance)))
        except BrokenError:
            return SourceIdentity()


class Searched:
    """One identity looked for in many files.

    Parameters
    ----------
    identity : SourceIdentity
        What tells whose they were.
    allowance : Allowance
        What may stay.
    """

    def __init__(self, identity: SourceIdentity, allowance: Allowance) -> None:
        self._searcher = Searcher(_flat(identity.groups))
        self._allowance = allowance

    def file(self, path: Path) -> tuple[Finding, ...]:
        """Search a file.

        Raises
        ------
        OSError
            When it cannot be read.
        """
        with path.open("rb", buffering=0) as stream:
            return _scanned(stream, self._searcher, (), self._allowance)

    def name(self, name: tuple[str, ...]) -> tuple[Finding, ...]:
        """Search folders and name of a file."""
        return distinct(name_faults(name, self._searcher, ()))


def scan_output(
    path: Path, identity: SourceIdentity, *, allowance: Allowance
) -> tuple[Finding, ...]:
    """Search a written file.

    Parameters
    ----------
    path : Path
        The file.
    identity : SourceIdentity
        Of the source.
    allowance : Allowance
        What may stay.

    Returns
    -------
    tuple of Finding
        In order; empty when nothing was found.

    Raises
    ------
    OSError
        When the file cannot be read.
    """
    searcher, extra = _SHARED.searcher_for(identity)
    with path.open("rb", buffering=0) as stream:
        return _scanned(stream, searcher, extra, allowance)


def _scanned(
    stream: BinaryIO, searcher: Searcher, extra: Group, allowance: Allowance
) -> tuple[Finding, ...]:
    """Search one file, or one of an archive."""

    def inner(member: BinaryIO) -> Iterator[Finding]:
        yield from _scanned(member, searcher, extra, allowance)

    head = stream.read(_HEAD)
    if not looks_like_dicom(head):
        faults = companion_faults(stream, head, searcher, extra, inner, allowance)
        return distinct(faults)
    try:
        parts = read_parts(stream, _OUTPUTS)
    except BrokenError:
        return (Finding(Sign.UNREADABLE, "data set"),)
    return distinct(file_faults(stream, parts, allowance, searcher, extra))


def check_output(
    source: Path, part: Path, name: tuple[str, ...], *, allowance: Allowance
) -> tuple[Finding, ...]:
    """Search a written file, and the name it is to get, for the identity of its source.

    Parameters
    ----------
    source : Path
        The file as found.
    part : Path
        What was made of it.
    name : tuple of str
        Folders and file name that it is to get.
    allowance : Allowance
        What may stay.

    Returns
    -------
    tuple of Finding
        Empty when the file may get its name.

    Raises
    ------
    OSError
        When one of the files cannot be read.
    """
    identity = source_identity(source, allowance=allowance)
    searcher, extra = _SHARED.searcher_for(identity)
    with part.open("rb", buffering=0) as stream:
        found = _scanned(stream, searcher, extra, allowance)
    return (*found, *distinct(name_faults(name, searcher, extra)))
