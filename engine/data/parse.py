"""The ways into a document: a file, its text, or data that something else has read."""

from __future__ import annotations

from pathlib import Path as File

from engine.data.assembly import assemble
from engine.data.report import Locate, Report
from engine.data.yaml_tree import MAX_BYTES, Refused, read_tree
from engine.errors import Problem
from engine.market import catalogue
from engine.portfolio import Portfolio

Parsed = tuple[Portfolio | None, tuple[Problem, ...]]


def read_portfolio(path: File) -> Parsed:
    """Return the portfolio of a YAML file and its problems; a file that cannot be read is one.

    The portfolio is None exactly where a problem is an error.
    """
    report = Report(str(path))
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= MAX_BYTES else b""
    except FileNotFoundError:
        message = "there is no such file: check the name and the folder"
        report.error((), "no-such-file", message, "파일이 없습니다: 이름과 폴더를 확인하세요")
    except OSError as error:
        reason = error.strerror or error
        report.error((), "unreadable-file", f"the file cannot be read: {reason}", f"파일을 읽을 수 없습니다: {reason}")
    else:
        if size <= MAX_BYTES:
            return parse_portfolio(raw, str(path))
        message = f"the file has {size:,} bytes; the most is {MAX_BYTES:,}"
        report.error((), "too-large", message, f"파일이 너무 큽니다: {size:,}바이트, 최대 {MAX_BYTES:,}바이트")
    return None, tuple(report.problems)


def parse_portfolio(text: str | bytes, source: str) -> Parsed:
    """Return the portfolio of YAML text and its problems, each with its line; `source` names the text.

    The portfolio is None exactly where a problem is an error.
    """
    report = Report(source)
    try:
        tree = read_tree(text, report)
    except Refused as refusal:
        report.error((), refusal.code, str(refusal), refusal.ko, refusal.line)
        return None, tuple(report.problems)
    report.locate = lambda path: Report(source).where(path, tree.line(path))
    portfolio = assemble(tree.data, catalogue.load(), report)
    return portfolio, tuple(report.problems)


def portfolio_from_data(data: object, source: str, locate: Locate | None = None) -> Parsed:
    """Return the portfolio of plain data (mappings, lists, text, numbers, booleans, dates, None) and its problems.

    The data has the shape of the document. `locate` says in a person's words where a path of it, such as
    ("portfolio", "holdings", 2, "quantity"), is to be found; without it, `where` is source and path.
    """
    report = Report(source, locate)
    portfolio = assemble(data, catalogue.load(), report)
    return portfolio, tuple(report.problems)
