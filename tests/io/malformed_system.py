"""What is no scan but lies where one is looked for: pipes, links, folders, archives."""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path

from tests.io.malformed import Case, probes
from tests.io.malformed_dicom import AFFINE, datasets, encoded, written
from tests.io.malformed_files import nifti

NAMES_OF_BYTES = os.name == "posix"


def _slices() -> list[bytes]:
    return [encoded(ds) for ds in datasets()]


def _pipe(folder: Path) -> Path:
    os.mkfifo(folder / "scan.nii")
    return folder / "scan.nii"


def _pipe_inside(folder: Path) -> Path:
    os.mkfifo(folder / "900.dcm")
    return written(folder, _slices())


def _device(_folder: Path) -> Path:
    return Path("/dev/zero")


def _link_to_device(folder: Path) -> Path:
    (folder / "900.dcm").symlink_to("/dev/zero")
    return written(folder, _slices())


def _dangling(folder: Path) -> Path:
    (folder / "scan.nii").symlink_to(folder / "gone.nii")
    return folder / "scan.nii"


def _dangling_inside(folder: Path) -> Path:
    (folder / "900.dcm").symlink_to(folder / "gone.dcm")
    return written(folder, _slices())


def _circle(folder: Path) -> Path:
    (folder / "again").symlink_to(folder, target_is_directory=True)
    return written(folder, _slices())


def _link_to_itself(folder: Path) -> Path:
    (folder / "scan.dcm").symlink_to(folder / "scan.dcm")
    return folder / "scan.dcm"


def _folder_called_nii(folder: Path) -> Path:
    (folder / "scan.nii").mkdir()
    return folder / "scan.nii"


def _empty(folder: Path) -> Path:
    return folder


def _gone(folder: Path) -> Path:
    return folder / "gone"


def _bytes_name(folder: Path) -> Path:
    (Path(os.fsdecode(os.fsencode(folder) + b"/\xff\xfe.dcm"))).write_bytes(_slices()[0])
    return written(folder, _slices()[1:])


def _long_name(folder: Path) -> Path:
    return folder / ("x" * 5000)


def _forbidden(folder: Path) -> Path:
    written(folder, _slices())
    for path in folder.iterdir():
        path.chmod(0)
    return folder


def _forbidden_folder(folder: Path) -> Path:
    (folder / "inner").mkdir()
    written(folder / "inner", _slices())
    (folder / "inner").chmod(stat.S_IWUSR)
    return folder


def zipped(members: Sequence[tuple[str, bytes]]) -> bytes:
    """Return an archive with some members, the same bytes each time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _archive(folder: Path, content: bytes) -> Path:
    (folder / "scan.zip").write_bytes(content)
    return folder / "scan.zip"


def _zip_bomb(folder: Path) -> Path:
    zeros = bytes(128) + b"DICM" + bytes(64 << 20)
    path = folder / "scan.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number in range(4):
            archive.writestr(f"{number}.dcm", zeros)
    return path


def _zip_slip(folder: Path) -> Path:
    inner = folder / "inner"
    inner.mkdir()
    return _archive(inner, zipped([("../slipped.dcm", _slices()[0])]))


def _zip_cut(folder: Path) -> Path:
    data = zipped([(f"{k}.dcm", one) for k, one in enumerate(_slices())])
    return _archive(folder, data[: len(data) // 2])


def _zip_lies(folder: Path) -> Path:
    """Write an archive whose directory claims that a member is small."""
    data = bytearray(zipped([("a.nii", bytes(nifti()))]))
    at = data.index(b"PK\1\2")
    struct.pack_into("<I", data, at + 24, 10)
    return _archive(folder, bytes(data))


def _zip_locked(folder: Path) -> Path:
    data = bytearray(zipped([("a.nii", bytes(nifti()))]))
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = data.index(mark) + offset
        data[at] |= 1
    return _archive(folder, bytes(data))


def _zip_in_zip(folder: Path) -> Path:
    inner = zipped([("a.nii", bytes(nifti()))])
    for _ in range(20):
        inner = zipped([("deeper.zip", inner)])
    return _archive(folder, inner)


def _no_zip(folder: Path) -> Path:
    return _archive(folder, b"PK\3\4 and then nothing")


def cases() -> list[Case]:
    """Return the cases about files that are no files; fewer where the system has none."""
    whole = probes(AFFINE, range(5))
    found = [
        Case("a folder called .nii", "refused", _folder_called_nii),
        Case("an empty folder", "refused", _empty, "empty|No image"),
        Case("a path that does not exist", "refused", _gone, "does not exist"),
        Case("a name of 5000 letters", "refused", _long_name),
        Case("an archive that unpacks to a quarter of a gigabyte", "refused", _zip_bomb),
        Case("an archive that writes beside itself", "careful", _zip_slip),
        Case("an archive cut in half", "refused", _zip_cut),
        Case("an archive that lies about a size", "careful", _zip_lies),
        Case("an archive with a password", "refused", _zip_locked),
        Case("archives in archives", "refused", _zip_in_zip),
        Case("an archive that is none", "refused", _no_zip),
    ]
    if NAMES_OF_BYTES:
        found += [
            Case("a pipe", "refused", _pipe),
            Case("a pipe among slices", "read", _pipe_inside, "", whole),
            Case("a device", "refused", _device),
            Case("a link to a device among slices", "read", _link_to_device, "", whole),
            Case("a link to nothing", "refused", _dangling),
            Case("a link to nothing among slices", "read", _dangling_inside, "", whole),
            Case("a link to itself", "refused", _link_to_itself),
            Case("a folder that holds itself", "read", _circle, "", whole),
            Case("a name that is no text", "read", _bytes_name, "", whole),
        ]
        if os.geteuid() != 0:  # to root nothing is forbidden
            found += [
                Case("slices that may not be read", "refused", _forbidden),
                Case("a folder that may not be read", "refused", _forbidden_folder),
            ]
    return found
