"""Broken and hostile input gets one clear answer: refused in words, or read and said so."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.io.malformed import SECRETS, all_cases

ROOT = Path(__file__).parents[2]
CASES = all_cases()
SECONDS = 2.0
MEMORY_MB = 200.0

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="each case is tried in a fork")


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """Return what came of every case, by its name."""
    folder = tmp_path_factory.mktemp("malformed")
    done = subprocess.run(
        [sys.executable, "-m", "tests.io.malformed_worker", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=170,
    )
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {one["name"]: one for one in found}


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def tried(request, answers):
    """Return a case and what came of it."""
    return request.param, answers[request.param.name]


def test_there_are_about_a_hundred_kinds_of_each():
    assert len(CASES) > 200
    assert sum(case.want == "read" for case in CASES) > 15


def test_it_gets_the_answer_that_is_wanted(tried):
    case, came = tried
    assert "died" not in came, "no answer: killed or crashed"
    assert not came["fault"]
    said = [message for message, _ in came["refused"]]
    if case.want == "refused":
        assert not came["volumes"], "it was read"
        assert any(re.search(case.phrase, text) for text in said), said
    elif case.want == "careful":
        right = bool(case.probes) and bool(came["volumes"]) and not came["missed"]
        assert said or came["warnings"] or right, "read otherwise without a word"
    else:
        assert came["volumes"], said
        assert not came["missed"]
        if case.want == "warned":
            assert any(re.search(case.phrase, text) for text in came["warnings"])


def test_it_ends_with_a_message_and_a_hint_and_never_a_traceback(tried):
    _case, came = tried
    assert "died" not in came, "no answer: killed or crashed"
    assert "Traceback" not in came["err"]
    assert "fault in the program" not in came["err"]
    assert came["code"] in (0, 2)
    if came["code"] == 2:
        assert "\nmedlabel: " in "\n" + came["err"]  # progress may stand before it
        assert "\nhint: " in came["err"]
    for message, hint in came["refused"]:
        assert message.endswith((".", ":")) or "\n" in message, message
        assert hint


def test_it_takes_two_seconds_and_little_memory(tried):
    _case, came = tried
    assert "died" not in came, "no answer: killed or crashed"
    assert came["seconds"] < SECONDS
    assert came["peak_mb"] < MEMORY_MB + 2 * came["size_mb"]


def test_no_answer_names_the_patient_or_the_folder(tried):
    _case, came = tried
    assert "died" not in came, "no answer: killed or crashed"
    texts = [came["out"], came["err"], *came["warnings"], *came["logged"]]
    texts += [text for pair in came["refused"] for text in pair]
    for text in texts:
        assert not any(secret in text for secret in SECRETS)
        assert "malformed0" not in text
