"""Changing a version behind the study's back: a file of it, and its sidecar made to fit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_medlabel.io.files import sha256_file
from napari_medlabel.project.cases.version import SIDECAR, Version
from napari_medlabel.project.layout import Layout
from tests.session.study.small_study import SmallStudy


def change(study: SmallStudy, version: Version, kind: str, *, fits: bool = True) -> None:
    """Put a byte after a version's file that no reader minds; the sidecar fits it, or not."""
    path, sidecar = _files(study.layout, version, kind)
    before = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(before + (b" " if kind.endswith(".json") else b"\0"))
    if fits:
        told = version.files[study.layout.relative(path)].encode()
        sidecar.chmod(0o644)
        found = f"sha256:{sha256_file(path)}".encode()
        assert sidecar.read_bytes().count(told) == 1
        sidecar.write_bytes(sidecar.read_bytes().replace(told, found))


@contextmanager
def changed(
    study: SmallStudy, version: Version, kind: str, *, fits: bool = True
) -> Iterator[None]:
    """Change a version as `change` does, and put it back."""
    before = {path: path.read_bytes() for path in _files(study.layout, version, kind)}
    change(study, version, kind, fits=fits)
    yield
    for path, data in before.items():
        path.write_bytes(data)


def _files(layout: Layout, version: Version, kind: str) -> tuple[Path, Path]:
    found = version.path(layout, kind)
    assert found is not None
    return found, layout.version(version.rater, version.case, version.number, SIDECAR)
