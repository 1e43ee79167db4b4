"""``medlabel project agree``: how far the readings of a study agree, as table and report."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_medlabel.cli.study_seat import add_study, seated
from napari_medlabel.errors import InputError

if TYPE_CHECKING:
    from napari_medlabel.project.agreement.report import Facts, Summary
    from napari_medlabel.session.study.comparing import Compared


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``project agree`` to the command line.

    Parameters
    ----------
    commands : argparse subparsers
        Of ``medlabel project``.
    """
    text = "tell how far readings agree: masks, volumes, landmarks, answers"
    parser = commands.add_parser(
        "agree",
        help=text,
        description="Compare the readings of each case that two raters or more have submitted: "
        "Dice, surface Dice, HD95, ASSD, volumes with Bland-Altman, landmarks in mm, kappas "
        "and alpha of answers, with intervals over cases. What each rater submitted first is "
        "compared, before any review. Managers and releasers see raters by their codes, others "
        "as R1, R2, ... The log gets no line about it.",
    )
    add_study(parser, case=False)
    parser.add_argument(
        "--now", action="store_true", help="compare what counts now, corrections among it"
    )
    parser.add_argument(
        "--again",
        action="store_true",
        help="compare what raters read a second time with their own first reading: how steady "
        "each of them is",
    )
    parser.add_argument(
        "--convention",
        choices=("surfel", "voxel"),
        default="surfel",
        help="how surfaces are found and weighed (surfel, as DeepMind's surface-distance)",
    )
    parser.add_argument("--csv", type=Path, metavar="DIR", help="write every pair as tables")
    parser.add_argument(
        "--report", type=Path, metavar="FILE.md", help="write a report by GRRAS, with plots"
    )
    parser.add_argument(
        "--facts",
        type=Path,
        metavar="FILE.json",
        help="what people state for the report, by item: subjects, raters, rationale, ...",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Compare the readings of a study.

    Returns
    -------
    int
        0, however far they agree.

    Raises
    ------
    InputError
        When it is no study, no case has two readings, or a file cannot be used.
    RefusedError
        When the account has no role that may see the readings.
    SaveError
        When a file cannot be written.
    """
    from napari_medlabel import __version__
    from napari_medlabel.cli.progress import progress
    from napari_medlabel.project.agreement.report import Facts, summarise
    from napari_medlabel.session.study.comparing import compare_study, for_eyes_of
    from napari_medlabel.session.study.comparing_files import write_csv
    from napari_medlabel.session.study.steadiness import compare_repeats

    if arguments.again and (arguments.now or arguments.report is not None):
        raise InputError(
            "First and second readings are compared as they were submitted, and GRRAS reports "
            "on raters among each other.",
            hint="Give --again without --now and --report.",
        )
    stated = _stated(arguments.facts)
    with seated(arguments, role="reviewer") as seat:
        convention, tick = arguments.convention, progress("comparing")
        if arguments.again:
            found = compare_repeats(seat, convention=convention, tick=tick)
        else:
            is_first = not arguments.now
            found = compare_study(seat, is_first=is_first, convention=convention, tick=tick)
        found = for_eyes_of(seat, found)
        summary = summarise(found.table, found.answers, seed=seat.settings.seed)
        facts = Facts(
            seat.settings,
            f"napari-medlabel {__version__}",
            found.cases,
            found.left_out,
            is_first=not arguments.now,
            stated=stated,
            repeats=found.repeats,
        )
    if arguments.csv is not None:
        write_csv(arguments.csv, found)
    if arguments.report is not None:
        _write_report(arguments.report, summary, facts)
    if arguments.json:
        key = "same_rater_again" if arguments.again else "between_raters"
        print(json.dumps(_document(summary, found, key), indent=2))
    else:
        _tell(summary, found, "the same rater again" if arguments.again else "between raters")
    return 0


def _stated(path: Path | None) -> dict[str, str]:
    from napari_medlabel.project.agreement.report import ITEMS

    if path is None:
        return {}
    known = [key for key, _ in ITEMS]
    try:
        found = json.loads(path.read_bytes())
        if not set(found) <= set(known):
            raise TypeError  # noqa: TRY301 - joins what a wrong form raises by itself
        return {str(key): str(words) for key, words in found.items()}
    except (OSError, ValueError, TypeError) as err:
        raise InputError(
            "The facts for a report are a JSON object of words by item.",
            hint=f"Items: {', '.join(known)}.",
        ) from err


def _write_report(path: Path, summary: Summary, facts: Facts) -> None:
    from napari_medlabel.io.files import make_folder, write_bytes_aside
    from napari_medlabel.project.agreement.report import plots, write_report

    make_folder(path.absolute().parent)
    drawn = plots(summary)
    files = {name: f"{path.stem}-{name}.svg" for name in drawn}
    for name, svg in drawn.items():
        write_bytes_aside(path.with_name(files[name]), svg.encode())
    write_bytes_aside(path, write_report(summary, facts, files).encode())


def _document(summary: Summary, found: Compared, key: str) -> dict[str, Any]:
    table = summary.table
    return {
        "cases": list(table.cases),
        "cases_in_study": found.cases,
        "left_out": dict(found.left_out),
        "raters": list(table.raters),
        "convention": table.convention,
        "tolerance_mm": table.tolerance_mm,
        "seed": summary.seed,
        "rules": list(table.rules),
        key: [asdict(one) for one in summary.between],
        "against_consensus": [asdict(one) for one in summary.against],
        "volumes": [asdict(one) for one in summary.volumes],
        "landmarks": [asdict(one) for one in summary.marks],
        "answers": [asdict(one) for one in summary.answers],
    }


def _tell(summary: Summary, found: Compared, between: str) -> None:
    from napari_medlabel.cli.mask_stats import print_table
    from napari_medlabel.project.reading.repeats import AGAIN

    table = summary.table
    for words, many in (
        (between, summary.between),
        ("against the consensus", summary.against),
    ):
        rows = [
            {
                "label": one.name,
                "Dice": one.figures["dice"].mean,
                f"NSD@{table.tolerance_mm:g} mm": one.figures["nsd"].mean,
                "HD95 (mm)": one.figures["hd95_mm"].mean,
                "ASSD (mm)": one.figures["assd_mm"].mean,
                "comparisons": one.pairs,
                "missed by one": one.flagged,
            }
            for one in many
            if one.figures
        ]
        if rows:
            print(f"{words}:")
            print_table(rows)
    for mark in summary.marks:
        mm = "-" if mark.figure is None else f"{mark.figure.mean:.2f} mm"
        print(f"landmark {mark.name}: {mm}; not placed by both: {mark.missing}")
    for answer in summary.answers:
        last = answer.coefficients[-1]
        value = "undefined" if last.value is None else f"{last.value:.3f}"
        print(f"question {answer.question}: {last.name} {value}")
    raters = {name.removesuffix(AGAIN) for name in table.raters}
    print(f"{len(table.cases)} of {found.cases} cases, {len(raters)} raters.")
    for reason, count in found.left_out.items():
        if count:
            print(f"not compared: {count} {reason}", file=sys.stderr)
    for sentence in table.rules:
        print(sentence)
