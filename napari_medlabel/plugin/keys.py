"""The keys of a case: bound on its layers, free ones only, and listed for the cheat sheet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from napari_medlabel.errors import InputError


@dataclass(frozen=True)
class Key:
    """One key and what it does.

    Parameters
    ----------
    key : str
        As napari writes it: ``"F2"``, ``"Shift-G"``.
    words : str
        What it does, for the cheat sheet and the tooltip.
    group : str
        Under which heading it is listed.
    """

    key: str
    words: str
    group: str


class Keys:
    """Binds keys on every layer of a case, in every view of it.

    napari ignores keys of the manifest and keeps most letters for itself; a key works while
    one of the case's layers is active.
    """

    def __init__(self) -> None:
        self._bound: dict[Key, Callable[[], object]] = {}
        self._layers: list[Any] = []

    @property
    def listed(self) -> tuple[Key, ...]:
        """All keys, in the order in which they were bound."""
        return tuple(self._bound)

    def key_of(self, words: str) -> str:
        """Return the key that does something, to be written on its button; empty for none."""
        return next((key.key for key in self._bound if key.words == words), "")

    def bind(self, key: str, words: str, do: Callable[[], object], *, group: str) -> None:
        """Bind a key on all layers, those that come later too.

        Raises
        ------
        InputError
            When the key does something already.
        """
        if any(known.key == key for known in self._bound):
            raise InputError(
                f"The key {key} does something already.",
                hint="Choose a free key: see the cheat sheet.",
            )
        made = Key(key, words, group)
        self._bound[made] = do
        for layer in self._layers:
            self._bind_on(layer, made)

    def free(self, key: str) -> None:
        """Let a key go."""
        for known in [k for k in self._bound if k.key == key]:
            del self._bound[known]
        for layer in self._layers:
            layer.bind_key(key, None, overwrite=True)

    def attach(self, layer: Any) -> None:
        """Let the keys work on a layer."""
        self._layers.append(layer)
        for key in self._bound:
            self._bind_on(layer, key)

    def detach(self, layer: Any) -> None:
        """Let go of a layer."""
        self._layers = [known for known in self._layers if known is not layer]
        for key in self._bound:
            layer.bind_key(key.key, None, overwrite=True)

    def _bind_on(self, layer: Any, key: Key) -> None:
        do = self._bound[key]
        layer.bind_key(key.key, lambda _layer: do(), overwrite=True)
