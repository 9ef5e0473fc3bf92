"""`rebalancer share FILE -o OUT.xlsx`: a values-only copy for others, and a one-page report as PDF."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path

from engine.words import LANGUAGES, Lang, say
from xl_addin.cli.frame import OneOf, argument, command, option, reader_language
from xl_addin.cli.options import FILE, accept_option, force_option, prices_option, stale_option


@command("share")
@argument("file", type=FILE, metavar="FILE")
@option("-o", "--output", type=FILE, required=True, metavar="OUT.xlsx")
@option("--weights-only", is_flag=True)
@option("--pdf", is_flag=True)
@option("--lang", type=OneOf(LANGUAGES))
@prices_option
@option("--offline", is_flag=True)
@stale_option
@accept_option
@option("--own-sheets", is_flag=True)
@force_option
def share(
    *,
    file: Path,
    output: Path,
    weights_only: bool,
    pdf: bool,
    lang: Lang | None,
    prices: Path | None,
    offline: bool,
    own_sheets: bool,
    allow_stale: bool,
    accept: tuple[tuple[str, Decimal], ...],
    force: bool,
) -> None:
    """Write the copy, and the PDF where asked for, and say where."""
    from rebalancer.loading import is_workbook
    from rebalancer.sharing import share as write

    if lang is None and not is_workbook(file):
        lang = reader_language()  # a workbook has a language of its own
    written = write(
        file, output, lang=lang, weights_only=weights_only, pdf=pdf, force=force, prices=prices, offline=offline,
        allow_stale=allow_stale, accept=dict(accept), own_sheets=own_sheets,
    )  # fmt: skip
    for path in written:
        sys.stdout.write(say("said.written", lang or reader_language(), path=path) + "\n")
