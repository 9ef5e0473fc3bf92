"""`rebalancer share FILE… -o OUT`: a values-only copy for others, and a one-page report as PDF."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path

from engine.errors import InputError, Problem, error
from engine.phrase import place
from engine.words import LANGUAGES, Lang, say
from xl_addin.cli.frame import OneOf, argument, command, option, reader_language
from xl_addin.cli.options import FILE, accept_option, force_option, may_be_several, prices_option, stale_option


@command("share")
@argument("files", type=FILE, metavar="FILE…", nargs=-1, required=True)
@option("-o", "--output", type=FILE, required=True, metavar="OUT")
@option("--weights-only", is_flag=True)
@option("--pdf", is_flag=True)
@option("--lang", type=OneOf(LANGUAGES))
@prices_option
@option("--offline", is_flag=True)
@stale_option
@accept_option
@option("--own-sheets", is_flag=True)
@option("--model", metavar="NAME", default="")
@option("--targets", type=FILE, metavar="FILE")
@force_option
def share(
    *,
    files: tuple[Path, ...],
    output: Path,
    weights_only: bool,
    pdf: bool,
    lang: Lang | None,
    prices: Path | None,
    offline: bool,
    own_sheets: bool,
    allow_stale: bool,
    accept: tuple[tuple[str, Decimal], ...],
    model: str,
    targets: Path | None,
    force: bool,
) -> int:
    """Write the copy, and the PDF where asked for, and say where; of several portfolios into a folder."""
    from rebalancer.loading import is_workbook
    from rebalancer.sharing import share as write
    from xl_addin.cli.doing import doing

    if may_be_several(files):
        from rebalancer.gathering import one_portfolio

        if one_portfolio(files) is None:
            from rebalancer.sharing import ShareCopies
            from xl_addin.cli.many import Asked, share_and_tell

            reader = reader_language()
            asked = Asked(files, prices, dict(accept), model, targets, output, lang or reader, force=force)
            copies = ShareCopies(
                output, {}, lang, reader, weights_only=weights_only, pdf=pdf, own_sheets=own_sheets, force=force
            )
            return share_and_tell(asked, copies, offline=offline, allow_stale=allow_stale)
    (file,) = files
    if unusable := [name for name, value in (("--model", model), ("--targets", targets)) if value]:
        where = place("command-line")
        raise InputError([error("bad-argument.many-portfolios", where, option=name) for name in unusable])
    if lang is None and not is_workbook(file):
        lang = reader_language()  # a workbook has a language of its own
    written = write(
        file, output, lang=lang, weights_only=weights_only, pdf=pdf, force=force, prices=prices, offline=offline,
        allow_stale=allow_stale, accept=dict(accept), own_sheets=own_sheets,
        during=partial(doing, lang=lang or reader_language()), heard=partial(_tell, lang=lang or reader_language()),
    )  # fmt: skip
    for path in written:
        sys.stdout.write(say("said.written", lang or reader_language(), path=path) + "\n")
    return 0


def _tell(problems: Sequence[Problem], *, lang: Lang) -> None:
    from xl_addin.show.terminal import paint_for, problem_lines

    sys.stderr.writelines(f"{line}\n" for line in problem_lines(problems, lang, paint_for(sys.stderr)))
