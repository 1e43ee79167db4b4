"""Argon2id with small parameters: with its real ones it is tried in tests/secret."""

from __future__ import annotations

import pytest

from napari_medlabel.secret import passphrase


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passphrase, "MEMORY_KIB", 64)
    monkeypatch.setattr(passphrase, "ITERATIONS", 1)
