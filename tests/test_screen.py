"""A test process gets a screen of its own where windows of two would meet."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests import screen

ALONE, BESIDE = False, True


@pytest.fixture
def with_xvfb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: "/bin/Xvfb")


@pytest.mark.usefixtures("with_xvfb")
def test_a_screen_is_made_where_there_is_none_or_where_two_would_share_it() -> None:
    assert screen.wanted({}, ALONE)
    assert screen.wanted({"DISPLAY": ":1"}, BESIDE)
    assert not screen.wanted({"DISPLAY": ":1"}, ALONE)
    assert not screen.wanted({"DISPLAY": ":1", "MEDLABEL_TEST_SCREENS": "shown"}, BESIDE)
    assert not screen.wanted({"QT_QPA_PLATFORM": "offscreen"}, BESIDE)


def test_without_xvfb_no_screen_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert not screen.wanted({}, ALONE)


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb is not installed")
def test_two_screens_have_two_names() -> None:
    first: dict[str, str] = {"WAYLAND_DISPLAY": "wayland-0"}
    second: dict[str, str] = {}
    begun = [screen.begin(first), screen.begin(second)]
    try:
        assert first["DISPLAY"] != second["DISPLAY"]
        assert "WAYLAND_DISPLAY" not in first
    finally:
        for one in begun:
            one.kill()
            one.wait()


def test_a_screen_that_does_not_start_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(words: list[str], **_: object) -> subprocess.Popen[bytes]:
        return real(["true"])

    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", silent)
    with pytest.raises(RuntimeError, match="named no display"):
        screen.begin({})
