"""Write the table of events in the reference page of the log from the closed list itself."""

from __future__ import annotations

from pathlib import Path

from napari_medlabel.audit.format.catalogue import EVENTS
from napari_medlabel.audit.format.spec import Spec

PAGE = Path(__file__).parent / "reference" / "audit-log.md"
HEAD = (
    "| event | DICOM | action | ISO 21089 | outcome | detail (**bold**: required) |\n"
    "|---|---|---|---|---|---|\n"
)


def row(name: str, spec: Spec) -> str:
    """Return one event's line."""
    action, iso = spec.action, spec.iso or "-"
    if spec.new_as:
        action = f"{action} ({spec.new_as[0]} without an old object)"
        iso = f"{iso} / {spec.new_as[1]}"
    detail = ", ".join([f"**{key}**" for key in spec.required] + list(spec.optional)) or "-"
    if spec.needs_reason:
        detail = "needs a reason" if detail == "-" else f"{detail}; needs a reason"
    codes = " / ".join(spec.dcm) or "-"
    outcomes = ", ".join(map(str, spec.outcomes))
    return f"| `{name}` | {codes} | {action} | {iso} | {outcomes} | {detail} |\n"


def table() -> str:
    """Return the whole table."""
    return HEAD + "".join(row(name, spec) for name, spec in EVENTS.items())


def renewed(page: str) -> str:
    """Return a page with its table written anew."""
    before, rest = page.split(HEAD, 1)
    after = rest[rest.index("\n\n") + 1 :] if "\n\n" in rest else ""
    return before + table() + after


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
