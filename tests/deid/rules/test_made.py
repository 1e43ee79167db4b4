from __future__ import annotations

import subprocess
import sys

from napari_medlabel.deid.rules.made import Made, dataset_of, made


def test_a_value_is_the_data_element_of_its_attribute():
    one = made("ImageType", ["ORIGINAL", "PRIMARY"]).element
    kind = ["ORIGINAL", "PRIMARY"]
    assert (int(one.tag), one.VR, list(one.value)) == (0x00080008, "CS", kind)
    raw = Made(0x00280010, "US", b"\0\1", as_found=True).element
    assert raw.value == b"\0\1"


def test_items_are_data_sets_at_every_depth():
    inner = {"CodeValue": "X", "PersonIdentificationCodeSequence": ({"CodeValue": "Y"},)}
    item = dataset_of(inner)
    assert item.CodeValue == "X"
    assert item.PersonIdentificationCodeSequence[0].CodeValue == "Y"
    assert len(Made(0x00081140, "SQ").element.value) == 0


def test_an_ordinary_file_is_planned_without_pydicom_and_numpy(ct, as_file, tmp_path):
    path = tmp_path / "ct.dcm"
    path.write_bytes(as_file(ct()))
    code = (
        "import sys, io; from pathlib import Path\n"
        "from napari_medlabel.deid.dicom.plan import plan_file\n"
        "from napari_medlabel.deid.dicom.write import write_plan\n"
        "from napari_medlabel.deid.rules.profile import load_profile\n"
        "from napari_medlabel.deid.keys.pseudonyms import Pseudonyms\n"
        "source = Path(sys.argv[1]).open('rb', buffering=0)\n"
        "plan = plan_file(source, load_profile(), Pseudonyms(bytes(32)))\n"
        "write_plan(plan, source, Path(sys.argv[2]), search=False)\n"
        "print(sorted({'pydicom', 'numpy', 'logging'} & set(sys.modules)))\n"
    )
    words = [sys.executable, "-c", code, str(path), str(tmp_path / "out.dcm")]
    done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"
    assert (tmp_path / "out.dcm").stat().st_size > 1000
