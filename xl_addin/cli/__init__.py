"""The command line: finds the verb, imports only its module, and turns errors into exit statuses and problem lists.

Exit status: 0 done; 2 bad input; 3 market data missing or stale; 1 anything else. Results go to stdout, progress and
problems to stderr; with --json one JSON document goes to stdout and nothing anywhere else, in failure too.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import importlib
import io
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NoReturn

from engine.errors import InputError, MarketDataError, Problem, RebalancerError
from rebalancer.language import LANGUAGES, Lang, default_language
from xl_addin.show.arguments import both, two

#: verb: (module, what it does)
VERBS: Mapping[str, tuple[str, str]] = {
    "demo": ("xl_addin.cli.demo", "plan the bundled sample portfolio on sample prices, offline"),
    "plan": ("xl_addin.cli.plan", "show a portfolio file's drift, and the trades that bring it back to target"),
    "quotes": ("xl_addin.cli.quotes", "show prices and rates with source, time and staleness"),
    "models": ("xl_addin.cli.models", "list the model portfolios"),
    "new": ("xl_addin.cli.new", "write a workbook to start from: from a model, or one for each of many clients"),
    "share": ("xl_addin.cli.share", "write a values-only copy of a workbook for others, also as PDF"),
    "weights": ("xl_addin.cli.weights", "compute target weights: equal, cap, equal-sector, equal-sector-cap"),
    "compare": ("xl_addin.cli.compare", "put funds side by side: fee, size, holdings, returns, overlap"),
    "correlate": ("xl_addin.cli.correlate", "show how alike a portfolio's instruments move"),
    "review": ("xl_addin.cli.review", "review the satellites quarter by quarter: hold, review or replace"),
    "risk": ("xl_addin.cli.risk", "check limits: minimum, maximum, groups, leverage, single names, accounts"),
    "calendar": ("xl_addin.cli.calendar", "list the year's tasks on days that trade, also as an .ics file"),
    "build": ("xl_addin.cli.build", "build rebalancer.xlsm, the workbook with macros, from its source"),
    "install": ("xl_addin.cli.install", "point Excel or LibreOffice at this Python"),
    "doctor": ("xl_addin.cli.doctor", "say what is wrong with this installation, and how to mend it"),
}
#: How writing to a stream fails: its reader has gone, the disk is full, the stream is closed.
_UNWRITABLE = frozenset((errno.EPIPE, errno.EINVAL, errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG))
EXIT_DONE, EXIT_OTHER, EXIT_INPUT, EXIT_MARKET_DATA = 0, 1, 2, 3


class Parser(argparse.ArgumentParser):
    """Parse arguments; a bad one becomes a problem like any other bad input."""

    def error(self, message: str) -> NoReturn:
        """Raise InputError instead of leaving the process."""
        english, korean = both(message)
        repair, ko = f"see `{self.prog} --help`", f"{korean}. `{self.prog} --help`를 보세요"
        raise InputError([Problem("error", "bad-argument", "command line", f"{english}; {repair}", ko)])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in arguments
    _write_utf8(as_json=as_json)
    try:
        return _answer(arguments)
    except OSError as error:
        return _unwritten(error, arguments)


def _answer(arguments: list[str]) -> int:
    """Run the command and tell what went wrong; raises OSError where stdout or stderr cannot be written to."""
    try:
        status = _run(arguments)
        sys.stdout.flush()
    except InputError as error:
        return _fail(error.problems, EXIT_INPUT, arguments)
    except MarketDataError as error:
        from xl_addin.show.problems import problems_of

        return _fail(problems_of(error), EXIT_MARKET_DATA, arguments)
    except KeyboardInterrupt:
        message, ko = "stopped before it was done", "끝나기 전에 멈췄습니다"
        return _fail([Problem("error", "interrupted", "rebalancer", message, ko)], EXIT_OTHER, arguments)
    except RebalancerError as error:
        ko = f"할 수 없습니다: {error}"
        return _fail([Problem("error", "failed", "rebalancer", str(error), ko)], EXIT_OTHER, arguments)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _UNWRITABLE and error.filename is None:
            raise
        return _fail([_unexpected(error)], EXIT_OTHER, arguments)
    return status


def _unwritten(error: OSError, arguments: Sequence[str]) -> int:
    """Say on stderr, on one line, that the result could not be written; nothing where its reader has gone."""
    # What is left in the buffer must not raise again at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if not isinstance(error, BrokenPipeError):
        from xl_addin.show.colour import paint_for
        from xl_addin.show.problems import problem_lines

        reason = error.strerror or type(error).__name__
        message = f"the result cannot be written ({reason}): make room, or write it somewhere else"
        ko = f"결과를 쓸 수 없습니다({reason}): 공간을 비우거나 다른 곳에 쓰세요"
        told = [Problem("error", "output-not-written", "rebalancer", message, ko)]
        with contextlib.suppress(OSError):
            sys.stderr.writelines(
                f"{line}\n" for line in problem_lines(told, _language(arguments), paint_for(sys.stderr))
            )
    return EXIT_OTHER


def _run(arguments: list[str]) -> int:
    verb = next((argument for argument in arguments if not argument.startswith("-")), None)
    if verb is None or arguments[0] != verb:
        return _without_verb(arguments)
    if verb not in VERBS:
        raise InputError([Problem("error", "unknown-command", "command line", *_unknown(verb))])
    module, help_text = VERBS[verb]
    body = importlib.import_module(module)
    parser = Parser(
        prog=f"rebalancer {verb}", description=f"{help_text[0].upper()}{help_text[1:]}.", allow_abbrev=False
    )
    body.configure(parser)
    try:
        args = parser.parse_args(arguments[1:])
    except SystemExit:  # --help has been printed
        return EXIT_DONE
    return int(body.run(args))


def _without_verb(arguments: list[str]) -> int:
    commands = "\n".join(f"  {verb:<10} {help_text}" for verb, (_, help_text) in VERBS.items())
    parser = Parser(
        prog="rebalancer",
        usage="rebalancer COMMAND [ARGUMENTS]",
        description="Bring a portfolio of US and Korean stocks and ETFs back to its targets, in whole shares.",
        epilog=f"commands:\n{commands}\n\n`rebalancer COMMAND --help` says more. Exit status: 0 done; 2 bad input; "
        "3 market data\nmissing or stale; 1 anything else.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="say the version and leave")
    try:
        args = parser.parse_args(arguments)
    except SystemExit:  # --help has been printed
        return EXIT_DONE
    if not args.version:
        parser.error(two("which command?", "명령을 적으세요"))
    from importlib.metadata import version

    sys.stdout.write(f"rebalancer {version('rebalancer')}\n")
    return EXIT_DONE


def _unknown(verb: str) -> tuple[str, str]:
    from difflib import get_close_matches

    near = get_close_matches(verb, VERBS, n=1)
    meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(VERBS)}"
    meant_ko = f"혹시 {near[0]}인가요?" if near else f"{', '.join(VERBS)} 중에서 고르세요"
    return f"no command {verb!r}: {meant}", f"없는 명령 {verb!r}: {meant_ko}"


def _unexpected(error: Exception) -> Problem:
    if os.environ.get("REBALANCER_DEBUG"):
        import traceback

        traceback.print_exc()
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    message = f"unexpected error: {what}. This is a fault of the program; run with REBALANCER_DEBUG=1 for the traceback"
    ko = f"예상하지 못한 오류: {what}. 프로그램의 잘못입니다. REBALANCER_DEBUG=1로 실행하면 자세히 보입니다"
    return Problem("error", "unexpected", "rebalancer", message, ko)


def _fail(problems: Iterable[Problem], status: int, arguments: Sequence[str]) -> int:
    if "--json" in arguments:
        from engine.documents import problem_list
        from xl_addin.show.json import dump

        sys.stdout.write(dump({"problems": problem_list(problems)}))
        sys.stdout.flush()
        return status
    from xl_addin.show.colour import paint_for
    from xl_addin.show.problems import problem_lines

    for line in problem_lines(problems, _language(arguments), paint_for(sys.stderr)):
        sys.stderr.write(line + "\n")
    return status


def _language(arguments: Sequence[str]) -> Lang:
    for lang in LANGUAGES:
        if f"--lang={lang}" in arguments or ("--lang", lang) in pairwise(arguments):
            return lang
    return default_language()


def _write_utf8(*, as_json: bool) -> None:
    """Write UTF-8 where the reader expects it: always on Windows and in JSON, elsewhere as the locale says."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = "utf-8" if as_json or sys.platform == "win32" else None
            stream.reconfigure(encoding=encoding, errors="replace")
