"""A site with one officer, founded in a test's own log."""

from __future__ import annotations

from napari_medlabel.audit.keys.officer import OfficerKey
from napari_medlabel.audit.keys.signatures import SigningKey
from napari_medlabel.audit.keys.site import Officer, Site, User, site_document
from napari_medlabel.session.desk import Desk


def found_site(desk: Desk, *users: User) -> OfficerKey:
    """Put a site beside the log, and return its officer."""
    officer = OfficerKey(SigningKey(b"o" * 32))
    site = Site("ward-3", 1, 0, officers=(Officer(officer.public, officer.box),), users=users)
    data = site_document(site, officer.signing)
    (desk.audit_root / "site").mkdir(parents=True)
    (desk.audit_root / "site" / "0001.json").write_bytes(data)
    (desk.audit_root / "site.json").write_bytes(data)
    return officer
