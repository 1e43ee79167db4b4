"""Changes of a scheme: done, taken back, and put onto a scheme that has gone on since."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from napari_medlabel.edit.relabel import SchemeChange
from napari_medlabel.model.labelmap import Label, LabelScheme

A, B, C = (Label(n, name, f"#00000{n}") for n, name in enumerate("ABC", start=1))
OLD = LabelScheme("Old", (A, B, C))


@st.composite
def schemes(draw: st.DrawFn) -> LabelScheme:
    values = draw(st.permutations(range(1, 7)))[: draw(st.integers(1, 6))]
    names = draw(st.permutations("ABCDEFGH"))
    colours = draw(st.lists(st.sampled_from("12345"), min_size=6, max_size=6))
    pairs = zip(values, names, colours, strict=False)
    return LabelScheme("Any", tuple(Label(v, n, f"#00000{c}") for v, n, c in pairs))


@settings(max_examples=40, deadline=None)
@given(schemes(), schemes())
def test_a_change_there_and_back_is_the_scheme_again(
    old: LabelScheme, new: LabelScheme
) -> None:
    change = SchemeChange(old, new)
    there = change.onto(old)
    assert sorted(there.labels, key=lambda one: one.value) == sorted(
        new.labels, key=lambda one: one.value
    )
    back = change.inverse().onto(there)
    assert {one.value: one for one in back.labels} == {one.value: one for one in old.labels}


def test_what_came_since_stays_and_what_has_voxels_is_not_taken_away() -> None:
    change = SchemeChange(OLD, OLD.with_label(replace(B, name="Other", colour="#abcdef")))
    later = change.after.with_label(Label(9, "Late", "#000009")).with_label(
        replace(change.after[2], colour="#fedcba")
    )
    back = change.inverse().onto(later)
    assert [one.name for one in back.labels] == ["A", "B", "C", "Late"]
    assert back[2].colour == "#000002"
    added = SchemeChange(OLD.without(3), OLD)
    assert added.inverse().onto(OLD).values == (1, 2)
    assert added.inverse().onto(OLD, used=(3,)).values == (1, 2, 3)


def test_only_an_order_that_was_changed_is_taken_back() -> None:
    moved = SchemeChange(OLD, OLD.moved(1, 2))
    late = Label(9, "Late", "#000009")
    assert moved.after.values == (2, 3, 1)
    assert moved.inverse().onto(moved.after.with_label(late, 1)).values == (1, 9, 2, 3)
    named = SchemeChange(OLD, OLD.with_label(replace(A, name="New")))
    assert named.inverse().onto(named.after.moved(1, 2)).values == (2, 3, 1)


def test_a_name_that_was_taken_meanwhile_is_not_taken_twice() -> None:
    change = SchemeChange(OLD, OLD.with_label(replace(A, name="New")))
    later = change.after.with_label(Label(9, "A", "#000009"))
    assert [one.name for one in change.inverse().onto(later).labels] == ["A", "B", "C", "A'"]
