"""Exports that are no plain table: OFX (SGML and XML), Interactive Brokers' Flex and its activity statement."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element, ParseError

from engine.data.brokers.records import ExportCash, ExportIncome, ExportLine, IncomeKind, Statement
from engine.data.brokers.sheets import Sheet, decoded, read_sheets
from engine.data.brokers.tables import amount, day_in
from engine.data.fields import Where
from engine.data.files import Refused
from engine.errors import Problem, error, warning
from engine.money import MINOR_DIGITS
from engine.phrase import place
from engine.text import fold

OFX, FLEX, ACTIVITY = "ofx", "ib-flex", "ib-activity"
TAGGED = (OFX, FLEX, ACTIVITY)
_STARTS = (b"OFXHEADER", b"<?xml", b"<OFX", b"<?OFX", b"<Flex", b"<!DOCTYPE x", b"<client", b"Statement,Header")
MONEY_MARKETS = ("VMFXX", "SPAXX", "FDRXX", "FZFXX", "VMRXX")
#: What Interactive Brokers calls payments: the sections of a statement, and the types of a Flex query.
_SECTIONS: Mapping[str, IncomeKind] = {"Dividends": "dividend", "Withholding Tax": "tax", "Interest": "interest"}
_FLEX_TYPES: Mapping[str, IncomeKind] = {
    "Dividends": "dividend",
    "Payment In Lieu Of Dividends": "dividend",
    "Withholding Tax": "tax",
    "Broker Interest Received": "interest",
    "Bond Interest Received": "interest",
}
_PAID_BY = re.compile(r"([A-Z][A-Z0-9. ]{0,9})\s*\(")
_ELEMENT = re.compile(r"<([A-Z0-9.]+)>([^<]*)")
_CLASS_OF_SHARES = re.compile(r"([A-Z]{1,5}) ([A-Z])")


def is_tagged(data: bytes) -> bool:
    """Tell whether the bytes are one of these: OFX, XML, or sections of rows that begin Statement, Header."""
    start = data[:4000].removeprefix(b"\xef\xbb\xbf").lstrip()
    return start.startswith(_STARTS)


def read_tagged(data: bytes, name: str) -> Statement:
    """Return what such an export says is held; raises `Refused` for one that is broken or unsafe."""
    text = decoded(data, name)
    if text.lstrip().startswith("Statement,Header"):
        return _activity(read_sheets(data, name)[0], name)
    if "OFXHEADER" in text[:1000] or "<OFX>" in text:
        return _ofx(text, name)
    root = xml_root(text)
    if root.tag == "client":
        return _nothing(name, "portfolio-performance", "portfolio-performance-xml")
    return _flex(root, name)


def _nothing(name: str, form: str, key: str = "nothing-imported", *seen: str) -> Statement:
    problem = error(key, name, headers=seen or ("-",), fields=("symbol", "quantity"))
    return Statement(name, form, problems=(problem,))


def _finished(statement: Statement, *seen: str) -> Statement:
    """Return the statement; one that holds nothing, and says of no error why, is an error."""
    if statement.lines or statement.cash or any(problem.severity == "error" for problem in statement.problems):
        return statement.named()
    nothing = _nothing(statement.file, statement.form, "nothing-imported", *seen)
    return replace(nothing, problems=(*statement.problems, *nothing.problems))


def code(text: str) -> str:
    """Return a code as we write it: BRK B as BRK.B."""
    shares = _CLASS_OF_SHARES.fullmatch(text)
    return f"{shares[1]}.{shares[2]}" if shares else text


def xml_root(text: str) -> Element:
    """Return the root of an XML document; raises `Refused` for one that is broken or unsafe."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(text.encode(), forbid_dtd=True)
    except DefusedXmlException as fault:
        raise Refused("unsafe-xml", reason=type(fault).__name__) from None
    except (ParseError, ValueError, LookupError) as fault:
        raise Refused("damaged.xml", reason=str(fault)) from None
    return root


def decimal(text: str | None) -> Decimal | None:
    """Return a plain number, None for anything else."""
    try:
        number = Decimal(text or "")
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def compact_day(text: str | None) -> dt.date | None:
    """Return the day that a stamp such as 20260115;103000 begins with."""
    try:
        return dt.datetime.strptime((text or "")[:8], "%Y%m%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return None


def _flex(root: Element, name: str) -> Statement:
    lines: list[ExportLine] = []
    cash: list[ExportCash] = []
    income: list[ExportIncome] = []
    problems: list[Problem] = []
    day = None
    for statement in root.iter("FlexStatement"):
        account = statement.get("accountId", "")
        day = compact_day(statement.get("toDate")) or day
        for number, row in enumerate(statement.iter("OpenPosition"), 1):
            where = place("element", file=name, element="OpenPosition", number=number)
            if row.get("levelOfDetail", "SUMMARY") != "SUMMARY":
                continue
            symbol, quantity = code(row.get("symbol", "")), decimal(row.get("position"))
            if row.get("assetCategory", "STK") not in ("STK", "FUND"):
                problems.append(warning("not-imported.asset", where, what=row.get("symbol", "")))
            elif not symbol or quantity is None:
                problems.append(error("nothing-said", where, what="symbol, position"))
            elif quantity < 0:
                problems.append(error("short-position", where, symbol=symbol, quantity=quantity))
            elif quantity:
                lines.append(
                    ExportLine(
                        symbol, quantity, where, row.get("description", ""), "", row.get("accountId") or account,
                        decimal(row.get("costBasisPrice")), decimal(row.get("markPrice")), row.get("currency", ""),
                    )
                )  # fmt: skip
        for number, row in enumerate(statement.iter("CashReportCurrency"), 1):
            where = place("element", file=name, element="CashReportCurrency", number=number)
            found = decimal(row.get("endingCash"))
            if row.get("currency") != "BASE_SUMMARY" and found is not None:
                cash.append(ExportCash(found, row.get("currency", ""), where, "", account))
        for number, row in enumerate(statement.iter("CashTransaction"), 1):
            kind, found = _FLEX_TYPES.get(row.get("type", "")), decimal(row.get("amount"))
            if kind and found and row.get("levelOfDetail", "DETAIL") == "DETAIL":
                where = place("element", file=name, element="CashTransaction", number=number)
                paid = compact_day(row.get("dateTime") or row.get("reportDate"))
                of = (row.get("currency", ""), where, code(row.get("symbol", "")), paid)
                income.append(ExportIncome(kind, found, *of, "", row.get("accountId") or account))
    found_all = Statement(name, FLEX, tuple(lines), tuple(cash), day, tuple(problems), income=tuple(income))
    return _finished(found_all)


def _ofx(text: str, name: str) -> Statement:
    lines: list[ExportLine] = []
    cash: list[ExportCash] = []
    income: list[ExportIncome] = []
    problems: list[Problem] = []
    tickers = {
        tag_value(info, "UNIQUEID"): (tag_value(info, "TICKER"), tag_value(info, "SECNAME"))
        for info in blocks(text, "SECINFO")
    }
    day = None
    for statement in blocks(text, "INVSTMTRS"):
        account, currency = tag_value(statement, "ACCTID"), tag_value(statement, "CURDEF")
        day = compact_day(tag_value(statement, "DTASOF")) or day
        held = Decimal(0)
        for number, position in enumerate(blocks(statement, "INVPOS"), 1):
            where = place("element", file=name, element="INVPOS", number=number)
            symbol, title = tickers.get(tag_value(position, "UNIQUEID"), ("", ""))
            quantity = decimal(tag_value(position, "UNITS"))
            if symbol in MONEY_MARKETS:
                held += decimal(tag_value(position, "MKTVAL")) or Decimal(0)
            elif not symbol:
                problems.append(warning("not-imported.no-symbol", where, what=title or tag_value(position, "UNIQUEID")))
            elif quantity is None:
                problems.append(error("nothing-said", where, what="UNITS"))
            elif quantity < 0 or tag_value(position, "POSTYPE") == "SHORT":
                problems.append(error("short-position", where, symbol=symbol, quantity=quantity))
            elif quantity:
                lines.append(
                    ExportLine(
                        code(symbol), quantity, where, title, "", account, None,
                        decimal(tag_value(position, "UNITPRICE")), tag_value(position, "CURSYM") or currency,
                    )
                )  # fmt: skip
        income.extend(_ofx_income(statement, tickers, name, account, currency))
        available = decimal(tag_value(statement, "AVAILCASH"))
        if available is not None or held:
            cash.append(ExportCash((available or Decimal(0)) + held, currency, name, "", account))
    found = Statement(name, OFX, tuple(lines), tuple(cash), day, tuple(problems), income=tuple(income))
    return _finished(found)


def _ofx_income(
    statement: str, tickers: Mapping[str, tuple[str, str]], name: str, account: str, currency: str
) -> Iterator[ExportIncome]:
    """Yield what a statement's transactions paid; what was reinvested was paid first."""
    for tag in ("INCOME", "REINVEST"):
        for number, block in enumerate(blocks(statement, tag), 1):
            total = decimal(tag_value(block, "TOTAL"))
            if not total:
                continue
            kind: IncomeKind = "interest" if tag_value(block, "INCOMETYPE") == "INTEREST" else "dividend"
            where = place("element", file=name, element=tag, number=number)
            symbol, _ = tickers.get(tag_value(block, "UNIQUEID"), ("", ""))
            of = (
                tag_value(block, "CURSYM") or currency,
                where,
                code(symbol),
                compact_day(tag_value(block, "DTTRADE")),
                "",
                account,
            )
            yield ExportIncome(kind, abs(total), *of)
            if tag == "REINVEST":
                yield ExportIncome("reinvested", -abs(total), *of)


def blocks(text: str, tag: str) -> Iterator[str]:
    """Yield what stands within each pair of tags."""
    for match in re.finditer(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL):
        yield match[1]


def tag_value(block: str, tag: str) -> str:
    """Return the first value of a tag in a block, which SGML does not close; "" without one."""
    return next((value.strip() for found, value in _ELEMENT.findall(block) if found == tag), "")


def _activity(sheet: Sheet, name: str) -> Statement:
    """Return what an activity statement says: rows of sections, each with its own headers."""
    headers: dict[str, list[str]] = {}
    lines: list[ExportLine] = []
    cash: list[ExportCash] = []
    income: list[ExportIncome] = []
    problems: list[Problem] = []
    account, day = "", None
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
        if section == "Statement" and cells[0] == "Period":
            day = day_in(cells[1])
        elif section == "Account Information" and cells[0] == "Account":
            account = cells[1]
        elif section == "Open Positions" and said.get("datadiscriminator", "Summary") == "Summary":
            _position(said, where, account, lines, problems)
        elif section == "Cash Report" and cells[0] == "Ending Cash" and said.get("currency", "").isupper():
            found = amount(said.get("total", ""))
            if found is not None and len(said["currency"]) == 3:
                cash.append(ExportCash(found, said["currency"], where, "", account))
        elif section in _SECTIONS:
            income.extend(_paid(_SECTIONS[section], said, where, account))
    if "Transaction History" in headers and not lines and not cash:
        return _nothing(name, ACTIVITY, "transactions-only", *headers)
    everything = Statement(name, ACTIVITY, tuple(lines), tuple(cash), day, tuple(problems), income=tuple(income))
    return _finished(everything, *headers)


def _paid(kind: IncomeKind, said: dict[str, str], where: Where, account: str) -> Iterator[ExportIncome]:
    """Yield what a row of payments says; its sums name no currency."""
    found, currency = amount(said.get("amount", "")), said.get("currency", "")
    if found and currency in MINOR_DIGITS:
        by = _PAID_BY.match(said.get("description", ""))
        symbol = code(by[1].strip()) if by else ""
        yield ExportIncome(kind, found, currency, where, symbol, day_in(said.get("date", "")), "", account)


def _position(
    said: dict[str, str], where: Where, account: str, lines: list[ExportLine], problems: list[Problem]
) -> None:
    symbol, quantity = code(said.get("symbol", "")), amount(said.get("quantity", ""))
    if said.get("assetcategory", "Stocks") not in ("Stocks", "Funds", "ETFs"):
        problems.append(warning("not-imported.asset", where, what=symbol))
    elif not symbol or quantity is None:
        problems.append(error("nothing-said", where, what="Symbol, Quantity"))
    elif quantity < 0:
        problems.append(error("short-position", where, symbol=symbol, quantity=quantity))
    elif quantity:
        cost, price = (amount(said.get(key, "")) for key in ("costprice", "closeprice"))
        lines.append(ExportLine(symbol, quantity, where, "", "", account, cost, price, said.get("currency", "")))
