"""``python -m napari_medlabel``: the same as ``medlabel``."""

from __future__ import annotations

import sys

from napari_medlabel.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
