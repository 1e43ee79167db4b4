"""The networks of PP-OCRv4 in onnxruntime: extra ``[pixels]``, nothing is downloaded.

Their weights come with the wheel of rapidocr-onnxruntime (Apache-2.0) and run in one thread.
The wheel's own code is not imported: it needs OpenCV, whose import changes where Qt looks for
its platform plugins.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Protocol

from napari_medlabel._optional import folder_of, require
from napari_medlabel.errors import MissingPackageError

EXTRA = "pixels"


class Session(Protocol):
    """What is used of an onnxruntime session."""

    def run(self, outputs: None, inputs: dict[str, Any], /) -> list[Any]:
        """Return the network's outputs."""


@cache
def session(name: str) -> Session:
    """Return a network that is ready to run, loaded once for each process.

    Parameters
    ----------
    name : str
        File name of the model in the wheel.

    Raises
    ------
    MissingPackageError
        When the extra is not installed, with how to install it.
    """
    runtime = require("onnxruntime", extra=EXTRA)
    return loaded(runtime, folder_of("rapidocr_onnxruntime", extra=EXTRA) / "models" / name)


def loaded(runtime: Any, model: Path) -> Session:
    """Return a network from its file.

    Raises
    ------
    MissingPackageError
        When the file is not there.
    """
    if not model.is_file():
        raise MissingPackageError(
            "A model of the text detector is not in the installed rapidocr-onnxruntime.",
            hint="Install it again with: pip install 'rapidocr-onnxruntime==1.4.4'",
        )
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = False
    made: Session = runtime.InferenceSession(
        str(model), options, providers=["CPUExecutionProvider"]
    )
    return made
