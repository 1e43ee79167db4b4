"""All versions of ``site.json``: each signed by an officer of the one before it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from napari_medlabel.audit.format.layout import SITE_HISTORY, site_version
from napari_medlabel.audit.keys.site import SignedSite, parse_site, read_site
from napari_medlabel.errors import InputError

_FIRST: Final = 1


@dataclass(frozen=True, slots=True)
class SiteHistory:
    """What the kept versions say, and what is wrong with them.

    Parameters
    ----------
    versions : tuple of SignedSite
        From the first on, as far as they follow from each other.
    current : SignedSite or None
        The one in force.
    problems : tuple of str
        Sentences; empty where every version follows from the one before.
    """

    versions: tuple[SignedSite, ...]
    current: SignedSite | None
    problems: tuple[str, ...]

    def follows_from(self, officer: bytes) -> bool:
        """Return whether the present trust comes from this officer.

        That is so where she signed a version, and every later one was signed by an officer
        that the one before it names.

        Parameters
        ----------
        officer : bytes
            Public key, as this computer remembers it.
        """
        return not self.problems and any(one.officer == officer for one in self.versions)

    def digests(self) -> frozenset[str]:
        """Return the digests of all versions: what ``session.open`` may name as its policy."""
        return frozenset(one.digest for one in self.versions)


def read_history(root: Path) -> SiteHistory:
    """Return all versions of a log's site.

    Parameters
    ----------
    root : Path
        Folder of the log.

    Returns
    -------
    SiteHistory
        Without versions where there never was a site. Never raises for what is in the
        files: that becomes a problem.
    """
    problems: list[str] = []
    try:
        current = read_site(root)
    except InputError as err:
        current = None
        problems.append(err.message)
    versions: list[SignedSite] = []
    kept = sorted((root / SITE_HISTORY).glob("[0-9]*.json"))
    for serial, path in enumerate(kept, _FIRST):
        problem = _next(path, serial, versions)
        if problem:
            problems.append(problem)
            break
    if not problems:
        problems += _end(current, versions)
    return SiteHistory(tuple(versions), current, tuple(problems))


def _next(path: Path, serial: int, versions: list[SignedSite]) -> str:
    """Add the next version, or say why it does not follow."""
    if path.name != Path(site_version(serial)).name:
        return f"Version {serial} of the site's document is missing."
    try:
        found = parse_site(path.read_bytes())
    except (OSError, InputError):
        return f"Version {serial} of the site's document is damaged or badly signed."
    before = versions[-1] if versions else None
    problem = why_not_next(found, before)
    if problem:
        return f"Version {serial} of the site's document {problem}."
    versions.append(found)
    return ""


def why_not_next(found: SignedSite, before: SignedSite | None) -> str:
    """Return why a version does not follow from the one before it, or nothing.

    Parameters
    ----------
    found : SignedSite
        The version.
    before : SignedSite or None
        The one before; None for the first.
    """
    if found.site.serial != (_FIRST if before is None else before.site.serial + 1):
        return "has another number"
    if found.site.previous != ("" if before is None else before.digest):
        return "does not name the one before it"
    if before is None:
        return ""
    if found.site.name != before.site.name:
        return "is of another site"
    signer = before.site.officer(found.officer)
    if signer is None or signer.revoked_ms is not None:
        return "is signed by somebody who was no officer then"
    return ""


def _end(current: SignedSite | None, versions: list[SignedSite]) -> list[str]:
    """Return what is wrong between the version in force and the last one kept."""
    if current is None and not versions:
        return []
    if current is None:
        return ["The site's document is missing, and older versions of it are there."]
    if not versions or versions[-1].digest != current.digest:
        return ["The site's document in force is not the last version that was kept."]
    return []
