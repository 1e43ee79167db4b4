"""A drawing through a large scan is handed to the background, a small one is done at once."""

from __future__ import annotations

from typing import Any

import pytest

from napari_medlabel.plugin.tools import kit as kit_module


@pytest.mark.parametrize(
    ("tool", "extent", "waits"),
    [("scissors", "3D", True), ("scissors", "slice", False), ("brush", "3D", False)],
)
def test_only_what_goes_through_a_large_scan_waits(
    bench: Any, monkeypatch: pytest.MonkeyPatch, tool: str, extent: Any, waits: bool
) -> None:
    kit, asked = bench.kit, []
    kit.later = lambda make, settle, _refused: asked.append((make, settle))
    kit.choices.tool = tool
    kit.choices.extents[tool] = extent
    monkeypatch.setattr(kit_module, "_AT_ONCE", 0)
    assert not kit.apply(lambda: None)
    assert bool(asked) == waits
    if waits:
        asked[0][1](None)
    assert "Nothing changed" in bench.said[-1]
    asked.clear()
    monkeypatch.undo()
    assert not kit.apply(lambda: None)
    assert not asked
