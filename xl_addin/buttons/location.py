"""Where a workbook lies: on OneDrive and SharePoint Excel tells an address, which xlwings cannot always follow."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from engine.errors import InputError, Problem


def identity(book: Any) -> str:  # noqa: ANN401 - an xlwings Book
    """Return what tells a workbook from others: its full name, or its name where no path is found."""
    return _full_name(book) or str(book.name)


def folder_of(book: Any) -> Path:  # noqa: ANN401
    """Return the folder of a workbook; raises InputError where it is not saved, or not found on this computer."""
    full = _full_name(book)
    if full is None:
        system = "WIN" if sys.platform == "win32" else "MAC"
        names = ", ".join(f"{one}_{system}" for one in ("ONEDRIVE_CONSUMER", "ONEDRIVE_COMMERCIAL", "SHAREPOINT"))
        message = (
            "the workbook is on OneDrive or SharePoint, and its folder on this computer is not found: save it in a "
            f"folder of this computer, or name the synchronised folder in .xlwings/xlwings.conf ({names}; see "
            "docs/excel.md)"
        )
        ko = (
            "통합 문서가 OneDrive나 SharePoint에 있는데 이 컴퓨터의 폴더를 찾을 수 없습니다: 이 컴퓨터의 폴더에 "
            f"저장하거나 동기화 폴더를 .xlwings/xlwings.conf에 적으세요({names}, docs/excel.md 참고)"
        )
        raise InputError([Problem("error", "not-local", book.name, message, ko)])
    folder = Path(full).parent
    if not folder.is_dir() or str(folder) == ".":
        message, ko = "save the workbook in a folder first", "먼저 통합 문서를 폴더에 저장하세요"
        raise InputError([Problem("error", "not-saved", book.name, message, ko)])
    return folder


def _full_name(book: Any) -> str | None:  # noqa: ANN401
    from xlwings import XlwingsError

    try:
        return str(book.fullname)
    except (XlwingsError, UnboundLocalError):  # without any folder configured, xlwings fails over SharePoint
        return None
