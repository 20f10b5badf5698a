"""The command line as a person meets it: as a process of its own."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from eugpt_fast.cli import main
from eugpt_fast.testing import Fault, ReplayServer, Reply, damage, openai_stream

DATA = Path(__file__).parent / "data"
STREAM = openai_stream(20)


def command(*arguments: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "eugpt_fast", *arguments], capture_output=True, timeout=60, check=False, **options
    )


def start(*arguments: str, **options: Any) -> Any:
    return subprocess.Popen(
        [sys.executable, "-m", "eugpt_fast", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **options,
    )


def lines(output: bytes) -> list[Any]:
    return [json.loads(line) for line in output.decode().splitlines()]


def test_demo_prints_text_verdict_and_metrics() -> None:
    result = command("demo")
    assert result.returncode == 0
    assert result.stderr == b""
    output = result.stdout.decode()
    assert "scaf" in output
    assert "completed" in output
    assert "time to first text" in output


def test_parse_prints_every_event_as_a_line_of_json(tmp_path: Path) -> None:
    file = tmp_path / "stream.sse"
    file.write_bytes(STREAM.body)
    result = command("parse", str(file))
    assert result.returncode == 0
    assert len(lines(result.stdout)) == STREAM.events
    assert result.stderr == b"eugpt-fast: completed\n"


def test_parse_reads_standard_input_and_prints_text() -> None:
    result = command("parse", "-", "--text", input=STREAM.body)
    assert result.stdout.decode() == STREAM.text + "\n"


def test_parse_prints_only_the_types_asked_for_and_terminal_ones() -> None:
    result = command("parse", "-", "--only", "response.created", "--only", "response.in_progress", input=STREAM.body)
    kinds = [event["type"] for event in lines(result.stdout)]
    assert kinds == ["response.created", "response.in_progress", "response.completed"]


@pytest.mark.parametrize(
    ("fault", "status"),
    [(Fault.INCOMPLETE, 3), (Fault.FAILED, 4), (Fault.ERROR_FLAT, 6), (Fault.NO_TERMINAL, 7), (Fault.CUT_IN_EVENT, 7)],
)
def test_the_exit_status_tells_the_verdict(fault: Any, status: Any) -> None:
    result = command("parse", "-", "--text", input=damage(STREAM.body, fault))
    assert result.returncode == status
    assert result.stdout.decode().strip()
    assert len(result.stderr.splitlines()) == 1


def test_a_server_that_was_killed_is_an_interruption() -> None:
    result = command("parse", str(DATA / "server_killed.sse"))
    assert result.returncode == 7
    assert b"interrupted" in result.stderr
    assert len(lines(result.stdout)) == 48


def test_a_bad_event_is_told_and_the_others_are_printed() -> None:
    body = b'data: {"a":1}\n\ndata: {bad\n\ndata: {"type":"response.completed"}\n\n'
    result = command("parse", "-", input=body)
    assert result.returncode == 8
    assert lines(result.stdout) == [{"a": 1}, {"type": "response.completed"}]
    assert b"bad event" in result.stderr


def test_what_json_loads_accepts_comes_out_as_it_was() -> None:
    payload = rb'{"type":"error","n":123456789012345678901234567890,"s":"\ud800 \u00e9 \u2028","f":1e400,"x":NaN}'
    result = command("parse", "-", input=b"data: " + payload + b"\n\n")
    (event,) = lines(result.stdout.replace("\u2028".encode(), rb"\u2028"))
    assert repr(event) == repr(json.loads(payload))


def test_stream_asks_the_api_and_prints_the_answer() -> None:
    with ReplayServer(STREAM.body) as server:
        environment = {**os.environ, "EUGPT_API_KEY": "sk-test", "EUGPT_BASE_URL": server.url}
        result = command("stream", "a prompt", "--model", "m", env=environment)
        body = json.loads(server.requests[0].body)
    assert result.returncode == 0
    assert result.stdout.decode() == STREAM.text + "\n"
    assert body == {"input": "a prompt", "model": "m", "stream": True}


def test_stream_tells_an_interruption() -> None:
    with ReplayServer(Reply(STREAM.body, fault=Fault.BROKEN_CHUNK)) as server:
        environment = {**os.environ, "EUGPT_API_KEY": "sk-test", "EUGPT_BASE_URL": server.url}
        result = command("stream", "a prompt", env=environment)
    assert result.returncode == 7
    assert result.stdout.decode().strip()
    assert b"RemoteProtocolError" in result.stderr


def test_a_refusal_is_one_line_on_standard_error() -> None:
    with ReplayServer(Reply.error(401, message="no such key")) as server:
        environment = {**os.environ, "EUGPT_API_KEY": "sk-test", "EUGPT_BASE_URL": server.url}
        result = command("stream", "a prompt", env=environment)
    assert result.returncode == 1
    assert result.stderr.decode().count("\n") == 1
    assert "no such key" in result.stderr.decode()


def test_a_missing_key_is_one_line_on_standard_error() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "EUGPT_API_KEY"}
    result = command("stream", "a prompt", env=environment)
    assert result.returncode == 1
    assert result.stderr == b"eugpt-fast: no API key: pass api_key= or set EUGPT_API_KEY\n"


def test_serve_replays_a_file_until_ctrl_c(tmp_path: Path) -> None:
    file = tmp_path / "stream.sse"
    file.write_bytes(STREAM.body)
    with start("serve", str(file), "--fault", "done") as process:
        address = process.stdout.readline().decode().split(" at ")[1].split()[0]
        assert httpx.post(address).content == STREAM.body + b"data: [DONE]\n\n"
        process.send_signal(signal.SIGINT)
        output, complaint = process.communicate(timeout=30)
    assert (process.returncode, output, complaint) == (130, b"", b"")


def test_ctrl_c_ends_a_stream_quietly() -> None:
    with ReplayServer(Reply(STREAM.body, fault=Fault.STALL)) as server:
        environment = {**os.environ, "EUGPT_API_KEY": "sk-test", "EUGPT_BASE_URL": server.url}
        with start("stream", "a prompt", env=environment) as process:
            assert process.stdout.read(1)
            process.send_signal(signal.SIGINT)
            _, complaint = process.communicate(timeout=30)
    assert (process.returncode, complaint) == (130, b"")


def test_a_closed_pipe_ends_it_quietly(tmp_path: Path) -> None:
    file = tmp_path / "stream.sse"
    file.write_bytes(openai_stream(2000).body)
    with start("parse", str(file)) as process:
        assert process.stdout.readline()
        process.stdout.close()
        complaint = process.stderr.read()
        process.wait(timeout=30)
    assert (process.returncode, complaint) == (141, b"")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["parse"],
        ["parse", "-", "--text", "--only", "x"],
        ["serve", "f", "--fault", "x"],
        ["stream"],
        ["serve", "f", "--port", "99999"],
        ["serve", "f", "--port", "-5"],
        ["serve", "f", "--pace", "nan"],
    ],
)
def test_wrong_arguments_are_told_with_the_usage(arguments: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: eugpt-fast" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["parse", "nowhere.sse"], ["parse", "."], ["serve", "nowhere.sse"], ["bench", "."]]
)
def test_a_file_that_cannot_be_read_is_one_line_on_standard_error(
    arguments: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_bench_compares_the_parser_with_its_twin() -> None:
    result = command("bench", str(DATA / "text_long.sse"))
    assert result.returncode == 0
    assert result.stdout.decode().count("µs/event") == 4


@pytest.mark.parametrize("arguments", [[], ["demo"], ["stream"], ["parse"], ["serve"], ["bench"]])
def test_every_command_has_a_help_text(arguments: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([*arguments, "--help"])
    assert caught.value.code == 0
    assert "usage: eugpt-fast" in capsys.readouterr().out


def test_what_a_server_says_cannot_take_over_the_terminal() -> None:
    body = b'data: {"type":"error","message":"\\u001b[31mred\\u0007\\nsecond line"}\n\n'
    result = command("parse", "-", "--text", input=body)
    assert result.returncode == 6
    assert result.stderr.decode().count("\n") == 1
    assert "\x1b" not in result.stderr.decode()


@pytest.mark.skipif(os.name == "nt", reason="a shell closes the streams")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_a_closed_standard_stream_is_no_traceback(closed: Any, tmp_path: Path) -> None:
    file = tmp_path / "stream.sse"
    file.write_bytes(STREAM.body)
    which = "-" if closed == "<&-" else str(file)
    line = f'exec "{sys.executable}" -m eugpt_fast parse {which} --text {closed}'
    result = subprocess.run(["sh", "-c", line], capture_output=True, timeout=60, check=False)
    assert result.returncode == (7 if closed == "<&-" else 0)
    assert b"Traceback" not in result.stderr
    assert b"eugpt-fast" not in result.stdout
