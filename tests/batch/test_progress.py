"""What whoever watches a run gets to see."""

import io
import re
import threading
import time
from typing import Any

import pytest
from eugpt_fast.batch import figures, progress
from eugpt_fast.batch.snapshot import Checking, Wait
from eugpt_fast.batch.stats import Stats
from eugpt_fast.batch.table import table

from .made_up import Clock, outcome, run

rich_console = pytest.importorskip("rich.console")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _terminal_of_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)


def shown(stats: Stats, width: int) -> list[str]:
    from eugpt_fast.batch.live import picture  # noqa: PLC0415

    console = rich_console.Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(picture(stats.snapshot()))
    return re.sub(r"\x1b\[[0-9;]*m", "", console.file.getvalue()).splitlines()


def test_a_line_tells_all_there_is() -> None:
    stats = run(60)
    stats.note = "paused for 20 s"
    assert progress.line(stats.snapshot()) == (
        "50.0 % of 1,200, 540 done, 60 failed, 12 in flight (limit 16), 10.0 requests/s, 270 events/s, 180 tokens/s, "
        "60 retries, 1:00 elapsed, 1:00 left, paused for 20 s"
    )


def test_before_the_first_request_it_tells_how_far_the_input_was_read() -> None:
    stats = Stats(clock=Clock())
    for checking, told in (
        (Checking("reading the input", 1234, 0.5), "reading the input: line 1,234, 50 %"),
        (Checking("reading the input", 1234, None), "reading the input: line 1,234"),
        (Checking("comparing", None, 0.25), "comparing: 25 %"),
        (Checking("sorting", None, None), "sorting"),
    ):
        stats.checking = checking
        assert progress.line(stats.snapshot()) == told
        assert shown(stats, 80) == [told]


def test_it_tells_why_and_until_when_requests_are_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC0")
    time.tzset()
    monkeypatch.setattr("eugpt_fast.batch.snapshot.time.time", lambda: 1_000_000.0)
    stats = run(60)
    for left, told in (
        (75, "waiting until 13:47:55 (1:15): the server asks for it"),
        (0.5, "held back: the server asks for it"),
    ):
        stats.wait = Wait("the server asks for it", 1_000_000.0 + left)
        assert progress.line(stats.snapshot()).endswith(f", {told}")
        assert shown(stats, 80)[-1] == told


def test_a_long_wait_is_told_at_once_and_short_ones_in_the_next_line(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, stream = Clock(), io.StringIO()
    monkeypatch.setattr(time, "monotonic", clock)
    stats = Stats(10)
    waits = [0, 0.4, 0, 0.4, 60, 59, 58, 0, 0.4, 0]
    with progress.writing(stream) as show:
        seen = []
        for left in waits:
            clock.now += 1
            stats.wait = Wait("slow down", time.time() + left) if left else None
            show(stats.snapshot())
            seen.append(len(stream.getvalue().splitlines()))
    assert seen == [0, 0, 0, 0, 1, 1, 1, 1, 1, 2]


def test_a_terminal_that_takes_nothing_holds_up_nobody() -> None:
    free = threading.Event()

    class Stopped(io.StringIO):
        def write(self, text: str) -> int:
            free.wait(30)
            return super().write(text)

    clock, stream = Clock(), Stopped()
    stats = Stats(10, clock=clock)
    stats.note = "stopping"
    with progress.display(stream) as show:
        for _ in range(100):
            show(stats)
        assert stream.getvalue() == ""
        free.set()
    assert "stopping" in stream.getvalue()


def test_a_line_without_a_total_claims_no_share() -> None:
    told = progress.line(Stats(clock=Clock()).snapshot())
    assert told.startswith("0 done, 0 failed")
    assert told.endswith("time left unknown")


def test_lines_come_every_five_seconds_and_when_something_is_to_be_said(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, stream = Clock(), io.StringIO()
    monkeypatch.setattr(time, "monotonic", clock)
    stats = Stats(10)
    with progress.writing(stream) as show:
        seen = []
        for second in range(1, 13):
            clock.now += 1
            stats.note = "stopping" if second >= 7 else None
            show(stats.snapshot())
            seen.append(len(stream.getvalue().splitlines()))
    assert seen == [0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 2, 3]


def test_quiet_is_quiet() -> None:
    stream = Terminal()
    with progress.display(stream, quiet=True) as show:
        show(run(5))
    assert stream.getvalue() == ""


def test_a_terminal_gets_a_display_that_is_gone_afterwards() -> None:
    stream = Terminal()
    with progress.writing(stream) as show:
        show(run(60).snapshot())
        drawn = stream.getvalue()
        show(run(61).snapshot())
    assert "540" in drawn
    assert "\x1b[1A\x1b[2K" in stream.getvalue()[len(drawn) :], "a drawing takes the place of the one before"
    after = stream.getvalue()[stream.getvalue().rindex("\n") :]
    assert after.count("\x1b[2K") >= 3
    assert not re.search("[a-z]{3}", after)


@pytest.mark.parametrize("why", ["a dumb terminal", "no rich"])
def test_other_terminals_get_lines(why: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, stream = Clock(), Terminal()
    monkeypatch.setattr(time, "monotonic", clock)
    if why == "no rich":
        monkeypatch.setattr(progress, "find_spec", lambda name: None)
    else:
        monkeypatch.setenv("TERM", "dumb")
    with progress.display(stream) as show:
        clock.now += 5
        show(run(60))
    assert "\x1b" not in stream.getvalue()
    assert stream.getvalue().startswith("50.0 % of 1,200, 540 done")


@pytest.mark.parametrize("error", [BrokenPipeError, OSError, ValueError])
@pytest.mark.parametrize("terminal", [False, True])
def test_a_stream_that_fails_ends_the_display_and_not_the_run(
    terminal: Any, error: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    class Broken(io.StringIO):
        def isatty(self) -> bool:
            found: bool = terminal
            return found

        def write(self, text: str) -> int:
            tried.append(text)
            raise error

    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    with progress.writing(Broken()) as show:
        for _ in range(3):
            clock.now += 5
            show(run(5).snapshot())
    assert len(tried) == 1


@pytest.mark.parametrize("width", [30, 40, 60, 80, 200])
def test_the_display_fits_and_leaves_out_nothing(width: Any) -> None:
    stats = run(60)
    stats.note = "the server asked for a pause"
    lines = shown(stats, width)
    assert max(map(len, lines)) <= width
    whole = re.sub(r"\s+", " ", " ".join(lines))
    expected = [
        "50 %",
        "1:00 left",
        "done 540",
        "failed 60",
        "in flight 12",
        "limit 16",
        "to do 588",
        "requests/s 10.0",
    ]
    expected += ["events/s 270", "tokens/s 180", "retries 60", "429: 60", "invalid_prompt: 60", "asked for a pause"]
    for told in expected:
        assert told in whole


def test_the_bar_is_full_only_at_the_end() -> None:
    stats = Stats(1000, done=998)
    stats.finished(outcome())
    assert "99 %" in shown(stats, 60)[0]
    stats.finished(outcome())
    assert "100 %" in shown(stats, 60)[0]


def test_what_a_server_says_is_no_markup() -> None:
    stats = Stats(1)
    stats.finished(outcome("error", error=("[bold]x[/nonsense]", "…")))
    assert "[bold]x[/nonsense]: 1" in "".join(shown(stats, 60))


def test_the_table_tells_the_end() -> None:
    stats = run(60, done=100, failed=2)
    stats.invalid = 3
    told = table(stats.as_json()).splitlines()
    assert told[0].split() == ["done", "640"]
    assert "failed              62 (invalid_prompt: 60)" in told
    assert "of these before     100 done, 2 failed" in told
    assert "not finished        498" in told
    assert "invalid lines       3" in told
    assert "retries             60 (429: 60)" in told
    assert "tokens in           5,400" in told
    assert "tokens out          10,800" in told
    assert told[-3].split() == ["p50", "p90", "p99", "max"]
    assert max(map(len, told)) <= 68


def test_the_table_of_nothing() -> None:
    told = table(Stats(0, clock=Clock()).as_json())
    assert "not finished" not in told
    assert told.splitlines()[-1].split() == ["duration", "-", "-", "-", "-"]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, "-"), (0.00085, "850 µs"), (0.0009996, "1 ms"), (0.012, "12 ms"), (0.9996, "1.00 s"), (1.25, "1.25 s"),
     (9.999, "10.0 s"), (12.34, "12.3 s"), (99.97, "100 s"), (12345.6, "12,346 s")],
)  # fmt: skip
def test_short_times(seconds: Any, told: Any) -> None:
    assert figures.time(seconds) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0:00"), (59.6, "1:00"), (723, "12:03"), (3599.5, "1:00:00"), (11109, "3:05:09"), (183909, "2 d 03:05:09")],
)
def test_long_times(seconds: Any, told: Any) -> None:
    assert figures.span(seconds) == told


@pytest.mark.parametrize(("per_second", "told"), [(0, "0.00"), (0.25, "0.25"), (7.54, "7.5"), (12345.6, "12,346")])
def test_rates(per_second: Any, told: Any) -> None:
    assert figures.rate(per_second) == told


def test_many_causes_are_summed_up() -> None:
    told = figures.causes({f"c{number}": number for number in range(1, 10)})
    assert told == "c9: 9, c8: 8, c7: 7, c6: 6, c5: 5, c4: 4, others: 6"
