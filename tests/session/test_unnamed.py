"""Values without a name are found, whatever the scheme and the type."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_medlabel.model.labelmap import Label, LabelScheme
from napari_medlabel.session.unnamed import unnamed_in


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from([np.uint8, np.uint16]).flatmap(lambda kind: hnp.arrays(kind, (3, 4, 2))),
    st.sets(st.integers(1, 65535), max_size=4),
)
def test_they_are_those_that_are_there_and_in_no_label(
    part: np.ndarray, values: set[int]
) -> None:
    values |= {int(v) for v in part[0].ravel() if v}
    scheme = LabelScheme("S", tuple(Label(v, f"L{v}", "#112233") for v in sorted(values)))
    assert unnamed_in(part, scheme) == set(part.ravel().tolist()) - values - {0}
