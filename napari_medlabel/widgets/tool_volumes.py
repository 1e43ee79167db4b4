"""What becomes of the tool in hand when the slider rests on another volume of the scan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_medlabel.plugin.tools.catalogue import tool

if TYPE_CHECKING:
    from napari_medlabel.widgets.tool_desk import ToolDesk


def renew(desk: ToolDesk) -> None:
    """Let the tool in hand look at the volume that is shown now, and propose for it."""
    if desk.hand is not None:
        desk.hand.look_anew()
    elif desk.current and tool(desk.current).is_live:
        desk.apply()
