"""Truth that belongs to the scans: label schemes and Slicer markups."""

from __future__ import annotations

from typing import Any

import head
import organs
from canvas import Point

_CT = (
    ("liver", "Liver", "#b5651d", "10200004", "Liver"),
    ("spleen", "Spleen", "#9c4f8d", "78961009", "Spleen"),
    ("kidney_right", "Right kidney", "#d9a441", "9846003", "Right kidney"),
    ("kidney_left", "Left kidney", "#e7c26b", "18639004", "Left kidney"),
    ("aorta", "Aorta", "#d62839", "7832008", "Abdominal aorta"),
    ("cava", "Inferior vena cava", "#2f6fb7", "64131007", "Inferior vena cava"),
    ("gallbladder", "Gallbladder", "#4f9d3a", "28231008", "Gallbladder"),
    ("vertebrae", "Vertebrae", "#f1ead2", "51282000", "Vertebra"),
    ("lung_right", "Right lung", "#6ec1e4", "3341006", "Right lung"),
    ("lung_left", "Left lung", "#9ad7ef", "44029006", "Left lung"),
    ("lesion", "Liver lesion", "#ff5a36", "300331000", "Lesion of liver"),
    ("cyst", "Kidney cyst", "#33d1c4", "367643001", "Cyst"),
    ("stomach", "Stomach", "#e58fb1", "69695003", "Stomach"),
)
_MR = (
    ("brain", "Brain", "#d8c3a5", "12738006", "Brain"),
    ("ventricles", "Ventricles", "#3d7ea6", "35764002", "Brain ventricle"),
    ("cerebellum", "Cerebellum", "#c97b63", "113305005", "Cerebellum"),
    ("brainstem", "Brainstem", "#8e6c8a", "15926001", "Brainstem"),
    ("eyes", "Eyes", "#5fbf77", "81745001", "Eye"),
    ("skull", "Skull", "#f1ead2", "89546000", "Skull"),
)


def _scheme(
    name: str, rows: tuple[tuple[str, ...], ...], values: dict[str, int]
) -> dict[str, Any]:
    labels = [
        {
            "value": values[key],
            "name": title,
            "colour": colour,
            "code": {"scheme": "SCT", "value": code, "meaning": meaning},
        }
        for key, title, colour, code, meaning in rows
    ]
    return {"name": name, "labels": labels}


def scheme_ct() -> dict[str, Any]:
    """Return the label scheme of both CT masks."""
    return _scheme("Abdomen CT sample", _CT, organs.LABELS)


def scheme_mr() -> dict[str, Any]:
    """Return the label scheme of the MR mask."""
    return _scheme("Head MR sample", _MR, head.LABELS)


def markups(points: list[tuple[str, str, Point]]) -> dict[str, Any]:
    """Slicer Markups v1.0.3 with one fiducial list in LPS mm."""
    schema = (
        "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/"
        "Resources/Schema/markups-schema-v1.0.3.json#"
    )
    control = [
        {
            "id": str(n),
            "label": name,
            "description": text,
            "associatedNodeID": "",
            "position": [round(c, 4) + 0.0 for c in point],
            "orientation": [-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, 1.0],
            "selected": True,
            "locked": False,
            "visibility": True,
            "positionStatus": "defined",
        }
        for n, (name, text, point) in enumerate(points, 1)
    ]
    markup = {
        "type": "Fiducial",
        "coordinateSystem": "LPS",
        "coordinateUnits": "mm",
        "locked": False,
        "fixedNumberOfControlPoints": False,
        "labelFormat": "%N-%d",
        "lastUsedControlPointNumber": len(control),
        "controlPoints": control,
        "measurements": [],
    }
    return {"@schema": schema, "markups": [markup]}
