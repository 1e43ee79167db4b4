"""Receipts: what leaves the building carries the proof that its leaving is in the log.

A receipt holds the commitment to one event, never the event: a leaf hash, its inclusion proof
(RFC 9162 section 2.1.3) and the signed checkpoint over it. Nobody can take the event out of
the log any more without the receipt showing it; and the receipt names no patient and no token.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from napari_medlabel.audit.anchors.pruned import is_pruned
from napari_medlabel.audit.anchors.session_lines import SessionLines, read_lines, record_of
from napari_medlabel.audit.format.finding import Finding
from napari_medlabel.audit.format.layout import session_file
from napari_medlabel.audit.format.merkle import (
    Frontier,
    inclusion_proof,
    leaf_hash,
    root_from_proof,
)
from napari_medlabel.audit.format.note import head_of_text
from napari_medlabel.audit.format.schema import (
    COUNT,
    DIGEST,
    PUBLIC_KEY,
    ROOT,
    SIGNATURE,
    Field,
    choice,
    group,
    many,
)
from napari_medlabel.audit.format.seal import Head, SealKey, from_base64, to_base64
from napari_medlabel.audit.keys.install import check_certificate
from napari_medlabel.errors import InputError, LogError
from napari_medlabel.io.manifest import RECEIPT_NAME, manifest_of, manifest_of_files

__all__ = ["RECEIPT_NAME", "Receipt", "check_receipt", "make_receipt", "read_receipt"]

KIND: Final = "medlabel-audit-receipt"
EVENT: Final = "export.done"

_LARGEST: Final = 1 << 16
_TEXT: Final = Field("text", lambda value: isinstance(value, str))


def _or_none(field: Field) -> Field:
    return Field(f"{field.kind}, or empty", lambda value: value == "" or field.accepts(value))


_FORM: Final = group(
    "receipt",
    {
        "cert": _or_none(SIGNATURE),
        "checkpoint": _TEXT,
        "event": choice(EVENT),
        "index": COUNT,
        "install": _or_none(PUBLIC_KEY),
        "kind": choice(KIND),
        "leaf": ROOT,
        "manifest": DIGEST,
        "previous": _TEXT,
        "proof": many(ROOT, 64),
        "pub": PUBLIC_KEY,
        "seal": SIGNATURE,
        "v": Field("1", lambda value: type(value) is int and value == 1),
    },
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """One receipt, as it was read; what it claims is checked by `faults`.

    Parameters
    ----------
    leaf : bytes
        Commitment to the event: its leaf hash.
    index : int
        Its place in the session, from 0.
    proof : tuple of bytes
        That the leaf is in the tree of the checkpoint.
    head : Head
        The checkpoint.
    seal : bytes
        Key id and signature over the checkpoint by the session's key, 68 bytes.
    public : bytes
        The session's key.
    install, cert : bytes
        Key of the workstation, and its certificate for the session's key; empty where the
        session has none.
    previous : Head or None
        Head of the session before, which the certificate covers.
    manifest : str
        Of the data set, as the event holds it.
    """

    leaf: bytes
    index: int
    proof: tuple[bytes, ...]
    head: Head
    seal: bytes
    public: bytes
    install: bytes
    cert: bytes
    previous: Head | None
    manifest: str

    def record(self) -> dict[str, object]:
        """Return what stands in the file."""
        return {
            "cert": to_base64(self.cert),
            "checkpoint": self.head.text().decode("ascii"),
            "event": EVENT,
            "index": self.index,
            "install": to_base64(self.install),
            "kind": KIND,
            "leaf": to_base64(self.leaf),
            "manifest": self.manifest,
            "previous": self.previous.text().decode("ascii") if self.previous else "",
            "proof": [to_base64(step) for step in self.proof],
            "pub": to_base64(self.public),
            "seal": to_base64(self.seal),
            "v": 1,
        }

    def faults(self) -> list[Finding]:
        """Return what is wrong with the receipt by itself: signature, proof, certificate."""
        found = []
        key = SealKey.from_bytes(self.head.origin, self.public)
        if not key.signed(self.head, self.seal):
            text = "The receipt's checkpoint is not signed by the key that it names."
            found.append(_red("SIGNATURE", text))
        if not self._is_included():
            text = "The receipt does not prove that its event is in the log of its checkpoint."
            found.append(_red("INCLUSION", text))
        if self.cert and not check_certificate(
            self.cert, self.install, self.head.origin, self.public, self.previous
        ):
            text = "The certificate of the session's key is not by the workstation's key."
            found.append(_red("CERT", text))
        return found

    def _is_included(self) -> bool:
        try:
            root = root_from_proof(self.leaf, self.index, self.head.size, self.proof)
        except ValueError:
            return False
        return root == self.head.root


def _red(code: str, text: str, file: str = "", line: int = 0) -> Finding:
    return Finding("red", code, text, file, line)


def read_receipt(data: bytes) -> Receipt:
    """Return the receipt in a file's bytes.

    Raises
    ------
    InputError
        When the bytes are not a receipt of this form. Whether a receipt is true is said by
        `Receipt.faults` and `check_receipt`.
    """
    try:
        found: Any = json.loads(data) if len(data) <= _LARGEST else None
        return _receipt_of(found)
    except (ValueError, RecursionError) as err:
        raise InputError(
            "A receipt of the audit log was expected, and the file is none.",
            hint=f"Give the file {RECEIPT_NAME} of an exported data set, as it was exported.",
        ) from err


def _receipt_of(found: Any) -> Receipt:
    if not _FORM.accepts(found) or bool(found["cert"]) != bool(found["install"]):
        raise ValueError("a receipt must have its keys and no others")
    previous = found["previous"]
    return Receipt(
        from_base64(found["leaf"], 32),
        found["index"],
        tuple(from_base64(step, 32) for step in found["proof"]),
        head_of_text(found["checkpoint"].encode("utf-8", "surrogatepass")),
        from_base64(found["seal"], 68),
        from_base64(found["pub"], 32),
        from_base64(found["install"], 32 if found["install"] else 0),
        from_base64(found["cert"], 68 if found["cert"] else 0),
        head_of_text(previous.encode("utf-8", "surrogatepass")) if previous else None,
        found["manifest"],
    )


def _is_export(record: Mapping[str, Any], manifest: str) -> bool:
    detail = record.get("detail")
    return (
        record.get("event") == EVENT
        and isinstance(detail, dict)
        and detail.get("manifest") == manifest
    )


def _export_in(lines: Sequence[bytes], manifest: str) -> int:
    """Return where an export of this manifest ended, the latest of them."""
    mark = manifest.encode("ascii")
    for index in reversed(range(len(lines))):
        if mark in lines[index] and _is_export(record_of(lines[index]), manifest):
            return index
    raise ValueError("the event is not there")


def _receipt_for(held: SessionLines, manifest: str) -> Receipt:
    index = _export_in(held.lines, manifest)
    size, root, signature = held.seal_after(index)
    opening = held.opening()
    before = opening.get("prev_session")
    leaves = [leaf_hash(line) for line in held.lines[:size]]
    return Receipt(
        leaves[index],
        index,
        tuple(inclusion_proof(leaves, index)),
        Head(opening["origin"], size, root),
        signature,
        from_base64(opening["pub"], 32),
        from_base64(opening["install"], 32) if "cert" in opening else b"",
        from_base64(opening["cert"], 68) if "cert" in opening else b"",
        Head(before["origin"], before["size"], from_base64(before["root"], 32))
        if before
        else None,
        manifest,
    )


def make_receipt(session: Path, manifest: str) -> bytes:
    """Return the receipt of an export that the log has just acknowledged.

    Parameters
    ----------
    session : Path
        File of the session in which ``export.done`` stands.
    manifest : str
        The manifest that the event names.

    Returns
    -------
    bytes
        What goes into the data set, as ``audit_receipt.json``.

    Raises
    ------
    LogError
        When the session's file cannot be read, or the event is not in it.
    """
    try:
        receipt = _receipt_for(read_lines(session), manifest)
    except (OSError, ValueError, KeyError) as err:
        raise LogError(
            f"The receipt of an export could not be made from the log ({type(err).__name__}).",
            hint="The export is in the log and the data set is whole; only its receipt is "
            "missing. Verify the log, and export again for a data set with a receipt.",
        ) from err
    return json.dumps(receipt.record(), indent=1, sort_keys=True).encode("ascii") + b"\n"


def check_receipt(
    receipt: Receipt,
    root: Path | None = None,
    data: Sequence[Path] = (),
    *,
    pruned: Collection[Head] = (),
) -> list[Finding]:
    """Return what does not fit between a receipt, the log it tells of, and its data set.

    Parameters
    ----------
    receipt : Receipt
        From `read_receipt`.
    root : Path, optional
        Folder of the log; without it the receipt is checked by itself.
    data : sequence of Path
        The data set: one folder, or the files of which it is; none to leave it out.
    pruned : collection of Head
        Ends of sessions that an officer had deleted because their time was over.

    Returns
    -------
    list of Finding
        Empty when everything fits. Codes: SIGNATURE, INCLUSION, CERT (the receipt itself),
        DATA (the data set), MISSING, TRUNCATED, FORK, EVENT (the log).

    Raises
    ------
    InputError
        When the data set cannot be read, or the session's file cannot.
    """
    faults = receipt.faults()
    if data:
        is_folder = len(data) == 1 and data[0].is_dir()
        found = manifest_of(data[0]) if is_folder else manifest_of_files(data)
        if found != receipt.manifest:
            text = (
                "The data set is not what was exported: a file was changed, added, removed "
                "or renamed since."
            )
            faults.append(_red("DATA", text))
    if root is not None:
        faults.extend(_against(receipt, root, pruned))
    return faults


def _against(receipt: Receipt, root: Path, pruned: Collection[Head]) -> list[Finding]:
    """Return what does not fit between a receipt and the log."""
    head, file = receipt.head, session_file(receipt.head.origin)
    try:
        held = read_lines(root / file)
        lines, key = held.lines, held.opening().get("pub")
    except FileNotFoundError:
        if is_pruned(head, pruned):
            return []
        text = f"A whole session is missing: a receipt remembers {head.size} events of it."
        return [_red("MISSING", text, file)]
    except OSError as err:
        raise InputError(
            f"A session file of the log cannot be read ({type(err).__name__}).",
            hint="Run it as the user who may read the log.",
        ) from err
    except ValueError:
        text = "The session's file was changed: it does not consist of events and seals."
        return [_red("FORK", text, file)]
    if key != to_base64(receipt.public):
        text = "The session has another key than the one that signed the receipt."
        return [_red("FORK", text, file)]
    return _misfit(receipt, lines, file)


def _misfit(receipt: Receipt, lines: Sequence[bytes], file: str) -> list[Finding]:
    head = receipt.head
    if len(lines) < head.size:
        text = (
            f"The end is missing: a receipt remembers {head.size} events, and {len(lines)} "
            "are there."
        )
        return [_red("TRUNCATED", text, file)]
    tree = Frontier()
    for line in lines[: head.size]:
        tree.add(leaf_hash(line))
    if tree.root() != head.root:
        text = (
            f"This is not the log that a receipt remembers: its first {head.size} events were "
            "others."
        )
        return [_red("FORK", text, file)]
    try:
        fits = _is_export(record_of(lines[receipt.index]), receipt.manifest)
    except (ValueError, IndexError):
        fits = False
    if not fits:
        text = "The event that the receipt points to is not the export of this data set."
        return [_red("EVENT", text, file)]
    return []
