"""Which instrument a row means: by code, catalogue name or the document's own description; never by a guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from engine.data.fields import Fields, to_text
from engine.data.report import Path, Report
from engine.market import symbols
from engine.market.catalogue import Catalogue
from engine.money import ZERO
from engine.portfolio import ASSET_TYPES, MARKETS, Instrument
from engine.text import fold, is_one_line

ASSET_CLASSES = ("equity", "bond", "commodity", "cash", "mixed")
#: Keys of a holding or a target that describe its instrument.
DESCRIPTION = (
    "name",
    "name_en",
    "currency",
    "market",
    "asset_type",
    "asset_class",
    "leverage",
    "futures",
    "expense_ratio",
    "lot",
    "taxed_as_dividend",
)
#: Longest code, or name in its place.
MAX_SYMBOL = 60
#: Looking for near names takes a few milliseconds each: enough for any file a person mends by hand.
_MOST_SUGGESTIONS = 50


@dataclass(slots=True)
class _Declared:
    """Gather what the document says of one symbol: where it first stands, and each key with its path."""

    path: Path
    said: dict[str, tuple[object, Path]] = field(default_factory=dict)


class Instruments:
    """Resolve the rows of one document to symbols, and build an instrument for each."""

    def __init__(self, catalogue: Catalogue, report: Report) -> None:
        self._catalogue = catalogue
        self._report = report
        self._declared: dict[str, _Declared] = {}
        self._own: dict[str, str] = {}  # folded symbols and names of instruments that the catalogue does not have
        self._suggestions = 0

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._declared

    def declare(self, row: Fields, key: str) -> str | None:
        """Return the symbol that a row's code (under `key`) or name means, and remember the row's description."""
        name = row.text("name")
        if row.given(key):
            symbol = self._symbol(row.values[key], row.at(key), foreign=row.given("currency"))
            if symbol is None:
                return None
            self._check_name(symbol, name, row)
        elif name:
            symbol = self._symbol(name, row.at("name"), must_be_known=True)
        else:
            repair = "write the instrument's code, or its name in the catalogue"
            row.missing(key, repair, "종목코드나 종목 목록에 있는 이름을 적으세요")
            return None
        if symbol is not None:
            self._remember(symbol, row, row.at(key if row.given(key) else "name"))
        return symbol

    def refer(self, value: object, path: Path) -> str | None:
        """Return the symbol of an instrument that need not be in the portfolio but has to be known."""
        return self._symbol(value, path, must_be_known=True)

    def benchmark(self, text: str, path: Path) -> str | None:
        """Return the symbol of a benchmark: of an instrument, or an index's code as it is written."""
        if self._catalogue.find(text) or fold(text) in self._own or symbols.lost_zeros(text):
            return self._symbol(text, path)
        ko = f"종목 목록에 없는 {text}: 과거 시세를 찾아야 합니다"
        message = f"{text} is not in the catalogue: its history has to be found"
        self._report.info(path, "not-in-catalogue", message, ko)
        return symbols.canonical(text)

    def build(self) -> dict[str, Instrument]:
        """Return the instrument of every symbol declared; reports what the document leaves open."""
        built = {symbol: self._instrument(symbol, declared) for symbol, declared in self._declared.items()}
        return {symbol: instrument for symbol, instrument in built.items() if instrument is not None}

    def _symbol(self, value: object, path: Path, *, foreign: bool = False, must_be_known: bool = False) -> str | None:
        if isinstance(value, bool | Mapping | list | tuple):
            message = f"{value!r} is not a code: write one such as 069500 or QQQ"
            ko = f"{value!r}: 종목코드가 아닙니다. 069500이나 QQQ처럼 적으세요"
            self._report.error(path, "wrong-type", message, ko)
            return None
        text = to_text(value) if value is not None else ""
        if not text or len(text) > MAX_SYMBOL or not is_one_line(text):
            message = f"{text[:MAX_SYMBOL]!r} is not a code: write one of up to {MAX_SYMBOL} characters on one line"
            ko = f"{text[:MAX_SYMBOL]!r}: 종목코드가 아닙니다. 한 줄에 {MAX_SYMBOL}자 이내로 적으세요"
            self._report.error(path, "unknown-ticker", message, ko)
            return None
        found = self._catalogue.find(text)
        if found:
            return found.symbol
        own = self._own.get(fold(text)) or self._own.get(fold(symbols.canonical(text)))
        if own:
            return own
        if self._is_misspelt(text, path, foreign=foreign):
            return None
        if must_be_known:
            self._unknown(text, path)
            return None
        return symbols.canonical(text)

    def _is_misspelt(self, text: str, path: Path, *, foreign: bool) -> bool:
        """Report a code that lost its zeros, or that stands in a broker's form; tell whether it does."""
        padded = None if foreign else symbols.lost_zeros(text)
        inner = symbols.undecorated(text)
        if padded:
            named = self._catalogue.find(padded)
            what = f" ({named.name})" if named else ""
            message = f"{text} has {len(text)} digits, a Korean code six: if zeros were lost, write {padded!r}{what}"
            ko = (
                f"{text}: {len(text)}자리입니다. 한국 종목코드는 여섯 자리이니, "
                f"앞의 0이 빠졌으면 {padded!r}{what}처럼 적으세요"
            )
            self._report.error(path, "lost-zeros", message, ko)
        elif inner and symbols.shape(symbols.canonical(text)) is None:
            message = f"{text} is a broker's form of a code: write {inner!r}"
            self._report.error(path, "unknown-ticker", message, f"{text}: 증권사식 코드입니다. {inner!r}처럼 적으세요")
            return True
        return padded is not None

    def _check_name(self, symbol: str, name: str, row: Fields) -> None:
        """Report a name that belongs to another instrument than the code."""
        if not name:
            return
        meant = self._catalogue.find(name)
        entry = self._catalogue.get(symbol)
        wrong = self._catalogue.wrong_code(symbol)
        if meant and meant.symbol != symbol:
            actual = entry.instrument.name if entry else wrong.actual_name if wrong else ""
            is_what = f"is {actual}" if actual else "is not the code of that"
            note = f"; {symbol} circulates wrongly as {wrong.circulates_as}" if wrong else ""
            message = (
                f"code and name disagree: {symbol} {is_what}, and {name} is {meant.symbol}{note}: "
                f"write {meant.symbol!r} or correct the name"
            )
            is_what_ko = f"{symbol} 코드의 종목은 {actual}입니다" if actual else f"{symbol}: {name}의 코드가 아닙니다"
            note_ko = f". {symbol} 코드가 {wrong.circulates_as}의 것으로 잘못 퍼져 있습니다" if wrong else ""
            ko = (
                f"{is_what_ko}. {name}의 바른 코드는 {meant.symbol}입니다{note_ko}: "
                f"{meant.symbol!r}처럼 적거나 이름을 고치세요"
            )
            row.error("name", "name-code-mismatch", message, ko)
        elif entry and not meant:
            message = f"the catalogue calls {symbol} {entry.instrument.name}, this row {name}: check that they are one"
            ko = f"{symbol}의 이름이 종목 목록에는 {entry.instrument.name}, 이 행에는 {name}: 같은 종목인지 확인하세요"
            self._report.warning(row.at("name"), "name-unknown", message, ko)

    def _remember(self, symbol: str, row: Fields, path: Path) -> None:
        """Keep what a row says of its instrument; two rows may not contradict each other."""
        declared = self._declared.get(symbol)
        if declared is None:
            declared = self._declared[symbol] = _Declared(path)
            if self._catalogue.get(symbol) is None:
                self._own[fold(symbol)] = symbol
        for key, value in _described(row).items():
            before = declared.said.setdefault(key, (value, row.at(key)))
            if before[0] != value:
                place = self._report.where(before[1])
                message = f"{key} of {symbol} is {value} here and {before[0]} at {place}: write one of them"
                place = self._report.where_ko(before[1])
                ko = f"{symbol}의 {key} 값이 여기서는 {value}, {place}에서는 {before[0]}입니다: 하나로 맞추세요"
                row.error(key, "conflict", message, ko)
        if "name" in declared.said and self._catalogue.get(symbol) is None:
            self._own.setdefault(fold(str(declared.said["name"][0])), symbol)

    def _instrument(self, symbol: str, declared: _Declared) -> Instrument | None:
        said = {key: value for key, (value, _) in declared.said.items()}
        entry = self._catalogue.get(symbol)
        if entry is None:
            return self._own_instrument(symbol, declared, said)
        self._warn_of_wrong_code(symbol, declared)
        known = entry.instrument
        said.pop("name", None)
        said.pop("name_en", None)
        changed = {key: value for key, value in said.items() if value != getattr(known, key)}
        if "currency" in changed:
            message = (
                f"{symbol} ({known.name}) trades in {known.currency}, not {changed['currency']}: correct or drop it"
            )
            ko = (
                f"{symbol} ({known.name})의 거래 통화는 {changed['currency']} 아닌 {known.currency}입니다: "
                "고치거나 지우세요"
            )
            self._report.error(declared.said["currency"][1], "conflict", message, ko)
            return None
        for key, value in changed.items():
            message = (
                f"{key} of {symbol} is {value} here and {getattr(known, key)} in the catalogue: this document counts"
            )
            ko = f"{symbol}의 {key} 값이 여기서는 {value}, 종목 목록에서는 {getattr(known, key)}: 이 문서를 따릅니다"
            self._report.warning(declared.said[key][1], "overrides-catalogue", message, ko)
        return replace(known, **changed)  # type: ignore[arg-type]  # keys and types are DESCRIPTION's

    def _own_instrument(self, symbol: str, declared: _Declared, said: dict[str, object]) -> Instrument | None:
        currency = said.get("currency") or symbols.currency_of_market(symbols.shape(symbol))
        if not isinstance(currency, str):
            self._unknown(symbol, declared.path)
            return None
        self._warn_of_wrong_code(symbol, declared)
        asset_type = said.get("asset_type")
        note = "" if asset_type else "; it counts as a stock: say asset_type if it is not"
        message = f"{symbol} is not in the catalogue: taken in {currency} as this document says{note}"
        note_ko = "" if asset_type else " (종류는 주식으로 봅니다. 아니면 asset_type을 적으세요)"
        ko = f"종목 목록에 없는 {symbol}: 이 문서대로 {currency} 종목으로 봅니다{note_ko}"
        self._report.add("info" if asset_type else "warning", declared.path, "not-in-catalogue", message, ko)
        described = {"name": symbol, "market": symbols.market_of_currency(currency), "currency": currency} | said
        return Instrument(symbol=symbol, **described)  # type: ignore[arg-type]  # keys and types are DESCRIPTION's

    def _warn_of_wrong_code(self, symbol: str, declared: _Declared) -> None:
        wrong = self._catalogue.wrong_code(symbol)
        if wrong is None or "name" in declared.said:
            return
        actual = f"is {wrong.actual_name}" if wrong.actual_name else "is another instrument"
        message = (
            f"{symbol} {actual}; lists that circulate give it as {wrong.circulates_as}, which is {wrong.right_code}: "
            "check which is meant, and give the name beside the code"
        )
        actual_ko = wrong.actual_name or "다른 종목"
        ko = (
            f"{symbol}: 실제로는 {actual_ko}입니다. {wrong.circulates_as}(바른 코드 {wrong.right_code})의 코드로 "
            "잘못 퍼져 있으니 어느 쪽인지 확인하고 이름을 함께 적으세요"
        )
        self._report.warning(declared.path, "wrong-code", message, ko)

    def _unknown(self, text: str, path: Path) -> None:
        self._suggestions += 1
        near = self._catalogue.suggest(text) if self._suggestions <= _MOST_SUGGESTIONS else ()
        repair = f"did you mean {', '.join(near)}? " if near else ""
        message = f"{text} is neither a known code nor a name of the catalogue: {repair}"
        message += "for an instrument of your own, hold it with its currency (quantity 0 will do)"
        guess = f"혹시 {', '.join(near)}인가요? " if near else ""
        ko = (
            f"종목 목록에 없는 코드·이름 {text}: {guess}"
            "직접 만든 종목이면 보유에 통화와 함께 적으세요 (수량 0도 됩니다)"
        )
        self._report.error(path, "unknown-ticker", message, ko)


def _described(row: Fields) -> dict[str, object]:
    """Return what a row says of its instrument, by the instrument's field names."""
    if not any(key in row.values for key in DESCRIPTION):
        return {}
    found: dict[str, object | None] = {
        "name": row.text("name") or None,
        "name_en": row.text("name_en") or None,
        "currency": row.currency("currency"),
        "market": row.choice("market", MARKETS),
        "asset_type": row.choice("asset_type", ASSET_TYPES),
        "asset_class": row.choice("asset_class", ASSET_CLASSES),
        "leverage": _leverage(row),
        "futures": row.flag("futures"),
        "expense_ratio": row.fraction("expense_ratio"),
        "lot": row.number("lot", ZERO, above=True),
        "taxed_as_dividend": row.flag("taxed_as_dividend"),
    }
    return {key: value for key, value in found.items() if value is not None}


def _leverage(row: Fields) -> Decimal | None:
    number = row.number("leverage")
    if number is not None and not -5 <= number <= 5:
        ko = f"leverage 값 {number}: 1, 2, -1처럼 -5부터 5까지 적으세요"
        row.error("leverage", "out-of-range", f"leverage is {number}: write -5 to 5, such as 1, 2 or -1", ko)
        return None
    return number
