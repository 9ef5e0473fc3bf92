"""The same portfolio on several computers: versions in a folder or a store, merged row by row.

Every version at the URL (`rebalancer.shelf`) says what it was made from, and is only ever created: whoever comes second
merges first. So nothing is lost by two at once, by an answer that never arrived, or by a copy that OneDrive or Dropbox
put beside the first. What this side had last is remembered beside its file (`.NAME.sync.json`), so that only what is
new is read, and old versions may be deleted; without it everything is read again.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import InputError, Problem, error, warning
from engine.ledger.account import booked, differences
from engine.ledger.entries import LedgerEntry, dump_entries, parse_entries, standing
from engine.merging import Change, Conflict, Row, alike, changes, merged, row_place, settled_by, sides_of
from engine.phrase import phrase
from engine.portfolio import Portfolio
from rebalancer.files import open_in, write_whole
from rebalancer.ledgers import commit, ledger_file, new_id, read_ledger, recording
from rebalancer.loading import load, load_portfolio, usable
from rebalancer.saving import SUFFIXES
from rebalancer.shelf import Shelf, StoredObject, SyncFailed, Version

if TYPE_CHECKING:
    from engine.words import Lang

__all__ = ["KINDS", "Meeting", "Shelf", "SyncFailed", "Synced", "Version", "conflict_file", "meet", "remembered_url",
           "state_file", "sync"]  # fmt: skip

#: Files that can be brought together; a folder of tables cannot.
KINDS = (*SUFFIXES, ".xlsx", ".xlsm")
#: Times that somebody else may come first before it is given up.
_TRIES = 20
#: Versions whose rows are compared with a file of which nothing is remembered.
_LOOKED_AT = 20
#: The names of the file before and after a change that is under way, among the versions that are remembered.
_BEFORE, _AFTER = "before", "after"


@dataclass(frozen=True, slots=True)
class Synced:
    """What a synchronisation did: `sent` and `taken` tell which side changed, `number` is the version both have.

    `changes` are the rows of this side's file that it changed.
    """

    number: int
    sent: bool
    taken: bool
    merged: int = 0
    changes: tuple[Change, ...] = ()
    problems: tuple[Problem, ...] = ()


def state_file(source: Path) -> Path:
    """Return where the last version that both sides had is kept."""
    return source.with_name(f".{source.stem}.sync.json")


def conflict_file(source: Path, suffix: str = "") -> Path:
    """Return where the other side's file is put for comparison when rows are in conflict."""
    return source.with_name(f"{source.stem}.theirs{suffix or source.suffix}")


def remembered_url(source: Path) -> str:
    """Return the URL that a file was last synchronised with, "" for none; a folder with its whole path."""
    return _State.read(source).url


def whole_place(url: str, folder: Path | None = None) -> str:
    """Return a place that means the same wherever it is named from: a folder with its whole path."""
    if not url or "://" in url:
        return url
    # A link and a drive's letter stay as they were named; and `~nobody` is a folder's name, no fault.
    return os.path.abspath((folder or Path()) / os.path.expanduser(url))  # noqa: PTH100, PTH111


@dataclass(frozen=True, slots=True)
class Own:
    """What this side has: its file as it stands on disk, the portfolio, and the entries of its ledger."""

    source: Path
    raw: bytes
    portfolio: Portfolio
    entries: tuple[LedgerEntry, ...]

    @classmethod
    def of(cls, source: Path, portfolio: Portfolio | None = None) -> Own:
        """Return what a file holds; `portfolio` is given where it is open elsewhere, and not saved yet."""
        raw = source.read_bytes()
        return cls(source, raw, portfolio or load(source), read_ledger(source).entries)


@dataclass(frozen=True, slots=True)
class Meeting:
    """What this side and a URL come to: the portfolio and the entries of both, and how they were arrived at.

    `conflicts` are what both changed, each in its own way: while there are any, nothing of it may be written. `heads`
    are the versions that are new to this side, `had` those that it has already and `bases` what is known of these.
    `newest` is the number of the newest whole version, `last` the last number that was ever used there.
    """

    own: Own
    shelf: Shelf
    state: _State
    portfolio: Portfolio
    entries: tuple[LedgerEntry, ...]
    heads: tuple[Version, ...]
    had: tuple[str, ...]
    bases: tuple[Version, ...]
    known: Mapping[str, tuple[str, str]]
    newest: int
    last: int
    conflicts: tuple[Conflict, ...]
    problems: tuple[Problem, ...]
    same: bool

    @property
    def changes(self) -> tuple[Change, ...]:
        """Return the rows of this side's portfolio that it changes."""
        return changes(self.own.portfolio, self.portfolio)

    @property
    def new(self) -> tuple[LedgerEntry, ...]:
        """Return the entries that this side's ledger has not."""
        return tuple(without(self.entries, self.own.entries))

    @property
    def parents(self) -> tuple[str, ...]:
        """Return the versions that both come to: those that are new, and of those had what these do not come from."""
        behind = {one for head in self.heads for one in (*head.parents, *head.ancestors)}
        return (*(one.id for one in self.heads), *(one for one in self.had if one not in behind))

    def check(self) -> None:
        """Raise InputError where rows are in conflict, after putting the other side's file beside this one."""
        if not self.conflicts:
            return
        told = [one.problem for one in self.conflicts]
        if kept := self.keep_theirs():
            told.append(warning("sync-conflict-kept", str(self.own.source), file=kept.name))
        raise InputError([*told, *self.problems])

    def keep_theirs(self) -> Path | None:
        """Put the other side's file beside this one, and return where."""
        for head in self.heads[-1:]:
            kept = conflict_file(self.own.source, head.suffix)
            write_whole(kept, head.data)
            replace(self.state, theirs=head.print).write(self.own.source)
            return kept
        return None

    def start(self) -> _State:
        """Return what is known, with nothing under way. Raises InputError for what stops it, other than conflicts."""
        if wrong := [one for one in self.problems if one.severity == "error"]:
            raise InputError(wrong)
        return replace(self.state, had=list(self.had), taking=[], before="", after="")

    def taking(self, after: tuple[str, bytes]) -> _State:
        """Return what is to be known once the file has taken in what is new, and it is written down before.

        `after` is what the file will be: the suffix of its kind, and its bytes.
        """
        own_suffix = self.own.source.suffix.lower()
        kept = [Version(0, name, (), suffix, file, "") for name, (suffix, file) in
                {_BEFORE: (own_suffix, self.own.raw), _AFTER: after}.items()]  # fmt: skip
        bases = {**self.state.bases, **{one.id: _packed(one) for one in (*self.heads, *self.bases, *kept)}}
        return replace(
            self.state, had=list(self.had), taking=list(self.parents), before=_print(self.own.raw), sending="",
            bases=bases,
        )  # fmt: skip

    def version(self, data: bytes, suffix: str) -> Version:
        """Return the version that both sides come to, with this side's file as it then is, of a kind."""
        older = [one for head in self.heads for one in (*head.parents, *head.ancestors)]
        own = [one for base in self.bases for one in base.ancestors]
        seen = sorted(self.known.items(), key=lambda one: one[0], reverse=True)
        ancestors = dict.fromkeys((*self.parents, *self.had, *older, *own, *(identity for _, (_, identity) in seen)))
        text = dump_entries(self.entries, header=True) if self.entries else ""
        return Version(self.last + 1, new_id(), self.parents, suffix, data, text, tuple(ancestors))


def sync(
    file: str | Path,
    url: str = "",
    *,
    take: str = "",
    choices: Mapping[Row, str] | None = None,
    passphrase: str = "",
    lang: Lang = "en",
) -> Synced:
    """Bring a portfolio's file and its ledger and the versions at a URL to the same state.

    Rows that only one side changed are taken over, entries of the ledgers are put together; where both changed a row
    in its own way nothing is written, InputError shows both values, and the other side's file stands beside this one
    (`take` chooses a side, `choices` one by row). Without a URL, it is that of the last time. Raises SyncFailed where
    the URL cannot be reached or read.
    """
    source = Path(file)
    if source.is_dir() or source.suffix.lower() not in KINDS:
        raise InputError([error("sync-files", str(source), kinds=KINDS)])
    url = whole_place(url) or remembered_url(source)
    if not url:
        raise InputError([error("sync-no-url", str(source))])
    shelf = Shelf(url, source.stem, passphrase)
    if not source.exists():
        return _fetched(source, url, shelf)
    with recording(source):
        for _ in range(_TRIES):
            meeting = meet(Own.of(source), url, shelf, take=take, choices=choices)
            meeting.check()
            if done := _done(meeting, lang):
                return done
    raise SyncFailed(phrase("sync-busy", url=url))


def _fetched(source: Path, url: str, shelf: Shelf) -> Synced:
    """Put the newest version where there is no file yet: the first time on another computer."""
    listed = shelf.listing()
    read = shelf.read_all(listed)
    every = {one.id: one for one in read.values()}
    current = _heads(every, set())
    if not current:
        raise InputError([error("sync-nothing-there", str(source), url=url)])
    if len(current) > 1:
        raise InputError([error("sync-unmerged", url, count=len(current))])
    (newest,) = current
    data = newest.data
    if newest.suffix != source.suffix.lower():
        if source.suffix.lower() not in SUFFIXES:
            raise InputError([error("sync-kind", str(source), theirs=newest.suffix, other=source.stem + newest.suffix)])
        from rebalancer.saving import yaml_text

        data = yaml_text(_portfolio(newest, source)).encode()
    entries = parse_entries(newest.ledger)[0] if newest.ledger else ()
    # A ledger whose portfolio was deleted keeps what only it has.
    own = without(read_ledger(source).entries, entries)
    if entries:
        write_whole(ledger_file(source), dump_entries([*entries, *own], header=True).encode())
    write_whole(source, data)
    state = _State(url, had=[newest.id], bases={newest.id: _packed(newest)}, seen=_seen(listed, read))
    state.write(source)
    return Synced(newest.number, sent=False, taken=True, merged=1)


def meet(
    own: Own,
    url: str,
    shelf: Shelf,
    *,
    take: str = "",
    choices: Mapping[Row, str] | None = None,
    take_ledger: str = "",
) -> Meeting:
    """Return what this side and a URL come to; nothing is written. Raises SyncFailed where it cannot be read.

    `take_ledger` says whose beginning counts where each side began a ledger of its own, else `take` does.
    """
    state = _resolved(_State.read(own.source, url), own)
    listed = shelf.listing()
    known = {one.path: state.seen[one.path] for one in listed if state.seen.get(one.path, ("",))[0] == one.mark}
    read = shelf.read_all(one for one in listed if one.path not in known)
    every = {one.id: one for one in read.values()}
    had = state.had_in(every, own)
    # What was read before is older, also where a cloud has put it there anew since.
    older = _ancestors(had, every) | {identity for _, identity in state.seen.values()}
    heads = _heads(every, older)
    portfolio, found = own.portfolio, list(own.entries)
    conflicts: list[Conflict] = []
    problems: list[Problem] = []
    places = {identity: path for path, (_, identity) in known.items()}
    for head in heads:
        theirs, others = _portfolio(head, own.source), parse_entries(head.ledger)[0]
        base = _common(head, had, older, every, state, _reader(shelf, listed, places), own.source)
        agreed, unclear = agreed_openings(found, others, take_ledger or take)
        problems += unclear
        settled = {} if unclear else settled_rows(portfolio, found, theirs, others, agreed)
        if base is None and head.ancestors and had:
            problems.append(warning("sync-no-base", url, number=head.number))
        portfolio, met = merged(base, portfolio, theirs, prefer=take, choices=choices, settled=settled)
        conflicts += met
        problems += _twice(found, others)
        found += without((*others, *agreed), found)
    bases = tuple(every.get(one) or _base(state, one) for one in had if one in every or one in state.bases)
    there = set(every) | set(places)
    whole = [one.number for one in listed if one.path in known or one.path in read]
    half = [one.path.rpartition("/")[2] for one in listed if one.path not in known and one.path not in read]
    if half:
        place = f"{url}/{own.source.stem}.sync"
        problems.append(warning("sync-half", url, files=half[:3], count=len(half), place=place))
    return Meeting(
        own, shelf, state, portfolio, tuple(found), heads, tuple(had), bases, {**known, **_seen(listed, read)},
        max(whole, default=0), max((*(one.number for one in listed), state.number), default=0), tuple(conflicts),
        tuple(one for one in problems if one.severity != "error" or not conflicts),
        not heads and len(had) == 1 and had[0] in there and _as(bases, own.source, portfolio, found),
    )  # fmt: skip


def _done(meeting: Meeting, lang: Lang) -> Synced | None:
    """Write what both come to on both sides; None where somebody else came first."""
    own, state = meeting.own, meeting.start()
    changed = meeting.changes
    data, suffix = written(own.source, meeting.portfolio, lang) if changed else own.raw, own.source.suffix.lower()
    taken = data != own.raw or bool(meeting.new)
    if taken:
        if program := open_in(own.source):
            raise InputError([error("sync-open", str(own.source), file=program)])
        state = replace(meeting.taking((suffix, data)), after=_print(data))
        state.write(own.source)
        try:
            commit(own.source, own.raw, data, meeting.new)
        except InputError:
            meeting.state.write(own.source)
            raise
        state = replace(state, had=state.taking, taking=[], before="", after="")
    sent = _sent(meeting, state, data, suffix)
    return replace(sent, taken=taken) if sent else None


def done_in_open_book(
    meeting: Meeting, write: Callable[[], bool], data: bytes, suffix: str, *, taken: bool
) -> Synced | None:
    """Write what both come to into a workbook that another program has open, and send it; None as above.

    `write` does the former, where `taken`, and returns whether the file on disk has it already; else it is known the
    next time by its rows. `data` is the file as the other side is to have it.
    """
    from engine.data.write import dump_portfolio

    own, state, later = meeting.own, meeting.start(), None
    if taken:
        after = dump_portfolio(meeting.portfolio).encode()
        waiting = meeting.taking((SUFFIXES[0], after))
        waiting.write(own.source)
        if write():
            state = replace(waiting, had=waiting.taking, taking=[], before="")
        else:
            later = waiting
    if meeting.new:
        now = own.source.read_bytes()
        commit(own.source, now, now, meeting.new)
    sent = _sent(meeting, state, data, suffix, later)
    return replace(sent, taken=taken or bool(meeting.new)) if sent else None


def _sent(meeting: Meeting, state: _State, data: bytes, suffix: str, later: _State | None = None) -> Synced | None:
    """Send what both come to, unless it is there; None where somebody else came first.

    `later` is what is known where the file on disk has not been written yet.
    """
    own, number, sent, seen = meeting.own, meeting.newest, False, meeting.known
    had = meeting.bases
    if not meeting.same:
        newest = meeting.version(data, suffix)
        ids = tuple(one.id for one in meeting.heads)
        if newest.parents == ids and _as(meeting.heads, own.source, meeting.portfolio, meeting.entries):
            number, had = meeting.heads[0].number, meeting.heads
        else:
            # Written down first: where the answer never comes, the next time knows that this version is its own.
            replace(later or state, sending=newest.id).write(own.source)
            created = meeting.shelf.create(newest)
            if created is None:
                return None
            number, had, sent = newest.number, (newest,), True
            seen = {**seen, created.path: (created.mark, newest.id)}
    bases = {one.id: _packed(one) for one in had}
    if later:
        state = replace(later, taking=[one.id for one in had], bases={**later.bases, **bases}, number=number)
        state = replace(state, sending=had[0].id if sent else "")
    else:
        state = replace(state, had=[one.id for one in had], bases=bases, sending="", seen=seen, number=number)
    _forget_theirs(own.source, state)
    replace(state, theirs="").write(own.source)
    return Synced(
        number, sent, taken=False, merged=len(meeting.heads), changes=meeting.changes, problems=meeting.problems
    )


def written(source: Path, portfolio: Portfolio, lang: Lang) -> bytes:
    """Return a portfolio's file with a merged portfolio in it; all else of it stays.

    Raises InputError that names the rows which it cannot hold.
    """
    data = _put_into(source, portfolio, lang)
    if left := changes(_read(data, source.suffix, source), portfolio):
        rows = tuple(phrase("sync-row-left", row=row_place(one.row)) for one in left)
        raise InputError([error("sync-not-kept", str(source), rows=rows)])
    return data


def _put_into(source: Path, portfolio: Portfolio, lang: Lang) -> bytes:
    if source.suffix.lower() in SUFFIXES:
        from rebalancer.saving import yaml_text

        return yaml_text(portfolio, source).encode()
    from templates.merge.inputs import EVERY_COLUMN, EVERY_TABLE, write_inputs
    from templates.read.book import read_book
    from templates.report import BookReport

    before = read_book(source).report() or BookReport(portfolio)
    data, notice = write_inputs(source, replace(before, portfolio=portfolio), lang, EVERY_COLUMN, EVERY_TABLE)
    if data is None:
        raise InputError([error("record-not-written", str(source), reason=notice)])
    return data


def _forget_theirs(source: Path, state: _State) -> None:
    """Take away the other side's file of an earlier conflict, where it is still as it was put there."""
    for suffix in KINDS if state.theirs else ():
        path = conflict_file(source, suffix)
        with contextlib.suppress(OSError):
            if _print(path.read_bytes()) == state.theirs:
                path.unlink()


def _heads(every: Mapping[str, Version], older: set[str]) -> tuple[Version, ...]:
    """Return the versions that nothing was made from yet, neither this side nor another one; by number."""
    behind = {one for version in every.values() for one in _ancestors(version.parents, every) | {*version.ancestors}}
    found = [one for one in every.values() if one.id not in behind and one.id not in older]
    return tuple(sorted(found, key=lambda one: (one.number, one.id)))


def _ancestors(ids: Iterable[str], every: Mapping[str, Version]) -> set[str]:
    """Return versions and all that they were made from."""
    found: set[str] = set()
    left = list(ids)
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            if version := every.get(one):
                found.update(version.ancestors)
                left += [parent for parent in version.parents if parent not in found or parent in every]
    return found


def _reader(shelf: Shelf, listed: Sequence[StoredObject], places: Mapping[str, str]) -> Callable[[str], Version | None]:
    """Return what reads a version that was read before, by its identity."""
    by_path = {one.path: one for one in listed}

    def read(identity: str) -> Version | None:
        there = by_path.get(places.get(identity, ""))
        found = shelf.read(there) if there else None
        return found if found and found.id == identity else None

    return read


def _common(
    head: Version,
    had: Sequence[str],
    older: set[str],
    every: Mapping[str, Version],
    state: _State,
    read: Callable[[str], Version | None],
    source: Path,
) -> Portfolio | None:
    """Return the newest version that a head and this side both come from; None the first time."""
    rest = sorted(_ancestors([head.id], every), key=lambda one: every[one].number if one in every else 0, reverse=True)
    behind = (head.id, *head.parents, *head.ancestors, *rest)
    for one in dict.fromkeys((*(one for one in had if one in behind), *behind)):
        if one in older or one in had:
            version = every.get(one) or (_base(state, one) if one in state.bases else read(one))
            # An older one than the newest that both come from would hide what was changed and changed back.
            return _portfolio(version, source) if version else None
    return None


def _as(versions: Sequence[Version], source: Path, portfolio: Portfolio, entries: Iterable[LedgerEntry]) -> bool:
    """Tell whether the only version has these rows and entries."""
    if len(versions) != 1:
        return False
    ids = {one.id for one in parse_entries(versions[0].ledger)[0]}
    return ids == {one.id for one in entries} and alike(_portfolio(versions[0], source), portfolio)


def without(entries: Iterable[LedgerEntry], known: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    ids = {one.id for one in known}
    return [one for one in entries if one.id not in ids]


def settled_rows(
    mine: Portfolio,
    entries: Sequence[LedgerEntry],
    theirs: Portfolio,
    others: Sequence[LedgerEntry],
    agreed: Sequence[LedgerEntry],
) -> Mapping[Row, Any]:
    """Return what both sides' recordings come to, where each side holds what its ledger says; else nothing."""
    base = mine.base_currency
    for holder, own in ((mine, entries), (theirs, others)):
        if not own or differences(booked(tuple(standing(own)), base), holder):
            return {}
    both = [*entries, *without((*others, *agreed), entries)]
    return settled_by(booked(tuple(standing(both)), base), mine, theirs)


def agreed_openings(
    mine: Sequence[LedgerEntry], theirs: Sequence[LedgerEntry], take: str
) -> tuple[list[LedgerEntry], list[Problem]]:
    """Return what takes the second beginning back, where two computers each began a ledger of their own.

    What was held counts once: of two beginnings that say the same, the earlier one stands. Of two that differ a person
    has to choose.
    """
    # What one side took back, the other need not be asked about again.
    both = list(standing([*mine, *without(theirs, mine)]))
    ours, others = (
        {one.batch: one for one in both if one.kind == "opening" and one.id in known}
        for known in ({one.id for one in entries} for entries in (mine, theirs))
    )
    if not ours or not others or ours.keys() & others.keys():
        return [], []
    held = [
        Counter((one.account, one.symbol, one.quantity, one.currency, one.amount)
                for one in both if one.kind == "opening" and one.batch in side)
        for side in (ours, others)
    ]  # fmt: skip
    if held[0] != held[1] and not take:
        days = [min(one.date for one in side.values()) for side in (ours, others)]
        return [], [error("sync-two-ledgers", "ledger", mine=days[0], theirs=days[1])]
    if held[0] != held[1]:
        gone = ours if take == "theirs" else others
    else:
        gone = max(ours, others, key=lambda side: min((one.date, one.batch) for one in side.values()))
    found = []
    for batch, one in gone.items():
        # Every computer that does this makes the same entry of it, so that it stands once.
        identity = f"r{hashlib.sha256(f'undo {batch}'.encode()).hexdigest()[:15]}"
        found.append(LedgerEntry(identity, identity, one.date, "undo", undoes=batch))
    return found, []


def _twice(mine: Sequence[LedgerEntry], theirs: Sequence[LedgerEntry]) -> list[Problem]:
    """Return a warning for each recording that both sides made alike: it may have been recorded on both computers."""

    def batches(entries: Sequence[LedgerEntry], known: set[str]) -> dict[object, LedgerEntry]:
        found: dict[str, list[LedgerEntry]] = {}
        for one in standing(entries):
            if one.kind in ("buy", "sell") and one.id not in known:
                found.setdefault(one.batch, []).append(one)
        return {
            frozenset((one.date, one.kind, one.account, one.symbol, one.quantity, one.price) for one in batch): batch[0]
            for batch in found.values()
        }

    both = {one.id for one in mine} & {one.id for one in theirs}
    ours, others = batches(mine, both), batches(theirs, both)
    return [warning("sync-recorded-twice", "ledger", day=others[key].date) for key in ours.keys() & others.keys()]


def had_last(source: Path) -> Portfolio | None:
    """Return what a file and its URL last had in common; None where that is not known."""
    state = _State.read(source)
    one = state.had[0] if len(state.had) == 1 and not state.taking else ""
    return _portfolio(_base(state, one), source) if one in state.bases else None


def _portfolio(version: Version, source: Path) -> Portfolio:
    """Return the portfolio of a version's file."""
    return _read(version.data, version.suffix, source)


def _read(data: bytes, suffix: str, source: Path) -> Portfolio:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{source.stem}{suffix}"
        try:
            path.write_bytes(data)
        except OSError as fault:
            raise InputError([error("output-not-written", folder, reason=fault.strerror or "")]) from None
        return usable(*load_portfolio(path))


def _seen(listed: Iterable[StoredObject], read: Mapping[str, Version]) -> dict[str, tuple[str, str]]:
    return {one.path: (one.mark, read[one.path].id) for one in listed if one.path in read}


def _packed(version: Version) -> str:
    import gzip

    return base64.b64encode(gzip.compress(version.document(), mtime=0)).decode()


def _base(state: _State, identity: str) -> Version:
    found = Version.parsed(base64.b64decode(state.bases[identity]), 0)
    if found is None:
        raise ValueError(identity)
    return found


@dataclass(frozen=True, slots=True)
class _State:
    """What this side knows of a URL: the versions that are in its file, and what was under way.

    `taking` are the versions that a change of the file takes in, `before` the print of the file before it and `after`
    that of the file with it ("" where another program writes it); `sending` is the version that is being sent. `bases`
    are those versions themselves, `seen` the mark and the identity of what was read, by its path, `theirs` the print of
    the other side's file where rows were in conflict.
    """

    url: str
    had: list[str] = field(default_factory=list)
    taking: list[str] = field(default_factory=list)
    before: str = ""
    after: str = ""
    sending: str = ""
    number: int = 0
    bases: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    theirs: str = ""

    @classmethod
    def read(cls, source: Path, url: str = "") -> _State:
        """Return what is kept beside a file; nothing where it is of another URL, or cannot be read."""
        try:
            state = cls(**json.loads(state_file(source).read_bytes()))
            seen = {str(path): (str(mark), str(identity)) for path, (mark, identity) in dict(state.seen).items()}
            for one in state.bases:
                _base(state, one)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return cls(url)
        # Earlier versions kept the folder as it was typed, mostly beside the file.
        there = whole_place(state.url, source.parent)
        if url in ("", there):
            return replace(state, url=there, seen=seen)
        # The versions may have moved: which of them the file has is known by their identities.
        return replace(state, url=url, seen={}, number=0, sending="")

    def write(self, source: Path) -> None:
        """Keep it beside the file."""
        write_whole(state_file(source), json.dumps(asdict(self)).encode())

    def had_in(self, every: Mapping[str, Version], own: Own) -> list[str]:
        """Return the versions that are in the file as it is; what was being sent may have arrived.

        Where nothing is remembered, that is the newest one that holds the same rows; only so many are looked at.
        """
        if self.sending in every:
            return [self.sending]
        newest = sorted(every.values(), key=lambda one: (one.number, one.id), reverse=True)
        for one in () if self.had else newest:
            if one.data == own.raw:
                return [one.id]
        for one in () if self.had else newest[:_LOOKED_AT]:
            if alike(_portfolio(one, own.source), own.portfolio):
                return [one.id]
        return self.had


def _resolved(state: _State, own: Own) -> _State:
    """Return what is known, after finding out whether a change of the file was made that was interrupted.

    Where the file was changed by hand since, its rows tell. Where they tell nothing, nothing is known: then a person is
    asked about all that differs.
    """
    if not state.taking:
        return state
    done = replace(state, taking=[], before="", after="")
    not_taken, taken = replace(done, sending=""), replace(done, had=state.taking)
    if _print(own.raw) in (state.before, state.after):
        return taken if _print(own.raw) == state.after else not_taken
    before, after = (_portfolio(_base(state, one), own.source) for one in (_BEFORE, _AFTER))
    was, now = sides_of(own.portfolio, changed := changes(before, after))
    if bool(was) == bool(now) and changed:
        return _State(state.url, number=state.number)
    return taken if now else not_taken


def _print(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
