"""`rebalancer install`: point Excel (or LibreOffice) at this Python."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from xl_addin.output.files import free_name, write_whole
from xl_addin.workbook.setup import config_text, this_setup, write_config


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
            _say(f"There is no Excel for {setup.platform}: nothing is written. On Windows it would be:")
        _say(f"{setup.config}:\n{config_text(setup).rstrip()}")
        return 0
    for path in write_config(setup):
        _say(f"Written: {path}")
    _say("Open rebalancer.xlsm in Excel and allow its macros. `rebalancer doctor` says what is missing.")
    return 0


def _libreoffice(*, dry_run: bool) -> int:
    """Add the functions to LibreOffice, and write a workbook that uses them here."""
    from xl_addin.hosts import libreoffice

    _say(libreoffice.install(dry_run=dry_run))
    if dry_run:
        return 0
    path, data = free_name(Path(), "rebalancer", ".ods"), libreoffice.sample_ods()
    write_whole(path, lambda temporary: _fill(temporary, data))
    _say(f"Written: {path}")
    return 0


def _fill(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
