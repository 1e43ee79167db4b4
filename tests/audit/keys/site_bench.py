"""An officer, a workstation and a site for tests: keys from fixed seeds, no passphrase."""

from __future__ import annotations

from pathlib import Path

from napari_medlabel.audit.keys.install import InstallKey
from napari_medlabel.audit.keys.signatures import SigningKey
from napari_medlabel.audit.keys.site import Install, Officer, Policy, Site, site_document

WRITER = "w0123456789abcdef"
MADE_MS = 1_795_342_000_000
OFFICER = SigningKey(b"o" * 32)
OTHER = SigningKey(b"p" * 32)
INSTALL = InstallKey(SigningKey(b"i" * 32))


def site(**more: object) -> Site:
    """Return a site that trusts one workstation."""
    given: dict[str, object] = {
        "name": "ward-3",
        "serial": 1,
        "made_ms": MADE_MS,
        "officers": (Officer(OFFICER.public, b"b" * 32),),
        "installs": (Install(WRITER, INSTALL.public, MADE_MS),),
        "policy": Policy(validated=("0.1.0",)),
    }
    return Site(**{**given, **more})  # type: ignore[arg-type]


def write_site(root: Path, found: Site, key: SigningKey = OFFICER) -> bytes:
    """Put a version into a log's folder, and return its bytes."""
    data = site_document(found, key)
    (root / "site").mkdir(parents=True, exist_ok=True)
    (root / "site" / f"{found.serial:04d}.json").write_bytes(data)
    (root / "site.json").write_bytes(data)
    return data
