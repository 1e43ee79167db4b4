from __future__ import annotations

from types import SimpleNamespace

import pytest

from napari_medlabel.deid.events import Record
from napari_medlabel.deid.report import DeidReport
from napari_medlabel.errors import InputError, LogError, SaveError


class Log:
    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, object]]] = []

    def append(self, event, *, subject=(), detail=None, outcome=None):
        self.events.append((event, dict(detail)))


def caused(error: Exception, cause: Exception | None) -> Exception:
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
    ],
)
def test_a_failure_has_its_cause(profile, error, cause):
    log = Log()
    Record(log, profile).fail(error)
    assert log.events[0][0] == "export.fail"
    assert log.events[0][1]["cause"] == cause


def test_a_batch_of_patients_alone_has_no_event_without_a_subject(profile):
    log, batch = Log(), SimpleNamespace(skipped={}, quarantined=())
    Record(log, profile).runs([DeidReport(subject="s1-0")], batch)
    assert [event for event, _ in log.events] == ["deid.run"]


def test_without_a_log_nothing_is_said(profile, capsys):
    Record(None, profile).begin(3)
    assert capsys.readouterr() == ("", "")
