"""Tables as the plain data of a portfolio document, remembering which cell each value came from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from engine.errors import Problem, error, note, warning
from engine.phrase import Phrase, place
from engine.text import fold, repaired_number
from templates.read.tables import Found, RowRead, TableReader, flag, words
from templates.spec import table
from templates.spec.vocabulary import ANY, NONE, SECTIONS, meant

Path = tuple[str | int, ...]
_SECTION_KEY = {"core": "core", "satellite": "satellite", "all": "targets"}
#: The columns that make a target more than an instrument.
_GOALS = frozenset({"Goal", "Members", "Class", "Share"})
#: Between the places of a preference.
_BETWEEN = re.compile(r"[|,;]")
_LISTS = frozenset({"fractional"})
_FLAGS = frozenset({"convert_currency"})
_NUMBERS = frozenset({"cash_flow", "cash_buffer", "max_turnover", "fx_spread"})


class DocumentData:
    """One workbook's tables as plain data: `data` has the shape of a portfolio document."""

    def __init__(self, found: Mapping[str, Found], source: str) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self._readers = {name: TableReader(place, source) for name, place in found.items()}
        self._places: dict[Path, Phrase] = {}
        self._rows: dict[Path, tuple[str, RowRead]] = {}
        self.body: dict[str, object] = {}
        self.data: dict[str, object] = {"portfolio": self.body}
        self._descriptions = self._instruments()
        self._settings()
        self._holdings()
        self._cash_and_accounts()
        self._targets()
        self._rules()
        self._groups()
        self._classes()
        self._preferences()
        self._rates()
        for reader in self._readers.values():
            self.problems.extend(reader.problems)

    def locate(self, path: Path) -> str | Phrase:
        """Return the cell that a path of the data came from, or the nearest thing to it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._places:
                return self._places[path[:length]]
            if (found := self._cell(path[: length - 1], path[length - 1])) is not None:
                return found
            if path[:length] in self._rows:
                name, row = self._rows[path[:length]]
                return self._readers[name].where(row.number)
        return self.source

    def _cell(self, path: Path, key: str | int) -> Phrase | None:
        """Return the cell of a row under a document key, the one that is filled where several columns have the key."""
        if path not in self._rows:
            return None
        name, row = self._rows[path]
        several = [column.name for column in table(name).inputs if column.key == key]
        several.sort(key=lambda column: column not in row.values)
        return self._readers[name].where(row.number, several[0]) if several else None

    def rows(self, name: str) -> list[RowRead]:
        """Return a table's rows of input columns."""
        reader = self._readers.get(name)
        return [] if reader is None else list(reader.rows(table(name).inputs))

    def _add(
        self, target: list[dict[str, object]], path: Path, name: str, row: RowRead, skip: Iterable[str] = ()
    ) -> None:
        """Append a row's values under their document keys."""
        keys = table(name).index
        self._rows[(*path, len(target))] = name, row
        target.append({keys[column].key: value for column, value in row.values.items() if column not in skip})

    def _ignored(self, row: RowRead, name: str, variant: str) -> None:
        where = self._readers[name].where(row.number)
        self.problems.append(warning(f"row-ignored.{variant}", where))

    def _instruments(self) -> dict[str, dict[str, object]]:
        found: dict[str, dict[str, object]] = {}
        for row in self.rows("Instruments"):
            symbol = row.values.pop("Ticker", None)
            if symbol is None:
                self._ignored(row, "Instruments", "instrument")
                continue
            keys = table("Instruments").index
            found[str(symbol)] = {keys[name].key: value for name, value in row.values.items()}
        return found

    def _described(self, item: dict[str, object], symbol: object) -> None:
        described = self._descriptions.pop(str(symbol), None)
        if described is not None:
            for key, value in described.items():
                item.setdefault(key, value)

    def _settings(self) -> None:
        found: dict[str, object] = {}
        missing = place("table-setting", file=self.source, name="base_currency")
        self._places["portfolio", "base_currency"] = missing
        for row in self.rows("Settings"):
            key, value = str(row.values.get("Key", "")).strip(), row.values.get("Value")
            where = self._readers["Settings"].where(row.number, "Value")
            if key in ("name", "base_currency"):
                self._places["portfolio", key] = where
                if value is not None:
                    self.body[key] = value if key == "name" else str(value).upper()
            elif key:
                self._places["settings", key] = where
                if value is not None:
                    found[key] = _setting(key, value)
        costs = {}
        for row in self.rows("Costs"):
            key = str(row.values.pop("Key", ""))
            keys = table("Costs").index
            self._places["settings", "costs", key] = self._readers["Costs"].where(row.number)
            costs[key] = {keys[name].key: value for name, value in row.values.items()}
        if costs:
            found["costs"] = costs
        self.data["settings"] = found

    def _holdings(self) -> None:
        holdings: list[dict[str, object]] = []
        for row in self.rows("Holdings"):
            if "Ticker" not in row.values and "Quantity" not in row.values:
                self._ignored(row, "Holdings", "holding")
                continue
            self._add(holdings, ("portfolio", "holdings"), "Holdings", row)
            self._described(holdings[-1], row.values.get("Ticker"))
        if "Holdings" in self._readers:
            self.body["holdings"] = holdings

    def _cash_and_accounts(self) -> None:
        accounts: list[dict[str, object]] = []
        for row in self.rows("Accounts"):
            self._add(accounts, ("portfolio", "accounts"), "Accounts", row)
            _unrestricted(accounts[-1])
        names = [str(account.get("name", "")) for account in accounts]
        purses: dict[str, dict[str, object]] = {name: {} for name in names}
        single: dict[str, object] = {}
        for row in self.rows("Cash"):
            self._cash(row, names, purses, single)
        if accounts:
            for account in accounts:
                account["cash"] = purses[str(account.get("name", ""))]
            self.body["accounts"] = accounts
        elif "Cash" in self._readers:
            self.body["cash"] = single

    def _cash(
        self, row: RowRead, names: list[str], purses: Mapping[str, dict[str, object]], single: dict[str, object]
    ) -> None:
        reader = self._readers["Cash"]
        account, amount = str(row.values.get("Account", "")), row.values.get("Amount")
        currency = str(row.values.get("Currency", "")).upper()
        if amount is None:
            return
        if not currency:
            self.problems.append(error("missing.cash-currency", reader.where(row.number, "Currency"), amount=amount))
            return
        if names and not account and len(names) == 1:
            account = names[0]
        if names and account not in names:
            key = "unknown-account.cash" if account else "unknown-account.none"
            where = reader.where(row.number, "Account")
            self.problems.append(error(key, where, account=account, accounts=names))
            return
        purse = purses[account] if names else single
        base: Path = ("portfolio", "accounts", names.index(account), "cash") if names else ("portfolio", "cash")
        self._places.setdefault((*base, currency), reader.where(row.number, "Amount"))
        before = purse.get(currency)
        if before is None:
            purse[currency] = amount
        elif isinstance(before, Decimal) and isinstance(amount, Decimal):
            purse[currency] = before + amount
            self.problems.append(note("cash-added", reader.where(row.number), currency=currency))
        else:
            purse[currency] = amount

    def _targets(self) -> None:
        sections: dict[str, list[dict[str, object]]] = {}
        for row in self.rows("Targets"):
            if not {"Ticker", "Target", *_GOALS}.intersection(row.values):
                self._ignored(row, "Targets", "target")
                continue
            name = str(row.values.get("Section", "all"))
            if name not in SECTIONS:
                where = self._readers["Targets"].where(row.number, "Section")
                self.problems.append(error("unknown-section", where, section=name, sections=SECTIONS))
                continue
            key = _SECTION_KEY[name]
            self._add(sections.setdefault(key, []), ("portfolio", key), "Targets", row, skip=("Section",))
            self._described(sections[key][-1], row.values.get("Ticker"))
        self.body.update(sections)

    def _rules(self) -> None:
        rules: dict[str, object] = {}
        shown = self._readers["Rules"].found.columns if "Rules" in self._readers else {}
        for row in self.rows("Rules"):
            name = str(row.values.pop("Section", ""))
            reader, spec = self._readers["Rules"], table("Rules")
            here: Path = ("portfolio", "rules", name)
            self._places[here] = reader.where(row.number)
            if name in ("core", "satellite") and name not in self.body:
                continue
            rule: dict[str, object] = {}
            for column in spec.inputs[1:]:
                self._places[(*here, column.key)] = reader.where(row.number, column.name)
                value = row.values.get(column.name)
                # An empty band is no band; everything else that is empty has its default.
                if value is not None or (column.name in ("AbsoluteBand", "RelativeBand") and column.name in shown):
                    rule[column.key] = value
            rules[name] = rule
        if rules:
            self.body["rules"] = rules

    def _groups(self) -> None:
        groups: list[dict[str, object]] = []
        for row in self.rows("Groups"):
            self._add(groups, ("portfolio", "groups"), "Groups", row)
        if groups:
            self.body["groups"] = groups

    def _classes(self) -> None:
        """Read the person's own classes as a tree of one level: what is in each wider class."""
        tree: dict[str, list[str] | None] = {}
        for row in self.rows("Classes"):
            name, wider = (str(row.values.get(column, "")) for column in ("Class", "Within"))
            where = self._readers["Classes"].where(row.number, "Class")
            if not name:
                self.problems.append(error("missing.class-name", where, wider=wider))
            elif not wider:
                self._places["portfolio", "classes", name] = where
                tree.setdefault(name, None)
            else:
                inside = tree.get(wider) or []
                self._places.setdefault(("portfolio", "classes", wider), where)
                self._places["portfolio", "classes", wider, len(inside)] = where
                tree[wider] = [*inside, name]
        if tree:
            self.body["classes"] = tree

    def _preferences(self) -> None:
        liked: dict[str, object] = {}
        for row in self.rows("Preferences"):
            what, places = (str(row.values.get(column, "")) for column in ("What", "Places"))
            where = self._readers["Preferences"].where(row.number, "What")
            if not what or not places:
                self.problems.append(error("missing.preference", where, what=what, places=places))
                continue
            if what in liked:
                self.problems.append(error("duplicate-key", where, name=what))
            self._places["portfolio", "prefer", what] = self._readers["Preferences"].where(row.number, "Places")
            known = [meant("account_type", piece.strip()) for piece in _BETWEEN.split(places) if piece.strip()]
            liked[what] = places if what == "rule" else known
        if liked:
            self.body["prefer"] = liked

    def _rates(self) -> None:
        rates: dict[str, object] = {}
        for row in self.rows("FxRates"):
            rate, pair = row.values.get("ManualRate"), str(row.values.get("Pair", ""))
            if rate is None:
                continue
            self._places["fx", pair] = self._readers["FxRates"].where(row.number, "ManualRate")
            if pair in rates:
                self.problems.append(error("duplicate-key.pair", self._places["fx", pair], pair=pair))
            rates[pair] = rate
        if rates:
            self.data["fx"] = rates


def _setting(key: str, value: object) -> object:
    if key == "realised":
        return {"overseas": value}
    if key in _LISTS:
        listed = [meant(f"setting.{key}", piece) for piece in words(str(value))]
        return [] if [fold(one) for one in listed] == [NONE] else listed
    if isinstance(value, str) and key in _NUMBERS:
        plain = repaired_number(value)
        return value if plain is None else Decimal(plain)
    if key in _FLAGS and isinstance(value, Decimal) and value in (0, 1):
        return value == 1  # LibreOffice has no truth values of its own
    if key in _FLAGS and isinstance(value, str):
        return flag(value)
    return value


def _unrestricted(account: dict[str, object]) -> None:
    """Read “any” and “none” as no restriction; an empty cell leaves the rule of the account's type."""
    markets, banned = account.get("markets"), account.get("banned")
    if isinstance(markets, list) and [fold(str(m)) for m in markets] in ([ANY], ["*"]):
        account["markets"] = None
    elif isinstance(markets, list) and [fold(str(m)) for m in markets] == [NONE]:
        account["markets"] = []
    if isinstance(banned, list) and [fold(str(b)) for b in banned] == [NONE]:
        account["banned"] = []
    if isinstance(account.get("risk_cap"), str) and fold(str(account["risk_cap"])) in (ANY, NONE):
        account["risk_cap"] = None
