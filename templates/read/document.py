"""Tables as the plain data of a portfolio document, remembering which cell each value came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from engine.errors import Problem
from engine.text import fold
from templates.read.tables import Found, RowRead, TableReader, words
from templates.report import ANY, NONE
from templates.spec import table
from templates.spec.inputs import SECTIONS

Path = tuple[str | int, ...]
_SECTION_KEY = {"core": "core", "satellite": "satellite", "all": "targets"}
_LISTS = frozenset({"fractional"})
_FLAGS = frozenset({"convert_currency"})
_NUMBERS = frozenset({"cash_flow", "cash_buffer", "max_turnover", "fx_spread"})


class DocumentData:
    """Gather the data of one workbook's tables; `data` has the shape of a portfolio document."""

    def __init__(self, found: Mapping[str, Found], source: str) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self._readers = {name: TableReader(place, source) for name, place in found.items()}
        self._places: dict[Path, str] = {}
        self.body: dict[str, object] = {}
        self.data: dict[str, object] = {"portfolio": self.body}
        self._descriptions = self._instruments()
        self._settings()
        self._holdings()
        self._cash_and_accounts()
        self._targets()
        self._rules()
        self._groups()
        self._rates()
        for reader in self._readers.values():
            self.problems.extend(reader.problems)

    def locate(self, path: Path) -> str:
        """Return the cell that a path of the data came from, or the nearest thing to it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self._places:
                return self._places[path[:length]]
        return self.source

    def rows(self, name: str) -> list[RowRead]:
        """Return a table's rows of input columns."""
        reader = self._readers.get(name)
        return [] if reader is None else list(reader.rows(table(name).inputs))

    def _add(
        self, target: list[dict[str, object]], path: Path, name: str, row: RowRead, skip: Iterable[str] = ()
    ) -> None:
        """Append a row's values under their document keys."""
        spec, reader = table(name), self._readers[name]
        item: dict[str, object] = {}
        here = (*path, len(target))
        self._places[here] = reader.where(row.number)
        for column, value in row.values.items():
            key = spec.index[column].key
            if column not in skip:
                item[key] = value
            self._places[(*here, key)] = reader.where(row.number, column)
        for spare in spec.inputs:
            self._places.setdefault((*here, spare.key), reader.where(row.number, spare.name))
        target.append(item)

    def _note(self, row: RowRead, name: str, message: str, ko: str) -> None:
        where = self._readers[name].where(row.number)
        self.problems.append(Problem("warning", "row-ignored", where, message, ko))

    def _instruments(self) -> dict[str, dict[str, object]]:
        found: dict[str, dict[str, object]] = {}
        for row in self.rows("Instruments"):
            symbol = row.values.pop("Ticker", None)
            if symbol is None:
                message = "a row without a ticker describes nothing: write the ticker"
                self._note(row, "Instruments", message, "종목코드가 없는 행은 쓰이지 않습니다: 종목코드를 적으세요")
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
        missing = f"{self.source} table Settings (headers Key, Value), row base_currency"
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
                message = "neither ticker nor quantity stands here: the row is not a holding"
                self._note(row, "Holdings", message, "종목코드도 수량도 없어 보유 종목으로 보지 않습니다")
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
            message = f"{amount} stands here without a currency: write KRW, USD or another"
            ko = f"{amount}: 통화가 없습니다. KRW나 USD처럼 적으세요"
            self.problems.append(Problem("error", "missing", reader.where(row.number, "Currency"), message, ko))
            return
        if names and not account and len(names) == 1:
            account = names[0]
        if names and account not in names:
            message = (
                f"{account or 'no account'} is not among the accounts of Settings: write one of {', '.join(names)}"
            )
            ko = f"설정의 계좌 목록에 없는 계좌({account or '빈칸'}): {', '.join(names)} 중에서 적으세요"
            self.problems.append(Problem("error", "unknown-account", reader.where(row.number, "Account"), message, ko))
            return
        purse = purses[account] if names else single
        base: Path = ("portfolio", "accounts", names.index(account), "cash") if names else ("portfolio", "cash")
        self._places.setdefault((*base, currency), reader.where(row.number, "Amount"))
        before = purse.get(currency)
        if before is None:
            purse[currency] = amount
        elif isinstance(before, Decimal) and isinstance(amount, Decimal):
            purse[currency] = before + amount
            message = f"{currency} stands here again: both amounts count together"
            ko = f"{currency} 현금이 또 있습니다: 두 금액을 더합니다"
            self.problems.append(Problem("info", "cash-added", reader.where(row.number), message, ko))
        else:
            purse[currency] = amount

    def _targets(self) -> None:
        sections: dict[str, list[dict[str, object]]] = {}
        for row in self.rows("Targets"):
            if "Ticker" not in row.values and "Target" not in row.values:
                message = "neither ticker nor target stands here: the row is not a target"
                self._note(row, "Targets", message, "종목코드도 목표도 없어 목표로 보지 않습니다")
                continue
            name = str(row.values.get("Section", "all"))
            if name not in SECTIONS:
                message = f"{name!r} is not a section: write {', '.join(SECTIONS)}"
                where = self._readers["Targets"].where(row.number, "Section")
                ko = f"모르는 구분 {name!r}: {', '.join(SECTIONS)} 중에서 적으세요"
                self.problems.append(Problem("error", "unknown-section", where, message, ko))
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

    def _rates(self) -> None:
        rates: dict[str, object] = {}
        for row in self.rows("FxRates"):
            rate, pair = row.values.get("ManualRate"), str(row.values.get("Pair", ""))
            if rate is None:
                continue
            self._places["fx", pair] = self._readers["FxRates"].where(row.number, "ManualRate")
            if pair in rates:
                where = self._places["fx", pair]
                message, ko = f"{pair} is here twice: keep one rate", f"{pair} 중복: 환율을 하나만 두세요"
                self.problems.append(Problem("error", "duplicate-key", where, message, ko))
            rates[pair] = rate
        if rates:
            self.data["fx"] = rates


def _setting(key: str, value: object) -> object:
    if key in _LISTS:
        return [] if fold(str(value)) == NONE else words(str(value))
    if isinstance(value, str) and key in _NUMBERS:
        from engine.text import repaired_number

        plain = repaired_number(value)
        return value if plain is None else Decimal(plain)
    if key in _FLAGS and isinstance(value, Decimal) and value in (0, 1):
        return value == 1  # LibreOffice has no truth values of its own
    if key in _FLAGS and isinstance(value, str):
        return {"true": True, "false": False}.get(fold(value), value)
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
