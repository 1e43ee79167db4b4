"""Only a napari that paints where it shows is used."""

from __future__ import annotations

import napari
import pytest

from napari_medlabel.errors import RefusedError
from napari_medlabel.plugin.binding import Binding
from napari_medlabel.plugin.proven import require_proven_napari


@pytest.mark.parametrize("version", ["0.9.2", "0.9.10", napari.__version__])
def test_the_proven_version_is_taken(version: str) -> None:
    refused = None
    try:
        require_proven_napari(version)
    except RefusedError as err:
        refused = err.message
    assert refused is None


@pytest.mark.parametrize("version", ["0.10.0rc1", "0.10.0", "0.8.4", "1.9.0", "unknown"])
def test_others_are_refused_with_what_to_install(version: str) -> None:
    with pytest.raises(RefusedError, match="not proven") as caught:
        require_proven_napari(version)
    assert "napari>=0.9.2,<0.10" in caught.value.hint
    assert caught.value.exit_code == 3


def test_no_case_is_shown_in_another_napari(session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(napari, "__version__", "0.10.0rc1")
    with pytest.raises(RefusedError):
        Binding(session, None)
