"""`rebalancer plan` of several portfolios: a table of who needs what, and what could not be planned."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

from engine.documents import number, problem_list
from engine.errors import InputError, Problem, error, warning
from engine.phrase import place
from engine.words import Lang, say
from rebalancer.files import output_problems, state_folder, write_whole
from rebalancer.gathering import Gathering
from rebalancer.many import PlannedOne, Terms, Totals, plan_many, totals
from rebalancer.sharing import ShareCopies, SharedOne, share_many
from rebalancer.summarising import (
    SUMMARY,
    WritePlans,
    file_names,
    folder_problems,
    shown_names,
    summary_book,
    summary_csv,
    verdict,
)
from xl_addin.cli.frame import EXIT_NEEDED, EXIT_OTHER
from xl_addin.show.allocation_text import section_name
from xl_addin.show.json import dump
from xl_addin.show.terminal import (
    Align,
    Paint,
    TextColumn,
    TextRow,
    bar,
    money,
    paint_for,
    percent,
    problem_lines,
    table_lines,
)

#: Where the terminal is narrow, names are cut down to this.
_NARROWEST = 10
#: Each column: its title, how it stands, and how soon it is left out.
_COLUMNS: tuple[tuple[str, Align, int], ...] = (
    ("client", "<", 0),
    ("value", ">", 0),
    ("drift-short", ">", 0),
    ("acts", "<", 0),
    ("orders", ">", 0),
    ("cost", ">", 0),
    ("next-review", ">", 1),
    ("notes", ">", 0),
)
_STYLES = ("yellow", "yellow", "", "red")
#: What `-o` names one table of all by; anything else is a folder for a workbook each.
_SUMMARIES = (".csv", ".xlsx")
#: What is no name of a folder.
_FILES = (*_SUMMARIES, ".json", ".yaml", ".yml", ".xlsm", ".ods", ".pdf", ".parquet", ".txt")
#: At most so many files that are there already are named.
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asked to be done with several portfolios."""

    files: Sequence[Path]
    prices: Path | None
    accept: Mapping[str, Decimal]
    model: str
    targets: Path | None
    output: Path | None
    lang: Lang
    force: bool = False
    resume: bool = False
    as_json: bool = False
    check: bool = False
    notify: tuple[str, ...] = ()

    @property
    def journal(self) -> Path:
        """Return where a run over these files keeps what is done, until it is done with all."""
        named = [str(path.resolve()) for path in self.files] + [str(self.output.resolve() if self.output else "")]
        return state_folder() / "runs" / f"{sha256(repr(named).encode()).hexdigest()[:20]}.jsonl"

    @property
    def folder(self) -> Path | None:
        """Return the folder that a workbook each goes into, None where one table of all is asked for, or nothing."""
        return self.output if self.output and self.output.suffix.lower() not in _SUMMARIES else None


def plan_and_show(asked: Asked, terms: Terms, unusable: Mapping[str, object]) -> int:
    """Plan each, print the table, write what is asked for, and return the exit status: that of the worst of them.

    A check has status 4 where nothing is wrong and one of them needs rebalancing.
    """
    gathering = Gathering(asked.files, model=asked.model, targets=asked.targets)
    then = _writer(asked, gathering)
    problems = [
        error("bad-argument.one-portfolio", place("command-line"), option=option)
        for option, value in unusable.items()
        if value
    ]
    problems += _output_problems(asked, gathering, then)
    if problems or not len(gathering):
        raise InputError([*problems, *gathering.problems])
    if asked.folder is not None:
        asked.folder.mkdir(parents=True, exist_ok=True)
    every: list[PlannedOne] = []
    interrupted = False
    try:
        for one in _planned(asked, terms, gathering, then):
            every.append(one)
            interrupted = one.is_stopped  # the search took Ctrl-C for its own
            if interrupted:
                break
    except KeyboardInterrupt:
        interrupted = True
    if interrupted:
        return _interrupted(asked, terms, gathering, every)
    every.sort(key=lambda one: one.need)
    _write_summary(asked, every, terms)
    lang, paint = asked.lang, paint_for(sys.stdout)
    if asked.as_json:
        sys.stdout.write(dump(document(every, terms, gathering.problems)))
    else:
        sys.stdout.writelines(f"{line}\n" for line in table(every, lang, paint))
        if asked.folder is not None:
            written = sum(bool(one.files) for one in every)
            sys.stdout.write(say("said.written-each", lang, number=written, folder=asked.folder, table=SUMMARY) + "\n")
        elif asked.output is not None:
            sys.stdout.write(say("said.written", lang, path=asked.output) + "\n")
        _tell([*gathering.problems, *failures(every)], asked)
    return _checked(every, status(every, gathering.problems), asked)


def _interrupted(asked: Asked, terms: Terms, gathering: Gathering, every: list[PlannedOne]) -> int:
    """Show what was planned so far, and say how to go on; a plan that was stopped is made again then."""
    kept = sum(not one.is_stopped for one in every)
    told = [*failures(every), error("interrupted.many", place("command-line"), number=kept, total=len(gathering))]
    every.sort(key=lambda one: one.need)
    if asked.as_json:
        sys.stdout.write(dump(document(every, terms, told[-1:])))
        return EXIT_OTHER
    if every:
        sys.stdout.writelines(f"{line}\n" for line in table(every, asked.lang, paint_for(sys.stdout)))
    _tell([*(problem for one in every if one.is_stopped for problem in one.problems), *told], asked)
    return EXIT_OTHER


def _checked(every: Sequence[PlannedOne], found: int, asked: Asked) -> int:
    """Return the exit status of a check; tell whoever is to be told which need what, and which could not be planned.

    `found` is the status without a check.
    """
    if not asked.check:
        return found
    needing = [(one, one.summary) for one in every if one.summary is not None and one.summary.needs_rebalancing]
    failed = [one.client or one.id for one in every if one.summary is None]
    if asked.notify and (needing or failed):
        from xl_addin.cli.reminding import tell

        lines = [
            say("notify.client", asked.lang, name=one.client or one.id, count=summary.orders, drift=summary.drift)
            for one, summary in needing
        ]
        lines += [say("notify.failed", asked.lang, file=name) for name in failed]
        tell(asked.notify, say("notify.several", asked.lang, number=len(needing)), "\n".join(lines), asked.lang)
    return found or (EXIT_NEEDED if needing else 0)


def share_and_tell(asked: Asked, copies: ShareCopies, *, offline: bool, allow_stale: bool) -> int:
    """Write a copy of each, say how many and why not others, and return the exit status: that of the worst of them."""
    gathering = Gathering(asked.files, model=asked.model, targets=asked.targets)
    copies = replace(copies, names=file_names(gathering.names))
    problems = list(folder_problems(copies.folder, gathering.folders))
    if copies.folder.suffix.lower() in _FILES:
        problems.append(error("output-not-folder", str(copies.folder)))
    if problems or not len(gathering):
        raise InputError([*problems, *gathering.problems])
    copies.folder.mkdir(parents=True, exist_ok=True)
    every: list[SharedOne] = []
    try:
        with bar(len(gathering)) as show:
            every.extend(
                share_many(
                    list(gathering), copies, prices=asked.prices, offline=offline, allow_stale=allow_stale,
                    accept=asked.accept,
                    progress=lambda what, done, total: show(say(f"doing.many.{what}", asked.lang), done, total),
                )
            )  # fmt: skip
    except KeyboardInterrupt:
        stopped = error("interrupted.share", place("command-line"), number=len(every), total=len(gathering))
        _tell([stopped], asked)
        return EXIT_OTHER
    written = sum(bool(one.files) for one in every)
    sys.stdout.write(say("said.written-many", asked.lang, number=written, folder=copies.folder) + "\n")
    _tell([*gathering.problems, *failures(every)], asked)
    return status(every, gathering.problems)


def _writer(asked: Asked, gathering: Gathering) -> WritePlans | None:
    """Return what writes a workbook each; a run that is taken up again writes over what it wrote."""
    if asked.folder is None:
        return None
    return WritePlans(asked.folder, file_names(gathering.names), asked.lang, force=asked.force or asked.resume)


def _output_problems(asked: Asked, gathering: Gathering, then: WritePlans | None) -> list[Problem]:
    if asked.output is None:
        return []
    if asked.folder is None or then is None:
        return list(output_problems(asked.output, asked.output.suffix.lower(), force=asked.force))
    found = list(folder_problems(asked.folder, gathering.folders))
    if asked.folder.suffix.lower() in _FILES:
        found.append(error("output-not-folder", str(asked.folder)))
    if asked.folder.is_dir() and not then.force:
        there = {path.name for path in asked.folder.iterdir()}
        wanted = [then.path(name).stem for name in then.names]
        taken = [name for name in (*wanted, Path(SUMMARY).stem) if {f"{name}.xlsx", f"{name}.xlsm"} & there]
        if taken:
            found.append(error("output-exists.many", str(asked.folder), number=len(taken), names=taken[:_NAMED]))
    return found


def _planned(asked: Asked, terms: Terms, gathering: Gathering, then: WritePlans | None) -> Iterator[PlannedOne]:
    """Yield what becomes of each, with a bar where there is a terminal, going on where a run was stopped."""
    journal: Path | None = asked.journal
    try:
        asked.journal.parent.mkdir(parents=True, exist_ok=True)
        if not asked.resume:
            asked.journal.unlink(missing_ok=True)
    except OSError as fault:
        # Without one the run cannot be taken up again: no reason not to run.
        reason = fault.strerror or type(fault).__name__
        gathering.problems.append(warning("journal-not-kept", str(asked.journal), reason=reason))
        journal = None
    with bar(len(gathering)) as show:
        yield from plan_many(
            gathering, as_of=terms.as_of, mode=terms.mode, cash_flow=terms.cash_flow, allow_stale=terms.allow_stale,
            history=terms.history, prices=asked.prices, offline=terms.offline, accept=asked.accept, plans=False,
            then=then, journal=journal,
            progress=lambda what, done, total: show(say(f"doing.many.{what}", asked.lang), done, total),
        )  # fmt: skip


def _tell(problems: Sequence[Problem], asked: Asked) -> None:
    if asked.as_json:
        sys.stdout.write(dump({"problems": problem_list(problems)}))
    else:
        lines = problem_lines(_some(problems), asked.lang, paint_for(sys.stderr))
        sys.stderr.writelines(f"{line}\n" for line in lines)


def _some(problems: Sequence[Problem]) -> list[Problem]:
    """Return the problems, of those that say the same only the first few and how many others there are."""
    same: dict[object, list[Problem]] = {}
    for one in problems:
        same.setdefault((one.severity, one.code, one.message), []).append(one)
    found: list[Problem] = []
    for each in same.values():
        found += each[:_NAMED]
        if len(each) > _NAMED:
            found.append(replace(each[0], where=place("others", number=len(each) - _NAMED)))
    return found


def _write_summary(asked: Asked, every: Sequence[PlannedOne], terms: Terms) -> None:
    if asked.output is None:
        return
    if asked.folder is not None:
        write_whole(asked.folder / SUMMARY, summary_book(every, terms, asked.lang))
    elif asked.output.suffix.lower() == ".csv":
        # With a mark, without which Excel would take Korean for something else.
        write_whole(asked.output, summary_csv(every).encode("utf-8-sig"))
    else:
        write_whole(asked.output, summary_book(every, terms, asked.lang))


def status(every: Sequence[PlannedOne | SharedOne], problems: Sequence[Problem] = ()) -> int:
    """Return the exit status of several, and of what is wrong with their list: 2 before 3 before 1."""
    found = {one.status for one in every} | {2 for problem in problems if problem.severity == "error"}
    return next((code for code in (2, 3, 1) if code in found), 0)


def failures(every: Sequence[PlannedOne | SharedOne]) -> list[Problem]:
    """Return why there is no plan, of each that has none: placed where it is, under its client."""
    return [
        problem
        if str(problem.where).startswith(one.id)
        else replace(problem, where=place("of", whose=one.id, where=problem.where))
        for one in every
        if one.status
        for problem in one.problems
        if problem.severity == "error"
    ]


def document(every: Sequence[PlannedOne], terms: Terms, problems: Sequence[Problem] = ()) -> dict[str, object]:
    """Return the JSON document of several portfolios."""
    return {
        "as_of": terms.as_of.isoformat(),
        "portfolios": [one.to_json() for one in every],
        "totals": [
            {
                "base_currency": one.base_currency,
                "portfolios": one.portfolios,
                "total_value": number(one.total_value),
                "needs_rebalancing": one.needs_rebalancing,
                "orders": one.orders,
                "turnover": number(one.turnover),
                "cost": number(one.cost),
            }
            for one in totals(every)
        ],
        "planned": sum(one.summary is not None for one in every),
        "failed": sum(one.summary is None for one in every),
        "problems": problem_list([*problems, *failures(every)]),
    }


def table(every: Sequence[PlannedOne], lang: Lang, paint: Paint) -> list[str]:
    """Return the verdict, the table of all sorted by need, and the totals by currency."""
    names = shown_names(every)
    rows = [TextRow(_cells(one, names[one.id], lang), _STYLES[one.need[0]]) for one in every]
    rows += [TextRow(_sum_cells(one, lang), "bold") for one in totals(every)]
    columns = [
        TextColumn(say(f"caption.many.{title}", lang), align, least=_NARROWEST, optional=optional)
        for title, align, optional in _COLUMNS
    ]
    return [paint(verdict(every, lang), "bold"), "", *table_lines(columns, rows, paint)]


def _cells(one: PlannedOne, name: str, lang: Lang) -> tuple[str, ...]:
    found = one.summary
    if found is None:
        errors = sum(problem.severity == "error" for problem in one.problems)
        return (name, say("said.no-plan", lang), "", "", "", "", "", str(errors))
    notes = sum(problem.severity != "info" for problem in one.problems)
    return (
        name,
        money(found.total_value, found.base_currency),
        percent(found.drift),
        ", ".join(section_name(section, lang) for section in found.acts) or "–",
        str(found.orders) if found.orders else "–",
        money(found.cost, found.base_currency) if found.orders else "–",
        found.next_review.isoformat() if found.next_review else "–",
        str(notes) if notes else "",
    )


def _sum_cells(one: Totals, lang: Lang) -> tuple[str, ...]:
    name = say("said.many-total", lang, currency=one.base_currency, number=one.portfolios)
    figures = (str(one.orders), money(one.cost, one.base_currency))
    return (name, money(one.total_value, one.base_currency), "", "", *figures, "", "")
