"""A few words for each event of the closed list: what the page's tables call it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "session.open": "Session begun",
        "session.close": "Session ended",
        "session.recover": "Session after a crash looked into",
        "user.identify": "User identified",
        "user.auth.fail": "Identification failed",
        "user.switch": "User changed",
        "config.change": "Setting changed",
        "key.create": "Key made",
        "key.rotate": "Key replaced",
        "key.revoke": "Key revoked",
        "key.seal": "Passphrase of a key set",
        "override.start": "Emergency access begun",
        "override.stop": "Emergency access ended",
        "audit.view": "Log looked at",
        "audit.report": "Report made",
        "audit.export": "Log exported",
        "audit.verify": "Log verified",
        "audit.review": "Log reviewed",
        "audit.fail": "Log could not be written",
        "audit.resume": "Log written again",
        "tamper.found": "Alteration found",
        "clock.jump": "Clock was set",
        "anchor.observe": "Heads of others noted",
        "witness.cosign": "Heads cosigned by a witness",
        "retention.prune": "Old sessions removed by policy",
        "volume.open": "Scan opened",
        "volume.open.denied": "Scan refused",
        "header.view": "Header looked at",
        "folder.query": "Folder searched",
        "import.convert": "Scan converted",
        "mask.create": "Mask made",
        "mask.save": "Mask saved",
        "mask.restore": "Earlier mask restored",
        "mask.delete": "Mask deleted",
        "landmark.save": "Landmarks saved",
        "autosave.recover": "Unsaved work recovered",
        "edit.unattributed": "Change from elsewhere found",
        "assist.run": "Proposal computed",
        "review.submit": "Submitted for review",
        "review.reject": "Sent back",
        "review.approve": "Approved",
        "review.unlock": "Unlocked after approval",
        "sign.apply": "Signed by a person",
        "sign.fail": "Signature failed",
        "deid.run": "De-identified",
        "deid.override": "De-identification rule set aside",
        "deid.preview": "De-identification previewed",
        "deid.review": "De-identified images reviewed",
        "export.begin": "Export begun",
        "export.done": "Export done",
        "export.fail": "Export failed",
        "export.screen": "Picture of the screen",
        "reid.lookup": "Identity looked up",
        "reid.export": "Identities exported",
        "reid.table": "Identity table changed",
        "batch.open": "Batch begun",
        "batch.close": "Batch ended",
    }
)
"""By name."""


def title(event: str) -> str:
    """Return the words for an event; its name where there are none."""
    return TITLES.get(event, event)
