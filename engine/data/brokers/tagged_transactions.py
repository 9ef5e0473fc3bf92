"""Transactions in exports that are no plain table: OFX (SGML and XML), Interactive Brokers' Flex and its statements."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from xml.etree.ElementTree import Element

from engine.data.brokers.sheets import Sheet, decoded, read_sheets
from engine.data.brokers.tables import amount, day_in
from engine.data.brokers.tagged import (
    ACTIVITY,
    FLEX,
    MONEY_MARKETS,
    OFX,
    blocks,
    code,
    compact_day,
    decimal,
    tag_value,
    xml_root,
)
from engine.data.brokers.transactions import MAPPED_KINDS, Transaction, TransactionKind, TransactionList
from engine.data.fields import Where
from engine.errors import Problem, error, warning
from engine.money import MINOR_DIGITS, ZERO
from engine.phrase import place
from engine.text import fold

#: Interactive Brokers' exports of transactions since 2025.
HISTORY = "ib-history"
_SPLIT = re.compile(r"\bsplit\s+([\d.]+)\s+for\s+([\d.]+)", re.IGNORECASE)
_PAID_BY = re.compile(r"([A-Z][A-Z0-9. ]{0,9})\s*\(")
_STOCKS = ("STK", "FUND", "Stocks", "Funds", "ETFs")
#: What a Flex query's cash transactions, and a statement's sections, are.
_FLEX: Mapping[str, str] = {
    "Dividends": "dividend",
    "Payment In Lieu Of Dividends": "dividend",
    "Withholding Tax": "tax",
    "Broker Interest Received": "interest",
    "Broker Interest Paid": "interest",
    "Bond Interest Received": "interest",
    "Bond Interest Paid": "interest",
    "Other Fees": "fee",
    "Commission Adjustments": "fee",
    "Advisor Fees": "fee",
    "Deposits/Withdrawals": "transfer",
    "Deposits & Withdrawals": "transfer",
}
_SECTIONS: Mapping[str, str] = {
    "Dividends": "dividend",
    "Withholding Tax": "tax",
    "Interest": "interest",
    "Fees": "fee",
    "Other Fees": "fee",
    "Deposits & Withdrawals": "transfer",
}
_HISTORY: Mapping[str, str] = {
    "buy": "buy",
    "sell": "sell",
    "dividend": "dividend",
    "paymentinlieu": "dividend",
    "foreigntaxwithholding": "tax",
    "withholdingtax": "tax",
    "creditinterest": "interest",
    "debitinterest": "interest",
    "investmentinterestreceived": "interest",
    "investmentinterestpaid": "interest",
    "otherfee": "fee",
    "salestax": "fee",
    "deposit": "transfer",
    "withdrawal": "transfer",
    "electronicfundtransfer": "transfer",
    "cashtransfer": "transfer",
}


def read_tagged_transactions(data: bytes, name: str) -> TransactionList:
    """Return the transactions of such an export; raises `Refused` for one that is broken or unsafe."""
    text = decoded(data, name)
    if text.lstrip("\ufeff \r\n").startswith("Statement,Header"):
        return _statement(read_sheets(data, name)[0], name)
    if "OFXHEADER" in text[:1000] or "<OFX>" in text:
        return _ofx(text, name)
    root = xml_root(text)
    if root.tag == "client":
        problem = error("portfolio-performance-xml", name, headers=("-",), fields=("symbol", "quantity"))
        return TransactionList(name, "portfolio-performance", (), (problem,))
    return _flex(root, name)


class _Found:
    """What is found in one export, and what cannot be used of it."""

    def __init__(self, file: str, form: str) -> None:
        self.file, self.form = file, form
        self.transactions: list[Transaction] = []
        self.problems: list[Problem] = []

    def done(self, *headers: str) -> TransactionList:
        return TransactionList(self.file, self.form, tuple(self.transactions), tuple(self.problems), headers).settled()

    def day(self, where: Where, day: dt.date | None, text: str) -> dt.date | None:
        if day is None:
            self.problems.append(error("transaction-date", where, value=text))
        return day

    def lacks(self, where: Where, kind: str, field: str) -> None:
        self.problems.append(error("transaction-lacks", where, kind=kind, field=field))

    def trade(
        self, where: Where, day: dt.date | None, symbol: str, account: str, currency: str, quantity: Decimal | None,
        price: Decimal | None, worth: Decimal | None, cost: Decimal, tax: Decimal, name: str = "",
    ) -> None:  # fmt: skip
        """Add a purchase or a sale: `quantity` is negative for a sale, `worth` what it was without costs."""
        if not symbol or not quantity or (worth is None and price is None):
            self.lacks(where, "buy", "symbol, quantity, price")
        elif symbol not in MONEY_MARKETS and self.day(where, day, "") is not None and day is not None:
            kind: TransactionKind = "buy" if quantity > 0 else "sell"
            size = abs(quantity)
            whole = abs(worth) if worth is not None else size * abs(price or ZERO)
            self.transactions.append(
                Transaction(day, kind, where, symbol, name, account, "", size, abs(price or whole / size), currency,
                            whole, cost, tax)
            )  # fmt: skip

    def money(
        self, kind: str, where: Where, day: dt.date | None, found: Decimal | None, currency: str, account: str,
        symbol: str = "",
    ) -> None:  # fmt: skip
        """Add money that came (positive) or left: of a dividend, interest, tax, fee, or from outside."""
        if found is None or self.day(where, day, "") is None or day is None or not found:
            if found is None:
                self.lacks(where, kind, "amount")
            return
        common = (symbol if kind in ("dividend", "tax") else "", "", account, "", ZERO, None, currency)
        if kind == "transfer":
            made = Transaction(day, "deposit" if found > 0 else "withdrawal", where, *common, abs(found))
        elif kind == "tax":
            made = Transaction(day, "tax", where, *common, tax=-found)
        elif kind == "fee":
            made = Transaction(day, "fee", where, *common, -found)
        else:
            made = Transaction(day, "interest" if kind == "interest" else "dividend", where, *common, found)
        self.transactions.append(made)

    def split(self, where: Where, day: dt.date | None, symbol: str, account: str, said: str, added: Decimal) -> None:
        """Add a split as a sentence says it, `4 for 1`."""
        match = _SPLIT.search(said)
        if match is None:
            if added:
                self.problems.append(error("transaction-kind", where, value=said, kinds=MAPPED_KINDS))
        elif self.day(where, day, "") is not None and day is not None:
            ratio = Decimal(match[1]) / Decimal(match[2])
            self.transactions.append(Transaction(day, "split", where, symbol, "", account, quantity=ratio))


def _flex(root: Element, name: str) -> TransactionList:
    found = _Found(name, FLEX)
    readers = {"Trade": _flex_trade, "CashTransaction": _flex_cash, "CorporateAction": _flex_action}
    for statement in root.iter("FlexStatement"):
        for tag, read in readers.items():
            for number, row in enumerate(statement.iter(tag), 1):
                where = place("element", file=name, element=tag, number=number)
                read(found, where, row, row.get("accountId", "") or statement.get("accountId", ""))
    return found.done(*readers)


def _flex_trade(found: _Found, where: Where, row: Element, account: str) -> None:
    if row.get("levelOfDetail", "EXECUTION") not in ("EXECUTION", ""):
        return
    day = compact_day(row.get("tradeDate") or row.get("dateTime") or row.get("reportDate"))
    commission = abs(decimal(row.get("ibCommission") or row.get("IBCommission")) or ZERO)
    quantity, price = decimal(row.get("quantity")), decimal(row.get("tradePrice"))
    worth, symbol = decimal(row.get("proceeds") or row.get("tradeMoney")), row.get("symbol", "")
    asset = row.get("assetCategory", "STK")
    if asset == "CASH":
        _exchanged(found, where, day, symbol, account, quantity, worth, commission)
    elif asset not in _STOCKS:
        found.problems.append(warning("not-imported.asset", where, what=symbol))
    else:
        tax = abs(decimal(row.get("taxes")) or ZERO)
        found.trade(where, day, code(symbol), account, row.get("currency", ""), quantity, price, worth, commission, tax,
                    row.get("description", ""))  # fmt: skip


def _flex_cash(found: _Found, where: Where, row: Element, account: str) -> None:
    if row.get("levelOfDetail", "DETAIL") != "DETAIL":
        return
    kind = _FLEX.get(row.get("type", ""))
    if kind is None:
        found.problems.append(error("transaction-kind", where, value=row.get("type", ""), kinds=MAPPED_KINDS))
        return
    day = compact_day(row.get("dateTime") or row.get("settleDate") or row.get("reportDate"))
    amount_of = decimal(row.get("amount"))
    found.money(kind, where, day, amount_of, row.get("currency", ""), account, code(row.get("symbol", "")))


def _flex_action(found: _Found, where: Where, row: Element, account: str) -> None:
    day = compact_day(row.get("dateTime") or row.get("reportDate"))
    said = row.get("actionDescription", "") or row.get("description", "")
    found.split(where, day, code(row.get("symbol", "")), account, said, decimal(row.get("quantity")) or ZERO)


def _exchanged(
    found: _Found, where: Where, day: dt.date | None, pair: str, account: str, quantity: Decimal | None,
    worth: Decimal | None, commission: Decimal,
) -> None:  # fmt: skip
    """Add an exchange of currencies, `USD.KRW`: so much of the first for so much of the second.

    Its commission, in the base currency, is a fee where it is stated in the second currency, which is told.
    """
    first, _, second = pair.partition(".")
    if first not in MINOR_DIGITS or second not in MINOR_DIGITS or not quantity or not worth or day is None:
        found.problems.append(warning("not-imported.asset", where, what=pair))
        return
    sides = ((second, worth), (first, quantity)) if quantity > 0 else ((first, quantity), (second, worth))
    (sold, gone), (bought, come) = sides
    for kind, currency, size in (("exchange-out", sold, gone), ("exchange-in", bought, come)):
        made: TransactionKind = "exchange-out" if kind == "exchange-out" else "exchange-in"
        found.transactions.append(Transaction(day, made, where, account=account, currency=currency, amount=abs(size)))
    if commission:
        found.problems.append(warning("transaction-fx-fee", where, amount=commission, pair=pair))


#: OFX's aggregates of purchases and sales; of what is neither a share nor a fund; of bank transactions by type.
_TRADED = {"BUYSTOCK": 1, "BUYMF": 1, "BUYOTHER": 1, "SELLSTOCK": -1, "SELLMF": -1, "SELLOTHER": -1}
_OTHERS = ("BUYDEBT", "BUYOPT", "SELLDEBT", "SELLOPT")
_BANK = {"INT": "interest", "DIV": "dividend", "FEE": "fee", "SRVCHG": "fee"}
_COSTS, _TAXES = ("COMMISSION", "FEES", "LOAD", "MARKUP"), ("TAXES", "WITHHOLDING", "STATEWITHHOLDING")


def _ofx(text: str, name: str) -> TransactionList:
    found = _Found(name, OFX)
    tickers = {
        tag_value(info, "UNIQUEID"): (code(tag_value(info, "TICKER")), tag_value(info, "SECNAME"))
        for info in blocks(text, "SECINFO")
    }
    for statement in blocks(text, "INVSTMTRS"):
        account, usual = tag_value(statement, "ACCTID"), tag_value(statement, "CURDEF")
        listed = next(blocks(statement, "INVTRANLIST"), "")
        for tag in (*_TRADED, *_OTHERS, "INCOME", "REINVEST", *_READERS):
            for number, block in enumerate(blocks(listed, tag), 1):
                where = place("element", file=name, element=tag, number=number)
                item = _OfxItem(block, tag, where, account, tag_value(block, "CURSYM") or usual, tickers)
                if tag in _OTHERS:
                    found.problems.append(warning("not-imported.asset", where, what=item.title or item.id))
                elif tag in _TRADED:
                    _ofx_trade(item, found, _TRADED[tag])
                elif tag in ("INCOME", "REINVEST"):
                    _ofx_income(item, found)
                else:
                    _READERS[tag](item, found)
    return found.done("INVTRANLIST")


class _OfxItem:
    """One aggregate of a list of transactions."""

    def __init__(
        self, block: str, tag: str, where: Where, account: str, currency: str, tickers: Mapping[str, tuple[str, str]]
    ) -> None:
        self.block, self.tag, self.where, self.account, self.currency = block, tag, where, account, currency
        self.id = tag_value(block, "UNIQUEID")
        self.symbol, self.title = tickers.get(self.id, ("", ""))
        self.day = compact_day(tag_value(block, "DTTRADE") or tag_value(block, "DTPOSTED"))

    def number(self, tag: str) -> Decimal | None:
        return decimal(tag_value(self.block, tag))

    def sum(self, tags: tuple[str, ...]) -> Decimal:
        return sum((self.number(tag) or ZERO for tag in tags), ZERO)


def _ofx_trade(item: _OfxItem, found: _Found, sign: int) -> None:
    """Read a purchase (`sign` 1) or a sale (−1); TOTAL is after costs."""
    if not item.symbol:
        found.problems.append(warning("not-imported.no-symbol", item.where, what=item.title or item.id))
        return
    units, total, cost, tax = item.number("UNITS"), item.number("TOTAL"), item.sum(_COSTS), item.sum(_TAXES)
    worth = None if total is None else abs(total) - sign * (cost + tax)
    signed = None if units is None else sign * abs(units)
    found.trade(item.where, item.day, item.symbol, item.account, item.currency, signed, item.number("UNITPRICE"), worth,
                cost, tax, item.title)  # fmt: skip


def _ofx_income(item: _OfxItem, found: _Found) -> None:
    """Read what was paid out: TOTAL is after what was withheld; what was reinvested was paid first, then bought."""
    cash = item.symbol in MONEY_MARKETS
    kind = "interest" if cash or tag_value(item.block, "INCOMETYPE") == "INTEREST" else "dividend"
    total, reinvested = item.number("TOTAL"), item.tag == "REINVEST"
    paid = None if total is None else abs(total) if reinvested else total
    held = ZERO if reinvested else item.sum(_TAXES)
    whole = None if paid is None else paid + held
    found.money(kind, item.where, item.day, whole, item.currency, item.account, item.symbol)
    if held:
        found.money("tax", item.where, item.day, -held, item.currency, item.account, item.symbol)
    if reinvested and item.symbol and not cash:
        found.trade(item.where, item.day, item.symbol, item.account, item.currency, abs(item.number("UNITS") or ZERO),
                    item.number("UNITPRICE"), paid, ZERO, ZERO, item.title)  # fmt: skip


def _ofx_bank(item: _OfxItem, found: _Found) -> None:
    kind = _BANK.get(tag_value(item.block, "TRNTYPE"), "transfer")
    found.money(kind, item.where, item.day, item.number("TRNAMT"), item.currency, item.account)


def _ofx_charge(item: _OfxItem, found: _Found) -> None:
    total = item.number("TOTAL")
    kind = "fee" if item.tag == "INVEXPENSE" else "interest"
    found.money(kind, item.where, item.day, None if total is None else -abs(total), item.currency, item.account)


def _ofx_capital(item: _OfxItem, found: _Found) -> None:
    found.money("dividend", item.where, item.day, item.number("TOTAL"), item.currency, item.account, item.symbol)


def _ofx_split(item: _OfxItem, found: _Found) -> None:
    up, down = item.number("NUMERATOR"), item.number("DENOMINATOR")
    said = f"split {up:f} for {down:f}" if up and down else tag_value(item.block, "MEMO")
    found.split(item.where, item.day, item.symbol, item.account, said, Decimal(1))


def _ofx_transfer(item: _OfxItem, found: _Found) -> None:
    units = item.number("UNITS") or ZERO
    if not item.symbol or item.day is None or not units:
        found.lacks(item.where, "in", "symbol, quantity")
        return
    way: TransactionKind = "out" if tag_value(item.block, "TFERACTION") == "OUT" or units < 0 else "in"
    price = item.number("AVGCOSTBASIS") or item.number("UNITPRICE")
    found.transactions.append(
        Transaction(item.day, way, item.where, item.symbol, item.title, item.account, "", abs(units), price,
                    item.currency)
    )  # fmt: skip


_READERS: Mapping[str, Callable[[_OfxItem, _Found], None]] = {
    "INVBANKTRAN": _ofx_bank,
    "INVEXPENSE": _ofx_charge,
    "MARGININTEREST": _ofx_charge,
    "RETOFCAP": _ofx_capital,
    "SPLIT": _ofx_split,
    "TRANSFER": _ofx_transfer,
}


def _statement(sheet: Sheet, name: str) -> TransactionList:
    """Return the transactions of an activity statement, or of a transaction history: rows of sections."""
    headers: dict[str, list[str]] = {}
    found, account, base = _Found(name, ACTIVITY), "", ""
    for number, row in enumerate(sheet, 1):
        if len(row) < 3:
            continue
        section, kind, *cells = row
        if kind == "Header":
            headers[section] = cells
        if kind != "Data":
            continue
        said = dict(zip((fold(header) for header in headers.get(section, ())), cells, strict=False))
        where = place("row", file=name, row=number)
        if section == "Account Information" and cells[0] == "Account":
            account = cells[1]
        elif section in ("Account Information", "Summary") and cells[0] == "Base Currency":
            base = cells[1]
        elif section == "Trades":
            _traded(found, where, said, account)
        elif section == "Transaction History":
            found.form = HISTORY
            _history(found, where, said, base)
        elif section == "Corporate Actions":
            quantity = amount(said.get("quantity", "")) or ZERO
            by = _PAID_BY.match(said.get("description", ""))
            if said.get("currency", "") in MINOR_DIGITS:
                found.split(where, day_in(said.get("date/time", "") or said.get("reportdate", "")),
                            code(by[1].strip()) if by else "", said.get("account", "") or account,
                            said.get("description", ""), quantity)  # fmt: skip
        elif section in _SECTIONS and said.get("currency", "") in MINOR_DIGITS:
            by = _PAID_BY.match(said.get("description", ""))
            day = day_in(said.get("date", "") or said.get("settledate", ""))
            found.money(_SECTIONS[section], where, day, amount(said.get("amount", "")), said["currency"],
                        said.get("account", "") or account, code(by[1].strip()) if by else "")  # fmt: skip
    return found.done(*headers)


def _traded(found: _Found, where: Where, said: Mapping[str, str], account: str) -> None:
    """Read a row of a statement's trades: orders, or the executions where no order stands above them."""
    if said.get("datadiscriminator", "Order") not in ("Order", "Trade", ""):
        return
    quantity, worth = amount(said.get("quantity", "")), amount(said.get("proceeds", ""))
    fee = abs(amount(said.get("comm/fee", "") or said.get("comminusd", "")) or ZERO)
    day, asset = day_in(said.get("date/time", "")), said.get("assetcategory", "Stocks")
    account = said.get("account", "") or account
    if asset == "Forex":
        _exchanged(found, where, day, said.get("symbol", ""), account, quantity, worth, fee)
    elif asset not in _STOCKS:
        found.problems.append(warning("not-imported.asset", where, what=said.get("symbol", "")))
    else:
        price = amount(said.get("t.price", ""))
        found.trade(where, day, code(said.get("symbol", "")), account, said.get("currency", ""), quantity, price, worth,
                    fee, ZERO)  # fmt: skip


def _history(found: _Found, where: Where, said: Mapping[str, str], base: str) -> None:
    """Read a row of a transaction history, whose amounts are in the account's base currency.

    One in another currency is refused: what it did to the cash of that currency is not said.
    """
    kind, account = _HISTORY.get(fold(said.get("transactiontype", "")), ""), said.get("account", "")
    day, currency = day_in(said.get("date", "")), said.get("pricecurrency", "").strip("-") or base
    net, symbol = amount(said.get("netamount", "")), code(said.get("symbol", "").strip("-"))
    if not kind:
        value = said.get("transactiontype", "")
        found.problems.append(error("transaction-kind", where, value=value, kinds=MAPPED_KINDS))
    elif not base or currency != base:
        found.problems.append(error("transaction-converted", where, currency=currency or "?", base=base or "?"))
    elif kind in ("buy", "sell"):
        gross = amount(said.get("grossamount", ""))
        cost = abs(amount(said.get("commission", "")) or ZERO)
        size = abs(amount(said.get("quantity", "")) or ZERO)
        found.trade(where, day, symbol, account, base, size if kind == "buy" else -size, amount(said.get("price", "")),
                    gross, cost, ZERO)  # fmt: skip
    else:
        found.money(kind, where, day, net, base, account, symbol)
