"""A portfolio written as a YAML file: a new one, or into a person's own, whose comments, order and words stay."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from engine import formats
from engine.data.sections import SECTION_KEYS
from engine.errors import InputError, error
from engine.portfolio import Holding, Portfolio
from rebalancer.files import write_whole

SUFFIXES = (".yaml", ".yml")
#: A key, and the list below it.
_LIST = re.compile(r"^( *)\w+:[^\n]*\n(?: *(?:#[^\n]*)?\n)*( *)- ", re.MULTILINE)
#: What of a holding's row is written again where it has changed.
_CHANGING = ("quantity", "value", "average_cost", "cost_fx", "price", "account", "locked")


def save(portfolio: Portfolio, path: str | Path) -> None:
    """Write a portfolio as a YAML file, whole or not at all.

    A file that is there keeps its comments, its order and the words it names things by: only what differs from the
    portfolio that it holds is changed. Raises InputError where the name is no YAML file's, the file that is there
    cannot be read, or what has changed cannot be written into it.
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise InputError([error("output-suffix.yaml", str(path), suffixes=SUFFIXES)])
    write_whole(path, yaml_text(portfolio, path if path.exists() else None).encode())


def yaml_text(portfolio: Portfolio, into: Path | None = None, notes: Mapping[str, str] | None = None) -> str:
    """Return the text of a portfolio's file: that of the file `into`, where there is one, with what has changed.

    `notes` are remarks by symbol, written at the end of a holding's line. Raises what `save` raises.
    """
    from engine.data.document import parse_portfolio
    from engine.data.files import decode, read_beside
    from engine.data.write import dump_portfolio

    new = f"format: {formats.PORTFOLIO}\n{dump_portfolio(portfolio)}"
    old = new if into is None else decode(read_beside(into))
    where = str(into or "portfolio")
    before, problems = parse_portfolio(old, where)
    if before is None:
        raise InputError(problems)
    text = _changed(old, before, portfolio, notes or {})
    again, problems = parse_portfolio(text, where)
    if again is None or _order_free(again) != _order_free(portfolio):
        raise InputError([*problems, error("yaml-not-kept", where)])
    return text


def _order_free(portfolio: Portfolio) -> object:
    """Return what two portfolios share that differ at most in the order of holdings, and of what describes them."""
    held = sorted(portfolio.holdings, key=lambda one: (one.account, one.symbol, one.quantity))
    cash = [{code: amount for code, amount in one.cash.items() if amount} for one in portfolio.accounts]
    return (portfolio.name, portfolio.base_currency, held, cash, portfolio.sections, portfolio.groups,
            portfolio.settings, portfolio.fx, portfolio.exposures, portfolio.classes, portfolio.prefer)  # fmt: skip


def _changed(text: str, before: Portfolio, after: Portfolio, notes: Mapping[str, str]) -> str:
    """Return the text of `before` as that of `after`."""
    yaml = _round_trip()
    if (listed := _LIST.search(text)) and len(listed[2]) > len(listed[1]):
        yaml.indent(mapping=2, sequence=4, offset=2)
    tree = yaml.load(text)
    if "format" in tree:
        tree["format"] = str(formats.PORTFOLIO)
    body = tree["portfolio"]
    _holdings(body, before, after, notes)
    _cash(body, before, after)
    _targets(body, before, after)
    _rest(tree, before, after)
    out = io.StringIO()
    yaml.dump(tree, out)
    return out.getvalue()


def _plain(document: str) -> Any:  # noqa: ANN401 - plain data
    return _round_trip().load(document)


def _round_trip() -> Any:  # noqa: ANN401 - ruamel's YAML
    """Return what reads and writes YAML as it stands: quotes, comments, order, line lengths, and every digit."""
    from ruamel.yaml import YAML
    from ruamel.yaml.resolver import VersionedResolver

    class AsWritten(VersionedResolver):
        """A resolver to which numbers and dates are text, so that they are written with the digits they have."""

        def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:  # noqa: ANN401 - ruamel's own
            """Return the tag of a scalar."""
            tag = super().resolve(kind, value, implicit)
            return self.DEFAULT_SCALAR_TAG if str(tag).rpartition(":")[2] in ("int", "float", "timestamp") else tag

    yaml = YAML()
    yaml.Resolver = AsWritten
    yaml.preserve_quotes = True
    yaml.width = 4096
    return yaml


def _holdings(body: Any, before: Portfolio, after: Portfolio, notes: Mapping[str, str]) -> None:  # noqa: ANN401
    """Change the rows whose holdings have changed; row n of the file is holding n of the portfolio it holds."""
    from engine.data.write import dump_portfolio

    written = _plain(dump_portfolio(after))["portfolio"].get("holdings") or []
    rows = body.get("holdings")
    if not rows:
        if written:
            body["holdings"] = rows = written
            _remark(rows, after.holdings, notes)
        return
    free = dict(enumerate(before.holdings))
    kept: set[int] = set()
    for holding, row in zip(after.holdings, written, strict=True):
        same = [n for n, old in free.items() if (old.account, old.symbol) == (holding.account, holding.symbol)]
        at = next((n for n in same if free[n] == holding), same[0] if same else None)
        if at is None:
            rows.append(row)
            at = len(rows) - 1
        elif free.pop(at) != holding:
            for key in _CHANGING:
                if key in row:
                    rows[at][key] = row[key]
                else:
                    rows[at].pop(key, None)
        kept.add(at)
        if holding.symbol in notes:
            rows.yaml_add_eol_comment(notes[holding.symbol], key=at)
    for at in sorted(free, reverse=True):
        if at not in kept:
            del rows[at]


def _remark(rows: Any, holdings: Iterable[Holding], notes: Mapping[str, str]) -> None:  # noqa: ANN401
    for at, holding in enumerate(holdings):
        if holding.symbol in notes:
            rows.yaml_add_eol_comment(notes[holding.symbol], key=at)


def _cash(body: Any, before: Portfolio, after: Portfolio) -> None:  # noqa: ANN401
    """Change the amounts of cash that have changed, and add accounts that are new."""
    from engine.data.write import dump_portfolio

    if before.accounts == after.accounts and before.accounts_declared == after.accounts_declared:
        return
    written = _plain(dump_portfolio(after))["portfolio"]
    if not after.accounts_declared or not before.accounts_declared:
        for key in ("cash", "accounts"):
            if key in written:
                _put(body, key, written[key])
            else:
                body.pop(key, None)
        return
    rows = {str(row["name"]): row for row in body["accounts"]}
    old = {row["name"]: row for row in _plain(dump_portfolio(before))["portfolio"]["accounts"]}
    for row in written["accounts"]:
        if row["name"] not in rows:
            body["accounts"].append(row)
            continue
        mine, was = rows[row["name"]], old[row["name"]]
        for key in dict.fromkeys((*was, *row)):
            if key in row and was.get(key) != row[key]:
                _put(mine, key, row[key])
            elif key not in row:
                mine.pop(key, None)
    kept = {row["name"] for row in written["accounts"]}
    for at in reversed([at for at, row in enumerate(body["accounts"]) if str(row["name"]) not in kept]):
        del body["accounts"][at]


def _put(mapping: Any, key: str, value: Any) -> None:  # noqa: ANN401
    """Set a mapping's values one by one where it is there already, so that its remarks stay."""
    old = mapping.get(key)
    if not isinstance(old, dict) or not isinstance(value, dict):
        mapping[key] = value
        return
    for name in [name for name in old if name not in value]:
        del old[name]
    for name, amount in value.items():
        if old.get(name) != amount:
            old[name] = amount


def _targets(body: Any, before: Portfolio, after: Portfolio) -> None:  # noqa: ANN401
    """Change the targets of the sections that both have; row n of a section's list is its target n."""
    from engine.data.write import dump_portfolio

    old, new = (_lists(_plain(dump_portfolio(one))["portfolio"]) for one in (before, after))
    standing = _lists(body)
    for name in old.keys() & new.keys() & standing.keys():
        rows, was, now = standing[name], old[name], new[name]
        if was == now or len(rows) != len(was):
            continue
        at = {_goal(row): index for index, row in enumerate(was)}
        wanted = {_goal(row) for row in now}
        for row in now:
            index = at.get(_goal(row))
            if index is None:
                rows.append(row)
                continue
            for key in dict.fromkeys((*was[index], *row)):
                if was[index].get(key) != row.get(key):
                    _replace(rows[index], key, row)
        for symbol, index in sorted(at.items(), key=lambda one: -one[1]):
            if symbol not in wanted:
                del rows[index]


def _goal(row: Any) -> str:  # noqa: ANN401
    """Return what the row of a target, as `dump_portfolio` writes it, is about: an instrument, equivalents, a class."""
    named = row.get("ticker") or row.get("name") or row.get("class")
    return str(named or tuple(map(str, row["any"])))


def _lists(body: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the lists of targets of a document by the names of their sections."""
    found = {name: body[key] for key, name in SECTION_KEYS.items() if body.get(key)}
    return found | {name: rows for name, rows in (body.get("sections") or {}).items() if rows}


def _rest(tree: Any, before: Portfolio, after: Portfolio) -> None:  # noqa: ANN401
    """Write again, whole, what else has changed: name, currency, sections, rules, groups, rates, settings."""
    from engine.data.write import dump_portfolio

    old, new = (_plain(dump_portfolio(one)) for one in (before, after))
    body = tree["portfolio"]
    same = {one.name for one in before.sections if one.targets} == {one.name for one in after.sections if one.targets}
    done = ("holdings", "cash", "accounts", *(("sections", *SECTION_KEYS) if same else ()))
    for key in dict.fromkeys((*old["portfolio"], *new["portfolio"])):
        if key not in done and old["portfolio"].get(key) != new["portfolio"].get(key):
            _replace(body, key, new["portfolio"])
    for key in ("fx", "settings"):
        if old.get(key) != new.get(key):
            _replace(tree, key, new)


def _replace(mapping: Any, key: str, source: Any) -> None:  # noqa: ANN401
    if key in source:
        mapping[key] = source[key]
    else:
        mapping.pop(key, None)
