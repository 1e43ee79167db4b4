"""Fixtures: a study that is ready to leave, made once, and a log that counts as green."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from napari_medlabel.audit.check.verdict import Verdict
from napari_medlabel.session.study.exporting import leaving, planning
from napari_medlabel.session.study.exporting.logbook import Logbook, read_logbook
from napari_medlabel.session.study.seat import Seat
from tests.session.study.exporting.leaving_study import make_leaving
from tests.session.study.small_study import SmallStudy


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStudy]:
    found = make_leaving(tmp_path_factory.mktemp("leaving"))
    yield found
    found.close()


@pytest.fixture(scope="module")
def read_twice(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStudy]:
    found = make_leaving(tmp_path_factory.mktemp("twice"), readings=2)
    yield found
    found.close()


@pytest.fixture
def green(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the log be green: without a site, as here, it is amber."""

    def read(seat: Seat, *_: object) -> Logbook:
        return replace(read_logbook(seat), verdict=Verdict.GREEN, findings=())

    monkeypatch.setattr(planning, "read_logbook", read)
    monkeypatch.setattr(leaving, "read_logbook", read)
