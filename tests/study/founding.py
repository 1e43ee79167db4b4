"""The study before anybody reads: keys, site, witness, rules, people and cases; made once."""

from __future__ import annotations

import json
import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.study.accounts import (
    ANNOTATORS,
    EVERYBODY,
    MANAGER,
    REVIEWERS,
    STRANGER,
    WITNESS,
    Account,
    Begin,
    Fate,
    nobody_dies,
)
from tests.study.nursery import run_alone
from tests.study.scans import Source
from tests.study.shapes import LAYERS

GOLD = (6, 7)
"""Which cases have a known truth, by their place in the list."""
GOLD_SHARE = 0.25
"""Of what each rater begins, so much is a gold case, in a place that is drawn."""
REPEAT_DAYS, REPEAT_SHARE = 14, 0.25
"""After how many days readers get so many of their cases again."""
SITE, WITNESS_NAME = "study", "fileserver"
ROLES = {
    MANAGER: ("manager", "adjudicator", "releaser"),
    **dict.fromkeys(ANNOTATORS, ("annotator",)),
    **dict.fromkeys(REVIEWERS, ("reviewer",)),
}
ONTOLOGY = {
    "medlabel": "ontology",
    "v": 1,
    "name": "Scripted",
    "labels": [
        {"id": "liver", "value": 1, "name": "Liver", "colour": "#d65f5f"},
        {"id": "spleen", "value": 2, "name": "Spleen", "colour": "#5fd65f"},
        {"id": "lesion", "value": 7, "name": "Lesion", "colour": "#0072b2", "layer": 1},
    ],
    "questions": [
        {
            "id": "clear", "text": "Is it clear?", "level": "study", "kind": "boolean",
            "required": True,
        }
    ],
}  # fmt: skip
_CODES = {
    "liver": ("10200004", "Liver"),
    "spleen": ("78961009", "Spleen"),
    "lesion": ("52988006", "Lesion"),
}


@dataclass(frozen=True)
class Founded:
    """A study that is ready to be read.

    Parameters
    ----------
    base : Path
        Folder of the study and of everybody's computer.
    cases : tuple of str
        Names, sorted.
    officer : str
        Code of the officer's key, as she would tell it.
    letters : str
        Code of the releaser's signing key.
    readings : int
        Raters for each case.
    """

    base: Path
    cases: tuple[str, ...]
    officer: str
    letters: str = ""
    readings: int = 2

    @property
    def slots(self) -> str:
        """Letters of the study's own readings; those beyond test their readers."""
        return "ABCDEFGH"[: self.readings]

    @property
    def study(self) -> Path:
        return self.base / "study"

    @property
    def audit(self) -> Path:
        return self.study / "medlabel" / "audit"

    def people(self, fate: Fate = nobody_dies, begin: Begin = run_alone) -> dict[str, Account]:
        """Return everybody, to be killed as fate says."""
        codes = (*EVERYBODY, STRANGER, WITNESS)
        return {code: Account(code, self.base, fate, begin) for code in codes}

    def keep(self) -> Path:
        """Keep the study as it is now, for the next round."""
        kept = self.base.with_name(f"{self.base.name}-kept")
        shutil.copytree(self.base, kept, symlinks=True)
        return kept

    def restore(self, kept: Path) -> None:
        """Put back what was kept, in the same place: the log remembers where it lies."""
        shutil.rmtree(self.base / "study")
        for folder in [*self.base.glob("pc-*")]:
            shutil.rmtree(folder)
        shutil.copytree(kept, self.base, symlinks=True, dirs_exist_ok=True)


def found(
    base: Path,
    sources: list[Source],
    *,
    readings: int = 3,
    seed: int = 1,
    begin: Begin = run_alone,
) -> Founded:
    """Make a study with a site, so that its log can be green."""
    codes = (*EVERYBODY, STRANGER, WITNESS)
    accounts = {one: Account(one, base, nobody_dies, begin) for one in codes}
    study, audit = base / "study", base / "study" / "medlabel" / "audit"
    for account in accounts.values():
        _furnish(account)
    manager = accounts[MANAGER]
    said = manager.must("audit", "site", "init", SITE, "--audit", audit).out
    officer = re.search(r"officer's code (\S+)", said)
    assert officer is not None
    _trust(accounts, audit)
    (base / "ontology.json").write_text(json.dumps(_coded(ONTOLOGY)))
    manager.must(
        "project", "init", study, "--name", "Scripted", "--rater", MANAGER, "--readings",
        readings, "--ontology", base / "ontology.json", "--seed", seed,
        "--gold-share", GOLD_SHARE, "--repeat-days", REPEAT_DAYS,
    )  # fmt: skip
    _set_share(study / "medlabel" / "project.json")
    manager.must("project", "rules", study)
    manager.must("project", "rater", study, MANAGER, "--roles", *ROLES[MANAGER])
    for code in (*ANNOTATORS, *REVIEWERS):
        asked = accounts[code].medlabel("project", "rater", study, code, "--me")
        token = re.search(r"u1-[0-9a-f]{16}", asked.err)
        assert token is not None, asked.err
        manager.must(
            "project", "rater", study, code, "--user", token[0], "--roles", *ROLES[code]
        )
    for session in sorted({one.session for one in sources}):
        paths = [one.path for one in sources if one.session == session]
        more = ["--session", session] if session else []
        manager.must("project", "add", study, *paths, *more)
    cases = sorted(path.stem for path in (study / "medlabel" / "cases").glob("*.json"))
    for case in (cases[at] for at in GOLD if at < len(cases)):
        _add_truth(manager, study, case)
    return Founded(base, tuple(cases), officer[1], _sign(manager, audit), readings)


def _add_truth(manager: Account, study: Path, case: str) -> None:
    """Make a case a gold one: the study knows its true mask."""
    scan = nib.load(next(study.glob(f"sub-*/**/{case}.nii.gz")))
    paths = write_masks(manager.folder / "truth", scan, case, "truth")
    manager.must("project", "gold", study, "--add", case, "--mask", *paths)


def write_masks(
    folder: Path, scan: nib.Nifti1Image, case: str, who: str, turn: int = 1
) -> tuple[object, ...]:
    """Write what somebody draws of a case, and return the words that give it to a command.

    These are the path of the first layer's mask, and ``--layer N PATH`` of each further one.
    """
    folder.mkdir(exist_ok=True)
    words: list[object] = []
    for layer, drawn in LAYERS.items():
        path = folder / f"layer-{layer}.nii.gz"
        mask = drawn(scan.shape[:3], case, who, turn)
        nib.save(nib.Nifti1Image(mask, scan.affine), path)
        words += ["--layer", layer, path] if layer else [path]
    return tuple(words)


def _set_share(project: Path) -> None:
    """Write into the rules what no command asks for, as a manager does."""
    rules = json.loads(project.read_bytes())
    project.write_text(json.dumps({**rules, "repeat_share": REPEAT_SHARE}, indent=1))


def _furnish(account: Account) -> None:
    """Give an account its folders, and its computer a key."""
    account.state.mkdir(parents=True)
    secret = account.folder / "officer.txt"
    secret.touch(0o600)
    secret.write_text(secrets.token_urlsafe(24) + "\n")
    key = Ed25519PrivateKey.generate()
    account.key.touch(0o600)
    account.key.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )


def _sign(manager: Account, audit: Path) -> str:
    """Give the releaser a signing key that the officer has named, and return its code."""
    passphrase = ("--passphrase-file", manager.folder / "officer.txt")
    said = manager.must("sign", "key", "--audit", audit, *passphrase).out
    user, public, code = (
        re.search(rf"^{word} (\S+)", said, re.MULTILINE) for word in ("user", "pub", "code")
    )
    assert user is not None
    assert public is not None
    assert code is not None
    manager.must("audit", "site", "user", user[1], public[1], "--audit", audit)
    return code[1]


def _trust(accounts: dict[str, Account], audit: Path) -> None:
    """Let the officer trust everybody's computer, and a witness."""
    manager = accounts[MANAGER]
    for code in EVERYBODY:
        shown = accounts[code].must("audit", "key", "show", "--json", "--audit", audit).json()
        manager.must(
            "audit", "site", "trust", shown["writer"], "--code", shown["code"], "--audit", audit
        )
    witness = accounts[WITNESS]
    witness.key.unlink()
    made = witness.must(
        "audit", "witness", audit, "--name", WITNESS_NAME, "--key", witness.key, "--new-key",
        "--json",
    ).json()  # fmt: skip
    manager.must("audit", "site", "witness", WITNESS_NAME, made["pub"], "--audit", audit)


def _coded(ontology: dict[str, object]) -> dict[str, object]:
    """Return the ontology with codes, which DICOM needs."""
    labels = [
        {
            **label,
            "coding": {
                "category": _code("123037004", "Anatomical Structure"),
                "type": _code(*_CODES[label["id"]]),
            },
        }
        for label in ontology["labels"]
    ]
    return {**ontology, "labels": labels}


def _code(value: str, meaning: str) -> dict[str, str]:
    return {"scheme": "SCT", "value": value, "meaning": meaning}
