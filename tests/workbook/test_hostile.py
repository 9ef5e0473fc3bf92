"""Hostile and broken files are refused with a reason, quickly, and never with a traceback."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from templates.cells import MAX_ROWS
from templates.read.book import read_book
from templates.read.workbooks import read_grids
from templates.write.pack import zipped
from tests.workbook.changed import plain, reparted
from xl_addin.cli import main

SHEET = "xl/worksheets/sheet1.xml"
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">'
    + b"".join(
        b'<!ENTITY lol%d "%s">' % (i, b"&lol%b;" % (b"" if i == 1 else b"%d" % (i - 1)) * 10) for i in range(1, 10)
    )
    + b"]>"
)
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY xxe SYSTEM "file:///etc/passwd">]>'
STRINGS = b"<sst><si><t>a</t></si></sst>"
Parts = dict[str, bytes]


def after_declaration(xml: bytes, prolog: bytes) -> bytes:
    return prolog + (xml.partition(b"?>")[2] if xml.startswith(b"<?xml") else xml)


def change(name: str, make: Callable[[bytes], bytes]) -> Callable[[Parts], None]:
    return lambda parts: parts.__setitem__(name, make(parts[name]))


def drop(name: str) -> Callable[[Parts], None]:
    def spoil(parts: Parts) -> None:
        del parts[name]

    return spoil


def strings(xml: bytes) -> Callable[[Parts], None]:
    return lambda parts: parts.__setitem__("xl/sharedStrings.xml", xml)


def link(parts: Parts) -> None:
    parts["xl/externalLinks/externalLink1.xml"] = b"<externalLink/>"


#: what is done to the parts of a sound workbook, and the code of its refusal
BROKEN: dict[str, tuple[Callable[[Parts], None], str]] = {
    "billion laughs in a sheet": (change(SHEET, lambda x: after_declaration(x, LAUGHS)), "unsafe-xml"),
    "billion laughs in the strings": (
        strings(after_declaration(STRINGS, LAUGHS)), "unsafe-xml"),
    "billion laughs in the styles": (change("xl/styles.xml", lambda x: after_declaration(x, LAUGHS)), "unsafe-xml"),
    "billion laughs in the workbook": (change("xl/workbook.xml", lambda x: after_declaration(x, LAUGHS)), "unsafe-xml"),
    "a file of the system as entity": (change(SHEET, lambda x: after_declaration(x, OUTSIDE)), "unsafe-xml"),
    "a document type alone": (
        change(SHEET, lambda x: after_declaration(x, b'<?xml version="1.0"?><!DOCTYPE worksheet>')), "unsafe-xml"),
    "a document type in another encoding": (
        change(SHEET, lambda _: '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a><a/>'.encode("utf-16")),
        "unsafe-xml"),
    "an external link": (link, "external-link"),
    "a sheet cut off": (change(SHEET, lambda x: x[: len(x) // 2]), "damaged"),
    "a sheet of noise": (change(SHEET, lambda _: bytes(range(256))), "damaged"),
    "an empty sheet part": (change(SHEET, lambda _: b""), "damaged"),
    "strings cut off": (strings(STRINGS[:-9]), "damaged"),
    "styles cut off": (change("xl/styles.xml", lambda x: x[:-30]), "damaged"),
    "no workbook part": (drop("xl/workbook.xml"), "damaged"),
    "no relations": (drop("_rels/.rels"), "damaged"),
    "no relations of the workbook": (drop("xl/_rels/workbook.xml.rels"), "damaged"),
    "a sheet that is not there": (drop(SHEET), "damaged"),
    "no sheets": (
        change("xl/workbook.xml", lambda x: x.partition(b"<sheets>")[0] + x.partition(b"</sheets>")[2]), "damaged"),
    "a part of another kind": (
        change("_rels/.rels", lambda x: x.replace(b'officeDocument"', b'somethingElse"')), "not-a-workbook"),
    "an unknown encoding": (
        change(SHEET, lambda x: after_declaration(x, b'<?xml version="1.0" encoding="klingon"?>')), "damaged"),
    "a text that is missing from the strings": (
        change(SHEET, lambda x: re.sub(rb't="n"><v>250</v>', b't="s"><v>99</v>', x)), "cell-error"),
    "no tables": (
        change(SHEET, lambda x: x.partition(b"<sheetData>")[0] + b"<sheetData/></worksheet>"), "cannot-tell"),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_workbook_is_refused_with_a_reason(tmp_path: Path, what: str) -> None:
    spoil, code = BROKEN[what]
    path = reparted(plain(tmp_path / "mine.xlsx"), spoil)
    book = read_book(path)
    errors = [problem for problem in book.problems if problem.severity == "error"]
    if code == "cannot-tell":
        assert book.portfolio is None or not book.portfolio.holdings
        return
    assert book.portfolio is None
    assert code in {error.code for error in errors}, errors
    assert all(len(str(error.message)) > 20 for error in errors)


def zip_of(entries: list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return buffer.getvalue()


def encrypted_zip() -> bytes:
    data = bytearray(zip_of([("xl/workbook.xml", b"x")]))
    at = data.index(b"PK\x01\x02")
    struct.pack_into("<H", data, at + 8, 1)
    return bytes(data)


def doubled() -> bytes:
    with pytest.warns(UserWarning, match="Duplicate name"):
        return zip_of([("a.xml", b"1"), ("a.xml", b"2")])


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "not-a-workbook"),
    "text": ("종목,수량\n".encode, "not-a-workbook"),
    "html": (lambda: b"<html><body><table>", "not-a-workbook"),
    "a picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(400), "not-a-workbook"),
    "half a zip": (lambda: zip_of([("xl/workbook.xml", b"x" * 9_000)])[:60], "not-a-workbook"),
    "an old workbook": (lambda: OLE + bytes(2_000), "old-format"),
    "an encrypted workbook": (lambda: OLE + bytes(500) + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
    "an encrypted zip": (encrypted_zip, "encrypted"),
    "a zip bomb": (lambda: zip_of([("xl/worksheets/sheet1.xml", bytes(30_000_000))]), "zip-bomb"),
    "a heap of small bombs": (
        lambda: zip_of([(f"xl/{i}.xml", bytes(1_900_000)) for i in range(110)]), "zip-bomb"),
    "thousands of parts": (lambda: zip_of([(f"{i}.xml", b"") for i in range(2_500)]), "too-many-parts"),
    "two parts of one name": (doubled, "damaged"),
    "another kind of zip": (lambda: zip_of([("word/document.xml", b"<x/>")]), "damaged"),
    "an ods without content": (lambda: zip_of([("mimetype", b"application/vnd.oasis")]), "damaged"),
    "an encrypted ods": (
        lambda: zip_of([("content.xml", b"?"), ("META-INF/manifest.xml", b"<m:encryption-data/>")]), "encrypted"),
    "an ods with laughs": (
        lambda: zip_of([("META-INF/manifest.xml", b"<x/>"), ("content.xml", LAUGHS + b"<x>&lol9;</x>")]), "unsafe-xml"),
    "an ods with a linked sheet": (
        lambda: zip_of([("META-INF/manifest.xml", b"<x/>"),
                        ("content.xml", b"<x><table name='a'><table-source/></table></x>")]), "external-link"),
}  # fmt: skip


@pytest.mark.parametrize("what", FILES)
def test_a_file_that_is_no_sound_workbook_is_refused_with_a_reason(tmp_path: Path, what: str) -> None:
    make, code = FILES[what]
    path = tmp_path / "mine.xlsx"
    path.write_bytes(make())
    book = read_book(path)
    assert book.portfolio is None
    assert [problem.code for problem in book.problems] == [code]


def test_a_damaged_part_is_refused(tmp_path: Path) -> None:
    path = plain(tmp_path / "mine.xlsx")
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        start = archive.getinfo(SHEET).header_offset
    data[start + 60 : start + 90] = bytes(30)
    path.write_bytes(data)
    assert [problem.code for problem in read_book(path).problems] == ["damaged"]


def test_a_part_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    data = bytearray(zip_of([("_rels/.rels", b"<a>" + b" " * 1_000_000 + b"</a>")]))
    at = data.index(b"PK\x01\x02")
    struct.pack_into("<L", data, at + 24, 10)
    path = tmp_path / "mine.xlsx"
    path.write_bytes(data)
    assert [problem.code for problem in read_book(path).problems] == ["damaged"]


def test_a_missing_file_is_a_problem(tmp_path: Path) -> None:
    assert [problem.code for problem in read_book(tmp_path / "none.xlsx").problems] == ["no-such-file"]


def test_a_sheet_is_cut_off_after_more_rows_than_a_portfolio_can_have(tmp_path: Path) -> None:
    def stretch(parts: Parts) -> None:
        rows = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (i, i) for i in (MAX_ROWS, MAX_ROWS + 1, 10**6))
        parts[SHEET] = parts[SHEET].replace(b"</sheetData>", rows + b"</sheetData>")

    path = reparted(plain(tmp_path / "mine.xlsx"), stretch)
    assert max(number for grid in read_grids(path) for number in grid.rows) == MAX_ROWS


def test_the_command_line_says_the_reason_and_leaves_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = reparted(plain(tmp_path / "mine.xlsx"), link)
    assert main(["plan", str(path)]) == 2
    assert "external-link" in capsys.readouterr().err


def test_there_are_at_least_thirty_of_them() -> None:
    assert len(BROKEN) + len(FILES) >= 30


def test_a_sound_workbook_repacked_is_still_sound(tmp_path: Path) -> None:
    path = reparted(plain(tmp_path / "mine.xlsx"), lambda parts: None)
    assert read_book(path).portfolio is not None
    assert zipped({"a": b"1"}) == zipped({"a": b"1"})
