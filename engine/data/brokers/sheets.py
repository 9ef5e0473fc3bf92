"""An export's bytes into sheets of text: CSV of any encoding and separator, HTML that is called .xls, genuine .xls."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from html.parser import HTMLParser

from engine.data.files import MOST_BYTES, Refused

#: Rows of cells; a cell is text without surrounding space.
Sheet = list[list[str]]
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCODINGS = ("utf-8-sig", "cp949")
_DELIMITERS = ",;\t"
#: Far more than any account holds.
_MOST_ROWS = 50_000
_INVISIBLE = re.compile("[\u200b\u200c\u200d\u2060\ufeff]")
_FORMULA_TEXT = re.compile(r'="(.*)"')


def read_sheets(data: bytes, name: str) -> list[Sheet]:
    """Return the sheets of an export; raises `Refused` for bytes that are none of the kinds that are read."""
    if len(data) > MOST_BYTES:
        raise Refused("too-large", size=len(data), most=MOST_BYTES)
    if data.startswith(_OLE):
        return _old_workbook(data)
    text = decoded(data, name)
    if re.search(r"<(table|html)\b", text[:5000], re.IGNORECASE):
        return _Tables.read(text)
    return [_csv_sheet(text)]


def clean(cell: str) -> str:
    """Return a cell's text without what spreadsheets and web pages put around it."""
    text = _INVISIBLE.sub("", cell).replace("\xa0", " ").strip()
    quoted = _FORMULA_TEXT.fullmatch(text)
    return (quoted[1] if quoted else text).removeprefix("'").strip()


def decoded(data: bytes, name: str) -> str:
    """Return the text of bytes in UTF-8, UTF-16 (with its mark) or cp949; raises `Refused` for others."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    for encoding in _ENCODINGS:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            raise Refused("encoding.zeros")
        return text
    raise Refused("unknown-encoding", file=name)


def _csv_sheet(text: str) -> Sheet:
    # The separator that most lines have the same number of is the table's.
    lines = text.splitlines()
    delimiter = max(_DELIMITERS, key=lambda mark: _lines_of_a_table(lines, mark))
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        return [[clean(cell) for cell in row] for row, _ in zip(rows, range(_MOST_ROWS), strict=False)]
    except csv.Error as fault:
        raise Refused("csv-syntax", reason=str(fault)) from None


def _lines_of_a_table(lines: list[str], mark: str) -> int:
    counts = Counter(count for line in lines if (count := line.count(mark)))
    return sum(lines_with * count for count, lines_with in counts.items())


class _Tables(HTMLParser):
    """The innermost tables of an HTML page; a table within a cell is a table of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.sheets: list[Sheet] = []
        self._open: list[Sheet] = []
        self._cell: list[str] | None = None

    @classmethod
    def read(cls, text: str) -> list[Sheet]:
        """Return the tables of a page."""
        parser = cls()
        parser.feed(text)
        parser.close()
        return [*parser.sheets, *reversed(parser._open)]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a table, row or cell."""
        if tag == "table":
            self._open.append([])
            self._cell = None
        elif tag == "tr" and self._open:
            self._open[-1].append([])
        elif tag in ("td", "th") and self._open and self._open[-1]:
            self._cell = []
            span = dict(attrs).get("colspan") or ""
            self._spans = int(span) if span.isdigit() else 1

    def handle_data(self, data: str) -> None:
        """Add the text of the cell that is open."""
        if self._cell is not None:
            self._cell.append(data)

    def handle_endtag(self, tag: str) -> None:
        """Close a cell or table."""
        if tag in ("td", "th") and self._cell is not None and self._open and self._open[-1]:
            self._open[-1][-1] += [clean("".join(self._cell)), *[""] * (min(self._spans, 100) - 1)]
            self._cell = None
        elif tag == "table" and self._open:
            self.sheets.append(self._open.pop())


def _old_workbook(data: bytes) -> list[Sheet]:
    import xlrd

    try:
        book = xlrd.open_workbook(file_contents=data, logfile=io.StringIO(), ragged_rows=True)
        return [
            [[_text(sheet.cell(row, column), book.datemode) for column in range(sheet.row_len(row))]
             for row in range(sheet.nrows)]
            for sheet in book.sheets()
        ]  # fmt: skip
    except Exception as fault:  # noqa: BLE001 - xlrd raises whatever it stumbles on
        raise Refused("damaged.old-workbook", reason=str(fault) or type(fault).__name__) from None


def _text(cell: object, datemode: int) -> str:
    import xlrd

    kind, value = cell.ctype, cell.value  # type: ignore[attr-defined]  # xlrd has no types
    if kind == xlrd.XL_CELL_NUMBER:
        return str(int(value)) if float(value).is_integer() else repr(value)
    if kind == xlrd.XL_CELL_DATE:
        return str(xlrd.xldate_as_datetime(value, datemode).date().isoformat())
    return clean(str(value)) if kind == xlrd.XL_CELL_TEXT else ""
