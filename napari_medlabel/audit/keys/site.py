"""``site.json``: whom the officer trusts and the rules of the site, under her signature."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.layout import SITE
from napari_medlabel.audit.format.seal import from_base64, to_base64
from napari_medlabel.audit.keys.roster import (
    Install,
    Officer,
    Policy,
    Site,
    Trust,
    User,
    Witness,
)
from napari_medlabel.audit.keys.signatures import SigningKey, is_signed_as
from napari_medlabel.audit.keys.site_schema import DOCUMENT
from napari_medlabel.errors import InputError

__all__ = [
    "Install",
    "Officer",
    "Policy",
    "SignedSite",
    "Site",
    "Trust",
    "User",
    "Witness",
    "digest_of",
    "officer_name",
    "parse_site",
    "read_site",
    "site_document",
]

_LARGEST: Final = 4 << 20
_PREFIX: Final = b"medlabel-site/v1\n"


@dataclass(frozen=True, slots=True)
class SignedSite:
    """A version of the document whose signature holds.

    Parameters
    ----------
    site : Site
        What it says.
    officer : bytes
        Public key of who signed it.
    digest : str
        ``sha256:`` and the hash of its bytes.
    """

    site: Site
    officer: bytes
    digest: str


def officer_name(site: str) -> str:
    """Return the name under which the officer of a site signs."""
    return f"medlabel.local/{site}/officer"


def digest_of(data: bytes) -> str:
    """Return ``sha256:`` and the hash of a document's bytes."""
    return f"sha256:{sha256(data).hexdigest()}"


def site_document(site: Site, key: SigningKey) -> bytes:
    """Return the document of a site, signed by an officer.

    Parameters
    ----------
    site : Site
        What it says.
    key : SigningKey
        Of the officer.

    Raises
    ------
    InputError
        When it says what no document may say, such as a name with capitals.
    """
    record = site.record()
    document = {
        "officer": to_base64(key.public),
        "signature": to_base64(
            key.sign_as(officer_name(site.name), _PREFIX + canonical.encode(record))
        ),
        "site": record,
    }
    if not DOCUMENT.accepts(document):
        raise InputError(
            "The site's document cannot say this: a name, a key or a time is not allowed.",
            hint="A site and a witness are named by lower-case letters, digits and hyphens, at "
            "most 32.",
        )
    return json.dumps(document, indent=2, sort_keys=True).encode() + b"\n"


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object in which no key comes twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key comes twice")
    return found


def parse_site(data: bytes) -> SignedSite:
    """Return what a document says, when its signature holds.

    Parameters
    ----------
    data : bytes
        The document.

    Raises
    ------
    InputError
        When it is damaged, or not signed by one of its own officers.
    """
    try:
        found: Any = json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError) as err:
        raise _broken("is no JSON") from err
    if not DOCUMENT.accepts(found):
        raise _broken("does not have the form of one")
    site = Site.of_record(found["site"])
    officer = from_base64(found["officer"], 32)
    text = _PREFIX + canonical.encode(found["site"])
    signature = from_base64(found["signature"], 68)
    if not is_signed_as(officer_name(site.name), officer, text, signature):
        raise _broken("was changed after it was signed")
    if site.officer(officer) is None:
        raise _broken("is signed by somebody whom it does not name as an officer")
    return SignedSite(site, officer, digest_of(data))


def read_site(root: Path) -> SignedSite | None:
    """Return the document in force, or None where the log has none.

    Parameters
    ----------
    root : Path
        Folder of the log.

    Raises
    ------
    InputError
        When it cannot be read, is damaged, or its signature does not hold. Whether its
        officer is the right one is for `pins` and `site_history` to say.
    """
    try:
        with (root / SITE).open("rb") as stream:
            data = stream.read(_LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as err:
        raise _broken("cannot be read") from err
    if len(data) > _LARGEST:
        raise _broken("is too large")
    return parse_site(data)


def _broken(why: str) -> InputError:
    return InputError(
        f"The site's document 'site.json' must be signed by the officer, and this one {why}.",
        hint="Do not edit it by hand: put back the last version in the folder 'site', and find "
        "out who changed it.",
    )
