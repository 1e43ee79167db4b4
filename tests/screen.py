"""A virtual screen for one test process: windows of two would cover each other."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, MutableMapping

SIZE = "1920x1200x24"


def wanted(environ: Mapping[str, str], several: bool) -> bool:
    """Say whether this process gets a screen of its own.

    Parameters
    ----------
    environ : mapping of str to str
        Of this process. ``MEDLABEL_TEST_SCREENS=shown`` asks for the screen that is there.
    several : bool
        Whether other processes test at the same time.
    """
    if environ.get("QT_QPA_PLATFORM") == "offscreen" or shutil.which("Xvfb") is None:
        return False
    if environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"):
        return several and environ.get("MEDLABEL_TEST_SCREENS") != "shown"
    return True


def begin(environ: MutableMapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a virtual screen, and let `environ` name it; whoever began it ends it.

    Raises
    ------
    RuntimeError
        When the screen says no number: it did not start.
    """
    reads, writes = os.pipe()
    words = ["Xvfb", "-displayfd", str(writes), "-screen", "0", SIZE, "+extension", "GLX"]
    screen = subprocess.Popen(
        [*words, "-nolisten", "tcp", "-noreset"],
        pass_fds=(writes,),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writes)
    with os.fdopen(reads) as said:
        number = said.readline().strip()
    if not number:
        screen.kill()
        screen.wait()
        raise RuntimeError("Xvfb was started and named no display")
    environ["DISPLAY"] = f":{number}"
    environ.pop("WAYLAND_DISPLAY", None)
    return screen
