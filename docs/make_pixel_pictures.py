"""Draw the picture of docs/concepts/burned-in-text.md: the sample ultrasound before and after.

Run ``python docs/make_pixel_pictures.py`` with the extra ``[pixels]``. The scan is invented and
so are all names in it.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from pydicom import dcmread

from napari_medlabel.deid.dicom.file import clean_file
from napari_medlabel.deid.keys.pseudonyms import Pseudonyms
from napari_medlabel.deid.rules.options import Option
from napari_medlabel.deid.rules.profile import load_profile

ROOT: Final = Path(__file__).parents[1]
SOURCE: Final = ROOT / "sample_scans" / "us_burned_in.dcm"
TARGET: Final = ROOT / "docs" / "pictures" / "burned_in_text.png"
_GAP = 8


def main() -> None:
    """Write the picture."""
    content = SOURCE.read_bytes()
    profile = load_profile(options=[Option.CLEAN_PIXELS])
    cleaned = clean_file(content, profile, Pseudonyms(bytes(32)))
    before = dcmread(BytesIO(content)).pixel_array
    after = dcmread(BytesIO(cleaned.content)).pixel_array
    gap = np.full((before.shape[0], _GAP), 128, np.uint8)
    Image.fromarray(np.hstack((before, gap, after))).save(TARGET, optimize=True)
    report = cleaned.report.pixels
    print(TARGET.name, {} if report is None else dict(report.regions))


if __name__ == "__main__":
    main()
