"""Whether a release is what its manifest says: files, signature, and the log it came from."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from napari_medlabel.audit.anchors.pruned import is_pruned
from napari_medlabel.audit.anchors.session_lines import read_lines
from napari_medlabel.audit.format.layout import session_file
from napari_medlabel.audit.format.seal import Head
from napari_medlabel.audit.keys.people import parse_statement
from napari_medlabel.audit.keys.signatures import fingerprint
from napari_medlabel.errors import InputError
from napari_medlabel.project.checks.finding import Finding, in_order, place
from napari_medlabel.project.release.manifest import (
    MANIFEST,
    SIGNATURE,
    UNLISTED,
    Manifest,
    ReleasedFile,
    files_of,
    measured,
    read_manifest,
    tree_root,
)


def check_manifest(
    folder: Path,
    *,
    audit_root: Path | None = None,
    trusted: Collection[bytes] = (),
    pruned: Collection[Head] = (),
) -> tuple[Finding, ...]:
    """Compare a release with its manifest.

    Parameters
    ----------
    folder : Path
        Of the release.
    audit_root : Path, optional
        Folder of the study's log; without it the heads are not compared.
    trusted : collection of bytes
        Public keys (32 bytes) of those who may release; empty where nobody told them.
    pruned : collection of Head
        Ends of sessions that an officer had deleted because their time was over.

    Returns
    -------
    tuple of Finding
        Errors first; empty when everything fits and a trusted key signed. Rules: ``missing``,
        ``changed``, ``extra``, ``renamed``, ``link``, ``empty`` (files); ``unsigned``,
        ``signature``, ``stranger``, ``unknown key`` (who made it); ``log missing``,
        ``log cut``, ``log another`` (the log).

    Raises
    ------
    InputError
        When the manifest or a file cannot be read.
    """
    manifest = read_manifest(folder)
    findings = [*_files(folder, manifest), *_signature(folder, manifest, trusted)]
    if audit_root is not None:
        for head in manifest.heads:
            findings += _log(audit_root, head, pruned)
    return in_order(findings)


def _files(folder: Path, manifest: Manifest) -> Iterator[Finding]:
    listed = {one.path: one for one in manifest.files}
    number = {path: index for index, path in enumerate(listed, start=1)}
    there: dict[str, ReleasedFile] = {}
    for path, relative in files_of(folder):
        if path.is_symlink() or not path.is_file():
            words = "A link lies here, or something else that is no file."
            yield Finding("error", "link", place(relative), words)
        elif relative not in UNLISTED:
            there[relative] = measured(path, relative)
    for same in sorted(listed.keys() & there.keys()):
        if listed[same] != there[same]:
            words = f"It was changed since the release was made: file {number[same]} of it."
            yield Finding("error", "changed", place(same), words)
    missing = [listed[path] for path in sorted(listed.keys() - there.keys())]
    extra = [there[path] for path in sorted(there.keys() - listed.keys())]
    for old, new in _renamed(missing, extra):
        missing.remove(old)
        extra.remove(new)
        words = f"File {number[old.path]} of the manifest has another name or place."
        yield Finding("error", "renamed", place(new.path), words)
    for one in missing:
        words = f"File {number[one.path]} of the manifest is missing."
        yield Finding("error", "missing", place(one.path), words)
    yield from _empty(folder, listed)
    for index, one in enumerate(extra, start=1):
        words = f"The manifest does not name this file ({index} of {len(extra)} such)."
        yield Finding("error", "extra", place(one.path), words)


def _empty(folder: Path, listed: Collection[str]) -> Iterator[Finding]:
    """Yield folders without anything in them: a manifest names files alone."""
    for above, folders, names in os.walk(folder):
        if folders or names or Path(above) == folder:
            continue
        relative = Path(above).relative_to(folder).as_posix()
        if not any(path.startswith(f"{relative}/") for path in listed):
            words = "An empty folder lies here, which no release has: somebody added it."
            yield Finding("warning", "empty", place(relative), words)


def _renamed(
    missing: Sequence[ReleasedFile], extra: Sequence[ReleasedFile]
) -> list[tuple[ReleasedFile, ReleasedFile]]:
    """Return pairs of one content, each file in one pair at most; empty files in none."""
    waiting: dict[tuple[str, int], list[ReleasedFile]] = {}
    for one in missing:
        if one.size:
            waiting.setdefault((one.digest, one.size), []).append(one)
    pairs = []
    for one in extra:
        alike = waiting.get((one.digest, one.size))
        if alike:
            pairs.append((alike.pop(0), one))
    return pairs


def _signature(
    folder: Path, manifest: Manifest, trusted: Collection[bytes]
) -> Iterator[Finding]:
    path = folder / SIGNATURE
    if not path.is_file():
        words = "Nobody signed it: nothing proves who made this release."
        yield Finding("warning", "unsigned", MANIFEST, words)
        return
    try:
        signed = parse_statement(path.read_bytes())
    except (InputError, OSError):
        words = "The signature cannot be read, or does not hold."
        yield Finding("error", "signature", MANIFEST, words)
        return
    if signed.said.content != manifest.digest:
        words = "The signature is over another manifest."
        yield Finding("error", "signature", MANIFEST, words)
        return
    letters = fingerprint(signed.public)
    if not trusted:
        words = (
            f"The signature holds, and nobody has said whose key it is: {letters}. Let its "
            "owner read the letters to you, in person or by telephone, and give them with "
            "--trust."
        )
        yield Finding("warning", "unknown key", MANIFEST, words)
    elif signed.public not in trusted:
        words = f"Somebody signed it who may not release: the key is {letters}."
        yield Finding("error", "stranger", MANIFEST, words)


def _log(root: Path, head: Head, pruned: Collection[Head]) -> Iterator[Finding]:
    where = f"session {head.origin.rpartition('/')[2]}"
    try:
        lines = read_lines(root / session_file(head.origin)).lines
    except FileNotFoundError:
        if not is_pruned(head, pruned):
            words = f"A session of {head.size} events is missing in the log."
            yield Finding("error", "log missing", where, words)
        return
    except OSError as err:
        raise InputError(
            f"A session file of the log cannot be read ({type(err).__name__}).",
            hint="Run it as the user who may read the log.",
        ) from err
    except ValueError:
        words = "The session's file does not consist of events and seals."
        yield Finding("error", "log another", where, words)
        return
    if len(lines) < head.size:
        words = f"The release knows {head.size} events, and {len(lines)} are there."
        yield Finding("error", "log cut", where, words)
    elif tree_root(lines[: head.size]) != head.root:
        words = f"Its first {head.size} events are others than the release knows."
        yield Finding("error", "log another", where, words)
