"""Voxel steps that are not at right angles, as a tilted gantry makes them, turned in space."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray


def steps(
    spacing: tuple[float, float, float],
    tilt_deg: float = 20.0,
    slant_deg: float = 0.0,
    turn_deg: float = 0.0,
) -> NDArray[np.float64]:
    """Return voxel steps, (3, 3) columns in mm.

    Columns lean by the tilt towards the slice axis, slices by the slant towards the rows, and
    all of it is turned about an oblique axis.
    """
    tilt, slant, turn = np.radians([tilt_deg, slant_deg, turn_deg])
    unit = np.array(
        [
            [1.0, 0.0, np.sin(slant)],
            [0.0, np.cos(tilt), 0.0],
            [0.0, np.sin(tilt), np.cos(slant)],
        ]
    )
    x, y, z = np.array([1.0, 2.0, 2.0]) / 3.0
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    rotation = np.eye(3) + np.sin(turn) * cross + (1 - np.cos(turn)) * cross @ cross
    made: NDArray[np.float64] = rotation @ unit * np.array(spacing)
    return made


STEPS = st.builds(
    steps,
    st.tuples(*[st.sampled_from((0.7, 1.0, 1.6, 4.0))] * 3),
    st.sampled_from((-30.0, -12.0, 5.0, 20.0, 30.0)),
    st.sampled_from((0.0, 8.0)),
    st.sampled_from((0.0, 40.0)),
)
