"""The keys of a case: bound on its layers, free ones only, and listed for the cheat sheet."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from psygnal import Signal

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


@dataclass(frozen=True)
class _Deed:
    do: Callable[[], object]
    release: Callable[[], object] | None


class Keys:
    """Binds keys on every layer of a case, in every view of it.

    napari ignores keys of the manifest and keeps most letters for itself; a key works while
    one of the case's layers is active.
    """

    changed = Signal()
    """Keys were bound or let go: whoever passes keys on has others."""

    def __init__(self) -> None:
        self._bound: dict[Key, _Deed] = {}
        self._resting: set[str] = set()
        self._layers: list[Any] = []
        self._is_silent: Callable[[], bool] = lambda: False

    def silence(self, is_silent: Callable[[], bool]) -> None:
        """Let keys do nothing at certain times: while somebody types.

        Keys that a field does not want go on to the window, and from there to the layers.

        Parameters
        ----------
        is_silent : callable
            Tells whether keys are to do nothing now.
        """
        self._is_silent = is_silent

    @property
    def listed(self) -> tuple[Key, ...]:
        """All keys, in the order in which they were bound."""
        return tuple(self._bound)

    @property
    def awake(self) -> frozenset[str]:
        """Those that are not left to napari now."""
        return frozenset(key.key for key in self._bound) - self._resting

    def key_of(self, words: str) -> str:
        """Return the key that does something, to be written on its button; empty for none."""
        return next((key.key for key in self._bound if key.words == words), "")

    def is_free(self, key: str) -> bool:
        """Tell whether nobody has bound a key here."""
        return all(known.key != key for known in self._bound)

    def bind(
        self,
        key: str,
        words: str,
        do: Callable[[], object],
        *,
        group: str,
        release: Callable[[], object] | None = None,
        resting: bool = False,
    ) -> None:
        """Bind a key on all layers, those that come later too.

        Parameters
        ----------
        key : str
            As napari writes it: ``"F2"``, ``"Shift-G"``.
        words : str
            What it does.
        do : callable
            Does it.
        group : str
            Under which heading it is listed.
        release : callable, optional
            What happens when the key is let go.
        resting : bool
            Whether the key is listed and left to napari until `wake`: for keys of napari that
            mean something else while a tool is in hand.

        Raises
        ------
        InputError
            When the key does something already.
        """
        if not self.is_free(key):
            raise InputError(
                f"The key {key} does something already.",
                hint="Choose a free key: see the cheat sheet.",
            )
        made = Key(key, words, group)
        self._bound[made] = _Deed(do, release)
        if resting:
            self._resting.add(key)
        else:
            for layer in self._layers:
                self._bind_on(layer, made)
        self.changed.emit()

    def free(self, key: str) -> None:
        """Let a key go."""
        for known in [k for k in self._bound if k.key == key]:
            del self._bound[known]
            if key not in self._resting:
                for layer in self._layers:
                    _unbind(layer, key)
        self._resting.discard(key)
        self.changed.emit()

    def wake(self, *keys: str) -> None:
        """Take keys from napari that were listed as resting."""
        for known in self._bound:
            if known.key in keys and known.key in self._resting:
                self._resting.discard(known.key)
                for layer in self._layers:
                    self._bind_on(layer, known)

    def rest(self, *keys: str) -> None:
        """Leave keys to napari again; they stay listed."""
        for known in self._bound:
            if known.key in keys and known.key not in self._resting:
                self._resting.add(known.key)
                for layer in self._layers:
                    _unbind(layer, known.key)

    def press(self, key: str) -> bool:
        """Do what a key does, where the window has the focus and no layer hears of it.

        Returns
        -------
        bool
            Whether the key does something now.
        """
        for known, deed in self._bound.items():
            if known.key == key and key not in self._resting and not self._is_silent():
                deed.do()
                return True
        return False

    def attach(self, layer: Any) -> None:
        """Let the keys work on a layer."""
        self._layers.append(layer)
        for key in self._bound:
            if key.key not in self._resting:
                self._bind_on(layer, key)

    def detach(self, layer: Any) -> None:
        """Let go of a layer."""
        self._layers = [known for known in self._layers if known is not layer]
        for key in self._bound:
            if key.key not in self._resting:
                _unbind(layer, key.key)

    def _bind_on(self, layer: Any, key: Key) -> None:
        deed = self._bound[key]
        release = deed.release
        if release is None:
            layer.bind_key(key.key, lambda _layer: self._do(deed), overwrite=True)
            return

        def hold(_layer: Any) -> Generator[None, None, None]:
            if self._is_silent():
                return
            deed.do()
            yield
            release()

        layer.bind_key(key.key, hold, overwrite=True)

    def _do(self, deed: _Deed) -> None:
        """Do it and return nothing: napari would call what is returned when a key is let go."""
        if not self._is_silent():
            deed.do()


def _unbind(layer: Any, key: str) -> None:
    layer.bind_key(key, None, overwrite=True)
