"""`rebalancer install`: point Excel (or LibreOffice) at this Python."""

from __future__ import annotations

import argparse
import sys

from xl_addin.workbook.setup import config_text, this_setup, write_config


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--libreoffice", action="store_true", help="set LibreOffice up instead of Excel")


def run(args: argparse.Namespace) -> int:
    """Write the user's xlwings configuration, and say what was written; where there is no Excel, only say it."""
    if args.libreoffice:
        from xl_addin.hosts.libreoffice.install import install

        _say(install(dry_run=args.dry_run))
        return 0
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


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
