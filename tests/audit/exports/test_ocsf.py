"""Events of OCSF have what their class requires, and numbers that fit together."""

from __future__ import annotations

import json
from typing import Any

import pytest

from napari_medlabel.audit.exports.ocsf import (
    API_ACTIVITY,
    AUTHENTICATION,
    FILE_ACTIVITY,
    ocsf_event,
    ocsf_line,
)
from tests.audit.exports.samples import NEW, OLD, PATIENT, USER, entry, every_event

BASE = (
    "activity_id",
    "category_uid",
    "class_uid",
    "metadata",
    "severity_id",
    "time",
    "type_uid",
)
REQUIRED = {
    FILE_ACTIVITY: ("actor", "device", "file"),
    AUTHENTICATION: ("user",),
    API_ACTIVITY: ("actor", "api", "src_endpoint"),
}
ACTIVITIES = {
    FILE_ACTIVITY: {*range(1, 15), 0, 99},
    AUTHENTICATION: {*range(1, 8), 0, 99},
    API_ACTIVITY: {*range(1, 5), 0, 99},
}
Json = dict[str, Any]


def test_every_event_has_what_its_class_requires() -> None:
    for one in every_event():
        event = ocsf_event(one)
        uid = event["class_uid"]
        assert all(key in event for key in (*BASE, *REQUIRED[uid])), one.event
        assert event["activity_id"] in ACTIVITIES[uid]
        assert event["type_uid"] == uid * 100 + event["activity_id"]
        assert event["category_uid"] == uid // 1000
        assert event["metadata"]["version"] == "1.6.0"
        assert event["metadata"]["product"]["name"]
        assert 1 <= event["severity_id"] <= 5


def test_objects_have_what_they_require() -> None:
    for one in every_event():
        event = ocsf_event(one)
        if "file" in event:
            assert event["file"]["name"]
            assert event["file"]["type_id"] == 1
            assert event["device"]["type_id"] == 0
            assert event["device"]["uid"]
        if "api" in event:
            assert event["api"]["operation"]
            assert event["src_endpoint"]["uid"]
        if event["class_uid"] == AUTHENTICATION:
            assert event["service"]["name"]  # at least one of service, dst_endpoint
        assert event["actor"]["user"]["uid"] == USER


@pytest.mark.parametrize(
    ("name", "uid", "activity"),
    [
        ("user.identify", AUTHENTICATION, 1),
        ("user.switch", AUTHENTICATION, 7),
        ("sign.fail", AUTHENTICATION, 99),
        ("session.close", API_ACTIVITY, 99),
        ("audit.view", API_ACTIVITY, 2),
    ],
)
def test_an_event_is_of_the_class_that_fits(name: str, uid: int, activity: int) -> None:
    event = ocsf_event(entry(name))
    assert (event["class_uid"], event["activity_id"]) == (uid, activity)


def test_opening_a_scan_is_an_open_where_its_content_is_known() -> None:
    known = ocsf_event(entry("volume.open", (PATIENT,), (NEW,), {"format": "dicom"}))
    assert (known["class_uid"], known["activity_name"]) == (FILE_ACTIVITY, "Open")
    unknown = ocsf_event(entry("volume.open", (PATIENT,), (), {"format": "dicom"}))
    assert (unknown["class_uid"], unknown["activity_id"]) == (API_ACTIVITY, 2)


def test_a_saved_mask_shows_before_and_after() -> None:
    detail = {"labels": [1], "voxels_added": 2, "voxels_removed": 3}
    event = ocsf_event(entry("mask.save", (PATIENT,), (OLD, NEW), detail))
    assert event["file"]["hashes"][0]["value"] == "cd" * 32
    assert event["file_result"]["hashes"][0]["value"] == "ab" * 32
    assert event["unmapped"]["subject"] == [PATIENT]
    assert event["unmapped"]["detail"] == detail


def test_a_failure_is_a_failure() -> None:
    event = ocsf_event(entry("user.auth.fail"))
    assert (event["status_id"], event["severity"]) == (2, "High")


def test_names_come_from_the_officer_and_services_are_services() -> None:
    event = ocsf_event(entry("audit.view"), {USER: "Ann"})
    assert event["actor"]["user"] == {"uid": USER, "type_id": 1, "full_name": "Ann"}


def test_a_line_is_json_and_its_time_counts_milliseconds() -> None:
    line = ocsf_line(entry("audit.view"))
    assert line.endswith(b"}\n")
    assert json.loads(line)["time"] == 1_795_348_800_000


def test_an_unknown_version_of_the_program_is_left_out() -> None:
    from dataclasses import replace

    from napari_medlabel.audit.exports.entries import Session

    one = entry("audit.view")
    event = ocsf_event(replace(one, session=Session(one.session.origin)))
    assert "version" not in event["metadata"]["product"]
