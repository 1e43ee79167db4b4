"""The evidence bundle: the log byte for byte, whatever vouches for it, and a verifier.

Whoever receives it needs neither this program nor its makers: README.txt says in plain words
what is there, ``verify.py`` checks it, and every file's SHA-256 stands in a manifest.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

from napari_medlabel import __version__
from napari_medlabel.audit.check.verdict import LogReport
from napari_medlabel.audit.exports.bag import Bag
from napari_medlabel.audit.format.layout import (
    CODES,
    HEADS,
    SIGNATURES,
    SITE,
    SITE_HISTORY,
    WITNESS,
    WRITERS,
)
from napari_medlabel.audit.format.record import time_text
from napari_medlabel.audit.format.seal import to_base64
from napari_medlabel.audit.keys.install import read_introduction
from napari_medlabel.audit.keys.signatures import fingerprint
from napari_medlabel.audit.keys.site import read_site
from napari_medlabel.errors import InputError

VERIFIER: Final = "verify.py"
"""Name of the verifier, here and in the bundle."""

_TAKEN: Final = (
    SITE,
    f"{SITE_HISTORY}/*.json",
    f"{WRITERS}/**/*.jsonl",
    f"{WRITERS}/*/install.json",
    f"{HEADS}/*/*.note",
    f"{WITNESS}/*/*/*.note",
    f"{CODES}/*",
    f"{SIGNATURES}/*.json",
)
_README: Final = """\
EVIDENCE FROM AN AUDIT LOG
==========================

What this is
    A copy of an audit log, made by napari-medlabel {version} on {made}.
    The log says who did what with medical images, and when. It holds no names of patients and
    no Patient IDs: tokens such as s1-3b0c... stand for patients, u1-9f86... for users.

What the program found when it packed the log
{found}

Check it yourself
    1. Install Python 3.11 or newer from python.org, then: python -m pip install cryptography
    2. In this folder: python verify.py
    It says GREEN (complete and unaltered), AMBER (something is not sure) or RED (altered, or
    parts are missing), and names each finding. verify.py has fewer than 200 lines and uses
    nothing of napari-medlabel, so that somebody else can read it before running it. If you do
    not trust the copy here, have it written anew: docs/reference of the project describes
    every line of the format.

    Compare with what lies outside this parcel, or whoever packed it could have changed it:
    - a code on paper that somebody filed:   python verify.py --expect "K7QF-2M9D-..."
    - the officer's key, by its short code:  python verify.py --officer XXXX-XXXX
      (the officer reads it to you; public-keys.txt shows what the parcel says)

What is in it
    data/log/writers/       the log: one file for each session, one line for each event
    data/log/site.json      whom the officer trusts, signed; site/ has every earlier version
    data/log/heads/         how far each session had come, as it was published
    data/log/witness/       the same, signed by independent witnesses
    data/log/codes/         what the codes on paper stand for
    data/log/signatures/    what people signed: name, time, meaning
    data/public-keys.txt    every public key named in the log
    data/verdict.json       what the program found when it packed the log
{page}    bagit.txt, bag-info.txt, manifest-sha256.txt, tagmanifest-sha256.txt
                            a bag after RFC 8493: lists the SHA-256 of every file

What is not in it
    Images and masks, private keys, the key of the tokens, and free text of reasons (that can
    be erased, so it is kept apart).

What this cannot prove
    That nothing happened outside the program; who sat at an unlocked computer; and anything
    at all if everybody who remembers the log worked together to change it.
"""
_INDENT: Final = "    "
_PAGE: Final = "    data/report.html        the report: open it in a browser\n"


@dataclass(frozen=True, slots=True)
class Packing:
    """What goes into a bundle beside the log.

    Parameters
    ----------
    made_ms : int
        Now, milliseconds since 1970.
    page : bytes
        The officer's page, or empty.
    """

    made_ms: int
    page: bytes = b""


def log_files(root: Path) -> Iterator[Path]:
    """Yield the files of a log that go into a bundle, by name; links are passed over.

    Parameters
    ----------
    root : Path
        Folder of the log.
    """
    found = {path for pattern in _TAKEN for path in root.glob(pattern)}
    for path in sorted(found):
        if path.is_file() and not path.is_symlink():
            yield path


def verifier() -> bytes:
    """Return the bytes of ``verify.py``."""
    return resources.files(__package__).joinpath(VERIFIER).read_bytes()


def _keys(root: Path) -> bytes:
    """Return the public keys that the site and the workstations name, as lines to be read."""
    lines = [f"{'kind':<16}{'name':<34}{'public key (Ed25519, base64)':<46}letters of the key"]
    for kind, name, public in _named_keys(root):
        shown = f"{to_base64(public):<46}{fingerprint(public)}"
        lines.append(f"{kind:<16}{name:<34}{shown}")
    return ("\n".join(lines) + "\n").encode()


def _named_keys(root: Path) -> Iterator[tuple[str, str, bytes]]:
    try:
        signed = read_site(root)
    except InputError:
        signed = None  # the verdict says what is wrong with it; its bytes are in the parcel
    if signed is not None:
        site = signed.site
        yield from (("officer", site.name, one.public) for one in site.officers)
        yield from (("witness", one.name, one.public) for one in site.witnesses)
        yield from (("workstation", one.writer, one.public) for one in site.installs)
        yield from (("user", one.user, one.public) for one in site.users)
    for path in sorted(root.glob(f"{WRITERS}/*/install.json")):
        try:
            shown = read_introduction(root, path.parent.name)
        except InputError:
            continue  # damaged: its bytes are in the parcel, and nobody trusts it
        if shown is not None:
            yield "asks for trust", shown.writer, shown.public


def _verdict(report: LogReport) -> bytes:
    said = {
        "events": report.events,
        "findings": [finding.record() for finding in report.findings],
        "sentence": report.sentence,
        "sessions": len(report.sessions),
        "verdict": report.verdict.value,
    }
    return json.dumps(said, indent=2, sort_keys=True).encode() + b"\n"


def fill_bundle(bag: Bag, root: Path, report: LogReport, packing: Packing) -> str:
    """Put a log, and what is needed to judge it, into a bag.

    Parameters
    ----------
    bag : Bag
        Empty.
    root : Path
        Folder of the log.
    report : LogReport
        What the program itself found.
    packing : Packing
        The rest.

    Returns
    -------
    str
        ``sha256:`` and the digest that stands for every byte of the bundle.
    """
    for path in log_files(root):
        bag.copy(f"log/{path.relative_to(root).as_posix()}", path)
    bag.add("public-keys.txt", _keys(root))
    bag.add("verdict.json", _verdict(report))
    if packing.page:
        bag.add("report.html", packing.page)
    made = time_text(packing.made_ms)
    readme = _README.format(
        version=__version__,
        made=f"{made[:10]} {made[11:16]} UTC",
        found=textwrap.fill(
            f"{report.verdict.upper()}. {report.sentence}",
            92,
            initial_indent=_INDENT,
            subsequent_indent=_INDENT,
        ),
        page=_PAGE if packing.page else "",
    )
    bag.tag("README.txt", readme.encode())
    bag.tag(VERIFIER, verifier())
    facts = {
        "Bagging-Date": made[:10],
        "Bag-Software-Agent": f"napari-medlabel {__version__}",
        "External-Description": "Audit log with all that vouches for it",
    }
    return f"sha256:{bag.close(facts)}"
