"""Make the pictures of docs/tutorial.md: its commands are run, its windows are worked in.

Run ``python docs/make_study_pictures.py`` where there is a screen. It happens in a folder
that is removed afterwards.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import study_scenes
from make_pictures import browse
from tutorial_steps import PAGE, Story, in_shell, without_own

ROOT: Final = Path(__file__).parents[1]
MADE: Final = (
    "study-worklist.png",
    "study-reading.png",
    "study-complaints.png",
    "study-review.png",
    "study-answer.png",
    "study-agreement.png",
    "study-compare.png",
    "study-verify.png",
)
USUAL: Final = (0, 3, 5)
"""Exit codes: done; refused, as who is no manager is; the forged release."""


def main() -> None:
    """Live through the page in a new folder."""
    programs = str(Path(sys.executable).parent)

    def run(command: str, own: Mapping[str, str]) -> tuple[int, str]:
        return in_shell(command, own, programs)

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in ("sample_scans", "docs"):
            (folder / name).symlink_to(ROOT / name)
        (folder / "demo-output").mkdir()
        os.chdir(folder)
        for step in Story(run, study_scenes.play).tell(PAGE.read_text(encoding="utf-8")):
            print(f"$ {step.command}\n{step.out}-> {step.code}", flush=True)
            if step.code not in USUAL:
                raise SystemExit("This should not have come.")
            shown = without_own(step.shown).split("\n")
            if any(line not in without_own(step.out) for line in shown):
                raise SystemExit(f"The page shows otherwise: {step.shown}")
        browse(Path("demo-output/first.html").resolve(), MADE[-1])
        os.chdir(ROOT)


if __name__ == "__main__":
    main()
