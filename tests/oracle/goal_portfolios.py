"""Random portfolio documents whose targets are goals: sets of equivalents, and classes that funds are split over."""

from __future__ import annotations

import copy
import random
from typing import Any

from tests.oracle.portfolios import (
    USDKRW,
    Document,
    _account,
    _bought,
    _cash,
    _Frame,
    _instrument,
    _rule,
    _settings,
    _target,
    _worth,
)

#: Classes that may be targets, by root.
ROOTS = {"equity": ["Alpha", "Beta", "Gamma"], "bond": ["Delta"]}
PARTS = ["Alpha one", "Alpha two"]


def equivalents(seed: int, *, few: bool = True) -> Document:
    """Return a portfolio whose goals' members are worth the same to it: no instrument is split."""
    r = random.Random(f"equivalents {seed} {few}")
    frame = _frame(r, few=few)
    accounts = r.choice([0, 1, 2, 2, 3])
    infos = _infos(frame, r.randint(3, 4 if accounts > 1 else 5) if few else r.randint(4, 12))
    symbols = list(infos)
    left = symbols[: len(symbols) - (r.random() < 0.25)]
    classes = [name for names in ROOTS.values() for name in names]
    r.shuffle(classes)
    rows: list[Document] = []
    while left:
        size = min(r.choice([1, 2, 2, 3]), len(left))
        members, left = left[:size], left[size:]
        kind = r.choice(["any", "any", "class"]) if size > 1 else r.choice(["ticker", "any", "class"])
        if kind == "class" and not classes:
            kind = "any"
        if kind == "ticker":
            rows.append({"ticker": members[0]})
        elif kind == "any":
            r.shuffle(members)
            rows.append({"any": members} | ({"name": f"set {len(rows)}"} if r.random() < 0.5 else {}))
        else:
            name = classes.pop()
            rows.append({"class": name})
            for member in members:
                _put_in(r, infos[member], name)
    return _document(frame, infos, rows, accounts)


def exposures(seed: int, *, few: bool = True) -> Document:
    """Return a portfolio with funds that are split over classes."""
    r = random.Random(f"exposures {seed} {few}")
    frame = _frame(r, few=few)
    accounts = r.choice([0, 1, 1, 2, 2])
    infos = _infos(frame, r.randint(3, 3 if accounts == 2 else 4) if few else r.randint(4, 9))
    symbols = list(infos)
    rows: list[Document] = []
    if r.random() < 0.3:
        rows.append({"ticker": symbols.pop()})
    elif r.random() < 0.2 and len(symbols) > 3:
        rows.append({"any": [symbols.pop(), symbols.pop()]})
    names = r.sample([*ROOTS["equity"], *ROOTS["bond"]], r.randint(2, 3))
    if "Alpha" in names and r.random() < 0.3:
        names[names.index("Alpha") : names.index("Alpha") + 1] = PARTS
    for number, symbol in enumerate(symbols):
        if r.random() < 0.08:
            continue
        if r.random() < 0.4 and number:
            _put_in(r, infos[symbol], r.choice(names))
        else:
            # Sometimes a part is of a class above a target, or of one that is no target.
            infos[symbol]["exposure"] = _split(r, names if r.random() < 0.8 else [*names, "Alpha", "others"])
            del infos[symbol]["asset_class"]
    if len(symbols) > 2 and r.random() < 0.2:
        infos[symbols[-1]]["exposure"] = dict(infos[symbols[0]].get("exposure") or {names[0]: 1})
        infos[symbols[-1]].pop("class", None)
        infos[symbols[-1]].pop("asset_class", None)
    inside = {name for info in infos.values() for name in (info.get("class"), *info.get("exposure", ()))}
    inside |= {"Alpha"} if inside & {*PARTS} else set()
    rows += [{"class": name} for name in names if name in inside]
    return _document(frame, infos, rows, accounts)


def _frame(r: random.Random, *, few: bool) -> _Frame:
    base = "KRW" if r.random() < 0.8 else "USD"
    total = r.choice([3e6, 1.2e7, 6e7, 3e8]) * (1.0 if base == "KRW" else 1 / USDKRW)
    return _Frame(r, few, base, r.random() < (0.35 if few else 0.5), total, fractional=not few and r.random() < 0.1)


def _infos(frame: _Frame, n: int) -> Document:
    infos = dict(_instrument(frame, i) for i in range(n))
    for info in infos.values() if frame.few else ():
        share = frame.total / frame.r.uniform(4, 16) / info.get("lot", 1)
        info["price"] = max(frame.money(share, info["currency"]), 1 if info["currency"] == "KRW" else 0.01)
    return infos


def _put_in(r: random.Random, info: Document, name: str) -> None:
    """Put an instrument into one class, in one of the ways a document may."""
    if r.random() < 0.6:
        info["class"] = name
    else:
        info["exposure"] = {name: 1}
    del info["asset_class"]


def _split(r: random.Random, names: list[str]) -> dict[str, float]:
    """Return shares of two or more classes, sometimes with a part that is in none of the goals."""
    chosen = r.sample(names, r.randint(min(2, len(names)), len(names)))
    parts = [r.uniform(0.1, 1) for _ in chosen]
    known = r.choice([1.0, 1.0, 1.0, 0.9, 0.6])
    return {name: int(part / sum(parts) * known * 100) / 100 for name, part in zip(chosen, parts, strict=True)}


def _document(frame: _Frame, infos: Document, rows: list[Document], accounts: int) -> Document:
    r = frame.r
    raw = [r.uniform(0.5, 5) if r.random() > 0.05 else 0.0 for _ in rows]
    invested = r.choice([1.0, 1.0, 0.97, 0.9, 0.75])
    weights = [int(w / (sum(raw) or 1) * invested * 1000) / 1000 for w in raw]
    rows = [
        row | {k: v for k, v in _target(r, "", weight).items() if k != "ticker"}
        for row, weight in zip(rows, weights, strict=True)
    ]
    for row in rows:
        if "ticker" not in row and r.random() < 0.25:
            row["consolidate"] = True
    folio: Document = {"name": "random", "base_currency": frame.base}
    if accounts:
        folio["accounts"] = [_account(frame, number) for number in range(accounts)]
        for account in folio["accounts"]:
            if "markets" not in account and r.random() < 0.15:
                account["markets"] = [r.choice(["KR", "US"])]
    else:
        folio["cash"] = _cash(frame)
    names = [a["name"] for a in folio.get("accounts", [])] or [""]
    folio["classes"] = _tree(r)
    rows = _parents(r, rows)
    folio["holdings"] = _holdings(frame, infos, rows, names)
    sections = r.choice([["targets"], ["targets"], ["core", "satellite"]])
    cut = r.randint(1, len(rows)) if len(sections) == 2 else len(rows)
    parts = {name: part for name, part in zip(sections, (rows[:cut], rows[cut:]), strict=False) if part}
    folio |= parts
    folio["rules"] = {"all" if name == "targets" else name: _rule(frame) for name in parts}
    if r.random() < 0.15 and len(rows) > 1:
        folio["groups"] = [_group(r, rows, list(infos))]
    if accounts and r.random() < 0.3:
        folio["prefer"] = _prefer(r, rows, list(infos), folio["accounts"])
    document: Document = {"portfolio": folio, "settings": _settings(frame)}
    value = _worth(frame, folio, infos)
    if document["settings"].get("cash_flow", 0) < -0.7 * value:
        del document["settings"]["cash_flow"]
    if not value:
        document["settings"]["cash_flow"] = frame.money(frame.total, frame.base)
    if frame.two or frame.base == "USD":
        document["fx"] = {"USDKRW": USDKRW}
    return document


def _tree(r: random.Random) -> Any:
    """Return the tree, in one of the forms that a document may give it."""
    equity = ROOTS["equity"]
    return r.choice(
        [
            {"equity": [{"Alpha": PARTS}, *equity[1:]], "bond": ROOTS["bond"]},
            {"equity": equity, "Alpha": PARTS, "bond": ROOTS["bond"]},
            {"equity": {"Alpha": PARTS, **dict.fromkeys(equity[1:])}, "bond": ROOTS["bond"]},
        ]
    )


def _parents(r: random.Random, rows: list[Document]) -> list[Document]:
    """Return the targets, sometimes with one on the class that some of them are part of, and shares of it."""
    above = {"Alpha": PARTS, "equity": [*ROOTS["equity"], *PARTS]}
    for name, below in above.items():
        nested = any(row.get("class") == "Alpha" for row in rows)
        mine = [row for row in rows if row.get("class") in below and not (nested and row["class"] in PARTS)]
        if any(row.get("class") == name for row in rows) or not mine or r.random() > (0.7 if name == "Alpha" else 0.25):
            continue
        weight = round(sum(row["weight"] for row in mine), 3)
        parent: Document = {k: v for k, v in _target(r, "", weight).items() if k != "ticker"} | {"class": name}
        if len(mine) == 2 and weight and r.random() < 0.5 and not (nested and mine[0]["class"] == "Alpha"):
            part = r.choice([0.5, 0.6, 0.75])
            for row, share in zip(mine, (part, round(1 - part, 2)), strict=True):
                row["share"] = share
                for key in row.keys() & {"weight", "min", "max"}:
                    del row[key]
        rows = [parent, *rows]
    return rows


def _holdings(frame: _Frame, infos: Document, rows: list[Document], names: list[str]) -> list[Document]:
    """Return holdings near or far from the targets; some instruments are only known."""
    r = frame.r
    spread = r.choice([0.05, 0.3, 0.6, 1.0])
    holdings = []
    for symbol, info in infos.items():
        money = frame.total / len(infos) * (1 + r.uniform(-spread, spread))
        if r.random() < 0.15:
            money = r.choice([0.0, money * 2])
        where = r.sample(names, r.choice([1, 1, min(2, len(names))]) if frame.few else r.randint(1, len(names)))
        for k, name in enumerate(where):
            shares = money / len(where) / (info["price"] * frame.rate(info["currency"]))
            lot = info.get("lot", 1)
            parts = frame.fractional and info["market"] == "US"
            row: Document = {
                "symbol": symbol,
                "quantity": round(shares, 3) if parts else int(shares / lot + r.random()) * lot,
            }
            row |= info if k == 0 else {}
            row |= {"account": name} if name else {}
            row |= _bought(frame, info) if r.random() < 0.6 else {}
            if row["quantity"] and r.random() < 0.08:
                row["locked"] = True
            holdings.append(row)
            if row["quantity"] and r.random() < 0.04:
                holdings.append(
                    {"symbol": symbol, "quantity": row["quantity"], "locked": True}
                    | ({"account": name} if name else {})
                )
    return holdings


def key_of(row: Document) -> str:
    """Return the key of a target."""
    return str(row.get("name") or row.get("ticker") or row.get("class") or " | ".join(row["any"]))


def _group(r: random.Random, rows: list[Document], symbols: list[str]) -> Document:
    members = r.sample(
        [key_of(row) for row in rows if "share" not in row], min(2, sum("share" not in row for row in rows))
    )
    bound = sum(row["weight"] for row in rows if key_of(row) in members)
    if r.random() < 0.3:
        members, bound = r.sample(symbols, 2), 2 / len(symbols)
    side = r.choice(["max", "min"])
    bound += r.choice([-0.05, 0.05, 0.1]) * (1 if side == "max" else -1)
    return {"name": "pair", "members": members, side: round(min(max(bound, 0.01), 1), 3)}


def _prefer(r: random.Random, rows: list[Document], symbols: list[str], accounts: list[Document]) -> Document:
    places = [a["name"] for a in accounts] + ["isa", "IRP", "taxable"]
    keys = [*symbols, *(key_of(row) for row in rows), "equity", "bond", "Alpha", "Beta"]
    return {key: r.sample(places, r.randint(1, 2)) for key in dict.fromkeys(r.sample(keys, 2))}


def of_one_member(document: Document, kind: str) -> Document:
    """Return a document whose instruments' targets are rewritten as goals of one member: sets (any) or classes."""
    rewritten: Document = copy.deepcopy(document)
    folio = rewritten["portfolio"]
    first = {row["symbol"]: row for row in reversed(folio["holdings"])}
    for target in (t for section in ("targets", "core", "satellite") for t in folio.get(section, [])):
        symbol = target.pop("ticker")
        if kind == "any":
            target |= {"any": [symbol], "name": f"goal {symbol}"}
        else:
            target |= {"class": f"class {symbol}"}
            kind_of = first[symbol].pop("asset_class")
            first[symbol]["exposure"] = {f"class {symbol}": 1}
            folio.setdefault("classes", {}).setdefault(kind_of, []).append(f"class {symbol}")
    return rewritten
