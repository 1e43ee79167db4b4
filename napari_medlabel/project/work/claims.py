"""Claims: who works on a slot now, as a file that only one process can make.

A claim is courtesy with an expiry, not the truth: the log is. Making the file fails where it
exists (O_EXCL), which local disks, NFS since version 3 and SMB keep; clients that synchronise a
folder do not, so their conflicted copies are looked for and named, see `copies`.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from napari_medlabel.errors import InputError, RefusedError, SaveError
from napari_medlabel.io.files import make_folder, sync_file, sync_folder, write_bytes_aside
from napari_medlabel.project.layout import CaseId, Layout, require_rater

_TRIES: Final = 5
_PAUSE_S: Final = 0.02
_FORSAKEN_S: Final = 300.0
_SLOT: Final = re.compile(r"[A-H]|review|consensus")


@dataclass(frozen=True)
class Claim:
    """Who works on a slot.

    Parameters
    ----------
    case : str
        The case.
    slot : str
        ``A`` to ``H``, ``review`` or ``consensus``.
    rater : str
        Code of who works on it.
    host : str
        Token of the workstation; no name of it.
    process : int
        Number of the process.
    since, alive : str
        ISO 8601 in UTC: when it was made, and the last sign of life.
    """

    case: str
    slot: str
    rater: str
    host: str
    process: int
    since: str
    alive: str

    def is_expired(self, now: datetime, hours: float) -> bool:
        """Tell whether it has given no sign of life for so long."""
        return now - datetime.fromisoformat(self.alive) > timedelta(hours=hours)

    def to_bytes(self) -> bytes:
        """Return the file's content."""
        return (json.dumps({"v": 1, **asdict(self)}, sort_keys=True) + "\n").encode()


@dataclass(frozen=True)
class Claimant:
    """Who claims.

    Parameters
    ----------
    rater : str
        Code.
    host : str
        Token of the workstation.
    process : int
        Number of the process.
    """

    rater: str
    host: str
    process: int

    def __post_init__(self) -> None:
        require_rater(self.rater)


def claim(layout: Layout, case: CaseId, slot: str, who: Claimant, now: datetime) -> Claim:
    """Claim a slot; claiming what one has already is a sign of life.

    Raises
    ------
    RefusedError
        When somebody else has it.
    InputError
        When there is no such slot, or the claim that is there cannot be read.
    SaveError
        When the file cannot be written.
    """
    path = _path(layout, case, slot)
    at = _time(now)
    made = Claim(str(case), slot, who.rater, who.host, who.process, at, at)
    make_folder(path.parent)
    if _create(path, made.to_bytes()):
        return made
    held = read_claim(layout, case, slot)
    if held is None:  # given back in between: once more, and then it is taken
        if _create(path, made.to_bytes()):
            return made
        held = read_claim(layout, case, slot)
    if held is not None and (held.rater, held.host) == (who.rater, who.host):
        return keep(layout, held, who, now)
    raise RefusedError(
        "Somebody else is at work on this reading.",
        hint="Choose another case, or wait: without a sign of life it can be taken over.",
    )


def keep(layout: Layout, held: Claim, who: Claimant, now: datetime) -> Claim:
    """Give a sign of life; only its holder writes a claim.

    Raises
    ------
    SaveError
        When the file cannot be written.
    """
    kept = replace(held, alive=_time(now), process=who.process)
    write_bytes_aside(_path(layout, CaseId.parse(held.case), held.slot), kept.to_bytes())
    return kept


def take_over(
    layout: Layout, case: CaseId, slot: str, who: Claimant, now: datetime, *, hours: float
) -> tuple[Claim, Claim | None]:
    """Take a slot from somebody who gave no sign of life; the caller tells the log.

    Returns
    -------
    claim : Claim
        The new one.
    before : Claim or None
        The one that was taken over, None when there was none.

    Raises
    ------
    RefusedError
        When its holder was alive not long ago.
    """
    path = _path(layout, case, slot)
    make_folder(path.parent)
    lock = path.with_suffix(".taking")
    # Of two who take over at once one makes this file; the other would undo a fresh claim.
    if not (_create(lock, b"") or (_is_forsaken(lock) and _create(lock, b""))):
        raise RefusedError(
            "Somebody else is just taking this reading over.",
            hint="Choose another case, or try again in some minutes.",
        )
    try:
        held = read_claim(layout, case, slot)
        if held is None:
            return claim(layout, case, slot, who, now), None
        if not held.is_expired(now, hours):
            raise RefusedError(
                "This reading is claimed, and its holder gave a sign of life not long ago.",
                hint=f"It can be taken over after {hours:g} hours without one; or ask them.",
            )
        at = _time(now)
        made = Claim(str(case), slot, who.rater, who.host, who.process, at, at)
        write_bytes_aside(path, made.to_bytes())
    finally:
        lock.unlink(missing_ok=True)
    return made, held


def _is_forsaken(lock: Path) -> bool:
    """Remove the file of a taking over whose process was killed: it takes no minutes."""
    try:
        if time.time() - lock.stat().st_mtime < _FORSAKEN_S:
            return False
        lock.unlink()
    except FileNotFoundError:
        pass  # it came to its end just now
    return True


def give_back(layout: Layout, case: CaseId, slot: str, who: Claimant) -> bool:
    """Give a slot back; return whether it was held by this rater on this workstation."""
    held = read_claim(layout, case, slot)
    if held is None or (held.rater, held.host) != (who.rater, who.host):
        return False
    path = _path(layout, case, slot)
    path.unlink(missing_ok=True)
    sync_folder(path.parent)
    return True


def read_claim(layout: Layout, case: CaseId, slot: str) -> Claim | None:
    """Return who has a slot, None when nobody.

    Raises
    ------
    InputError
        When the file is there and is no claim.
    """
    path = _path(layout, case, slot)
    for patience in range(_TRIES, -1, -1):
        try:
            return _parse(path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as err:
            if not patience:
                raise InputError(
                    f"The claim of {case}, slot {slot}, cannot be read.",
                    hint="Claims are disposable: delete the file when nobody is at work on it.",
                ) from err
            time.sleep(_PAUSE_S)  # its maker may be between making and writing it
    return None


def holder(layout: Layout, case: CaseId, slot: str) -> Claim | None:
    """Return who has a slot, for lists; a claim that cannot be read is held by nobody known.

    Its rater is ``?`` then, and it never expires: only a person may delete it.
    """
    try:
        return read_claim(layout, case, slot)
    except InputError:
        return Claim(str(case), slot, "?", "", 0, "", "9999-12-31T23:59:59+00:00")


def _parse(raw: bytes) -> Claim:
    data: dict[str, Any] = json.loads(raw)
    data.pop("v")
    found = Claim(**data)
    datetime.fromisoformat(found.alive)
    return found


def _path(layout: Layout, case: CaseId, slot: str) -> Path:
    if not _SLOT.fullmatch(slot):
        raise InputError(
            "A slot is a letter from A to H, review or consensus.",
            hint="See the slots in the list, or with: medlabel project status STUDY",
        )
    return layout.claim(case, slot)


def _time(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="seconds")


def _create(path: Path, data: bytes) -> bool:
    """Make a file that is not there yet; return whether it was this process that made it.

    It gets its name with its content where the file system has hard links: a process that is
    killed leaves no empty claim. Elsewhere it is made empty first.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    try:
        try:
            _write_new(aside, data)
            os.link(aside, path)
        except FileExistsError:
            return False
        except (OSError, AttributeError):  # no hard links here
            _write_new(path, data)
        finally:
            aside.unlink(missing_ok=True)
    except FileExistsError:
        return False
    except OSError as err:
        raise SaveError(
            "A claim cannot be written into the study's folder.",
            hint="Check that the share is there and that you may write to medlabel/claims.",
        ) from err
    sync_folder(path.parent)
    return True


def _write_new(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
    sync_file(path)
