"""Fixtures: a folder with a small log, and the user's own folders kept out of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audit.bench import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every test away from the user's own log."""
    monkeypatch.setenv("MEDLABEL_AUDIT_DIR", str(tmp_path / "default" / "audit"))
    monkeypatch.setenv("MEDLABEL_STATE_DIR", str(tmp_path / "default" / "state"))
