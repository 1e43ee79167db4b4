"""Which software writes the log: versions, and digests of the wheel and of what it runs on."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Collection
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, distribution, version
from typing import Final

import napari_medlabel
from napari_medlabel.audit.disk import Clock, SystemClock
from napari_medlabel.audit.format.schema import VERSION

PACKAGE: Final = "napari-medlabel"
_PLATFORMS: Final = {"linux", "darwin", "win32"}
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def _digest(text: str) -> str:
    return f"sha256:{sha256(text.encode()).hexdigest()}"


@cache
def wheel_digest(package: str = PACKAGE) -> str:
    """Return the digest of the list of installed files and their hashes, or empty text.

    It is the same wherever the same wheel was installed in the same way; a changed file
    does not change it, but no longer fits the list.
    """
    try:
        record = distribution(package).read_text("RECORD")
    except PackageNotFoundError:
        return ""
    return _digest(record) if record else ""


@cache
def lock_digest(package: str = PACKAGE) -> str:
    """Return the digest of what is installed of the packages this one asks for, or empty text.

    Over lines ``name==version`` in the order of the names; extras that are not installed
    are left out.
    """
    try:
        wanted = distribution(package).requires or []
    except PackageNotFoundError:
        return ""
    lines = set()
    for requirement in wanted:
        found = _NAME.match(requirement)
        try:
            name = re.sub(r"[-_.]+", "-", found[0]).lower() if found else ""
            lines.add(f"{name}=={version(name)}\n" if name else "")
        except PackageNotFoundError:
            continue
    return _digest("".join(sorted(lines)))


def software(clock: Clock, validated: Collection[str]) -> dict[str, object]:
    """Return what runs here, as far as ``session.open`` takes it.

    Parameters
    ----------
    clock : Clock
        Whose kind is named.
    validated : collection of str
        Versions of this program that the site has validated.
    """
    own = napari_medlabel.__version__
    versions = {"tool": own, "python": platform.python_version()}
    facts: dict[str, object] = {
        key: text for key, text in versions.items() if VERSION.accepts(text)
    }
    digests = {"wheel": wheel_digest(), "lock": lock_digest()}
    facts |= {key: digest for key, digest in digests.items() if digest}
    facts["platform"] = sys.platform if sys.platform in _PLATFORMS else "other"
    facts["clock"] = SystemClock.name if isinstance(clock, SystemClock) else "other"
    facts["validation"] = "validated" if own in validated else "unvalidated"
    return facts
