"""Which software writes: digests of wheel and requirements, and what was validated."""

from __future__ import annotations

import importlib.metadata
import sys

import pytest

import napari_medlabel
from napari_medlabel.audit.disk import SystemClock
from napari_medlabel.audit.format.event import Event
from napari_medlabel.audit.writer import software as module
from napari_medlabel.audit.writer.software import lock_digest, software, wheel_digest


def test_the_facts_fit_the_first_event() -> None:
    facts = software(SystemClock(), ())
    assert facts["tool"] == napari_medlabel.__version__
    assert facts["clock"] in {"boottime", "monotonic"}
    assert facts["validation"] == "unvalidated"
    assert str(facts["wheel"]).startswith("sha256:")
    assert facts["lock"] != facts["wheel"]
    origin = "medlabel.local/local/w0123456789abcdef/20261122T101403Z-" + "0" * 26
    Event("session.open", detail={**facts, "origin": origin, "pub": "A" * 43 + "="})


def test_a_version_that_the_site_validated_is_called_so() -> None:
    facts = software(SystemClock(), ("9.9", napari_medlabel.__version__))
    assert facts["validation"] == "validated"


def test_a_package_that_is_not_installed_has_no_digests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert wheel_digest("no-such-package") == ""
    assert lock_digest("no-such-package") == ""
    monkeypatch.setattr(module, "wheel_digest", lambda: "")
    assert "wheel" not in software(SystemClock(), ())


def test_the_lock_changes_with_a_version_and_not_with_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Installed:
        requires = ("Some_Thing>=1; python_version>'3'", "absent; extra == 'x'", "  ")

    installed = {"some-thing": "1.0"}

    def version(name: str) -> str:
        if name not in installed:
            raise importlib.metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(module, "distribution", lambda package: Installed)
    monkeypatch.setattr(module, "version", version)
    lock_digest.cache_clear()
    first = lock_digest("a")
    installed["some-thing"] = "1.1"
    second = lock_digest("b")
    installed["absent"] = "2"
    assert len({first, second, lock_digest("c")}) == 3
    lock_digest.cache_clear()


def test_another_system_is_called_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "plan9")
    assert software(SystemClock(), ())["platform"] == "other"
