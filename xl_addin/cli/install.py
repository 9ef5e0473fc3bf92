"""`rebalancer install`: point Excel (or LibreOffice) at this Python."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from engine.text import Bilingual, korean
from rebalancer.files import free_name, write_whole
from rebalancer.language import default_language
from xl_addin.hosts.excel.setup import config_text, this_setup, write_config


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--libreoffice", action="store_true", help="set LibreOffice up, and write rebalancer.ods")


def run(args: argparse.Namespace) -> int:
    """Write the user's xlwings configuration, and say what was written; where there is no Excel, only say it."""
    if args.libreoffice:
        return _libreoffice(dry_run=args.dry_run)
    setup = this_setup()
    if args.dry_run or not setup.excel_runs_here:
        if not setup.excel_runs_here:
            text = f"There is no Excel for {setup.platform}: nothing is written. On Windows it would be:"
            _say(Bilingual(text, f"{setup.platform}용 Excel은 없어서 아무것도 쓰지 않습니다. Windows라면:"))
        _say(f"{setup.config}:\n{config_text(setup).rstrip()}")
        return 0
    for path in write_config(setup):
        _say(Bilingual(f"Written: {path}", f"작성: {path}"))
    text = "Open rebalancer.xlsm in Excel and allow its macros. `rebalancer doctor` says what is missing."
    _say(
        Bilingual(text, "Excel에서 rebalancer.xlsm을 열고 매크로를 허용하세요. 빠진 것은 `rebalancer doctor`로 봅니다.")
    )
    return 0


def _libreoffice(*, dry_run: bool) -> int:
    """Add the functions to LibreOffice, and write a workbook that uses them here."""
    from xl_addin.hosts.libreoffice.book import sample_ods
    from xl_addin.hosts.libreoffice.extension import install

    _say(install(dry_run=dry_run).told(default_language()))
    if dry_run:
        return 0
    path, data = free_name(Path(), "rebalancer", ".ods"), sample_ods()
    write_whole(path, data)
    _say(Bilingual(f"Written: {path}", f"작성: {path}"))
    return 0


def _say(text: str) -> None:
    sys.stdout.write((korean(text) if default_language() == "ko" else text) + "\n")
