"""Brokers' exports into what is held: holdings and cash by account, each file by its own form.

`parse_export` takes a file's sheets (`sheets.py`: CSV, HTML, .xls) or its tagged text (`tagged.py`: OFX, Flex) and
finds out which form it has. What is read and known by name (headers, words for totals and cash) stands in `words.csv`
and `formats.csv` beside this.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.data.brokers.records import Statement
from engine.data.brokers.sheets import read_sheets
from engine.data.brokers.tables import FIELDS, FORMATS, read_tables
from engine.data.brokers.tagged import TAGGED, is_tagged, read_tagged
from engine.data.brokers.tagged_transactions import HISTORY, read_tagged_transactions
from engine.data.brokers.transactions import (
    MAPPED_KINDS,
    TRANSACTION_FIELDS,
    TransactionList,
    read_transaction_tables,
    transaction_form_names,
)

__all__ = [
    "ALL_FORMATS", "FIELDS", "MAPPED_KINDS", "TRANSACTION_FIELDS", "Statement", "TransactionList", "parse_export",
    "parse_transactions",
]  # fmt: skip

#: Every form that `format` may name.
ALL_FORMATS = tuple(dict.fromkeys((*FORMATS, *TAGGED, *transaction_form_names(), HISTORY)))


def parse_export(data: bytes, name: str, *, form: str = "", mapping: Mapping[str, str] | None = None) -> Statement:
    """Return what an export's bytes say is held.

    `name` is the file's, for problems; `form` one of `ALL_FORMATS` where the person knows it; `mapping` gives the
    field (`FIELDS`) that a header means. Raises `Refused` for what cannot be read at all.
    """
    if is_tagged(data):
        return read_tagged(data, name)
    return read_tables(read_sheets(data, name), name, form=form, mapping=mapping or {})


def parse_transactions(
    data: bytes, name: str, *, form: str = "", mapping: Mapping[str, str] | None = None
) -> TransactionList:
    """Return what an export's bytes say has happened.

    As `parse_export`; `mapping` gives the field (`TRANSACTION_FIELDS`) that a header means, or the kind
    (`MAPPED_KINDS`) that a word for a transaction means.
    """
    if is_tagged(data):
        return read_tagged_transactions(data, name)
    return read_transaction_tables(read_sheets(data, name), name, form=form, mapping=mapping or {})
