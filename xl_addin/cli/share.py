"""`rebalancer share FILE -o OUT.xlsx`: a values-only copy for others, and a one-page report as PDF."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rebalancer.language import LANGUAGES

_OFFICE_SECONDS = 120


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a workbook (of plan -o), or any portfolio file")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.xlsx", help="the copy to write")
    parser.add_argument("--weights-only", action="store_true", help="leave out amounts and quantities, round weights")
    parser.add_argument("--pdf", action="store_true", help="also write a one-page A4 report beside it (LibreOffice)")
    parser.add_argument("--lang", choices=LANGUAGES, help="language of the copy (default: the workbook's own)")
    parser.add_argument("--offline", action="store_true", help="plan on stored prices where a plan is needed")
    parser.add_argument("--force", action="store_true", help="let -o replace a file that exists")


def run(args: argparse.Namespace) -> int:
    """Write the copy, and the PDF where asked for, and say where."""
    from rebalancer.sharing import share

    written = share(
        args.file, args.output, lang=args.lang, weights_only=args.weights_only, pdf=args.pdf, force=args.force
    )
    word = "작성" if args.lang == "ko" else "Written"
    sys.stdout.write("".join(f"{word}: {path}\n" for path in written))
    return 0
