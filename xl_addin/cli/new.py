"""`rebalancer new MODEL -o FILE`: a workbook to start from; or one for each row of a client list."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from engine.errors import InputError, Problem
from rebalancer.files import output_problems, write_whole
from rebalancer.language import LANGUAGES, default_language


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", nargs="?", metavar="MODEL", help="a model of `rebalancer models`, or a portfolio file")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help="the .xlsx (with --macros .xlsm) to write",
    )
    parser.add_argument("--lang", choices=LANGUAGES, default=default_language(), help="language of the workbook")
    parser.add_argument("--force", action="store_true", help="let -o replace a file that exists")
    parser.add_argument(
        "--batch",
        type=Path,
        metavar="CSV",
        help="one workbook per row (columns Name, Model, Lang, and cash by currency), into the folder of -o",
    )
    parser.add_argument("--macros", action="store_true", help="write a workbook with macros (.xlsm)")


def run(args: argparse.Namespace) -> int:
    """Write the workbook, or all of them, and say where."""
    if args.batch:
        return _batch(args)
    if args.model is None:
        message = "which model? `rebalancer models` lists them; `blank` has none"
        ko = "모델 이름을 적으세요: `rebalancer models`로 볼 수 있고, 빈 것은 `blank`입니다"
        raise InputError([Problem("error", "missing", "command line", message, ko)])
    problems = output_problems(args.output, ".xlsm" if args.macros else ".xlsx", force=args.force)
    data, found = _workbook(args)
    if problems or data is None:
        raise InputError((*problems, *found))
    finished = data
    write_whole(args.output, finished)
    _say(f"작성: {args.output}" if args.lang == "ko" else f"Written: {args.output}")
    return 0


def _workbook(args: argparse.Namespace) -> tuple[bytes | None, tuple[Problem, ...]]:
    from templates.report import BookReport

    file = Path(args.model)
    found: tuple[Problem, ...] = ()
    if file.suffix and file.exists():
        from rebalancer.loading import load_portfolio

        portfolio, found = load_portfolio(file)
        if portfolio is None:
            return None, found
        report = BookReport(portfolio)
    else:
        from templates.models import load

        model = load(args.model)
        report = BookReport(model.ready(), model=model.facts)
    if args.macros:
        from xl_addin.hosts.excel.package import report_workbook

        return report_workbook(report, args.lang), found
    from templates.write import build

    return build(report, args.lang).to_bytes(), found


def _batch(args: argparse.Namespace) -> int:
    from templates.models.clients import PLAIN, Kind, read_clients, write_all
    from xl_addin.show.progress import progress

    kind = PLAIN
    if args.macros:
        from xl_addin.hosts.excel.package import report_workbook

        kind = Kind(".xlsm", report_workbook)
    clients = read_clients(args.batch, args.lang)
    problems = []
    if args.output.exists() and not args.output.is_dir():
        message, ko = "with --batch, -o names a folder", "--batch에는 -o로 폴더를 적으세요"
        problems.append(Problem("error", "output-folder", str(args.output), message, ko))
    elif not args.force:
        there = [c.name for c in clients if (args.output / f"{c.name}{kind.suffix}").exists()]
        message, ko = "it exists: say --force to replace it", "이미 있습니다: 바꾸려면 --force를 쓰세요"
        problems.extend(
            Problem("error", "output-exists", str(args.output / f"{name}{kind.suffix}"), message, ko) for name in there
        )
    if problems:
        raise InputError(problems)
    try:
        args.output.mkdir(parents=True, exist_ok=True)
        count = sum(1 for _ in progress(write_all(clients, args.output, kind), len(clients), "new"))
    except OSError as error:
        reason = error.strerror or error
        message = f"cannot be written ({reason}): close the files there, or name another folder"
        ko = f"쓸 수 없습니다({reason}): 열려 있는 파일을 닫거나 다른 폴더를 쓰세요"
        raise InputError([Problem("error", "output-not-written", str(args.output), message, ko)]) from error
    _say(f"{args.output}에 {count}개 작성" if args.lang == "ko" else f"Written: {count} workbooks in {args.output}")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
