"""xlwings' real CallUDF, as Excel's VBA calls it, on any system: pywin32 stood in for, ranges faked. A program.

Reads {"calls": [[name, argument, …], …]} from stdin and writes the answers; see `hosts` for how values are written.
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
import math
import sys
import types
from typing import Any
from unittest import mock

#: What Excel passes for an argument left out, and for cells that show an error.
MISSING = -2147352572
ERROR_CELLS = {"#DIV/0!": -2146826281, "#N/A": -2146826246, "#REF!": -2146826265, "#VALUE!": -2146826273}
_PYWIN32 = (
    "pythoncom", "pywintypes", "win32api", "win32event", "win32com", "win32com.client", "win32com.server",
    "win32com.server.dispatcher", "win32com.server.policy", "win32com.server.util", "win32com.server.exception",
)  # fmt: skip


EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's dates have no zone


class Cells:
    """What VBA passes for a reference."""

    def __init__(self, rows: list[list[Any]]) -> None:
        self.rows = rows


class FakeRange:
    max_cells_per_read = None
    row = column = 1

    def __init__(self, xl: Cells) -> None:
        self.api = xl

    def __call__(self, *_: object) -> FakeRange:
        return self

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.api.rows), len(self.api.rows[0])

    @property
    def raw_value(self) -> Any:
        return self.api.rows[0][0] if self.shape == (1, 1) else tuple(map(tuple, self.api.rows))

    @property
    def address(self) -> str:
        return "$A$1"

    @property
    def sheet(self) -> Any:
        sheet = mock.MagicMock()
        sheet.book.app.engine = FakeEngine
        return sheet


class FakeEngine:
    """The conversions of xlwings' Windows engine, which itself cannot be imported elsewhere."""

    name, type = "excel", "desktop"

    @staticmethod
    def clean_value_data(data: Any, datetime_builder: Any, empty_as: Any, number_builder: Any, err_to_str: bool) -> Any:  # noqa: FBT001 - xlwings' own
        def clean(value: Any) -> Any:
            if value in ("", None):
                return empty_as
            if isinstance(value, dt.datetime):
                return datetime_builder(*value.timetuple()[:6]) if datetime_builder else value.replace(tzinfo=None)
            if isinstance(value, float) and number_builder:
                return number_builder(value)
            if isinstance(value, int) and value in ERROR_CELLS.values():
                return next(text for text, code in ERROR_CELLS.items() if code == value) if err_to_str else None
            return value

        return [[clean(value) for value in row] for row in data]

    @staticmethod
    def prepare_xl_data_element(value: Any, _: object) -> Any:
        return "" if value is None or (isinstance(value, float) and math.isnan(value)) else value


def load() -> Any:
    """Return xlwings' COM server, and make `xl_addin.functions` declare to it as on Windows."""
    for name in _PYWIN32:
        sys.modules[name] = mock.MagicMock(name=name)
    modules: Any = sys.modules
    modules["pywintypes"].com_error = type("com_error", (Exception,), {})
    modules["pythoncom"].IID_IDispatch = "IDispatch"
    modules["pythoncom"].TypeIIDs = {"IDispatch": type("PyIDispatch", (), {})}
    for parent, child in (("win32com", "client"), ("win32com", "server"), ("win32com.server", "util")):
        setattr(modules[parent], child, modules[f"{parent}.{child}"])
    modules["win32com.server.util"].unwrap.side_effect = TypeError
    xlwings: Any = importlib.import_module("xlwings")
    windows: Any = types.ModuleType("xlwings._xlwindows")
    windows.Range, windows.engine, windows.BOOK_CALLER = FakeRange, FakeEngine, None
    windows.is_range_instance = lambda argument: isinstance(argument, Cells)
    sys.modules["xlwings._xlwindows"] = xlwings._xlwindows = windows
    xlwings.engines.add(xlwings.main.Engine(impl=FakeEngine))
    xlwings.engines.active = xlwings.engines["excel"]
    udfs = importlib.import_module("xlwings.udfs")
    server = importlib.import_module("xlwings.com_server")
    xlwings.func, xlwings.sub, xlwings.arg, xlwings.ret = udfs.xlfunc, udfs.xlsub, udfs.xlarg, udfs.xlret
    module = importlib.import_module("xl_addin.functions")
    udfs.udf_modules["xl_addin.functions"] = {"module": module, "filetime": None, "filename": None}
    return server.XLPython()


def cell(value: Any) -> Any:
    """Return a cell as Excel has it."""
    if isinstance(value, dict):
        if "error" in value:
            return ERROR_CELLS[value["error"]]
        return dt.datetime.fromisoformat(value["date"]).replace(tzinfo=dt.UTC)  # as pywin32 has them
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def argument(value: Any) -> Any:
    """Return an argument as VBA passes it: a reference, the array of the workbook's sheets, a value, or none."""
    if value is None:
        return MISSING
    if isinstance(value, dict) and "sheets" in value:
        return side_by_side(value["sheets"])
    if isinstance(value, list):
        return Cells([[cell(one) for one in row] for row in value])
    return cell(value)


def side_by_side(sheets: dict[str, list[list[Any]]]) -> tuple[tuple[Any, ...], ...]:
    """Return the sheets below their titles in one array, as our VBA does."""
    height = max(len(rows) for rows in sheets.values())
    columns: list[list[Any]] = []
    for title, rows in sheets.items():
        width = max(len(row) for row in rows)
        for at in range(width):
            cells = [cell(row[at]) if at < len(row) else None for row in rows]
            columns.append([title if at == 0 else None, *cells, *[None] * (height - len(rows))])
    return tuple(zip(*columns, strict=True))


def plain(value: Any) -> Any:
    """Return an answer as JSON has it; dates as the day numbers that cells hold."""
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, dt.date):
        moment = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
        return (moment - EPOCH) / dt.timedelta(days=1)
    return value


def main() -> None:
    server = load()
    answers = []
    for name, *given in json.load(sys.stdin)["calls"]:
        answer = server.CallUDF("xl_addin.functions", name, tuple(map(argument, given)), None, Cells([[None]]))
        answers.append(plain(answer))
    json.dump({"answers": answers}, sys.stdout)


if __name__ == "__main__":
    main()
