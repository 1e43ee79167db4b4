"""A bag (BagIt 1.0, RFC 8493): a folder or zip file that lists the SHA-256 of all it holds."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final, Protocol

MANIFEST: Final = "manifest-sha256.txt"
TAG_MANIFEST: Final = "tagmanifest-sha256.txt"
_CHUNK: Final = 1 << 20
_DECLARED: Final = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


class Place(Protocol):
    """Where the files of a bag go."""

    def open(self, name: str) -> BinaryIO:
        """Return a stream to write one file to."""
        ...


class FolderPlace:
    """A folder.

    Parameters
    ----------
    folder : Path
        Empty, or to be made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, name: str) -> BinaryIO:
        """Return a stream to write one file to."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("xb")


class ZipPlace:
    """A zip file that holds one folder.

    Parameters
    ----------
    archive : ZipFile
        Open for writing.
    base : str
        Name of the folder in it.
    made_ms : int
        Time of every file in it, milliseconds since 1970.
    """

    def __init__(self, archive: zipfile.ZipFile, base: str, made_ms: int) -> None:
        self._archive = archive
        self._base = base
        moment = datetime.fromtimestamp(max(made_ms, 0) // 1000, UTC)
        self._time = (max(moment.year, 1980), *moment.timetuple()[1:6])

    def open(self, name: str) -> BinaryIO:
        """Return a stream to write one file to."""
        info = zipfile.ZipInfo(f"{self._base}/{name}", self._time)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o100644 << 16
        return self._archive.open(info, "w", force_zip64=True)  # type: ignore[return-value]


class Bag:
    """A bag that is being filled.

    Parameters
    ----------
    place : Place
        Where its files go.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._payload: dict[str, str] = {}
        self._tags: dict[str, str] = {}
        self._bytes = 0

    def copy(self, name: str, source: Path) -> None:
        """Add a file of the payload, byte for byte."""
        with source.open("rb") as stream:
            self._payload[f"data/{name}"] = self._write(f"data/{name}", _chunks(stream))

    def add(self, name: str, data: bytes) -> None:
        """Add a file of the payload."""
        self._payload[f"data/{name}"] = self._write(f"data/{name}", iter((data,)))

    def tag(self, name: str, data: bytes) -> str:
        """Add a file beside the payload, and return its SHA-256."""
        before = self._bytes
        self._tags[name] = self._write(name, iter((data,)))
        self._bytes = before
        return self._tags[name]

    def close(self, facts: Mapping[str, str]) -> str:
        """Write what declares the bag and lists its files.

        Parameters
        ----------
        facts : mapping of str to str
            For ``bag-info.txt``.

        Returns
        -------
        str
            SHA-256 of the list of lists, in hex: it stands for every byte of the bag.
        """
        said = {**facts, "Payload-Oxum": f"{self._bytes}.{len(self._payload)}"}
        self.tag("bagit.txt", _DECLARED)
        self.tag("bag-info.txt", "".join(f"{k}: {v}\n" for k, v in said.items()).encode())
        self.tag(MANIFEST, _listed(self._payload))
        tags = dict(self._tags)
        return self.tag(TAG_MANIFEST, _listed(tags))

    def _write(self, name: str, chunks: Iterator[bytes]) -> str:
        digest = sha256()
        with self._place.open(name) as stream:
            for chunk in chunks:
                digest.update(chunk)
                self._bytes += len(chunk)
                stream.write(chunk)
        return digest.hexdigest()


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: stream.read(_CHUNK), b"")


def _listed(files: Mapping[str, str]) -> bytes:
    """Return a manifest; names are written as RFC 8493 section 2.1.3 asks."""
    return "".join(f"{files[name]}  {_name(name)}\n" for name in sorted(files)).encode()


def _name(name: str) -> str:
    return name.replace("%", "%25").replace("\n", "%0A").replace("\r", "%0D")
