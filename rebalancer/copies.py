"""Copies of a portfolio's file that a cloud's folder put beside it, because two computers saved at once.

Each names them in its own way: `my (Ann's conflicted copy 2026-11-20).yaml` (Dropbox), `my-DESKTOP-AB12.yaml`
(OneDrive), `my (1).yaml` (Google Drive), `my.sync-conflict-20261120-101112-ABCDEFG.yaml` (Syncthing). A name alone says
little, so a person is asked before such a file is merged, row by row like the other side of `sync`; it then stays under
another name.
"""

from __future__ import annotations

import csv
import io
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from engine.data.files import decode
from engine.errors import InputError, error, warning
from engine.ledger.entries import LedgerEntry, parse_entries
from engine.merging import Change, Conflict, Row, changes, merged
from engine.portfolio import Portfolio
from rebalancer.files import open_in
from rebalancer.ledgers import commit, ledger_file, read_ledger, recording
from rebalancer.loading import load, load_portfolio
from rebalancer.syncing import agreed_openings, had_last, settled_rows, without, written

if TYPE_CHECKING:
    from engine.words import Lang

#: What is added to the name of a copy that was merged.
MERGED = ".merged"


@lru_cache(maxsize=1)
def _forms() -> tuple[re.Pattern[str], ...]:
    """Return what the clouds add to a file's name, in the languages of our users (`copies.csv`)."""
    text = resources.files(__package__).joinpath("copies.csv").read_text(encoding="utf-8")
    return tuple(re.compile(row["pattern"], re.IGNORECASE if row["case"] == "any" else 0)
                 for row in csv.DictReader(io.StringIO(text)))  # fmt: skip


def is_copy(name: str, of: str) -> bool:
    """Tell whether a file's stem looks like a cloud's copy of another: `my (1)` of `my`."""
    if not name.startswith(of) or name == of:
        return False
    rest = name[len(of) :]
    computer = platform.node()
    mine = bool(computer) and re.fullmatch(rf"-{re.escape(computer)}(-\d+)?", rest, re.IGNORECASE)
    return bool(mine or any(form.fullmatch(rest) for form in _forms()))


def copies_of(source: Path) -> tuple[Path, ...]:
    """Return the copies of a portfolio's file beside it: named like one, and a portfolio that shares something held."""
    beside = sorted(source.parent.glob(f"*{source.suffix}"))
    found = [path for path in beside if is_copy(path.stem, source.stem) and path.is_file()]
    if not found:
        return ()
    mine = _symbols(load(source))
    return tuple(
        path for path in found if (theirs := _read(path)) is not None and (_symbols(theirs) & mine or not mine)
    )


def _read(path: Path) -> Portfolio | None:
    return load_portfolio(path)[0]


def _symbols(portfolio: Portfolio) -> set[str]:
    return set(portfolio.symbols)


def _ledgers(source: Path) -> list[Path]:
    """Return the copies of its ledger."""
    stem = ledger_file(source).stem
    return [path for path in sorted(source.parent.glob("*.csv")) if is_copy(path.stem, stem)]


@dataclass(frozen=True, slots=True)
class MetCopy:
    """What a portfolio and a copy come to; where there are conflicts, nothing of it may be written."""

    portfolio: Portfolio
    conflicts: tuple[Conflict, ...]
    new: tuple[LedgerEntry, ...]
    files: tuple[Path, ...]

    def put_away(self) -> Path:
        """Give the copies their other names, and return that of the portfolio's."""
        kept = [path.rename(_free(path)) for path in self.files]
        return kept[0]


def meet_copy(
    source: Path,
    copy: Path,
    mine: Portfolio,
    entries: Sequence[LedgerEntry],
    *,
    take: str = "",
    choices: Mapping[Row, str] | None = None,
) -> MetCopy:
    """Return what a portfolio, with the entries of its ledger, and a copy of its file come to.

    The version that the file had last when it was synchronised is what both come from, where there is one. Raises
    InputError where the copy cannot be read, or each began a ledger of its own.
    """
    theirs, ledgers = load(copy), _ledgers(source)
    others: list[LedgerEntry] = []
    for path in ledgers:
        others += without(parse_entries(decode(path.read_bytes()), str(path))[0], others)
    others = others or list(entries)
    agreed, unclear = agreed_openings(entries, others, take)
    if unclear:
        raise InputError(unclear)
    settled = settled_rows(mine, entries, theirs, others, agreed)
    both, conflicts = merged(had_last(source), mine, theirs, prefer=take, choices=choices, settled=settled)
    return MetCopy(both, conflicts, tuple(without((*others, *agreed), entries)), (copy, *ledgers))


def merge_copy(source: Path, copy: Path, *, take: str = "", lang: Lang = "en") -> tuple[tuple[Change, ...], Path]:
    """Merge a copy into a portfolio's file, and return what that changes and the name under which the copy stays.

    Where both changed a row in its own way nothing is written: InputError shows both values, and both files stay as
    they are (`take` chooses a side).
    """
    with recording(source):
        raw, mine = source.read_bytes(), load(source)
        met = meet_copy(source, copy, mine, read_ledger(source).entries, take=take)
        if met.conflicts:
            beside = warning("sync-copy-kept", str(source), file=copy.name)
            raise InputError([*(one.problem for one in met.conflicts), beside])
        changed = changes(mine, met.portfolio)
        data = written(source, met.portfolio, lang) if changed else raw
        if changed or met.new:
            if program := open_in(source):
                raise InputError([error("sync-open", str(source), file=program)])
            commit(source, raw, data, met.new)
        return changed, met.put_away()


def _free(path: Path) -> Path:
    kept, number = path.with_name(path.name + MERGED), 2
    while kept.exists():
        kept, number = path.with_name(f"{path.name}{MERGED}-{number}"), number + 1
    return kept
