"""Results written back into a person's own workbook, which keeps everything that is theirs, byte for byte.

What changes is found in the file's XML and replaced there (`templates.merge.package`): cells of results, the values
beside our formulas, formulas that an inserted row lacks, the named ranges and printed areas of tables that have grown.
What a cell becomes is taken from a fresh workbook of the same report.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from openpyxl.formula.translate import Translator

from engine.data.files import Refused
from engine.phrase import Phrase, phrase
from engine.portfolio import JOINT
from engine.words import LANGUAGES, Lang, say
from templates.cells import Cell, Grid, Row, Rows, column_number, letters, quoted_sheet
from templates.merge.over_time import redraw
from templates.merge.package import Package, SheetXml, StyleSheet, attributes, text_of, with_attribute
from templates.read.book import matrix_start
from templates.read.tables import Found, find_tables, in_codes
from templates.read.workbooks import read_grids
from templates.report import BookReport, goaled
from templates.spec import TABLES
from templates.spec import sheet as spec_sheet
from templates.spec import table as spec_table
from templates.spec.layout import BLOCK_ROW, CAPTION_ROW, FIRST_COLUMN, HEADER_ROW
from templates.spec.schema import Column, Table
from templates.spec.vocabulary import spoken
from templates.write import Book, build
from templates.write.canvas import approximate
from templates.write.dashboard import SAID, standing

#: Without these, a workbook is none of ours.
_NEEDED = ("Trades", "Prices", "Reconcile", "Summary", "Holdings")
#: The files that are packages of parts as this module knows them.
KINDS = (".xlsx", ".xlsm")
_NAME = re.compile(rb"<(?:[\w.-]+:)?definedName\s[^>]*>([^<]*)<")
_PIECE = re.compile(r"\$([A-Z]+)\$([0-9]+):\$([A-Z]+)\$([0-9]+)$")
_RANGE = re.compile(r"([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)")
_CACHE = re.compile(rb"<((?:[\w.-]+:)?)(numCache|strCache)>.*?</\1\2>", re.DOTALL)


def write_back(path: Path, report: BookReport, lang: Lang) -> tuple[bytes | None, Phrase | None]:
    """Return the person's workbook with the report's results in it, or None and why it cannot be done."""
    if path.suffix.lower() not in KINDS:
        return not_kept(path, phrase("not-kept.kind"))
    try:
        grids = read_grids(path)
    except Refused as refusal:
        return not_kept(path, refusal.problem(str(path)).message)
    found, _ = find_tables(grids)
    if any(name not in found for name in _NEEDED):
        from templates.merge.results import add_results

        return add_results(path, grids, report, lang)
    if goaled(report.portfolio) != ("Goals" in found):
        # Its formulas reckon otherwise.
        return not_kept(path, phrase("not-kept.goals" if goaled(report.portfolio) else "not-kept.no-goals"))
    # The ledger is the person's: nothing is written there.
    report = replace(report, ledger=())
    own = OwnBook(Package(path.read_bytes()), found, {grid.part: grid for grid in grids}, report, lang)
    blocked = own.write()
    return not_kept(path, phrase("not-kept.in-the-way", cell=blocked)) if blocked else (own.to_bytes(), None)


def not_kept(path: Path, reason: str | Phrase) -> tuple[None, Phrase]:
    """Return that a workbook cannot be kept, and why."""
    return None, phrase("not-kept", file=path.name, reason=reason)


class OwnBook:
    """A person's own workbook, where its tables were found, and a fresh one of the same report to write from."""

    def __init__(
        self, package: Package, found: Mapping[str, Found], grids: Mapping[str, Grid], report: BookReport, lang: Lang
    ) -> None:
        self.package, self.found, self.grids, self.report = package, found, grids, report
        self.lang = lang
        title = spec_sheet("Dashboard").title(lang)
        stands = next((standing(grid, lang) for grid in grids.values() if grid.name == title), None)
        self.fresh: Book = build(report, lang, standing=stands)
        self.workbook = package.read(package.main)
        workbook_properties = re.search(rb"<(?:[\w.-]+:)?workbookPr\s[^>]*>", self.workbook)
        stated = attributes(workbook_properties[0]) if workbook_properties else {}
        self._mac = stated.get("date1904") in ("1", "true")
        self._sheets: dict[str, SheetXml] = {}
        styles = next((part for kind, part in package.related(package.main) if kind.endswith("/styles")), "")
        self._styles_part = styles if styles in package else ""
        self._styles = StyleSheet(package.read(styles), self.fresh.workbook) if self._styles_part else None

    def sheet(self, part: str) -> SheetXml:
        """Return a sheet's cells."""
        if part not in self._sheets:
            self._sheets[part] = SheetXml(self.package.read(part), mac=self._mac)
        return self._sheets[part]

    def rows_of(self, name: str) -> Rows:
        """Return what a table shows now."""
        return self.fresh.figures.tables[name]

    def copy(self, part: str, row: int, column: int, cell: Any) -> None:  # noqa: ANN401 - openpyxl's cells are untyped
        """Write what a cell of the fresh workbook holds (None: nothing); a format that shows the same kind stays."""
        sheet = self.sheet(part)
        standing = sheet.cell(row, column)
        if cell is None or (standing is None and cell.value is None):
            if standing is not None:
                sheet.put(row, column, None)
            return
        style: int | None = None
        if self._styles is not None and cell.has_style:
            wanted = cell.number_format.casefold(), bool(cell._style.quotePrefix)  # noqa: SLF001 - it has no public name
            if standing is None or self._styles.shows(standing.style) != wanted:
                style = self._styles.graft(cell._style)  # noqa: SLF001 - as above
        if cell.data_type == "f":
            value = self.fresh.cached.get(cell.parent.title, {}).get(cell.coordinate)
            sheet.put_formula(row, column, str(cell.value)[1:], value, style)
        else:
            sheet.put(row, column, cell.value, style)

    def write(self) -> str:
        """Write all results; returns the address of a person's cell that is in the way, or ""."""
        # What was not fetched this time stays as it is.
        fetched = sorted(name for name in self.report.results if spec_table(name).fetched)
        kept = [table.name for table in TABLES if table.ranges and not table.fetched]
        for name in (*kept, *fetched):
            place = self.found.get(name)
            if place is None:
                continue
            if blocked := write_results(self, place):
                return blocked
            retitle(self, place)
        for name in fetched:
            if spec_table(name).matrix:
                write_matrix(self, spec_table(name), self.rows_of(name))
        for table in TABLES:
            if table.results and table.name in self.found:
                write_beside_inputs(self, self.found[table.name])
        over_time(self)
        add_to_history(self)
        dashboard_head(self)
        for place in self.found.values():
            value_rows(self, place)
        value_cells(self)
        return ""

    def write_only(self, names: Iterable[str]) -> str:
        """Write some tables of results and nothing else; returns what is in the way, or ""."""
        for place in (self.found[name] for name in names if name in self.found):
            if blocked := write_results(self, place):
                return blocked
            retitle(self, place)
        over_time(self)
        return ""

    def to_bytes(self) -> bytes:
        """Return the file; what its charts remember of before is forgotten."""
        forget_charts(self)
        return self.packed()

    def packed(self) -> bytes:
        """Return the file."""
        self._compute_on_opening()
        unlinked = any(sheet.unlinked for sheet in self._sheets.values())
        while self._sheets:
            part, sheet = self._sheets.popitem()
            self.package.write(part, sheet.to_bytes())
        if self._styles is not None:
            self.package.write(self._styles_part, self._styles.to_bytes())
        self.package.write(self.package.main, self.workbook)
        if unlinked:
            for kind, part in list(self.package.related(self.package.main)):
                if kind.endswith("/calcChain"):
                    self.package.drop(part, self.package.main)
        return self.package.to_bytes()

    def _compute_on_opening(self) -> None:
        """Ask for it: the person's own formulas have their values of before until a spreadsheet computes them."""
        found = re.search(rb"<(?:[\w.-]+:)?calcPr(?=[\s/>])[^>]*>", self.workbook)
        if found:
            tag = with_attribute(found[0], "fullCalcOnLoad", "1")
            self.workbook = self.workbook[: found.start()] + tag + self.workbook[found.end() :]
            return
        # Its place is after the names, or else after the sheets and what stands between.
        ends = ("definedNames", "externalReferences", "functionGroups", "sheets")
        for name in ends:
            closing = re.search(
                rb"</([\w.-]+:)?%s\s*>|<([\w.-]+:)?%s\s*/>" % (name.encode(), name.encode()), self.workbook
            )
            if closing:
                prefix = closing[1] or closing[2] or b""
                made = b'<%scalcPr calcId="191029" fullCalcOnLoad="1"/>' % prefix
                self.workbook = self.workbook[: closing.end()] + made + self.workbook[closing.end() :]
                return

    def names(self) -> Iterator[tuple[re.Match[bytes], dict[str, str]]]:
        """Yield the workbook's names, last first, so that each may be changed in its place."""
        for match in reversed(list(_NAME.finditer(self.workbook))):
            yield match, attributes(match[0])

    def rename(self, match: re.Match[bytes], text: str) -> None:
        """Write what a name stands for."""
        start, end = match.span(1)
        self.workbook = self.workbook[:start] + escape(text).encode() + self.workbook[end:]

    def tables_on(self, part: str) -> Iterator[tuple[str, bytes]]:
        """Yield the Excel tables of a sheet: their parts and their XML."""
        for kind, path in self.package.related(part):
            if kind.endswith("/table") and path in self.package:
                yield path, self.package.read(path)


def write_results(own: OwnBook, place: Found) -> str:
    """Write the rows of a table of results; returns the address of a person's cell that is in the way, or ""."""
    rows, spec, part = own.rows_of(place.table.name), place.table, place.grid.part
    mine = own.fresh.placements.get(spec.name)
    names = [c.name for c in spec.columns if c.role == "result" and c.name in place.columns]
    if mine is None or not names:
        return ""
    sheet, used = own.sheet(part), _used(place, names, rows)
    live = _live(own, place, names, len(rows))
    last = place.header + len(rows)
    if last > place.limit:
        return f"{place.grid.name}!{letters(min(place.columns.values()))}{place.limit + 1}"
    for number in range(last + 1 if live else used + 1, last + 1):
        for column in (place.columns[name] for name in names):
            if place.grid.rows.get(number, {}).get(column) is not None:
                return f"{place.grid.name}!{letters(column)}{number}"
    made = own.fresh.workbook[mine.title]
    for index in range(max(len(rows), used - place.header)):
        number = place.header + 1 + index
        for name in names:
            column = place.columns[name]
            standing = sheet.cell(number, column)
            if standing is not None and standing.fills:
                if index < len(rows) and standing.array:
                    sheet.cache(number, column, approximate(rows[index].get(name)), live)
                continue
            own.copy(
                part,
                number,
                column,
                made.cell(mine.first_row + index, mine.column(name)) if index < len(rows) else None,
            )
    if spec.ranges and not live:
        _rename(own, place, max(last, _named(own, place), place.header + 1))
        fill_formulas(own, place, range(place.header + 1, last + 1))
    print_all(own, place, last)
    return ""


def _live(own: OwnBook, place: Found, names: Iterable[str], rows: int) -> str:
    """Return the area that a function of the workbook fills with this table's rows, "" where none does."""
    sheet = own.sheet(place.grid.part)
    columns = [place.columns[name] for name in names]
    if not any((cell := sheet.cell(place.header + 1, column)) is not None and cell.array for column in columns):
        return ""
    first, last = letters(min(columns)), letters(max(columns))
    return f"{first}{place.header + 1}:{last}{place.header + max(rows, 1)}"


def _used(place: Found, names: Iterable[str], rows: Rows) -> int:
    """Return the last row that the results of before reach: rows that are whole, or begin as one of now does."""
    needed = [name for name in place.table.required if name in names]
    begun = {same_text(row.get(needed[0])) for row in rows} if needed else set()
    last = place.header
    for number, cells in place.grid.rows.items():
        shown = [same_text(_coded(cells.get(place.columns[name]), place.table.index[name])) for name in needed]
        if number > last and (all(shown) or (shown and shown[0] and shown[0] in begun)):
            last = number
    return last


def _named(own: OwnBook, place: Found) -> int:
    """Return the last row of the table's named ranges."""
    first = f"{place.table.name}_{place.table.columns[0].name}"
    for match, found in own.names():
        if found.get("name") == first and (piece := _PIECE.search(text_of(match[1]))):
            return int(piece[4])
    return place.header


def _rename(own: OwnBook, place: Found, last: int) -> None:
    """Let the table's named ranges reach its last row."""
    keys = {f"{place.table.name}_{name}": column for name, column in place.columns.items()}
    for match, found in own.names():
        column = keys.get(found.get("name", ""))
        piece = _PIECE.search(text_of(match[1]))
        if column is not None and (piece is None or int(piece[4]) != last or piece[1] != letters(column)):
            letter = letters(column)
            own.rename(match, f"{quoted_sheet(place.grid.name)}!${letter}${place.header + 1}:${letter}${last}")


def print_all(own: OwnBook, place: Found, last: int) -> None:
    """Let what is printed of a table reach its last row; a table that was empty before is added."""
    at = list(own.grids).index(place.grid.part)
    left, right = min(place.columns.values()), max(place.columns.values())
    if last <= place.header:
        return
    for match, found in own.names():
        if found.get("name") != "_xlnm.Print_Area" or found.get("localSheetId") != str(at):
            continue
        pieces = _split(text_of(match[1]))
        grown, covered = [], False
        for piece in pieces:
            area = _PIECE.search(piece)
            if area and column_number(area[1]) <= left <= column_number(area[3]):
                covered = True
                piece = f"{piece[: area.start(4)]}{max(int(area[4]), last)}"
            grown.append(piece)
        if not covered:
            grown.append(f"{quoted_sheet(place.grid.name)}!${letters(left)}$1:${letters(right)}${last}")
        if grown != pieces:
            own.rename(match, ",".join(grown))


def _split(areas: str) -> list[str]:
    """Return the areas of a list; a sheet's name may hold a comma."""
    return re.findall(r"(?:'(?:[^']|'')*'|[^,'])+", areas)


def retitle(own: OwnBook, place: Found) -> None:
    """Bring a title up to date, where it still begins as it was made."""
    mine = own.fresh.placements.get(place.table.name)
    row, left = place.header - HEADER_ROW + BLOCK_ROW, min(place.columns.values())
    title = str(place.grid.rows.get(row, {}).get(left) or "")
    if mine is not None and title.startswith(place.table.captions):
        made = own.fresh.workbook[mine.title].cell(mine.title_row, mine.left).value
        if made != title:
            own.sheet(place.grid.part).put(row, left, made)


def write_matrix(own: OwnBook, table: Table, rows: Rows) -> None:
    """Write a matrix where the one of before stands, right of another table, with its colours."""
    beside, left = own.found.get(table.matrix), matrix_start(table, own.found)
    mine = own.fresh.placements.get(table.name)
    if beside is None or left is None or mine is None:
        return
    cells, header, part = beside.grid.rows, beside.header, beside.grid.part
    offset = header - HEADER_ROW
    old_right, old_last = left, header
    while cells.get(header, {}).get(old_right + 1) is not None:
        old_right += 1
    while cells.get(old_last + 1, {}).get(left) is not None:
        old_last += 1
    right, last = left + len(mine.columns) - 1, header + len(rows)
    area = [(r, c) for r in range(CAPTION_ROW + offset, last + 1) for c in range(left, right + 1)]
    if any(cells.get(r, {}).get(c) is not None and (c > old_right or r > old_last) for r, c in area):
        return  # something of the person's is in the way
    made, sheet = own.fresh.workbook[mine.title], own.sheet(part)
    for row in range(CAPTION_ROW + offset, old_last + 1):
        for column in range(left, old_right + 1):
            if cells.get(row, {}).get(column) is not None:
                sheet.put(row, column, None)
    for row, column in area:
        own.copy(part, row, column, made.cell(row - offset, mine.left + column - left))
    title = BLOCK_ROW + offset
    sheet.put(title, left, made.cell(BLOCK_ROW, mine.left).value)
    if rows and right > left:
        _heat(sheet, f"{letters(left + 1)}{header + 1}:{letters(right)}{last}")


def _heat(sheet: SheetXml, cells: str) -> None:
    """Colour a matrix from −1 over 0 to 1, where nothing is coloured by a scale yet."""
    from templates.write.analysis import HEAT

    ends = list(re.finditer(rb"</([\w.-]+:)?conditionalFormatting\s*>", sheet.tail))
    if b"colorScale" in sheet.tail or not ends:
        return
    p = (ends[-1][1] or b"").decode()
    ordered = [int(number) for number in re.findall(rb'priority="([0-9]+)"', sheet.tail)]
    place = max(ordered, default=0) + 1
    steps = "".join(f'<{p}cfvo type="num" val="{step}"/>' for step in (-1, 0, 1))
    colours = "".join(f'<{p}color rgb="FF{colour}"/>' for colour in HEAT)
    made = (
        f'<{p}conditionalFormatting sqref="{cells}"><{p}cfRule type="colorScale" priority="{place}">'
        f"<{p}colorScale>{steps}{colours}</{p}colorScale></{p}cfRule></{p}conditionalFormatting>"
    )
    at = ends[-1].end()
    sheet.tail = sheet.tail[:at] + made.encode() + sheet.tail[at:]


def write_beside_inputs(own: OwnBook, place: Found) -> None:
    """Write the results that stand in a table of inputs, each in the row that it belongs to."""
    mine = own.fresh.placements[place.table.name]
    made, part = own.fresh.workbook[mine.title], place.grid.part
    written = {_key(cells, place): number for number, cells in place.grid.rows.items() if number > place.header}
    free = max((number for key, number in written.items() if any(key)), default=place.header)
    for index, row in enumerate(own.rows_of(place.table.name)):
        number = written.get(_shown(row, place.table))
        names = [c.name for c in place.table.columns if c.role == "result" or (number is None and c.role == "input")]
        if number is None:
            free += 1
            number = free
        for name in names:
            if name in place.columns:
                own.copy(part, number, place.columns[name], made.cell(mine.first_row + index, mine.column(name)))
        reach(own, place, number)
        fill_formulas(own, place, (number,))


def over_time(own: OwnBook) -> None:
    """Write what the parts of the Course table are called, and let the charts show all of it."""
    place = own.found.get("Course")
    if place is None or not own.report.rows("Course"):
        return
    part, mine = place.grid.part, own.fresh.placements["Course"]
    made = own.fresh.workbook[mine.title]
    about = str(place.grid.rows.get(CAPTION_ROW, {}).get(FIRST_COLUMN) or "")
    if about in {say(f"label.performance.{key}", lang) for key in ("empty", "basis") for lang in LANGUAGES}:
        own.sheet(part).put(CAPTION_ROW, FIRST_COLUMN, made.cell(CAPTION_ROW, FIRST_COLUMN).value)
    for name, column in place.columns.items():
        if name.startswith("Part"):
            own.copy(part, place.header - 1, column, made.cell(mine.header - 1, mine.column(name)))
    redraw(own.package, place, own.report, own.lang)


def add_to_history(own: OwnBook) -> None:
    """Add the plan's day to the history, in its row of before or the first free one."""
    place = own.found.get("History")
    if place is None or not own.report.history:
        return
    row, date = own.report.history[-1], place.columns["Date"]
    at = place.header + 1
    while (there := place.grid.rows.get(at, {}).get(date)) is not None and _day(there) != row["Date"]:
        at += 1
    mine = own.fresh.placements["History"]
    made = own.fresh.workbook[mine.title]
    fresh_row = mine.first_row + len(own.report.history) - 1
    for name, value in row.items():
        if name in place.columns and value is not None:
            own.copy(place.grid.part, at, place.columns[name], made.cell(fresh_row, mine.column(name)))
    reach(own, place, at)
    print_all(own, place, at)


def dashboard_head(own: OwnBook) -> None:
    """Bring the two lines of text under the dashboard's title up to date."""
    mine = own.fresh.workbook.worksheets[1]
    for part, grid in own.grids.items():
        title = str(grid.rows.get(mine["B1"].row, {}).get(mine["B1"].column) or "")
        if grid.name == mine.title and title.startswith(mine.title):
            for address in SAID:
                own.copy(part, mine[address].row, mine[address].column, mine[address])


def reach(own: OwnBook, place: Found, last: int) -> None:
    """Let the Excel table of rows that go on below it, with its drop-downs and colours, reach the last of them."""
    part = place.grid.part
    for path, xml in own.tables_on(part):
        opening = re.search(rb"<(?:[\w.-]+:)?table\s[^>]*>", xml)
        found = attributes(opening[0]) if opening else {}
        area = _RANGE.fullmatch(found.get("ref", ""))
        if opening is None or area is None or found.get("displayName") != place.table.name:
            continue
        old = int(area[4])
        if last <= old or found.get("totalsRowCount", "0") != "0":
            return
        ref = f"{area[1]}{area[2]}:{area[3]}{last}"
        grown = xml.replace(b'ref="%s"' % found["ref"].encode(), b'ref="%s"' % ref.encode())
        own.package.write(path, grown)
        columns = range(column_number(area[1]), column_number(area[3]) + 1)
        _stretch(own.sheet(part), columns, old, last)


def _stretch(sheet: SheetXml, columns: range, old: int, last: int) -> None:
    """Let the areas of drop-downs and colours that end with a table's old last row reach its new one."""

    def longer(match: re.Match[bytes]) -> bytes:
        pieces = []
        for piece in match[2].decode().split(" "):
            area = _RANGE.fullmatch(piece)
            if area and int(area[4]) == old and column_number(area[1]) in columns and column_number(area[3]) in columns:
                piece = f"{area[1]}{area[2]}:{area[3]}{last}"
            pieces.append(piece)
        return match[1] + " ".join(pieces).encode() + match[3]

    sheet.tail = re.sub(rb"""(\ssqref=["'])([^"']*)(["'])""", longer, sheet.tail)


def fill_formulas(own: OwnBook, place: Found, numbers: Iterable[int]) -> None:
    """Give the rows that have none the formulas of their table: those of the nearest row above, or below, that has."""
    sheet = own.sheet(place.grid.part)
    mine = own.fresh.placements.get(place.table.name)
    named = {place.table.name} if any(_is_table(xml, place) for _, xml in own.tables_on(place.grid.part)) else set()
    whole = all(column.name in place.columns for column in place.table.columns)
    for column in place.table.formulas:
        at = place.columns.get(column.name)
        if at is None or mine is None:
            continue
        for number in numbers:
            standing = sheet.cell(number, at)
            holds = place.grid.rows.get(number, {}).get(at) is not None
            if holds or sheet.planned(number, at) or (standing is not None and standing.formula is not None):
                continue
            model = _model(sheet, place, at, number)
            if model:
                origin = f"{letters(at)}{model[0]}"
                formula = Translator(f"={model[1]}", origin).translate_formula(f"{letters(at)}{number}")[1:]
                sheet.put_formula(number, at, formula, "", model[2])
            elif named and whole:
                cell = own.fresh.workbook[mine.title].cell(mine.first_row, mine.column(column.name))
                own.copy(place.grid.part, number, at, cell)


def _is_table(xml: bytes, place: Found) -> bool:
    return b'displayName="%s"' % place.table.name.encode() in xml


def _model(sheet: SheetXml, place: Found, column: int, number: int) -> tuple[int, str, int] | None:
    """Return the row, text and style of the nearest formula that stands in a column of a table."""
    last = max(place.grid.rows, default=number)
    near = (*range(number - 1, place.header, -1), *range(number + 1, min(last, number + 200) + 1))
    for row in near:
        standing = sheet.cell(row, column)
        if standing is not None and standing.formula and not standing.array:
            return row, standing.formula, standing.style
    return None


def value_rows(own: OwnBook, place: Found) -> None:
    """Give the formulas of a table's rows their values, wherever the person has moved row and column.

    A row that was inserted or added without formulas gets them, and the Excel table reaches it. What the formulas of
    inputs reckon with and only the engine knows is written too.
    """
    columns = {c.name: place.columns[c.name] for c in place.table.formulas if c.name in place.columns}
    rows = own.rows_of(place.table.name)
    mine = own.fresh.placements.get(place.table.name)
    if not columns or mine is None:
        return
    made = own.fresh.workbook[mine.title]
    stated = [c.name for c in mine.columns if c.optional and c.role == "result" and c.name in place.columns]
    keys = place.table.identity
    sheet = own.sheet(place.grid.part)
    by_key = {_shown(row, place.table): row for row in reversed(rows)}
    standing = {number for number in place.grid.rows if number > place.header}
    for index, number in enumerate(range(place.header + 1, place.header + len(rows) + 1)):
        if not keys or index == 0:
            standing.add(number)
    own_columns = set(place.columns.values())
    for number in sorted(standing):
        cells: Mapping[int, Cell] = place.grid.rows.get(number, {})
        index = number - place.header - 1
        row: Row | None
        if not keys:
            row = rows[index] if index < len(rows) else {}
        else:
            shown = _key(cells, place)
            row = by_key.get(shown) if any(shown) else {}
        if row is None or not (row or own_columns & cells.keys()):
            continue
        for name in stated:
            known = made.cell(mine.first_row + rows.index(row), mine.column(name)) if row else None
            own.copy(place.grid.part, number, place.columns[name], known)
        if row and keys:
            reach(own, place, number)
            fill_formulas(own, place, (number,))
        for name, column in columns.items():
            cell = sheet.cell(number, column)
            filled = sheet.planned(number, column) and (cell is None or cell.formula is None)
            if filled or (cell is not None and cell.formula is not None and not cell.array):
                value = _value_of(place.table.index[name], row, cell.formula if cell else None, own.lang)
                sheet.cache_beside(number, column, "" if value is None else value)


def _key(cells: Mapping[int, Cell], place: Found) -> tuple[str, ...]:
    """Return by what a row of the sheet is known again."""
    keys = place.table.identity or place.table.required
    return tuple(same_text(_coded(cells.get(place.columns.get(key, 0)), place.table.index[key])) for key in keys)


def _coded(value: Cell, column: Column) -> object:
    """Return the code that a cell's word stands for."""
    if column.name == "Members" and isinstance(value, str):
        return as_members(value)
    return in_codes(column, value, {})


def as_members(text: str) -> str:
    """Return equivalents listed in a cell as this project writes them."""
    return JOINT.join(piece.strip() for piece in re.split(r"[|,;]", text) if piece.strip())


def _value_of(column: Column, row: Row, formula: str | None, lang: Lang) -> object:
    """Return what a formula comes to: a word, unless the formula is of a workbook that had codes only."""
    value = row.get(column.name, "")
    word = spoken(column.vocabulary(row), value, lang) if column.words else value
    coded = formula is not None and f'"{value}"' in formula and f'"{word}"' not in formula
    return approximate(value if coded else word)


def _shown(row: Row, table: Table) -> tuple[str, ...]:
    """Return by what a row of the report is known again."""
    return tuple(same_text(row.get(key)) for key in table.identity or table.required)


def value_cells(own: OwnBook) -> None:
    """Give every other formula that stands as it was made the value it has in a fresh workbook."""
    made = own.fresh.workbook
    tops: dict[tuple[str, int], int] = {}
    for place in own.found.values():
        tops |= {(place.grid.part, column): place.header for column in place.columns.values()}
    for part, grid in own.grids.items():
        if grid.name not in made.sheetnames:
            continue
        sheet = own.sheet(part)
        for address, value in own.fresh.cached.get(grid.name, {}).items():
            cell = made[grid.name][address]
            standing = sheet.cell(cell.row, cell.column)
            # A table's rows have their own values (`value_rows`), wherever they stand.
            known = sheet.planned(cell.row, cell.column) or cell.row > tops.get((part, cell.column), cell.row)
            if standing is not None and not known and standing.formula == str(cell.value)[1:]:
                sheet.cache(cell.row, cell.column, value)
    _forget_old_dashboard(own)


#: What formulas of a dashboard of ours speak of.
_OURS = re.compile(
    r"\b(?:Targets|Rules|Holdings)\[|\b(?:Trades|Summary|Checks)_|\b(?:Total|Cash|Holdings)Value\b|\bTargetSum\b"
)


def _forget_old_dashboard(own: OwnBook) -> None:
    """Empty what the formulas of a dashboard of 0.2.0 came to: nothing here knows what they come to now.

    A spreadsheet computes them when it opens the file; a viewer shows nothing rather than the plan before.
    """
    title = spec_sheet("Dashboard").title(own.lang)
    for part, grid in own.grids.items():
        if grid.name != title or standing(grid, own.lang):
            continue
        sheet = own.sheet(part)
        for row, cells in grid.rows.items():
            for column in cells:
                there = sheet.cell(row, column)
                if (
                    there is not None
                    and there.formula
                    and not sheet.planned(row, column)
                    and _OURS.search(there.formula)
                ):
                    sheet.cache(row, column, "")


def forget_charts(own: OwnBook) -> None:
    """Drop the numbers cached in charts that show our sheets: they were those of before."""
    parts = {place.grid.part for place in own.found.values()}
    parts |= {part for part, grid in own.grids.items() if grid.name in own.fresh.workbook.sheetnames}
    for part in parts:
        for kind, drawing in own.package.related(part):
            if not kind.endswith("/drawing"):
                continue
            for chart_kind, chart in own.package.related(drawing):
                if chart_kind.endswith("/chart") and _CACHE.search(own.package.read(chart)):
                    own.package.write(chart, _CACHE.sub(b"", own.package.read(chart)))


def _day(value: Cell) -> object:
    return value.date() if isinstance(value, dt.datetime) else value


def same_text(value: object) -> str:
    """Return a value as a key: 250, 250.0 and Decimal("250") are one."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    try:
        return f"{float(value):.10g}"  # type: ignore[arg-type]  # a number, or it raises
    except (TypeError, ValueError):
        return str(value)
