"""The manifest of a release: every file by its hash, the rules, and where the log stood.

It is canonical JSON (RFC 8785), so one release has one manifest and one digest. A person signs
that digest as any other content, with `people.sign_statement`; the statement lies beside it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from napari_medlabel.audit.anchors.session_lines import SessionLines, read_lines
from napari_medlabel.audit.check.verify import session_paths
from napari_medlabel.audit.format import canonical
from napari_medlabel.audit.format.layout import session_file
from napari_medlabel.audit.format.merkle import Frontier, leaf_hash
from napari_medlabel.audit.format.note import head_of_text
from napari_medlabel.audit.format.record import time_ms
from napari_medlabel.audit.format.seal import Head, SealKey, from_base64
from napari_medlabel.audit.keys.people import SignedStatement
from napari_medlabel.errors import InputError, LogError, RefusedError
from napari_medlabel.io.files import Staging, sha256_file
from napari_medlabel.io.manifest import RECEIPT_NAME
from napari_medlabel.project.cases.version import Pins

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.signature.json"
UNLISTED: Final = frozenset({MANIFEST, SIGNATURE, RECEIPT_NAME})
"""Files at the top of a release that its manifest cannot name."""
VERSION: Final = 1
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PATH: Final = re.compile(r"[A-Za-z0-9._+-]+(/[A-Za-z0-9._+-]+)*")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, order=True)
class ReleasedFile:
    """One file of a release.

    Parameters
    ----------
    path : str
        From the release's folder, with slashes.
    digest : str
        ``sha256:<hex>`` of its bytes.
    size : int
        Bytes.
    """

    path: str
    digest: str
    size: int


@dataclass(frozen=True)
class Manifest:
    """What a release is.

    Parameters
    ----------
    name : str
        Of the release: letters, digits, dots, dashes.
    made : str
        When, as `record.time_text` writes it.
    pins : Pins
        Digests of ontology and guidelines.
    files : tuple of ReleasedFile
        By path; all but those of `UNLISTED`.
    heads : tuple of Head
        Where each session of the study's log stood, by origin; empty for a study without one.

    Raises
    ------
    InputError
        When a part has another form, or two files have one name on some computers.
    """

    name: str
    made: str
    pins: Pins
    files: tuple[ReleasedFile, ...]
    heads: tuple[Head, ...] = ()

    def __post_init__(self) -> None:
        try:
            time_ms(self.made)
        except ValueError as err:
            raise _broken("its time") from err
        require_name(self.name)
        digests = [self.pins.ontology, self.pins.guideline, *(one.digest for one in self.files)]
        if not all(_DIGEST.fullmatch(one) for one in digests):
            raise _broken("a digest")
        paths = [one.path for one in self.files]
        if paths != sorted(paths) or UNLISTED & set(paths):
            raise _broken("the order of its files")
        if not all(map(is_portable, paths)) or any(one.size < 0 for one in self.files):
            raise _broken("a file")
        names = [path.casefold() for path in (*paths, *UNLISTED)]
        if len(set(names)) != len(names):
            raise InputError(
                "Two files of a release differ in capitals only, or one stands twice.",
                hint="Some computers take them for one: rename one of them.",
            )
        origins = [head.origin for head in self.heads]
        if origins != sorted(set(origins)):
            raise _broken("the order of its heads")

    def to_bytes(self) -> bytes:
        """Return the file's content."""
        return canonical.encode(
            {
                "medlabel": "release",
                "v": VERSION,
                "name": self.name,
                "made": self.made,
                "ontology": self.pins.ontology,
                "guideline": self.pins.guideline,
                "files": [
                    {"path": one.path, "sha256": one.digest.partition(":")[2], "size": one.size}
                    for one in self.files
                ],
                "heads": [head.record() for head in self.heads],
            }
        )

    @property
    def digest(self) -> str:
        """``sha256:<hex>`` of the file: what a person signs."""
        return f"sha256:{hashlib.sha256(self.to_bytes()).hexdigest()}"


def require_name(name: str) -> str:
    """Return the name of a release when it is one.

    Raises
    ------
    InputError
        When it is none.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            "A release is named by up to 64 letters, digits, dots and dashes.",
            hint="For example 2026-11.",
        )
    return name


def make_manifest(
    folder: Path, *, name: str, made: str, pins: Pins, heads: tuple[Head, ...] = ()
) -> Manifest:
    """Return the manifest of a folder that is ready to be released.

    Parameters
    ----------
    folder : Path
        Everything in it is released; its manifest, signature and receipt are not listed.
    name, made, pins, heads
        See `Manifest`; heads from `log_heads`.

    Raises
    ------
    InputError
        When there is no such folder, it is empty or unreadable, or a part has another form.
    RefusedError
        When it holds links, or names that cannot be on every computer.
    """
    files = []
    for path, relative in files_of(folder):
        if path.is_symlink() or not path.is_file():
            raise RefusedError(
                "A release consists of files; a link, or something else, lies in its folder.",
                hint="Put the file itself there.",
            )
        if not is_portable(relative):
            raise RefusedError(
                "Files of a release are named by letters, digits and . _ + - alone; "
                "one is not, and its name might tell whose it is.",
                hint="Make the release anew from the study.",
            )
        if relative not in UNLISTED:
            files.append(measured(path, relative))
    if not files:
        raise InputError(
            "The folder of a release has no file.", hint="Export the study into it first."
        )
    return Manifest(name, made, pins, tuple(sorted(files)), heads)


def write_manifest(
    folder: Path, manifest: Manifest, signed: SignedStatement | None = None
) -> None:
    """Write a manifest and the statement over it; what is there is never replaced.

    Parameters
    ----------
    folder : Path
        Of the release.
    manifest : Manifest
        From `make_manifest`.
    signed : SignedStatement, optional
        Of its `Manifest.digest`. Its printed name is in the release then.

    Raises
    ------
    InputError
        When the statement is of another content.
    RefusedError
        When the folder has a manifest already.
    SaveError
        When it cannot be written.
    """
    if signed is not None and signed.said.content != manifest.digest:
        raise InputError(
            "The signature is over another content than this manifest.",
            hint="Sign the manifest as it is written.",
        )
    # Without a signature, one of another manifest would stay beside it.
    if any((folder / name).exists() for name in (MANIFEST, SIGNATURE)):
        raise RefusedError(
            "The folder has a manifest already: a release is made once and never changed.",
            hint="Make the next release, under another name.",
        )
    with Staging() as staging:
        if signed is not None:
            staging.add_bytes(folder / SIGNATURE, signed.document())
        staging.add_bytes(folder / MANIFEST, manifest.to_bytes())
        staging.publish_new()


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a release.

    Raises
    ------
    InputError
        When there is none, it was changed in form, or it is of a later version.
    """
    try:
        found: Any = canonical.decode((folder / MANIFEST).read_bytes())
        if found["medlabel"] != "release":
            raise ValueError  # noqa: TRY301 - joins what a wrong form raises by itself
        if found["v"] != VERSION:
            raise InputError(
                f"The manifest is of another version than {VERSION}.",
                hint="Update the program.",
            )
        files = tuple(
            ReleasedFile(str(one["path"]), f"sha256:{one['sha256']}", _whole(one["size"]))
            for one in found["files"]
        )
        pins = Pins(str(found["ontology"]), str(found["guideline"]))
        heads = tuple(map(_head, found["heads"]))
        manifest = Manifest(str(found["name"]), str(found["made"]), pins, files, heads)
    except (OSError, ValueError, KeyError, TypeError) as err:
        raise InputError(
            "The manifest of a release cannot be read, or is none.",
            hint=f"Give the folder of the release, in which {MANIFEST} lies.",
        ) from err
    if manifest.to_bytes() != canonical.encode(found):
        raise _broken("its entries")
    return manifest


def log_heads(audit_root: Path) -> tuple[Head, ...]:
    """Return where each session of a log stands: its last seal, by origin.

    Whether the log is sound is for `check.verify`; here each head is of the events before it
    and signed by its session. A session that sealed nothing yet is left out.

    Raises
    ------
    InputError
        When the log is not there.
    LogError
        When a session cannot be read, or is not what its seal says.
    """
    heads = []
    for path in session_paths(audit_root):
        try:
            lines = read_lines(path)
            head = _last_head(lines)
            misplaced = head is not None and path != audit_root / session_file(head.origin)
        except (OSError, ValueError, KeyError) as err:
            raise _unsound() from err
        if misplaced:
            raise _unsound()
        if head is not None:
            heads.append(head)
    return tuple(sorted(heads, key=lambda head: head.origin))


def files_of(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield what lies in a release and its path from there; links are not followed.

    Raises
    ------
    InputError
        When there is no such folder, or a part of it cannot be read.
    """
    if not folder.is_dir():
        raise InputError(
            "The folder of a release was expected, and there is none.",
            hint="Give the folder that was released.",
        )
    waiting = [folder]
    while waiting:
        try:
            entries = sorted(waiting.pop().iterdir())
        except OSError as err:
            raise _unread() from err
        for path in entries:
            if path.is_dir() and not path.is_symlink():
                waiting.append(path)
            else:
                yield path, path.relative_to(folder).as_posix()


def measured(path: Path, relative: str) -> ReleasedFile:
    """Return a file with its hash and size.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    try:
        return ReleasedFile(relative, f"sha256:{sha256_file(path)}", path.stat().st_size)
    except OSError as err:
        raise _unread() from err


def is_portable(relative: str) -> bool:
    """Tell whether a path can be on every computer and stays inside the folder."""
    parts = relative.split("/")
    return bool(_PATH.fullmatch(relative)) and not any(part.endswith(".") for part in parts)


def tree_root(lines: list[bytes]) -> bytes:
    """Return the RFC 6962 root over a session's lines, 32 bytes."""
    tree = Frontier()
    for line in lines:
        tree.add(leaf_hash(line))
    return tree.root()


def _last_head(held: SessionLines) -> Head | None:
    """Return the head that a session's last seal signs.

    Raises
    ------
    ValueError
        When it does not fit.
    """
    if not held.heads:
        return None
    opening = held.opening()
    size, root, signature = held.heads[-1]
    head = Head(str(opening["origin"]), size, root)
    head_of_text(head.text())  # refuses an origin of another form
    key = SealKey.from_bytes(head.origin, from_base64(opening["pub"], 32))
    if tree_root(held.lines[:size]) != root or not key.signed(head, signature):
        raise ValueError("the seal is of something else")
    return head


def _head(record: Any) -> Head:
    head = Head(str(record["origin"]), _whole(record["size"]), from_base64(record["root"], 32))
    return head_of_text(head.text())


def _whole(value: object) -> int:
    if type(value) is not int:
        raise TypeError("a whole number was expected")
    return value


def _broken(what: str) -> InputError:
    return InputError(
        f"This is no manifest as a release has it: {what} is not of its form.",
        hint="It was changed since, or made by another program.",
    )


def _unsound() -> LogError:
    return LogError(
        "A session of the log cannot be read, or is not what its seal says.",
        hint="See what is wrong with: medlabel audit verify",
    )


def _unread() -> InputError:
    return InputError(
        "A file of the release cannot be read.",
        hint="Check the permissions; the folder must not change meanwhile.",
    )
