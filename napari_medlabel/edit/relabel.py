"""What one edit did to the names, colours and order of labels; taken back label by label."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from napari_medlabel.model.labelmap import Label, LabelScheme


@dataclass(frozen=True)
class SchemeChange:
    """What one edit did to the label scheme: the whole scheme before and after.

    A scheme may have gained labels since, by painting or by files. So what the edit changed is
    put onto the scheme of now, and all else stays.
    """

    before: LabelScheme
    after: LabelScheme
    name: str = "Change labels"

    def inverse(self) -> SchemeChange:
        """Return the change that takes this one back."""
        return SchemeChange(self.after, self.before, self.name)

    def onto(self, scheme: LabelScheme, used: Collection[int] = ()) -> LabelScheme:
        """Return a scheme with what this edit changed.

        Parameters
        ----------
        scheme : LabelScheme
            The scheme of now.
        used : collection of int
            Values that have voxels: their labels stay.
        """
        if scheme == self.before and not (set(self.before.values) - set(self.after.values)):
            return self.after
        old = {label.value: label for label in self.before.labels}
        new = {label.value: label for label in self.after.labels}
        rows = [
            _changed(label, old.get(label.value), new.get(label.value))
            for label in scheme.labels
            if label.value not in old or label.value in new or label.value in used
        ]
        known = {label.value for label in rows}
        for at, label in enumerate(self.after.labels):
            if label.value not in known and label.value not in old:
                rows.insert(min(at, len(rows)), label)
        if _shared_order(self.before, new) != _shared_order(self.after, old):
            rows = _ordered(rows, self.after.values)
        title = self.after.name if self.after.name != self.before.name else scheme.name
        return LabelScheme(title, _with_own_names(rows))


def _shared_order(scheme: LabelScheme, other: Collection[int]) -> list[int]:
    return [value for value in scheme.values if value in other]


def _changed(label: Label, old: Label | None, new: Label | None) -> Label:
    """Return a label with what an edit changed of it."""
    if old is None or new is None or old == new:
        return label
    return replace(
        label,
        name=label.name if old.name == new.name else new.name,
        colour=label.colour if old.colour == new.colour else new.colour,
        code=label.code if old.code == new.code else new.code,
    )


def _ordered(rows: list[Label], order: tuple[int, ...]) -> list[Label]:
    """Put the labels that an order knows into it; the others keep their places."""
    places = {value: at for at, value in enumerate(order)}
    known = iter(sorted((r for r in rows if r.value in places), key=lambda r: places[r.value]))
    return [next(known) if row.value in places else row for row in rows]


def _with_own_names(rows: list[Label]) -> tuple[Label, ...]:
    """Return labels of which no two share a name: a later one gets a stroke behind it."""
    made: list[Label] = []
    taken: set[str] = set()
    for row in rows:
        name = row.name
        while name in taken:
            name += "'"
        taken.add(name)
        made.append(row if name == row.name else replace(row, name=name))
    return tuple(made)
