"""The same portfolio on several computers: versions in a folder or a store, merged row by row.

At the URL every version is an object of its own, `NAME.sync/00000001.json` and so on, with the portfolio's file and its
ledger. A version is only ever created, never replaced, and only where no other has its number: whoever comes second
merges first. So nothing is lost by two at once, by an answer that never arrived, or by a copy that OneDrive or Dropbox
put beside the first; a passphrase encrypts all of it before it leaves.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import InputError, Problem, RebalancerError, error, warning
from engine.ledger.account import booked, differences
from engine.ledger.entries import LedgerEntry, dump_entries, parse_entries, standing
from engine.merging import Row, alike, merged, settled_by
from engine.phrase import phrase
from engine.portfolio import Portfolio
from rebalancer.files import write_whole
from rebalancer.ledgers import commit, ledger_file, new_id, read_ledger, recording
from rebalancer.loading import load, usable
from rebalancer.saving import SUFFIXES

if TYPE_CHECKING:
    from engine.words import Lang

FORMAT = 1
#: Files that can be brought together; a folder of tables cannot.
KINDS = (*SUFFIXES, ".xlsx", ".xlsm")
#: Where the passphrase comes from, if the system's keyring does not have it.
PASSPHRASE = "REBALANCER_SYNC_PASSPHRASE"  # noqa: S105 - the name of a variable
#: Times that somebody else may come first before it is given up.
_TRIES = 20
_NUMBERED = re.compile(r"(\d{8})[^/]*\.json$")


class SyncFailed(RebalancerError):
    """The other side could not be reached, or what is there cannot be read."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version at the URL: its number, its identity, those it was made from, the portfolio's file and its ledger."""

    number: int
    id: str
    parents: tuple[str, ...]
    suffix: str
    data: bytes
    ledger: str

    def document(self) -> bytes:
        """Return the version as the JSON that is stored."""
        body = {
            "format": FORMAT, "id": self.id, "parents": list(self.parents), "suffix": self.suffix,
            "data": base64.b64encode(self.data).decode(), "ledger": self.ledger,
            "sha256": hashlib.sha256(self.data + self.ledger.encode()).hexdigest(),
        }  # fmt: skip
        return json.dumps(body).encode()


@dataclass(frozen=True, slots=True)
class Synced:
    """What a synchronisation did: `sent` and `taken` tell which side changed, `number` is the version both have."""

    number: int
    sent: bool
    taken: bool
    merged: int = 0
    problems: tuple[Problem, ...] = ()


def state_file(source: Path) -> Path:
    """Return where the last version that both sides had is kept."""
    return source.with_name(f".{source.stem}.sync.json")


def conflict_file(source: Path) -> Path:
    """Return where the other side's file is put for comparison when rows are in conflict."""
    return source.with_name(f"{source.stem}.theirs{source.suffix}")


class Shelf:
    """The versions of one portfolio at a URL: a folder, s3://, gs:// or az://, credentials from the environment."""

    def __init__(self, url: str, name: str, passphrase: str = "") -> None:
        from obstore.exceptions import BaseError
        from obstore.store import LocalStore, from_url

        self._passphrase, self._folder, self._failure = passphrase, f"{name}.sync", BaseError
        try:
            if "://" in url:
                self._store: Any = from_url(url)
            else:
                self._store = LocalStore(Path(url).resolve(strict=True))
        except (BaseError, OSError, ValueError) as fault:
            raise SyncFailed(phrase("sync-unreachable", url=url, reason=_reason(fault))) from None
        self._url = url

    def versions(self) -> list[Version]:
        """Return every version that is there, copies in conflict included, by number."""
        import obstore

        found = []
        try:
            for one in obstore.list(self._store, self._folder).collect():
                path = str(one["path"])
                if path.endswith(".json"):
                    found.append(self._read(path, bytes(obstore.get(self._store, path).bytes())))
        except (self._failure, OSError) as fault:
            raise SyncFailed(phrase("sync-unreachable", url=self._url, reason=_reason(fault))) from None
        return sorted((one for one in found if one), key=lambda one: one.number)

    def create(self, version: Version) -> bool:
        """Put a version there, and return whether it is: not where another has its number already."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        path = f"{self._folder}/{version.number:08d}.json"
        try:
            obstore.put(self._store, path, self._sealed(version.document()), mode="create")
        except (AlreadyExistsError, FileExistsError):
            # It may be ours: the answer to an earlier try was lost.
            return any(one.id == version.id for one in self.versions())
        except (self._failure, OSError) as fault:
            raise SyncFailed(phrase("sync-unreachable", url=self._url, reason=_reason(fault))) from None
        return True

    def _sealed(self, data: bytes) -> bytes:
        if not self._passphrase:
            return data
        from pyrage import passphrase

        return bytes(passphrase.encrypt(data, self._passphrase))

    def _read(self, path: str, raw: bytes) -> Version | None:
        """Return what is stored at a path; None for what is no whole version (a copy under way)."""
        if raw.startswith(b"age-encryption.org"):
            raw = self._opened(raw)
        elif self._passphrase and raw:
            raise SyncFailed(phrase("sync-not-encrypted", path=path))
        try:
            body = json.loads(raw)
            data, ledger = base64.b64decode(body["data"]), str(body["ledger"])
            whole = hashlib.sha256(data + ledger.encode()).hexdigest() == body["sha256"]
            version, identity, parents = body["format"], str(body["id"]), tuple(map(str, body["parents"]))
        except (ValueError, KeyError, TypeError):
            return None
        if version != FORMAT:
            raise SyncFailed(phrase("sync-newer", version=version, known=FORMAT))
        # OneDrive and Dropbox name a second one "00000007-PC.json" or "00000007 (PC's conflicted copy).json".
        number = _NUMBERED.search(path)
        if not whole or number is None:
            return None
        return Version(int(number[1]), identity, parents, str(body["suffix"]), data, ledger)

    def _opened(self, raw: bytes) -> bytes:
        import pyrage

        if not self._passphrase:
            raise SyncFailed(phrase("sync-needs-passphrase", variable=PASSPHRASE))
        try:
            return bytes(pyrage.passphrase.decrypt(raw, self._passphrase))
        except pyrage.DecryptError:
            raise SyncFailed(phrase("sync-wrong-passphrase")) from None


def _reason(fault: BaseException) -> str:
    text = str(fault).strip().splitlines()
    return text[0][:200] if text else type(fault).__name__


def passphrase_of(url: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return the passphrase for a URL: the environment's, else the system keyring's, else ""."""
    if given := environment.get(PASSPHRASE):
        return given
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password("rebalancer-sync", url) or ""
    except KeyringError:
        return ""


def sync(file: str | Path, url: str, *, take: str = "", passphrase: str = "", lang: Lang = "en") -> Synced:
    """Bring a portfolio's file and its ledger and the versions at a URL to the same state.

    Rows that only one side changed are taken over, entries of the ledgers are put together; where both changed a row
    in its own way nothing is written, InputError shows both values, and the other side's file stands beside this one
    (`take` chooses a side). Raises SyncFailed where the URL cannot be reached or read.
    """
    source = Path(file)
    if source.is_dir() or source.suffix.lower() not in KINDS:
        raise InputError([error("sync-files", str(source), kinds=KINDS)])
    shelf = Shelf(url, source.stem, passphrase)
    if not source.exists():
        return _fetched(source, url, shelf)
    with recording(source):
        for _ in range(_TRIES):
            done = _once(source, url, shelf, take, lang)
            if done is not None:
                return done
    raise SyncFailed(phrase("sync-busy", url=url))


def _fetched(source: Path, url: str, shelf: Shelf) -> Synced:
    """Put the newest version where there is no file yet: the first time on another computer."""
    every = shelf.versions()
    parents = {parent for one in every for parent in one.parents}
    current = [one for one in every if one.id not in parents and one.suffix == source.suffix.lower()]
    if not current:
        raise InputError([error("sync-nothing-there", str(source), url=url)])
    if len(current) > 1:
        raise InputError([error("sync-unmerged", url, count=len(current))])
    write_whole(ledger_file(source), current[0].ledger.encode())
    write_whole(source, current[0].data)
    _State(url, [current[0].id]).write(source)
    return Synced(current[0].number, sent=False, taken=True, merged=1)


def _once(source: Path, url: str, shelf: Shelf, take: str, lang: Lang) -> Synced | None:
    """Synchronise once; None where somebody else came first."""
    raw, mine, entries = source.read_bytes(), load(source), read_ledger(source).entries
    every = {one.id: one for one in shelf.versions()}
    state = _State.read(source, url)
    had = state.had_in(every, raw)
    parents = {parent for one in every.values() for parent in one.parents}
    current = [one for one in every.values() if one.id not in parents]
    known_versions = _ancestors(had, every)
    heads = [one for one in current if one.id not in known_versions]
    portfolio, found = mine, list(entries)
    for head in heads:
        if head.suffix != source.suffix.lower():
            raise InputError([error("sync-kind", str(source), mine=source.suffix, theirs=head.suffix)])
        theirs, others = _portfolio(head, source), parse_entries(head.ledger)[0]
        portfolio, conflicts = merged(
            _base(head, known_versions, every, source), portfolio, theirs, prefer=take,
            settled=_settled(portfolio, found, theirs, others),
        )  # fmt: skip
        if conflicts:
            write_whole(conflict_file(source), head.data)
            place_of_it = warning("sync-conflict-kept", str(source), file=conflict_file(source).name)
            raise InputError([*(one.problem for one in conflicts), place_of_it])
        known = {one.id for one in found}
        found += [one for one in others if one.id not in known]
    data = raw if alike(portfolio, mine) else _text(source, portfolio, lang)
    taken = data != raw or len(found) > len(entries)
    merged_ids = [one.id for one in current] if heads else had
    if taken:
        replace(state, taking=merged_ids, before=_print(raw)).write(source)
        commit(source, raw, data, _new(entries, found))
    state = replace(state, had=merged_ids, taking=[], before="", sending="")
    number = max((one.number for one in every.values()), default=0)
    same = len(current) == 1 and _says(current[0], source, portfolio, found)
    if not same:
        text = dump_entries(found, header=True)
        ids = tuple(sorted(one.id for one in current))
        newest = Version(number + 1, new_id(), ids, source.suffix.lower(), data, text)
        # Written down first: where the answer never comes, the next time knows that this version is its own.
        replace(state, sending=newest.id).write(source)
        if not shelf.create(newest):
            return None
        number, state = newest.number, replace(state, had=[newest.id])
    state.write(source)
    return Synced(number, sent=not same, taken=taken, merged=len(heads))


def _settled(
    mine: Portfolio, entries: Sequence[LedgerEntry], theirs: Portfolio, others: Sequence[LedgerEntry]
) -> Mapping[Row, Any]:
    """Return what both sides' recordings come to, where each side holds what its ledger says; else nothing."""
    base = mine.base_currency
    for holder, own in ((mine, entries), (theirs, others)):
        if not own or differences(booked(tuple(standing(own)), base), holder):
            return {}
    known = {one.id for one in entries}
    both = [*entries, *(one for one in others if one.id not in known)]
    return settled_by(booked(tuple(standing(both)), base), mine, theirs)


def _ancestors(ids: Iterable[str], every: Mapping[str, Version]) -> set[str]:
    """Return versions and all that they were made from."""
    found: set[str] = set()
    left = [one for one in ids if one in every]
    while left:
        one = left.pop()
        if one not in found:
            found.add(one)
            left += [parent for parent in every[one].parents if parent in every]
    return found


def _base(head: Version, known: set[str], every: Mapping[str, Version], source: Path) -> Portfolio | None:
    """Return the newest version that a head and this side both come from; None the first time."""
    common = [every[one] for one in _ancestors([head.id], every) & known]
    return _portfolio(max(common, key=lambda one: one.number), source) if common else None


def _says(version: Version, source: Path, portfolio: Portfolio, entries: list[LedgerEntry]) -> bool:
    """Tell whether a version has these rows and entries."""
    ids = {one.id for one in parse_entries(version.ledger)[0]}
    return ids == {one.id for one in entries} and alike(_portfolio(version, source), portfolio)


def _new(old: tuple[LedgerEntry, ...], every: list[LedgerEntry]) -> list[LedgerEntry]:
    known = {one.id for one in old}
    return [one for one in every if one.id not in known]


def _portfolio(version: Version, source: Path) -> Portfolio:
    """Return the portfolio of a version's file."""
    import tempfile

    from rebalancer.loading import load_portfolio

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{source.stem}{version.suffix}"
        path.write_bytes(version.data)
        return usable(*load_portfolio(path))


def _text(source: Path, portfolio: Portfolio, lang: Lang) -> bytes:
    from rebalancer.storing import written_into

    return written_into(source, portfolio, lang)


@dataclass(frozen=True, slots=True)
class _State:
    """What this side knows of a URL: the versions that are in its file, and what was under way.

    `taking` are the versions that a change of the file takes in, `before` the print of the file before it; `sending` is
    the version that is being sent.
    """

    url: str
    had: list[str]
    taking: list[str] = field(default_factory=list)
    before: str = ""
    sending: str = ""

    @classmethod
    def read(cls, source: Path, url: str) -> _State:
        """Return what is kept beside a file; nothing where it is of another URL."""
        try:
            state = cls(**json.loads(state_file(source).read_bytes()))
        except (OSError, ValueError, TypeError):
            return cls(url, [])
        return state if state.url == url else cls(url, [])

    def write(self, source: Path) -> None:
        """Keep it beside the file."""
        write_whole(state_file(source), json.dumps(asdict(self)).encode())

    def had_in(self, every: Mapping[str, Version], raw: bytes) -> list[str]:
        """Return the versions that are in the file as it is, whatever was interrupted."""
        if self.sending in every:
            return [self.sending]
        return self.taking if self.taking and _print(raw) != self.before else self.had


def _print(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
