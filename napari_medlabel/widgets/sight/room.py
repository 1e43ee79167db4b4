"""The reading room: colours of the window for a dark room, from the plugin's manifest."""

from __future__ import annotations

from typing import Final

NAME: Final = "reading-room"
"""The theme's id in the manifest."""


def has_room() -> bool:
    """Tell whether napari knows the theme: it comes with the plugin's manifest."""
    from napari.utils.theme import is_theme_available

    return bool(is_theme_available(NAME))
