from __future__ import annotations

from types import SimpleNamespace

import pytest

from napari_medlabel.deid.batch.events import Record
from napari_medlabel.deid.batch.tally import PatientSums
from napari_medlabel.deid.rules.profile import load_profile
from napari_medlabel.errors import InputError, LogError, SaveError


class Log:
    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []

    def append(self, event, *, subject=(), detail=None, outcome=None):
        self.events.append((event, dict(detail)))


def caused(error: BaseException, cause: Exception | None) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (LogError("x"), "log"),
        (caused(SaveError("x"), OSError(28, "full")), "space"),
        (caused(SaveError("x"), OSError(13, "denied")), "permission"),
        (caused(SaveError("x"), OSError(5, "broken")), "other"),
        (InputError("x"), "other"),
        (KeyboardInterrupt(), "cancelled"),
    ],
)
def test_a_failure_has_its_cause(profile, error, cause):
    log = Log()
    with pytest.raises(type(error)), Record(log, profile, "0000000a").export(3):
        raise error
    assert [event for event, _ in log.events] == ["export.begin", "export.fail"]
    assert log.events[1][1]["cause"] == cause


def test_a_batch_of_patients_alone_has_no_event_without_a_subject(profile):
    log, batch = Log(), SimpleNamespace(skipped={}, quarantined=(), scanned=True)
    Record(log, profile, "0000000a").runs({"s1-0": PatientSums(files=1)}, batch)
    assert [event for event, _ in log.events] == ["deid.run"]


def test_without_a_log_nothing_is_said(profile, capsys):
    with Record(None, profile, "0000000a").export(3):
        pass
    assert capsys.readouterr() == ("", "")


def test_options_and_site_rules_are_named(tmp_path):
    (tmp_path / "site.toml").write_text('name = "T"\nversion = "1"\nwords = ["spule"]\n')
    chosen = ["retain-device", "clean-descriptors"]
    profile = load_profile(options=chosen, site=tmp_path / "site.toml")
    log = Log()
    with Record(log, profile, "0000000a").export(3, resumed=True):
        pass
    detail = log.events[0][1]
    assert detail["options"] == sorted(chosen)
    assert detail["site_rules"] is True
    assert detail["resumed"] is True


@pytest.mark.parametrize(
    ("sums", "burned_in", "defaced"),
    [
        (PatientSums(files=2), "not-checked", False),
        (PatientSums(files=2, checked=1), "not-checked", False),
        (PatientSums(files=2, checked=2), "checked", False),
        (PatientSums(files=2, checked=2, burned_in=1), "cleaned", False),
        (PatientSums(files=2, defaced=1), "not-checked", True),
    ],
)
def test_pixels_are_told_as_they_were_treated(profile, sums, burned_in, defaced):
    log = Log()
    batch = SimpleNamespace(skipped={}, quarantined=(), scanned=False)
    Record(log, profile, "0000000a").runs({"s1-0": sums}, batch)
    detail = log.events[0][1]
    assert (detail["burned_in"], detail["defaced"]) == (burned_in, defaced)
    assert "scanned" not in detail


def test_without_a_log_mappings_are_not_recorded(profile):
    Record(None, profile, "0000000a").reidentifiable(1, 2)
    log = Log()
    Record(log, profile, "0000000a").reidentifiable(1, 2)
    assert log.events == [("reid.export", {"cases": 1, "uids": 2, "files": 2})]
