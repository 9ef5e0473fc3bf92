"""The command line: dispatch, exit statuses, problems on the right stream, and what it never shows."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import types
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from engine.errors import (
    ImpossibleError,
    InputError,
    MarketDataError,
    NoData,
    Problem,
    RateLimited,
    RebalancerError,
    Stale,
)
from xl_addin import cli
from xl_addin.cli import common
from xl_addin.show.problems import problems_of

Run = Callable[[argparse.Namespace], int]
TWO = (
    Problem("error", "first", "a.yaml line 1", "is wrong"),
    Problem("error", "second", "b.csv row 2", "is wrong too"),
)


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> Callable[[Run], None]:
    """Make `try` a command that does what the test wants."""

    def install(run: Run) -> None:
        module = types.ModuleType("fake_verb")
        module.configure = lambda parser: parser.add_argument("--json", action="store_true")  # type: ignore[attr-defined]
        module.run = run  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "fake_verb", module)
        monkeypatch.setattr(cli, "VERBS", {**cli.VERBS, "try": ("fake_verb", "try something")})

    return install


def raising(error: BaseException) -> Run:
    def run(args: argparse.Namespace) -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InputError(TWO), 2),
        (ImpossibleError(TWO), 2),
        (MarketDataError("no price", problems=TWO), 3),
        (Stale("too old", symbol="QQQ"), 3),
        (RebalancerError("no"), 1),
        (ZeroDivisionError("division by zero"), 1),
        (KeyboardInterrupt(), 1),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_error_has_its_exit_status_and_goes_to_stderr(
    verb: Callable[[Run], None], capsys: pytest.CaptureFixture[str], error: BaseException, status: int
) -> None:
    verb(raising(error))
    assert cli.main(["try"]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.strip()
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "error",
    [InputError(TWO), MarketDataError("no price", problems=TWO), KeyError("x"), KeyboardInterrupt()],
    ids=lambda value: type(value).__name__,
)
def test_with_json_a_failure_is_one_document_on_stdout_and_nothing_else(
    verb: Callable[[Run], None], capsys: pytest.CaptureFixture[str], error: BaseException
) -> None:
    verb(raising(error))
    assert cli.main(["try", "--json"]) in (1, 2, 3)
    out, err = capsys.readouterr()
    assert err == ""
    document = json.loads(out)
    assert list(document) == ["problems"]
    assert all(list(problem) == ["severity", "code", "where", "message"] for problem in document["problems"])


def test_every_problem_is_listed(verb: Callable[[Run], None], capsys: pytest.CaptureFixture[str]) -> None:
    verb(raising(InputError(TWO)))
    cli.main(["try"])
    assert capsys.readouterr().err.splitlines() == [
        "error: a.yaml line 1: is wrong [first]",
        "error: b.csv row 2: is wrong too [second]",
    ]


def test_a_market_data_error_without_a_list_is_one_problem_by_its_name() -> None:
    error = RateLimited("too many requests", source="yahoo", symbol="QQQ", retry_after=30)
    (problem,) = problems_of(error)
    assert (problem.code, problem.where) == ("rate-limited", "yahoo QQQ")
    assert "30 s" in problem.message
    assert problems_of(NoData("nothing"))[0].where == "market data"


def test_the_traceback_of_an_unexpected_error_shows_only_on_request(
    verb: Callable[[Run], None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    verb(raising(ZeroDivisionError("division by zero")))
    cli.main(["try"])
    assert "REBALANCER_DEBUG=1" in capsys.readouterr().err
    monkeypatch.setenv("REBALANCER_DEBUG", "1")
    cli.main(["try"])
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "which command?"),
        (["pln"], "did you mean plan?"),
        (["xyzzy"], "there are"),
        (["plan"], "FILE"),
        (["plan", "a.yaml", "--moad", "full"], "--moad"),
        (["plan", "a.yaml", "--mode", "some"], "buy-only"),
        (["plan", "a.yaml", "--as-of", "2026-02-30"], "2026-02-30"),
        (["plan", "a.yaml", "--as-of", "20.11.2026"], "such as 2026-11-20"),
        (["plan", "a.yaml", "--cash-flow", "1,00"], "is not an amount"),
        (["plan", "a.yaml", "--cash-flow", "nan"], "is not an amount"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_bad_arguments_are_bad_input(capsys: pytest.CaptureFixture[str], arguments: list[str], words: str) -> None:
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert words in err.replace("\n  ", " ")


@pytest.mark.parametrize("day", ["0001-01-01", "1989-12-31", "2041-01-01", "9999-12-31"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "a.yaml", "--as-of"],
        ["risk", "a.yaml", "--as-of"],
        ["review", "a.yaml", "--as-of"],
        ["correlate", "a.yaml", "--as-of"],
        ["compare", "SPY", "VTI", "--as-of"],
        ["calendar", "a.yaml", "--from"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_day_nobody_can_plan_for_is_bad_input(
    capsys: pytest.CaptureFixture[str], arguments: list[str], day: str
) -> None:
    assert cli.main([*arguments, day]) == 2
    assert "a day from 1990-01-01 to 2040-12-31" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("day", ["1990-01-01", "2040-12-31"])
def test_the_first_and_last_day_can_be_planned_for(day: str, tmp_path: Path) -> None:
    rules = f"{{core: {{schedule: annual, last_rebalanced: {day}}}}}"
    held = "[{symbol: SPY, quantity: 1, price: 5}, {symbol: '069500', quantity: 1, price: 5}]"
    targets = "[{ticker: SPY, weight: 0.5}, {ticker: '069500', weight: 0.5}]"
    path = tmp_path / "p.yaml"
    document = (
        f"portfolio: {{base_currency: KRW, holdings: {held}, core: {targets}, rules: {rules}}}\nfx: {{USDKRW: 9}}"
    )
    path.write_text(document, encoding="utf-8")
    assert cli.main(["plan", str(path), "--offline", "--as-of", day]) == 0
    assert cli.main(["calendar", str(path), "--from", day, "--months", "60"]) == 0


def test_bad_arguments_are_a_json_document_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["plan", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["problems"][0]["code"] == "bad-argument"


@pytest.mark.parametrize(
    ("text", "amount"), [("500000", 500_000), ("-500000", -500_000), ("1,000,000", 1_000_000), ("+12.50", 12.5)]
)
def test_amounts_may_have_signs_cents_and_thousands(text: str, amount: float) -> None:
    assert common.amount(text) == amount


def test_a_negative_cash_flow_is_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["plan", "none.yaml", "--cash-flow", "-500000"]) == 2
    assert "no such file" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], *([verb, "--help"] for verb in cli.VERBS)])
def test_help_goes_to_stdout_and_is_no_error(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert cli.main(arguments) == 0
    assert capsys.readouterr().out.startswith("usage: rebalancer")


def test_the_help_lists_every_command_with_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["--help"])
    lines = capsys.readouterr().out.splitlines()
    for verb, (_, help_text) in cli.VERBS.items():
        assert any(line.split(maxsplit=1) == [verb, help_text] for line in lines)


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"rebalancer {version('rebalancer')}\n"


def test_problems_speak_the_language_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["plan", "none.yaml", "--lang", "ko"])
    assert capsys.readouterr().err.startswith("오류: none.yaml")
    cli.main(["plan", "none.yaml", "--lang=en"])
    assert capsys.readouterr().err.startswith("error: none.yaml")


def test_all_faulty_files_of_a_command_are_told_at_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = ["plan", str(tmp_path / "p.docx"), "--prices", str(tmp_path / "no.csv"), "-o", str(tmp_path / "o.csv")]
    assert cli.main([*arguments, "--json"]) == 2
    codes = [problem["code"] for problem in json.loads(capsys.readouterr().out)["problems"]]
    assert codes == ["file-kind", "file-unreadable", "output-suffix"]


def rebalancer(*arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "xl_addin", *arguments], capture_output=True, check=False, **options)  # type: ignore[call-overload,no-any-return]


def test_the_process_ends_with_the_status_and_writes_utf_8() -> None:
    done = rebalancer("plan", "없는파일.yaml", "--json", env={"PYTHONIOENCODING": "ascii", "PATH": ""})
    assert done.returncode == 2
    assert "없는파일.yaml" in json.loads(done.stdout.decode("utf-8"))["problems"][0]["where"]


@pytest.mark.parametrize("environ", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
def test_a_reader_that_leaves_early_causes_no_traceback(environ: dict[str, str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "xl_addin", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() in (0, 1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("arguments", [["models"], ["models", "--json"], ["plan", "none.yaml", "--json"]])
def test_a_result_that_cannot_be_written_is_one_line(arguments: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "xl_addin", *arguments, "--lang", "en"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    said = " ".join(done.stderr.decode().split())
    assert said.startswith("error: rebalancer: the result cannot be written (No space left on device)")
    assert said.endswith("[output-not-written]")


@pytest.mark.parametrize("arguments", [["models", "--json"], ["plan", "none.yaml", "--json"], ["plan", "none.yaml"]])
def test_a_closed_pipe_causes_no_traceback(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "xl_addin", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    assert process.wait() in (1, 2)
