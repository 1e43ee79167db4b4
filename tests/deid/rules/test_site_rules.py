from __future__ import annotations

import copy

import pytest

from napari_medlabel.deid.rules.site_rules import SiteRules, read_site_rules, site_rules
from napari_medlabel.errors import InputError

GOOD = """
name = "Trial 7"
version = "3"
words = ["Kopfspule", "iso"]

[[rule]]
attribute = "StationName"
action = "K"

[[rule]]  # by number
attribute = "(0018,1030)"
action = "X"

[[rule]]
attribute = "RequestAttributesSequence/ScheduledProcedureStepDescription"
action = "C"

[[private]]
group = "0019"
element = "0c"
creator = "SIEMENS MR HEADER"
vr = "IS"

[keep]
SeriesDescription = ["Arm A", "Arm B"]

[patterns]
SequenceName = "seq[0-9]{1,3}"
"""
HEAD = 'name = "a"\nversion = "1"\n'


def test_a_file_becomes_rules(tmp_path):
    (tmp_path / "site.toml").write_text(GOOD, "utf-8")
    rules = read_site_rules(tmp_path / "site.toml")
    assert (rules.name, rules.version) == ("Trial 7", "3")
    assert rules.actions == {0x00081010: "K", 0x00181030: "X"}
    path = ("RequestAttributesSequence", "ScheduledProcedureStepDescription")
    assert rules.paths == {path: "C"}
    assert rules.words == {"kopfspule", "iso"}
    assert rules.private == (("0019", "0C", "SIEMENS MR HEADER", "IS"),)
    assert rules.lists("SeriesDescription", "Arm A")
    assert not rules.lists("SeriesDescription", "Arm C")
    assert rules.lists("SequenceName", "seq12")
    assert not rules.lists("SequenceName", "seq12 Quincy")


def test_rules_may_be_empty_and_travel():
    rules = site_rules(HEAD)
    assert rules == SiteRules("a", "1")
    again = copy.deepcopy(site_rules(GOOD))
    assert again == site_rules(GOOD)
    assert again.text() == site_rules(GOOD).text() != rules.text()


def rule(attribute: str, action: str = "K") -> str:
    return f'{HEAD}[[rule]]\nattribute = "{attribute}"\naction = "{action}"\n'


def private(**changed: str) -> str:
    table = {"group": "0019", "element": "0C", "creator": "M", "vr": "IS"} | changed
    lines = "\n".join(f'{key} = "{value}"' for key, value in table.items())
    return f"{HEAD}[[private]]\n{lines}\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name = \nversion = 1", "line 1 is not TOML"),
        ("name = ", "the end is missing"),
        (rule("(0004,1500)"), "not in the dictionary"),
        (HEAD + "quincy = 1", "1 of its keys are not known"),
        ('version = "1"', "the top of the file needs name"),
        ('name = "a"\nversion = 1', "needs version as a text"),
        (HEAD + "rule = 3", "rule is not a list of tables"),
        (HEAD + "rule = [1]", "rule is not a list of tables"),
        (HEAD + '[[rule]]\nattribute = "Quincy"', r"rule 1 \(line 3\) needs exactly"),
        (HEAD + 'rule = [{attribute = "Quincy", action = "K"}]', "rule 1 names"),
        (rule("StationName", "Q"), r"rule 1 \(line 3\) has an action other than C, D, K"),
        (rule("Quincy"), "names an attribute that is not in the dictionary"),
        (rule("(0009,1001)"), "names an attribute that is not in the dictionary"),
        (rule("PatientName"), "would keep PatientName"),
        (rule("ASequence/PatientID"), "not in the dictionary"),
        (rule("ReferencedPatientSequence/PatientID", "C"), "would keep PatientID"),
        (rule("StationName", "U"), "replaces UIDs in StationName"),
        (rule("Rows", "X"), "names Rows, which an image cannot be without"),
        (rule("StudyInstanceUID", "K"), "there is the option retain-uids"),
        (rule("PatientIdentityRemoved", "X"), "which says what was done"),
        (
            rule("StationName", "K") + '\n[[rule]]\nattribute = "(0008,1010)"\naction = "X"',
            r"rule 2 \(line 7\) names StationName, which has a rule already",
        ),
        (
            HEAD + "[patterns]\nStudyDescription = '(.*.*.*)*x'",
            "patterns 1 could search without end",
        ),
        (private(group="0018"), "a group that is not four digits"),
        (private(element="100C"), "an element that is not two"),
        (private(vr="PN"), "a VR other than AT"),
        (private(more="x"), "needs exactly the keys group"),
        (HEAD + "words = 3", "words is not made of texts"),
        (HEAD + "keep = 3", "keep is not a table of keywords"),
        (HEAD + "[keep]\nQuincy = ['a']", "keep 1 names an attribute"),
        (HEAD + "[keep]\nStationName = 'a'", "keep 1 is not made of texts"),
        (HEAD + "[keep]\nPatientID = ['a']", "keep 1 would keep PatientID"),
        (HEAD + "[patterns]\nStationName = '('", "patterns 1 is not a regular expression"),
        (HEAD + "[patterns]\nOperatorsName = 'a'", "patterns 1 would keep OperatorsName"),
    ],
)
def test_what_is_wrong_is_said_without_quoting_it(text, says):
    with pytest.raises(InputError, match=says) as caught:
        site_rules(text)
    assert "Quincy" not in str(caught.value)
    assert "profile.md" in caught.value.hint


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path, content):
    path = tmp_path / "quincy.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match="could not be read") as caught:
        read_site_rules(path)
    assert "quincy" not in str(caught.value)
