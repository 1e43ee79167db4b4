from __future__ import annotations

from types import SimpleNamespace

import pytest

from napari_medlabel.deid.events import Record
from napari_medlabel.deid.tally import PatientSums
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
    with pytest.raises(type(error)), Record(log, profile).export(3):
        raise error
    assert [event for event, _ in log.events] == ["export.begin", "export.fail"]
    assert log.events[1][1]["cause"] == cause


def test_a_batch_of_patients_alone_has_no_event_without_a_subject(profile):
    log, batch = Log(), SimpleNamespace(skipped={}, quarantined=(), scanned=True)
    Record(log, profile).runs({"s1-0": PatientSums(files=1)}, batch)
    assert [event for event, _ in log.events] == ["deid.run"]


def test_without_a_log_nothing_is_said(profile, capsys):
    with Record(None, profile).export(3):
        pass
    assert capsys.readouterr() == ("", "")
