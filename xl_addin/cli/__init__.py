"""The command line: finds the command, imports only its module, turns errors into exit statuses and problem lists.

Exit status: 0 done; 2 bad input; 3 market data missing or stale; 4, with --check alone, rebalancing is needed; 1
anything else. Results go to stdout, progress and
problems to stderr; with --json one JSON document goes to stdout and nothing anywhere else, in failure too.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from collections.abc import Iterable, Mapping, Sequence

import click
from click.shell_completion import shell_complete

from engine.errors import InputError, MarketDataError, Problem, RebalancerError, error
from engine.phrase import Phrase
from engine.words import LANGUAGES
from xl_addin.cli.frame import EXIT_OTHER, OneOf, Program, Reader, ToldOption, help_command, option

#: command: the module that declares it, under its own name
COMMANDS: Mapping[str, str] = {
    "demo": "xl_addin.cli.plan",
    "plan": "xl_addin.cli.plan",
    "init": "xl_addin.cli.init",
    "import": "xl_addin.cli.importing",
    "orders": "xl_addin.cli.acting",
    "record": "xl_addin.cli.acting",
    "quotes": "xl_addin.cli.quotes",
    "models": "xl_addin.cli.models",
    "new": "xl_addin.cli.models",
    "update": "xl_addin.cli.models",
    "share": "xl_addin.cli.share",
    "weights": "xl_addin.cli.analyses",
    "compare": "xl_addin.cli.analyses",
    "correlate": "xl_addin.cli.analyses",
    "review": "xl_addin.cli.analyses",
    "risk": "xl_addin.cli.analyses",
    "calendar": "xl_addin.cli.analyses",
    "backtest": "xl_addin.cli.backtest",
    "performance": "xl_addin.cli.performance",
    "sync": "xl_addin.cli.syncing",
    "build": "xl_addin.cli.installation",
    "install": "xl_addin.cli.installation",
    "doctor": "xl_addin.cli.installation",
}
PROGRAM = "rebalancer"
#: What a shell sets to have a command line completed.
COMPLETION = "_REBALANCER_COMPLETE"
EXIT_DONE, EXIT_INPUT, EXIT_MARKET_DATA = 0, 2, 3
#: How writing to a stream fails: its reader has gone, the disk is full, the stream is closed.
_UNWRITABLE = frozenset((errno.EPIPE, errno.EINVAL, errno.ENOSPC, errno.EIO, errno.EBADF, errno.EFBIG))


@click.group(
    PROGRAM,
    cls=Program,
    modules=COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ("-h", "--help")},
)
# `Reader.of` reads it, before anything can be wrong.
@option("--lang", type=OneOf(LANGUAGES), expose_value=False)
@click.version_option(None, "-V", "--version", package_name=PROGRAM, message="%(package)s %(version)s", cls=ToldOption)
@click.pass_context
def program(ctx: click.Context) -> None:
    """Print the help where no command is named."""
    if ctx.invoked_subcommand is None:
        sys.stdout.write(f"{ctx.get_help()}\n")


program.add_command(help_command)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    reader = Reader.of(arguments)
    _write_utf8(as_json=reader.as_json)
    try:
        return _answer(arguments, reader)
    except OSError as fault:
        return _unwritten(fault, reader)


def _answer(arguments: list[str], reader: Reader) -> int:
    """Run the command and tell what went wrong; raises OSError where stdout or stderr cannot be written to."""
    try:
        status = _run(arguments, reader)
        sys.stdout.flush()
    except InputError as fault:
        return _fail(fault.problems, EXIT_INPUT, reader)
    except MarketDataError as fault:
        return _fail(fault.listed(), EXIT_MARKET_DATA, reader)
    except KeyboardInterrupt:
        return _fail([error("interrupted", PROGRAM)], EXIT_OTHER, reader)
    except RebalancerError as fault:
        said = fault.args[0] if fault.args else ""
        told = error(said.key, PROGRAM, **said.values) if isinstance(said, Phrase) else None
        return _fail([told or error("failed", PROGRAM, why=str(fault))], EXIT_OTHER, reader)
    except Exception as fault:
        if isinstance(fault, OSError) and fault.errno in _UNWRITABLE and fault.filename is None:
            raise
        return _fail([_unexpected(fault)], EXIT_OTHER, reader)
    return status


def _run(arguments: list[str], reader: Reader) -> int:
    if instruction := os.environ.get(COMPLETION):
        return shell_complete(program, {"obj": reader}, PROGRAM, COMPLETION, instruction)
    try:
        with program.make_context(PROGRAM, arguments, obj=reader) as context:
            return int(program.invoke(context) or EXIT_DONE)
    except click.exceptions.Exit as left:  # after --help and --version
        return left.exit_code


def _unwritten(fault: OSError, reader: Reader) -> int:
    """Say on stderr, on one line, that the result could not be written; nothing where its reader has gone."""
    # What is left in the buffer must not raise again at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if not isinstance(fault, BrokenPipeError):
        told = error("output-not-written.result", PROGRAM, reason=fault.strerror or type(fault).__name__)
        with contextlib.suppress(OSError):
            _tell([told], reader)
    return EXIT_OTHER


def _unexpected(fault: Exception) -> Problem:
    if os.environ.get("REBALANCER_DEBUG"):
        import traceback

        traceback.print_exc()
    what = f"{type(fault).__name__}: {fault}".splitlines()[0]
    return error("unexpected", PROGRAM, what=what)


def _fail(problems: Iterable[Problem], status: int, reader: Reader) -> int:
    if reader.as_json:
        from engine.documents import problem_list
        from xl_addin.show.json import dump

        sys.stdout.write(dump({"problems": problem_list(problems)}))
        sys.stdout.flush()
    else:
        _tell(problems, reader)
    return status


def _tell(problems: Iterable[Problem], reader: Reader) -> None:
    from xl_addin.show.terminal import paint_for, problem_lines

    lines = problem_lines(problems, reader.lang, paint_for(sys.stderr), notes=reader.verbose)
    sys.stderr.writelines(f"{line}\n" for line in lines)


def _write_utf8(*, as_json: bool) -> None:
    """Write UTF-8 where the reader expects it: always on Windows and in JSON, elsewhere as the locale says."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = "utf-8" if as_json or sys.platform == "win32" else None
            stream.reconfigure(encoding=encoding, errors="replace")
