"""``eugpt-fast batch`` as a person meets it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from eugpt_fast.batch.runner import Summary
from eugpt_fast.cli import batch, main
from eugpt_fast.errors import EugptFastError
from eugpt_fast.testing import ReplayServer, Reply, openai_stream

from .made_up import run as made_up_run

STREAM = openai_stream(20)


def requests(count: int) -> bytes:
    body = {"model": "m", "input": "a prompt"}
    lines = [
        {"custom_id": f"r{number}", "method": "POST", "url": "/v1/responses", "body": body} for number in range(count)
    ]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@pytest.fixture
def folder(tmp_path: Path) -> Any:
    (tmp_path / "requests.jsonl").write_bytes(requests(5))
    return tmp_path


@pytest.fixture
def command(folder: Any) -> Iterator[Any]:
    """Runs ``eugpt-fast batch`` in the folder, against a server that answers every request."""
    with ReplayServer(STREAM.body) as server:

        def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
            environment = {**os.environ, "EUGPT_API_KEY": "sk-test", "EUGPT_BASE_URL": server.url}
            environment |= options.pop("env", {})
            return subprocess.run(
                [sys.executable, "-m", "eugpt_fast", "batch", *arguments],
                cwd=folder,
                env=environment,
                capture_output=True,
                timeout=60,
                check=False,
                **options,
            )

        yield run


@pytest.fixture
def ended(folder: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the command in this process, with a run that ends as told."""
    monkeypatch.chdir(folder)

    def run(*arguments: str, ending: Any) -> tuple[int, dict[str, Any]]:
        given: dict[str, Any] = {}

        def fake_run(input: Any, output: Any, *, on_progress: Any, **others: Any) -> Any:
            given.update(others, input=input, output=output)
            on_progress(made_up_run(10))
            if isinstance(ending, BaseException):
                raise ending
            return ending

        monkeypatch.setattr(batch, "run", fake_run)
        return main(["batch", "requests.jsonl", "--output", "out.jsonl", *arguments]), given

    return run


def summary(done: int = 5, failed: int = 0, pending: int = 0, invalid: int = 0, stopped: str | None = None) -> Summary:
    return Summary(done, failed, pending, invalid, stopped, made_up_run(1))


def complaint(result: subprocess.CompletedProcess[bytes]) -> str:
    (line,) = [line for line in result.stderr.decode().splitlines() if line.startswith("eugpt-fast")]
    found: str = line
    return found


def test_results_summary_metrics_and_report(command: Any, folder: Any) -> None:
    result = command("requests.jsonl", "--output", "out.jsonl", "--metrics", "m.json", "--report", "r.html")
    assert result.stderr == b""
    assert result.returncode == 0
    results = [json.loads(line) for line in (folder / "out.jsonl").read_bytes().splitlines()]
    assert sorted(line["custom_id"] for line in results) == [f"r{number}" for number in range(5)]
    assert result.stdout.decode().splitlines()[0].split() == ["done", "5"]
    metrics = json.loads((folder / "m.json").read_text(encoding="utf-8"))
    assert metrics["requests"]["done"] == 5
    assert metrics["stopped"] is None
    assert metrics["time_to_first_text_s"]["count"] == 5
    assert "Requests per second" in (folder / "r.html").read_text(encoding="utf-8")


def test_standard_input_is_read(command: Any, folder: Any) -> None:
    result = command("-", "--output", "out.jsonl", "--quiet", input=requests(3))
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
    assert len((folder / "out.jsonl").read_bytes().splitlines()) == 3


def test_a_person_at_a_terminal_sees_it_run(folder: Any) -> None:
    pytest.importorskip("rich")
    ours, theirs = os.openpty()
    with ReplayServer(Reply(STREAM.body, pace=0.02)) as server:
        environment = {**os.environ, "EUGPT_API_KEY": "sk-test", "EUGPT_BASE_URL": server.url, "TERM": "xterm"}
        command = [sys.executable, "-m", "eugpt_fast", "batch", "requests.jsonl", "--output", "out.jsonl"]
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        seen = b""
        with suppress(OSError):  # what Linux says when the other end is closed
            while block := os.read(ours, 65536):
                seen += block
        os.close(ours)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert output.startswith(b"done                5")
    assert b"in flight" in seen
    assert b"\x1b[2K" in seen, "it takes back what it drew"
    assert seen.count(b"\x1b[?25l") == seen.count(b"\x1b[?25h") == 1, "the cursor is there again"


def test_a_report_may_be_a_picture(command: Any, folder: Any) -> None:
    assert command("requests.jsonl", "--output", "out.jsonl", "--report", "r.SVG").returncode == 0
    assert (folder / "r.SVG").read_text(encoding="utf-8").startswith("<svg ")


@pytest.mark.parametrize(
    ("ending", "status"),
    [
        (summary(), 0),
        (summary(failed=1), 9),
        (summary(invalid=1), 9),
        (summary(pending=2, stopped="the budget of tokens is used up"), 10),
        (summary(failed=1, pending=2, stopped="interrupted"), 130),
        (summary(stopped="interrupted"), 0),
        (asyncio.CancelledError(), 130),
        (KeyboardInterrupt(), 130),
        (OSError(28, "No space left on device"), 1),
        (EugptFastError("another run is at work on out.jsonl"), 1),
    ],
)
def test_the_exit_status_tells_what_became_of_the_file(ended: Any, ending: Any, status: Any) -> None:
    assert ended(ending=ending)[0] == status


def test_where_failures_are_is_told_in_one_line(ended: Any, capsys: pytest.CaptureFixture[str]) -> None:
    ended("--quiet", ending=summary(failed=2, invalid=1))
    assert capsys.readouterr() == ("", "eugpt-fast: 3 failed: they are in out.errors.jsonl\n")


def test_a_wrong_key_is_one_message(folder: Any) -> None:
    with ReplayServer(Reply.error(401)) as server:
        environment = {**os.environ, "EUGPT_API_KEY": "sk-wrong", "EUGPT_BASE_URL": server.url}
        command = [sys.executable, "-m", "eugpt_fast", "batch", "requests.jsonl", "--output", "out.jsonl"]
        result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=60, check=False)
    assert result.returncode == 1
    assert result.stderr == b"eugpt-fast: the API refuses the key: Unauthorized\n"
    assert result.stdout == b""
    assert b"sk-wrong" not in result.stderr


def test_what_is_left_is_told_in_one_line(ended: Any, capsys: pytest.CaptureFixture[str]) -> None:
    ended("--quiet", ending=summary(pending=2, stopped="the budget of tokens is used up"))
    told = "eugpt-fast: the budget of tokens is used up: 2 requests are left; the same command goes on with them\n"
    assert capsys.readouterr() == ("", told)


@pytest.mark.parametrize("ending", [OSError(28, "No space left"), asyncio.CancelledError(), KeyboardInterrupt()])
def test_a_run_that_broke_off_leaves_its_metrics(ended: Any, ending: Any, folder: Any) -> None:
    ended("--metrics", "m.json", ending=ending)
    assert json.loads((folder / "m.json").read_text(encoding="utf-8"))["requests"]["done"] == 90


def test_a_full_disk_is_told_with_what_to_do(ended: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(ending=OSError(28, "No space left on device", "out.jsonl"))[0] == 1
    told = "[Errno 28] No space left on device: 'out.jsonl'; what was recorded is safe: make room, and the same command"
    assert capsys.readouterr().err == f"eugpt-fast: {told} goes on\n"


def test_metrics_that_cannot_be_written_cost_the_status_and_nothing_else(
    ended: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    status, _ = ended("--metrics", "/dev/full", "--report", "r.html", ending=summary())
    assert status == 1
    output, complaints = capsys.readouterr()
    assert output.startswith("done ")
    assert complaints.startswith("eugpt-fast: the results are safe, but /dev/full is not written: ")
    assert Path("r.html").exists()


def test_every_option_reaches_the_run(ended: Any) -> None:
    limits = {"concurrency": 3, "max_concurrency": 9, "rpm": 60.5, "tpm": 1e6, "attempts": 2, "deadline": 30.0,
              "max_total_tokens": 1000}  # fmt: skip
    arguments = [word for name, value in limits.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    _, given = ended(
        *arguments, "--errors", "e.jsonl", "--base-url", "http://host", "--skip-invalid", "--restart", ending=summary()
    )
    options = given["options"]
    assert {name: getattr(options, name) for name in limits} == limits
    assert (options.base_url, options.skip_invalid, given["restart"]) == ("http://host", True, True)
    assert (given["input"], given["output"], given["errors"]) == ("requests.jsonl", Path("out.jsonl"), Path("e.jsonl"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["requests.jsonl"],
        ["--output", "out.jsonl"],
        ["requests.jsonl", "--output", "requests.jsonl"],
        ["requests.jsonl", "--output", "./x/../requests.jsonl"],
        ["requests.jsonl", "--output", "out.jsonl", "--errors", "out.jsonl"],
        ["requests.jsonl", "--output", "out.jsonl", "--metrics", "out.jsonl"],
        ["requests.jsonl", "--output", "out.jsonl", "--metrics", "out.errors.jsonl"],
        ["requests.jsonl", "--output", "out.jsonl", "--report", "r.png"],
        ["requests.jsonl", "--output", "out.jsonl", "--concurrency", "0"],
        ["requests.jsonl", "--output", "out.jsonl", "--concurrency", "2.5"],
        ["requests.jsonl", "--output", "out.jsonl", "--rpm", "-1"],
        ["requests.jsonl", "--output", "out.jsonl", "--tpm", "nan"],
        ["requests.jsonl", "--output", "out.jsonl", "--deadline", "inf"],
        ["requests.jsonl", "--output", "out.jsonl", "--attempts", "many"],
        ["requests.jsonl", "--output", "out.jsonl", "--max-total-tokens", "1e6"],
    ],
)
def test_wrong_arguments_are_told_before_anything_is_touched(
    ended: Any, arguments: Any, folder: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit:
        main(["batch", *arguments])
    assert exit.value.code == 2
    usage, complaint = capsys.readouterr().err.splitlines()
    assert usage == "usage: eugpt-fast batch REQUESTS --output FILE [options]"
    assert complaint.startswith("eugpt-fast batch: error: ")
    assert [file.name for file in folder.iterdir()] == ["requests.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["missing.jsonl", "--output", "out.jsonl"], "missing.jsonl"),
        ([".", "--output", "out.jsonl"], "is a folder"),
        (["requests.jsonl", "--output", "."], "is a folder"),
        (["requests.jsonl", "--output", "no/out.jsonl"], "there is no folder no"),
        (["requests.jsonl", "--output", "/dev/null"], "no regular file"),
        (["requests.jsonl", "--output", "out.jsonl", "--errors", "no/e.jsonl"], "there is no folder no"),
        (["requests.jsonl", "--output", "out.jsonl", "--metrics", "no/m.json"], "there is no folder no"),
        (["requests.jsonl", "--output", "out.jsonl", "--report", "no/r.svg"], "there is no folder no"),
    ],
)
def test_files_that_cannot_be_used_are_told_before_anything_is_sent(
    arguments: Any, told: Any, folder: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("EUGPT_BASE_URL", "http://127.0.0.1:9")
    assert main(["batch", *arguments]) == 1
    output, (complaint,) = (text.splitlines() for text in capsys.readouterr())
    assert told in complaint
    assert output == []
    assert [file.name for file in folder.iterdir()] == ["requests.jsonl"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anything")
def test_a_folder_that_may_not_be_written(command: Any, folder: Any) -> None:
    folder.chmod(0o500)
    assert "may not be written" in complaint(command("requests.jsonl", "--output", "out.jsonl"))


def test_a_pipe_is_read_as_standard_input_is(command: Any, folder: Any) -> None:
    os.mkfifo(folder / "pipe")
    writer = threading.Thread(target=(folder / "pipe").write_bytes, args=(requests(3),), daemon=True)
    writer.start()
    assert command("pipe", "--output", "out.jsonl").returncode == 0
    assert len((folder / "out.jsonl").read_bytes().splitlines()) == 3


def test_without_a_key_nothing_is_begun(command: Any, folder: Any) -> None:
    result = command("requests.jsonl", "--output", "out.jsonl", env={"EUGPT_API_KEY": ""})
    assert result.returncode == 1
    assert "EUGPT_API_KEY" in complaint(result)
    assert not (folder / "out.jsonl").exists()


def test_bad_lines_refuse_the_run_with_their_numbers(command: Any, folder: Any) -> None:
    (folder / "requests.jsonl").write_bytes(b"{bad\n")
    result = command("requests.jsonl", "--output", "out.jsonl")
    assert result.returncode == 1
    assert "line 1" in complaint(result)


def test_bad_lines_may_be_skipped_and_are_told(command: Any, folder: Any) -> None:
    with open(folder / "requests.jsonl", "ab") as file:
        file.write(b"{bad\n")
    result = command("requests.jsonl", "--output", "out.jsonl", "--skip-invalid")
    assert result.returncode == 9
    told = [line.split() for line in result.stdout.decode().splitlines()]
    assert ["done", "5"] in told
    assert ["invalid", "lines", "1"] in told


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_leaves_an_account_and_no_traceback(times: Any, folder: Any) -> None:
    slow = Reply(STREAM.body, pace=0.1 if times == 1 else 5.0)
    with ReplayServer(slow) as server:
        environment = {**os.environ, "EUGPT_API_KEY": "sk-test", "EUGPT_BASE_URL": server.url}
        arguments = ["requests.jsonl", "--output", "out.jsonl", "--concurrency", "2", "--metrics", "m.json"]
        process: Any = subprocess.Popen(
            [sys.executable, "-m", "eugpt_fast", "batch", *arguments],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        while len(server.requests) < 2:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        while b"Ctrl-C again stops at once" not in (line := process.stderr.readline()):
            assert line, "it ended without a word"
        if times == 2:
            process.send_signal(signal.SIGINT)
        output, complaints = process.communicate(timeout=60)
    assert process.returncode == 130
    complaint = complaints.decode().splitlines()[-1]
    assert complaint.startswith("eugpt-fast: interrupted: 3 " if times == 1 else "eugpt-fast: stopped at once")
    assert b"Traceback" not in complaints
    assert f"not finished        {3 if times == 1 else 5}" in output.decode()
    metrics = json.loads((folder / "m.json").read_text(encoding="utf-8"))
    assert metrics["requests"]["done"] == (2 if times == 1 else 0)
    assert metrics["stopped"] == "interrupted"


@pytest.mark.parametrize("input", ["-", "requests.jsonl"])
def test_ctrl_c_while_the_input_is_read_ends_it(input: Any, folder: Any) -> None:
    (folder / "requests.jsonl").write_bytes(requests(200_000))
    command = [sys.executable, "-m", "eugpt_fast", "batch", input, "--output", "out.jsonl"]
    environment = {**os.environ, "EUGPT_API_KEY": "sk-test", "EUGPT_BASE_URL": "http://127.0.0.1:9"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, env=environment, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        while not (folder / "out.jsonl.ledger").exists():
            assert process.poll() is None
            time.sleep(0.01)
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stderr is not None
        assert process.stdout is not None
        complaints = process.stderr.read()
        assert process.stdout.read() == b""
    assert complaints.splitlines()[-1].startswith(b"eugpt-fast: stopped at once")
    assert b"Traceback" not in complaints


def test_the_help_tells_every_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["batch", "--help"])
    told = capsys.readouterr().out
    for status in (0, 1, 2, 9, 10, 130):
        assert f"\n{status:>3}  " in told
