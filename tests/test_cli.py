"""The command line: dispatch, exit statuses, problems on the right stream, and what it never shows."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import types
from collections.abc import Callable
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from engine.errors import (
    ImpossibleError,
    InputError,
    MarketDataError,
    NoData,
    Problem,
    RateLimited,
    RebalancerError,
    Stale,
    warning,
)
from engine.phrase import place
from engine.words import LANGUAGES, say
from tests.builders import told
from xl_addin import cli
from xl_addin.cli import frame, options
from xl_addin.show.terminal import display_width

Run = Callable[[], int | None]
TWO = (
    Problem("error", "first", "a.yaml line 1", told("is wrong")),
    Problem("error", "second", "b.csv row 2", told("is wrong too")),
)


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> Callable[[Run], None]:
    """Make `models` a command that does what the test wants."""

    def install(run: Run) -> None:
        module = types.ModuleType("fake_commands")
        module.models = frame.command("models")(options.output_options(lambda **_: run()))  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "fake_commands", module)
        monkeypatch.setitem(cli.COMMANDS, "models", "fake_commands")

    return install


def raising(error: BaseException) -> Run:
    def run() -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InputError(TWO), 2),
        (ImpossibleError(TWO), 2),
        (MarketDataError(told("no price"), problems=TWO), 3),
        (Stale(told("too old"), symbol="QQQ"), 3),
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
    assert cli.main(["models"]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.strip()
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "error",
    [InputError(TWO), MarketDataError(told("no price"), problems=TWO), KeyError("x"), KeyboardInterrupt()],
    ids=lambda value: type(value).__name__,
)
def test_with_json_a_failure_is_one_document_on_stdout_and_nothing_else(
    verb: Callable[[Run], None], capsys: pytest.CaptureFixture[str], error: BaseException
) -> None:
    verb(raising(error))
    assert cli.main(["models", "--json"]) in (1, 2, 3)
    out, err = capsys.readouterr()
    assert err == ""
    document = json.loads(out)
    assert list(document) == ["problems"]
    assert all(list(problem) == ["severity", "code", "where", "message"] for problem in document["problems"])


def test_every_problem_is_listed(verb: Callable[[Run], None], capsys: pytest.CaptureFixture[str]) -> None:
    verb(raising(InputError(TWO)))
    cli.main(["models"])
    assert capsys.readouterr().err.splitlines() == [
        "error: a.yaml line 1: is wrong [first]",
        "error: b.csv row 2: is wrong too [second]",
    ]


def test_a_market_data_error_without_a_list_is_one_problem_by_its_name() -> None:
    error = RateLimited(told("too many requests"), source="yahoo", symbol="QQQ", retry_after=30)
    (problem,) = error.listed()
    assert (problem.code, problem.where) == ("rate-limited", "yahoo QQQ")
    assert "30 s" in str(problem.message)
    assert str(NoData(told("nothing")).listed()[0].where) == "market data"


def test_the_traceback_of_an_unexpected_error_shows_only_on_request(
    verb: Callable[[Run], None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    verb(raising(ZeroDivisionError("division by zero")))
    cli.main(["models"])
    assert "REBALANCER_DEBUG=1" in capsys.readouterr().err
    monkeypatch.setenv("REBALANCER_DEBUG", "1")
    cli.main(["models"])
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["pln"], "did you mean plan?"),
        (["xyzzy"], "there are"),
        (["plan"], "FILE"),
        (["plan", "a.yaml", "--moad", "full"], "no option --moad: did you mean --mode?"),
        (["plan", "a.yaml", "-x"], "no option -x"),
        (["plan", "a.yaml", "--as-of"], "option --as-of needs a value"),
        (["plan", "a.yaml", "--force=yes"], "option --force takes no value"),
        (["share", "a.yaml"], "argument --output is missing"),
        (["compare"], "argument SYMBOL... is missing"),
        (["help", "pln"], "did you mean plan?"),
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


@pytest.mark.parametrize(
    ("arguments", "shown"), [(["-v", "models"], True), (["models", "--verbose"], True), (["models"], False)]
)
def test_the_log_shows_on_stderr_on_request(
    verb: Callable[[Run], None], capsys: pytest.CaptureFixture[str], arguments: list[str], *, shown: bool
) -> None:
    verb(lambda: logging.getLogger("engine.market.store").debug("asked %s", "nobody"))
    assert cli.main(arguments) == 0
    assert capsys.readouterr().err == ("DEBUG engine.market.store: asked nobody\n" if shown else "")


def test_bad_arguments_are_a_json_document_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["plan", "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["problems"][0]["code"] == "bad-argument"


@pytest.mark.parametrize(
    ("text", "amount"), [("500000", 500_000), ("-500000", -500_000), ("1,000,000", 1_000_000), ("+12.50", 12.5)]
)
def test_amounts_may_have_signs_cents_and_thousands(text: str, amount: float) -> None:
    assert options.amount(text) == amount


def test_a_negative_cash_flow_is_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["plan", "none.yaml", "--cash-flow", "-500000"]) == 2
    assert "no such file" in capsys.readouterr().err


def test_everything_wrong_with_the_arguments_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["plan", "--mode", "some", "--as-of", "soon", "--cash-flow", "x", "--json"]) == 2
    told = [problem["message"] for problem in json.loads(capsys.readouterr().out)["problems"]]
    assert [next(name for name in ("--mode", "--as-of", "--cash-flow", "FILE") if name in one) for one in told] == [
        "--mode",
        "--as-of",
        "--cash-flow",
        "FILE",
    ]


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("verb", ["", *cli.COMMANDS])
def test_help_goes_to_stdout_and_is_no_error(capsys: pytest.CaptureFixture[str], verb: str, flag: str) -> None:
    assert cli.main([verb, flag] if verb else [flag]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"Usage: rebalancer {verb}".rstrip())
    assert err == ""


@pytest.mark.parametrize("asking", [[], ["help"]])
def test_without_a_command_the_help_of_all_is_shown(capsys: pytest.CaptureFixture[str], asking: list[str]) -> None:
    cli.main(["--help"])
    page = capsys.readouterr().out
    assert cli.main(asking) == 0
    assert capsys.readouterr().out == page


@pytest.mark.parametrize("verb", cli.COMMANDS)
def test_help_about_a_command_is_its_own(capsys: pytest.CaptureFixture[str], verb: str) -> None:
    cli.main([verb, "--help"])
    page = capsys.readouterr().out
    assert cli.main(["help", verb]) == 0
    assert capsys.readouterr().out == page


def test_the_help_lists_every_command_with_what_it_does(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["--help"])
    page = " ".join(capsys.readouterr().out.split())
    assert all(f"{name} {say(f'command.{name}', 'en')}" in page for name in cli.COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        (["plan", "--help", "--lang", "ko"], {}),
        (["--lang", "ko", "help", "plan"], {}),
        (["plan", "--help"], {"LC_ALL": "ko_KR.UTF-8"}),
    ],
)
def test_help_is_in_the_readers_language(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    environ: dict[str, str],
) -> None:
    monkeypatch.setenv("LC_ALL", environ.get("LC_ALL", "C"))
    assert cli.main(arguments) == 0
    page = capsys.readouterr().out
    assert page.startswith("사용법: rebalancer plan")
    assert say("option.allow-stale", "ko") in page


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("verb", ["", *cli.COMMANDS])
def test_a_help_page_fits_a_terminal_of_eighty_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, verb: str, lang: str
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    cli.main([*([verb] if verb else []), "--help", "--lang", lang])
    assert max(display_width(line) for line in capsys.readouterr().out.splitlines()) <= 80


def completed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str) -> list[str]:
    """Return what a shell is offered for the last of the words."""
    monkeypatch.setenv(cli.COMPLETION, "bash_complete")
    monkeypatch.setenv("COMP_WORDS", " ".join(["rebalancer", *words]))
    monkeypatch.setenv("COMP_CWORD", str(len(words)))
    assert cli.main([]) == 0
    return [line.partition(",")[2] for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["pl"], ["plan"]),
        (["plan", "--al"], ["--allow-stale"]),
        (["plan", "--mode", "b"], ["buy-only"]),
        (["weights", "equal-"], ["equal-sector", "equal-sector-cap"]),
    ],
)
def test_a_shell_completes_commands_options_and_choices(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str], offered: list[str]
) -> None:
    assert completed(capsys, monkeypatch, *words) == offered


def test_completing_a_command_imports_none() -> None:
    script = (
        "import sys; from xl_addin.cli import main; status = main([]); "
        "sys.exit(','.join(name for name in sys.modules if name.startswith('xl_addin.cli.')) or status)"
    )
    environ = {**os.environ, cli.COMPLETION: "bash_complete", "COMP_WORDS": "rebalancer ", "COMP_CWORD": "1"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, text=True, env=environ)
    assert done.stderr.strip() == "xl_addin.cli.frame"
    assert "plain,plan" in done.stdout


def test_the_help_of_all_imports_no_command() -> None:
    script = (
        "import sys; from xl_addin.cli import main; main(['--help']); "
        "sys.exit(','.join(n for n in sys.modules if n.startswith(('xl_addin.', 'rebalancer', 'templates', 'numpy'))))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, text=True)
    assert sorted(done.stderr.strip().split(",")) == [
        "xl_addin.cli",
        "xl_addin.cli.frame",
        "xl_addin.show",
        "xl_addin.show.terminal",
    ]


@pytest.mark.parametrize("flag", ["-V", "--version"])
def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str], flag: str) -> None:
    assert cli.main([flag]) == 0
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


@pytest.mark.parametrize(("locale", "title"), [("ko_KR.UTF-8", "대시보드"), ("C", "Dashboard")])
def test_a_copy_of_a_portfolio_file_is_in_the_readers_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locale: str, title: str
) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    held, targets = "[{symbol: SPY, quantity: 1, price: 5}]", "[{ticker: SPY, weight: 1}]"
    (tmp_path / "p.yaml").write_text(f"portfolio: {{base_currency: USD, holdings: {held}, core: {targets}}}\n")
    copy = tmp_path / "copy.xlsx"
    assert cli.main(["share", str(tmp_path / "p.yaml"), "-o", str(copy), "--offline"]) == 0
    assert load_workbook(copy).sheetnames[0] == title


def test_a_copy_of_a_plan_whose_search_was_stopped_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rebalancer import planning

    real = planning.planned

    def stopped(*given: Any, **more: Any) -> Any:
        plan = real(*given, **more)
        return replace(plan, problems=(*plan.problems, warning("search-stopped.rungs", place("portfolio"))))

    monkeypatch.setattr(planning, "planned", stopped)
    held, targets = "[{symbol: SPY, quantity: 1, price: 5}]", "[{ticker: SPY, weight: 1}]"
    (tmp_path / "p.yaml").write_text(f"portfolio: {{base_currency: USD, holdings: {held}, core: {targets}}}\n")
    asked = ["--lang", "en", "--offline", "-o", str(tmp_path / "copy.xlsx")]
    assert cli.main(["share", str(tmp_path / "p.yaml"), *asked]) == 0
    assert "the search was stopped" in capsys.readouterr().err


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
