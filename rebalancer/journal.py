"""What a long run has done so far, kept line by line, so that it goes on where it was killed, on the same prices."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from engine import errors
from engine.errors import InputError, MarketDataError, Problem, error
from engine.phrase import Phrase
from engine.quote import Quote

#: Begins the first line; another one is another form.
_FORM = 1


class Journal:
    """A file of JSON lines: the terms of the run and its prices, then each one that is done.

    A line that was cut off when the run was killed is as if it had not been written. It holds what the run found out
    about people: it belongs to the same eyes only as their portfolios.
    """

    def __init__(self, path: Path, terms: object, records: Iterable[type]) -> None:
        """Open the journal at a path, or begin it; `records` are the dataclasses that may stand in it.

        Raises InputError for one of a run on other terms, for what is no journal, and where it cannot be written.
        """
        self.path = path
        self._records = {record.__name__: record for record in (*records, Quote, Problem)}
        self.done: dict[str, tuple[str, Any]] = {}
        self.market: Any = None
        mine = json.dumps({"form": _FORM, "terms": _plain(terms)}, ensure_ascii=False)
        try:
            sound = self._read(mine) if path.exists() else 0
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: TextIO = path.open("r+" if sound else "w", encoding="utf-8", newline="\n")
            path.chmod(0o600)
            self._file.seek(sound)
            self._file.truncate()
        except OSError as fault:
            reason = fault.strerror or type(fault).__name__
            raise InputError([error("output-not-written", str(path), reason=reason)]) from fault
        if not sound:
            self._write(mine)

    def _read(self, mine: str) -> int:
        """Read what is there; return how many bytes of it are whole lines."""
        lines = self.path.read_bytes().splitlines(keepends=True)
        if lines and not lines[-1].endswith(b"\n") and (len(lines) > 1 or mine.encode().startswith(lines[0])):
            lines.pop()
        try:
            for number, line in enumerate(lines):
                data = json.loads(line)
                if number == 0:
                    if data["form"] and data != json.loads(mine):
                        raise InputError([error("journal-of-another", str(self.path))])
                elif "market" in data:
                    self.market = self._back(data["market"])
                else:
                    self.done[data["id"]] = (data["input"], self._back(data["row"]))
        except (ValueError, KeyError, TypeError, AttributeError, ArithmeticError):
            raise InputError([error("no-journal", str(self.path))]) from None
        return sum(map(len, lines))

    def keep_market(self, market: object) -> None:
        """Keep the prices that the run goes on."""
        self.market = market
        self._write(json.dumps({"market": _plain(market)}, ensure_ascii=False))

    def keep(self, name: str, made_from: str, row: object) -> None:
        """Keep what is done, with the print of what it was made from."""
        self._write(json.dumps({"id": name, "input": made_from, "row": _plain(row)}, ensure_ascii=False))

    def _write(self, line: str) -> None:
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as fault:
            reason = fault.strerror or type(fault).__name__
            raise InputError([error("output-not-written", str(self.path), reason=reason)]) from fault

    def close(self, *, finished: bool) -> None:
        """Close the file; a finished run needs it no more."""
        self._file.close()
        if finished:
            self.path.unlink(missing_ok=True)

    def _back(self, data: Any) -> Any:  # noqa: ANN401 - whatever was kept
        """Return what `_plain` made JSON of."""
        if isinstance(data, list):
            return tuple(map(self._back, data))
        if not isinstance(data, dict):
            return data
        ((kind, value),) = data.items()
        if kind == "map":
            return {self._back(key): self._back(one) for key, one in value}
        if kind == "phrase":
            return Phrase(value[0], tuple((name, self._back(one)) for name, one in value[1]))
        if kind == "fault":
            made = getattr(errors, value[0])
            assert issubclass(made, MarketDataError)  # noqa: S101 - the file is ours; a stranger's stops here
            return made(self._back(value[1]), symbol=value[2], source=value[3])
        if kind == "record":
            return self._records[value[0]](**{name: self._back(one) for name, one in value[1].items()})
        return _SIMPLE[kind](value)


_SIMPLE: Mapping[str, Callable[[str], object]] = {
    "decimal": Decimal,
    "date": dt.date.fromisoformat,
    "moment": dt.datetime.fromisoformat,
}


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever is kept
    """Return a value as JSON that says which kind it is: numbers stay exact, sentences stay without words."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, Decimal):
        return {"decimal": str(value)}
    if isinstance(value, dt.datetime):
        return {"moment": value.isoformat()}
    if isinstance(value, dt.date):
        return {"date": value.isoformat()}
    if isinstance(value, Phrase):
        return {"phrase": [value.key, [[name, _plain(one)] for name, one in value.items]]}
    if isinstance(value, MarketDataError):
        return {"fault": [type(value).__name__, _plain(value.message), value.symbol, value.source]}
    if isinstance(value, Mapping):
        return {"map": [[_plain(key), _plain(one)] for key, one in value.items()]}
    if is_dataclass(value):
        kept = {field.name: _plain(getattr(value, field.name)) for field in fields(value) if field.compare}
        return {"record": [type(value).__name__, kept]}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(one) for one in value]
    return str(value)
