"""Events about sessions, people, settings, keys and the log itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from napari_medlabel.audit.format.kinds import (
    ACCESS,
    AUTH,
    ERROR,
    FAILS,
    KEY,
    KEY_KIND,
    LIMB,
    LOG_USED,
    SECURITY,
    VERDICT,
)
from napari_medlabel.audit.format.schema import (
    COUNT,
    DIGEST,
    FLAG,
    HEAD,
    HEADS,
    KEY_ID,
    ORIGIN,
    PUBLIC_KEY,
    SIGNATURE,
    SIGNED,
    VERSION,
    choice,
)
from napari_medlabel.audit.format.spec import Spec

ABOUT_THE_LOG: Final[Mapping[str, Spec]] = {
    # sessions and people
    "session.open": Spec(
        ("110100", "110120"),
        "E",
        required={"origin": ORIGIN, "pub": PUBLIC_KEY},
        optional={
            "prev_session": HEAD,
            "peers": HEADS,
            "cert": SIGNATURE,
            "install": PUBLIC_KEY,
            "policy": DIGEST,
            "spool": FLAG,
            "tool": VERSION,
            "python": VERSION,
            "platform": choice("linux", "darwin", "win32", "other"),
            "clock": choice("boottime", "monotonic", "other"),
            "wheel": DIGEST,
            "lock": DIGEST,
            "validation": choice("validated", "unvalidated"),
        },
        anchors=("prev_session", "peers"),
    ),
    "session.close": Spec(
        ("110100", "110121"), "E", optional={"end": choice("normal", "error", "rotate")}
    ),
    "session.recover": Spec(
        ("110100", "110133"),
        "E",
        required={"found": HEAD, "remembered": COUNT},
        outcomes=(4,),
        anchors=("found",),
    ),
    "user.identify": Spec(("110114", "110122"), "E", optional={"method": AUTH}),
    "user.auth.fail": Spec(
        ("110114", "110122"), "E", optional={"method": AUTH}, outcomes=FAILS
    ),
    "user.switch": Spec(("110114", "110123"), "E", optional={"method": AUTH}),
    # settings, keys
    "config.change": Spec(
        ("110113", "110131"),
        "E",
        "",
        {
            "setting": choice(
                "profile",
                "retention",
                "plugins",
                "policy",
                "site",
                "scheme",
                "workstations",
                "witnesses",
                "officers",
                "users",
            )
        },
        {"old": DIGEST, "new": DIGEST, "serial": COUNT},
    ),
    "key.create": Spec(("110113", "110137"), "E", "", {"key": KEY_KIND}, KEY),
    "key.rotate": Spec(("110113", "110137"), "E", "", {"key": KEY_KIND}, KEY),
    "key.revoke": Spec(("110113", "110137"), "E", "", {"key": KEY_KIND}, KEY),
    "key.seal": Spec(
        ("110113", "110137"),
        "E",
        "",
        {"what": choice("set", "change", "remove")},
        {"key_id": KEY_ID},
    ),
    "override.start": Spec(("110113", "110127"), "E", needs_reason=True),
    "override.stop": Spec(("110113", "110138"), "E"),
    # the log about itself
    "audit.view": Spec(
        LOG_USED,
        "R",
        "",
        {},
        {
            "events": COUNT,
            "sessions": COUNT,
            "view": choice("show", "who", "case", "history"),
        },
    ),
    "audit.report": Spec(
        LOG_USED,
        "R",
        "",
        {},
        {
            "events": COUNT,
            "report": DIGEST,
            "code": DIGEST,
            "verdict": VERDICT,
            "from_ms": COUNT,
            "to_ms": COUNT,
        },
    ),
    "audit.export": Spec(
        LOG_USED,
        "R",
        "",
        {"format": choice("bundle", "csv", "fhir", "dicom", "ocsf", "art30")},
        {"events": COUNT, "manifest": DIGEST},
    ),
    "audit.verify": Spec(
        LOG_USED,
        "R",
        "",
        {"verdict": VERDICT},
        {"events": COUNT, "sessions": COUNT, "red": COUNT, "amber": COUNT},
        outcomes=(0, 4, 12),
    ),
    "audit.review": Spec(
        LOG_USED,
        "R",
        "",
        {},
        {
            "events": COUNT,
            "report": DIGEST,
            "code": DIGEST,
            "verdict": VERDICT,
            "findings": COUNT,
            "from_ms": COUNT,
            "to_ms": COUNT,
            "next_days": COUNT,
            "signature": SIGNATURE,
            "pub": PUBLIC_KEY,
            "statement": DIGEST,
        },
    ),
    "audit.fail": Spec(
        ("110113", "110133"),
        "E",
        "",
        {"error": ERROR},
        {"head": HEAD},
        outcomes=(8,),
        anchors=("head",),
    ),
    "audit.resume": Spec(("110113", "110134"), "E", "", {}, {"spool": FLAG}),
    "tamper.found": Spec(
        SECURITY,
        "E",
        "",
        {"what": choice("missing", "truncated", "changed", "object", "site"), "head": HEAD},
        {"found": COUNT},
        outcomes=(12,),
        anchors=("head",),
    ),
    "clock.jump": Spec(SECURITY, "E", "", {"delta_ms": SIGNED}, outcomes=(4,)),
    "anchor.observe": Spec((), "E", "", {"heads": HEADS}, {"source": LIMB}, anchors=("heads",)),
    "witness.cosign": Spec((), "E", "", {"heads": HEADS}, anchors=("heads",)),
    "retention.prune": Spec(
        ACCESS,
        "D",
        "destroy",
        {"pruned": HEADS},
        {"policy_days": COUNT, "signature": SIGNATURE},
    ),
}
"""By name."""
