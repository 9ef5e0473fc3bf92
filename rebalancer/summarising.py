"""What is written of many plans: a workbook each, and the table of all as CSV or as one workbook."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.errors import InputError, Problem, error
from engine.words import LANGUAGES, Lang, known, say
from rebalancer.files import output_problems
from rebalancer.many import STATUSES, PlannedOne, Terms, totals

_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f]')
_RESERVED = re.compile(r"(con|prn|aux|nul|com[1-9]|lpt[1-9])(\..*)?", re.IGNORECASE)
_LONGEST_NAME = 100
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
_CSV = (
    "client", "status", "as_of", "base_currency", "total_value", "drift", "acts", "orders", "turnover", "cost",
    "next_review", "notes", "problem", "file", "id",
)  # fmt: skip
#: The table of all, beside the workbooks of each; a name that begins so is passed over where a folder is read.
SUMMARY = "_summary.xlsx"


def file_names(named: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return by id what the file of each is called: safe on every system, and its own however alike two names are."""
    found: dict[str, str] = {}
    taken = {Path(SUMMARY).stem}
    for name, wanted in named:
        safe = _UNSAFE.sub("_", wanted).strip().rstrip(".")[:_LONGEST_NAME] or "_"
        if _RESERVED.fullmatch(safe):
            safe = f"_{safe}"
        stem, number = safe, 2
        while stem.casefold() in taken:
            stem, number = f"{safe}-{number}", number + 1
        taken.add(stem.casefold())
        found[name] = stem
    return found


@dataclass(frozen=True, slots=True)
class WritePlans:
    """Writes each plan's workbook into a folder; called where the plan was made.

    A person's own workbook keeps all that is theirs, macros too. `names` are the files', by id.
    """

    folder: Path
    names: Mapping[str, str] = field(repr=False)
    lang: Lang
    force: bool = False

    def path(self, name: str, source: Path | None = None) -> Path:
        """Return where a portfolio's workbook goes."""
        suffix = ".xlsm" if source is not None and source.suffix.lower() == ".xlsm" else ".xlsx"
        return self.folder / f"{self.names[name]}{suffix}"

    def __call__(self, one: PlannedOne) -> tuple[Path, ...]:
        """Write the workbook; raises InputError where it cannot be written, or one is there and may not be replaced."""
        from rebalancer.books import write_plan_book

        path = self.path(one.id, one.source)
        if problems := output_problems(path, path.suffix, force=self.force):
            raise InputError(problems)
        assert one.plan is not None  # noqa: S101 - it is called with plans
        write_plan_book(one.plan, path, language(one.lang, self.lang), one.source)
        return (path,)


def language(asked: str, otherwise: Lang) -> Lang:
    """Return the language asked for, where it is one of ours."""
    return asked if asked in LANGUAGES else otherwise


def folder_problems(folder: Path, read_from: frozenset[Path]) -> tuple[Problem, ...]:
    """Return why results cannot be written into a folder: it is a file, or portfolios are read from it."""
    if folder.exists() and not folder.is_dir():
        return (error("output-folder.batch", str(folder)),)
    if folder.resolve() in read_from:
        return (error("output-among-input", str(folder)),)
    return ()


def summary_csv(every: Sequence[PlannedOne]) -> str:
    """Return the table of all as CSV: the fields of the JSON rows; the first error or warning stands for the rest."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _CSV, lineterminator="\r\n")
    writer.writeheader()
    for one in every:
        row = one.to_json()
        grave = [problem for problem in one.problems if problem.severity != "info"]
        row |= {
            "acts": " ".join(row.get("acts", ())),
            "notes": len(grave),
            "problem": str(grave[0].message) if grave else "",
            "file": " ".join(one.files),
        }
        writer.writerow({key: _harmless(row.get(key, "")) for key in _CSV})
    return out.getvalue()


def _harmless(value: object) -> object:
    """Return a value that no spreadsheet takes for a formula: text that begins like one has a quote before it."""
    return f"'{value}" if isinstance(value, str) and value[:1] in _FORMULAS else value


def summary_book(every: Sequence[PlannedOne], terms: Terms, lang: Lang) -> bytes:
    """Return the table of all as a workbook (.xlsx) in a language."""
    from templates.write.overview import overview

    title = say("said.overview", lang, day=terms.as_of)
    return overview(
        title, verdict(every, lang), [_row(one, lang) for one in every], _totals(every), _problems(every, lang), lang
    )


def verdict(every: Sequence[PlannedOne], lang: Lang) -> str:
    """Return in a sentence or two how many there are, need rebalancing, and could not be planned."""
    count = {status: sum(STATUSES[one.need[0]] == status for one in every) for status in STATUSES}
    said = [say("said.many", lang, number=len(every), needing=count["rebalance"], fine=count["ok"])]
    said += [say(f"said.many-{status}", lang, number=count[status]) for status in ("stuck", "failed") if count[status]]
    return " ".join(said)


def shown_names(every: Sequence[PlannedOne]) -> dict[str, str]:
    """Return by id what each is called: two of one name by their id too."""
    count: dict[str, int] = {}
    for one in every:
        count[one.client] = count.get(one.client, 0) + 1
    return {one.id: one.client if count[one.client] == 1 else f"{one.client} ({one.id})" for one in every}


def _row(one: PlannedOne, lang: Lang) -> dict[str, object]:
    found = one.summary
    row: dict[str, object] = {
        "client": one.client,
        "status": say(f"status.many.{STATUSES[one.need[0]]}", lang),
        "need": one.need[0],
        "notes": sum(problem.severity != "info" for problem in one.problems),
        "file": Path(one.files[0]).name if one.files else None,
    }
    if found is not None:
        row |= {
            "base_currency": found.base_currency,
            "total_value": found.total_value,
            "drift": found.drift,
            "acts": ", ".join(_section(section, lang) for section in found.acts),
            "orders": found.orders,
            "turnover": found.turnover,
            "cost": found.cost,
            "next_review": found.next_review,
        }
    return row


def _section(section: str, lang: Lang) -> str:
    key = f"section.{section}"
    return say(key, lang) if known(key) else section


def _totals(every: Sequence[PlannedOne]) -> list[dict[str, object]]:
    return [
        {
            "base_currency": one.base_currency,
            "portfolios": one.portfolios,
            "needs_rebalancing": one.needs_rebalancing,
            "total_value": one.total_value,
            "orders": one.orders,
            "turnover": one.turnover,
            "cost": one.cost,
        }
        for one in totals(every)
    ]


def _problems(every: Sequence[PlannedOne], lang: Lang) -> list[dict[str, object]]:
    return [
        {
            "client": one.client,
            "severity": say(f"severity.{problem.severity}", lang),
            "where": problem.placed(lang),
            "message": problem.said(lang),
            "code": problem.code,
        }
        for one in every
        for problem in one.problems
        if problem.severity != "info"
    ]
