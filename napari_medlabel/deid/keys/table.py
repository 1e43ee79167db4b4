"""The link table: which random code stands for which patient, encrypted, written by one.

45 CFR 164.514(c) asks for codes that are not derived from information about the individual.
So a code is random, and only this table, which lies beside the project key, tells whose it is.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from napari_medlabel.deid.keys.links_file import (
    NONCE_BYTES,
    SALT_BYTES,
    Codec,
    Link,
    Place,
    is_bare_head,
    new_head,
    no_table,
    read_head,
)
from napari_medlabel.deid.keys.links_lock import WriterLock
from napari_medlabel.deid.keys.links_memory import compared, missing, recall, remember
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms, base32, from_base32, normalised
from napari_medlabel.errors import InputError, SaveError
from napari_medlabel.io.files import explain_os_error, write_bytes_aside

SUFFIX: Final = ".links"
_LOCK_SUFFIX: Final = ".lock"
_MODE: Final = 0o600
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_CODE_BYTES: Final = 5
_CODE_LENGTH: Final = 8
_TRIES: Final = 64
_LONGEST: Final = 2048
_SHOWN: Final = 64
_SMALL: Final = 512
_BINARY: Final = getattr(os, "O_BINARY", 0)

Random = Callable[[int], bytes]


def links_beside(key_file: Path) -> Path:
    """Return where the link table of a key file lies."""
    return key_file.with_name(key_file.name + SUFFIX)


def begin_links(path: Path, key: bytes, random_bytes: Random) -> None:
    """Make an empty table where there is none; see `begun_links`."""
    with begun_links(path, key, random_bytes):
        pass


@contextmanager
def begun_links(path: Path, key: bytes, random_bytes: Random) -> Iterator[None]:
    """Make an empty table where there is none, and keep other writers out inside.

    Parameters
    ----------
    path : Path
        Where; an empty table that lies there, of any key, is replaced. The new one goes
        when what is done inside fails.
    key : bytes
        The project key.
    random_bytes : callable
        ``count -> bytes`` from a cryptographic source.

    Raises
    ------
    SaveError
        When a table with links or anything else is there, another run writes, or the
        folder cannot be written to.
    """
    path = path.resolve()
    lock = WriterLock(_lock_of(path))
    try:
        if path.exists() and not _is_empty_table(path):
            raise SaveError(
                "A link table was to be begun, and a file with its name is there already.",
                hint="It may tell whose the codes of another key are: move it, never delete "
                "it, or choose another place for the key.",
            )
        head = new_head(Pseudonyms(key).key_id, random_bytes(SALT_BYTES))
        write_bytes_aside(path, head, mode=_MODE)
        try:
            yield
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    finally:
        lock.release()


class LinkTable:
    """Gives each patient a random code, the same one for ever; in the main process only.

    A code that was given is in the file, so that killing the process at any moment loses
    none. A table that is opened for reading, as for a dry run, knows what is in the file
    and forgets what it gives.

    Parameters
    ----------
    path : Path
        The file, made by `begin_links`.
    key : bytes
        The project key.
    random_bytes : callable
        ``count -> bytes`` from a cryptographic source, such as `secrets.token_bytes`.
    writable : bool
        Whether new codes are kept; then no other process can write.
    memory : Path, optional
        Folder where this computer remembers how far the table had come.
    sync_each : bool
        Whether `code_for` waits for the disk. Who calls `sync` before anything leaves the
        computer can do without: then only a loss of power, not a killed process, can lose
        codes that nobody has seen.
    trusting : bool
        Whether a table that is older than remembered is accepted.

    Raises
    ------
    InputError
        When it is no table, was damaged, belongs to another key, or others may read it.
    RefusedError
        When it is missing, or another one or an older one than this computer remembers.
    SaveError
        When it cannot be written to, or another process writes.
    """

    def __init__(
        self,
        path: Path,
        key: bytes,
        random_bytes: Random,
        *,
        writable: bool = True,
        memory: Path | None = None,
        sync_each: bool = True,
        trusting: bool = False,
    ) -> None:
        self._path = path.resolve()
        self._key = key
        self._kid = Pseudonyms(key).key_id
        self._random = random_bytes
        self._memory = memory
        self._sync_each = sync_each
        self._trusting = trusting
        self._lock = WriterLock(_lock_of(self._path)) if writable else None
        self._handle: int | None = None
        self._taken: set[int] = set()
        self._codes: dict[bytes, str] = {}
        try:
            self._codec, self._place = self._load()
            if writable:
                self._handle = self._opened()
        except BaseException:
            if self._lock is not None:
                self._lock.release()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __len__(self) -> int:
        """Return how many links the file has."""
        return self._place.count

    @property
    def key_id(self) -> str:
        """Eight hex digits that name the key."""
        return self._kid

    def known(self, issuer: str, patient_id: str) -> str | None:
        """Return the code of a patient who has one."""
        return self._codes.get(_digest(*_kept(issuer, patient_id)))

    def code_for(self, issuer: str, patient_id: str) -> str:
        """Return the code ``P-XXXXXXXX`` of a patient, a new random one the first time.

        Parameters
        ----------
        issuer, patient_id : str
            As `patient_of.patient_in` or `dicom.patient_of` returns them.

        Raises
        ------
        SaveError
            When a new link cannot be written. Then the patient has no code.
        """
        who = _kept(issuer, patient_id)
        digest = _digest(*who)
        code = self._codes.get(digest)
        if code is not None:
            return code
        code = self._fresh()
        if self._handle is not None:
            self._append(self._handle, Link(*who, code))
        self._take(digest, Link(*who, code))
        return code

    def add(self, link: Link) -> None:
        """Keep a link that another table gave, such as one for a code that is not current.

        Raises
        ------
        SaveError
            When it cannot be written, or the table was opened for reading.
        """
        if self._handle is None:
            raise SaveError(
                "The link table was opened for reading only.", hint="Open it for writing."
            )
        self._append(self._handle, link)
        self._take(_digest(link.issuer, link.patient_id), link)

    def links(self) -> Iterator[Link]:
        """Yield every link in the file, in the order in which they were given."""
        with self._path.open("rb") as stream:
            codec = read_head(stream, self._kid, self._key)
            yield from (link for link, _ in codec.records(stream))

    def sync(self) -> None:
        """Return when all links are on the disk itself.

        Raises
        ------
        SaveError
            When the disk refuses.
        """
        if self._handle is not None:
            try:
                os.fsync(self._handle)
            except OSError as err:
                raise explain_os_error(err) from err

    def close(self) -> None:
        """Bring all to the disk, remember how far the table has come, and let others write."""
        handle, lock = self._handle, self._lock
        if handle is None or lock is None:
            return
        try:
            self.sync()
            remember(self._memory, self._kid, self._codec.salt, self._place)
        finally:
            self._handle = self._lock = None
            os.close(handle)
            lock.release()

    def _load(self) -> tuple[Codec, Place]:
        seen = None if self._trusting else recall(self._memory, self._kid)
        _check_mode(self._path)
        try:
            with self._path.open("rb") as stream:
                codec = read_head(stream, self._kid, self._key)
                place = codec.start()
                for link, after in compared(codec.records(stream), codec, seen):
                    self._take(_digest(link.issuer, link.patient_id), link)
                    place = after
        except OSError as err:
            raise _unread(err) from err
        return codec, place

    def _opened(self) -> int:
        """Open the file for appending, without what a killed process did not finish."""
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_APPEND | _BINARY)
            if os.fstat(handle).st_size > self._place.offset:
                os.ftruncate(handle, self._place.offset)
                os.fsync(handle)
        except OSError as err:
            raise explain_os_error(err) from err
        return handle

    def _fresh(self) -> str:
        for _ in range(_TRIES):
            number = int.from_bytes(self._random(_CODE_BYTES), "big")
            if number not in self._taken:
                return "P-" + base32(number, _CODE_LENGTH)
        raise SaveError(
            f"{_TRIES} random codes in a row were taken already.",
            hint="The computer's source of random numbers is broken.",
        )

    def _append(self, handle: int, link: Link) -> None:
        record, after = self._codec.seal(link, self._random(NONCE_BYTES), self._place)
        try:
            if self._changed(handle):
                raise SaveError(
                    "The link table was changed by another program while this one wrote.",
                    hint="Let one program at a time use a key; look for a second computer or "
                    "a program that synchronizes the folder.",
                )
            _write_all(handle, record)
            if self._sync_each:
                os.fsync(handle)
        except OSError as err:
            with suppress(OSError):  # the half record is no link, and is cut off next time
                os.ftruncate(handle, self._place.offset)
            raise explain_os_error(err) from err
        self._place = after

    def _changed(self, handle: int) -> bool:
        """Whether the file is another one by now, or has another length."""
        ours, named = os.fstat(handle), self._path.stat()
        return ours.st_size != self._place.offset or not os.path.samestat(ours, named)

    def _take(self, digest: bytes, link: Link) -> None:
        if link.is_current:
            self._codes.setdefault(digest, link.code)
        self._taken.add(from_base32(link.code.removeprefix("P-")))
        # What earlier exports may carry for this patient is nobody else's either.
        keyed = Pseudonyms(self._key).patient_code(link.issuer, link.patient_id)
        self._taken.add(from_base32(keyed.removeprefix("P-")))


def _lock_of(path: Path) -> Path:
    return path.with_name(path.name + _LOCK_SUFFIX)


def _is_empty_table(path: Path) -> bool:
    """Whether a file is a table without links: then nothing is lost with it."""
    try:
        return is_bare_head(path.read_bytes() if path.stat().st_size <= _SMALL else b"")
    except OSError as err:
        raise _unread(err) from err


def _check_mode(path: Path, *, posix: bool = os.name == "posix") -> None:
    """Refuse a table that others may read or write; a missing one has its own words."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as err:
        raise missing() from err
    except OSError as err:
        raise _unread(err) from err
    if not stat.S_ISREG(mode):
        raise no_table()
    if posix and mode & _OTHERS:
        raise InputError(
            f"The link table must be for its owner alone (mode 600), its mode is "
            f"{stat.S_IMODE(mode):o}.",
            hint="Run chmod 600 on it, and find out who could change it.",
        )


def _unread(err: OSError) -> InputError:
    return InputError(
        f"The link table could not be read ({err.strerror}).",
        hint="Check the permissions of the file and its folder.",
    )


def _kept(issuer: str, patient_id: str) -> tuple[str, str]:
    """Return an identity as it is kept: normalised, and of a length that a number can have."""
    return _shortened(normalised(issuer)), _shortened(normalised(patient_id))


def _shortened(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{text[:_SHOWN]}... sha256:{digest}"


def _digest(issuer: str, patient_id: str) -> bytes:
    """Return a short name of an identity, as an index; the length keeps the parts apart."""
    text = f"{len(issuer)}:{issuer}{patient_id}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=16).digest()


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]
