"""Progress: silent when it is quick, a bar on a terminal, a line for each tenth elsewhere."""

from __future__ import annotations

import io

from napari_medlabel.cli.convert import VALUES as OFFERED
from napari_medlabel.cli.progress import progress
from napari_medlabel.io.registry import VALUES


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def run(stream: io.StringIO, seconds: float, steps: int = 100) -> str:
    now = [0.0]
    show = progress("reading", stream=stream, clock=lambda: now[0])
    for step in range(steps + 1):
        now[0] = seconds * step / steps
        show(step, steps)
    return stream.getvalue()


def test_quick_work_says_nothing() -> None:
    assert run(io.StringIO(), 0.9) == ""
    assert run(Terminal(), 0.9) == ""


def test_elsewhere_each_tenth_is_a_line() -> None:
    lines = run(io.StringIO(), 20.0).splitlines()
    assert lines == [f"reading: {n} %" for n in range(10, 101, 10)]


def test_on_a_terminal_a_bar_grows_and_ends_its_line() -> None:
    shown = run(Terminal(), 10.0)
    assert shown.endswith(f"\rreading [{'#' * 30}] 100%\n")
    assert shown.count("\n") == 1
    assert "\rreading [###############...............]  50%" in shown


def test_nothing_to_do_is_done() -> None:
    now = iter((0.0, 5.0))
    stream = io.StringIO()
    progress("reading", stream=stream, clock=lambda: next(now))(0, 0)
    assert stream.getvalue() == "reading: 100 %\n"


def test_the_command_line_offers_the_values_that_the_readers_know() -> None:
    assert OFFERED == VALUES


def hinted(stream: io.StringIO, seconds: float, hint: str = "Try --quick.") -> str:
    now = [0.0]
    show = progress("reading", hint=hint, stream=stream, clock=lambda: now[0])
    for step in range(101):
        now[0] = seconds * step / 100
        show(step, 100)
    return stream.getvalue()


def test_what_makes_it_quicker_is_said_once_after_half_a_minute() -> None:
    assert "Try" not in hinted(io.StringIO(), 29)
    assert hinted(io.StringIO(), 60).count("Try --quick.\n") == 1
    assert "reading: 50 %\nTry --quick.\n" in hinted(io.StringIO(), 59.9)
    assert hinted(Terminal(), 60).count("\nTry --quick.\n") == 1
    assert hinted(io.StringIO(), 60, "") == run(io.StringIO(), 60)


def test_nothing_is_advised_when_all_is_done() -> None:
    now = [0.0]
    stream = io.StringIO()
    show = progress("reading", hint="Try --quick.", stream=stream, clock=lambda: now[0])
    now[0] = 40.0
    show(1, 1)
    assert "Try" not in stream.getvalue()
