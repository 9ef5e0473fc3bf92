"""`rebalancer models` and `rebalancer new`: the model portfolios, and workbooks to start from."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from engine.errors import InputError, error
from engine.phrase import place
from engine.words import LANGUAGES, Lang, say, tell
from xl_addin.cli.frame import OneOf, argument, command, option, reader_language
from xl_addin.cli.options import FILE, force_option, lang_option, output_options

if TYPE_CHECKING:
    from templates.models import ModelPortfolio


@command("models")
@output_options
def models(*, as_json: bool, lang: Lang) -> None:
    """Print every model with what it says of itself."""
    from templates.models import load_all

    every = load_all()
    if as_json:
        from xl_addin.show.json import dump

        sys.stdout.write(dump({"models": [_document(model) for model in every], "problems": []}))
        return
    from xl_addin.show.terminal import TextColumn, TextRow, as_called_here, paint_for, percent, table_lines

    titles = ("model", "model-name", "expected-return", "worst-fall", "fee")
    rows = []
    for model in every:
        facts = model.facts
        fee, _ = model.weighted_fee
        figures = (facts.expected_return, facts.drawdown, fee)
        shown = (percent(figure) if figure is not None else "–" for figure in figures)
        rows.append(TextRow((facts.key, facts.title(lang), *shown), remark=facts.summary(lang)))
    columns = [TextColumn(say(f"caption.{title}", lang), "<" if n < 2 else ">") for n, title in enumerate(titles)]
    lines = table_lines(columns, rows, paint_for(sys.stdout))
    sys.stdout.write(
        "\n".join([*lines, "", say("said.assumptions", lang), as_called_here(say("said.start-with", lang))]) + "\n"
    )


def _document(model: ModelPortfolio) -> dict[str, object]:
    from engine.documents import number

    facts, portfolio = model.facts, model.portfolio
    fee, covered = model.weighted_fee
    return {
        "key": facts.key,
        "title": {lang: facts.title(lang) for lang in LANGUAGES},
        "summary": {lang: facts.summary(lang) for lang in LANGUAGES},
        "base_currency": portfolio.base_currency,
        "expected_return": None if facts.expected_return is None else number(facts.expected_return),
        "drawdown": None if facts.drawdown is None else number(facts.drawdown),
        "fee": None if fee is None else number(fee),
        "fee_known_for": number(covered),
        "rules": [
            dict(zip(LANGUAGES, rule, strict=True))
            for rule in zip(*(facts.rules(lang) for lang in LANGUAGES), strict=True)
        ],
        "targets": [
            {
                "section": section.name,
                "symbol": target.symbol,
                "name": portfolio.instruments[target.named[0]].name if target.kind == "instrument" else target.symbol,
                "weight": number(target.weight),
                "role": target.role,
            }
            for section, target in portfolio.targets()
        ],
    }


@command("new")
@argument("model", metavar="MODEL", required=False)
@option("-o", "--output", type=FILE, required=True, metavar="FILE")
@lang_option
@force_option
@option("--batch", type=FILE, metavar="CSV")
@option("--macros", is_flag=True)
def new(*, model: str | None, output: Path, lang: Lang, force: bool, batch: Path | None, macros: bool) -> None:
    """Write the workbook, or one for each row of a client list, and say where."""
    from rebalancer.starting import start, start_many
    from templates.models.clients import PLAIN, Kind

    kind = PLAIN
    if macros:
        from xl_addin.hosts.excel.package import report_workbook

        kind = Kind(".xlsm", report_workbook)
    if batch:
        from xl_addin.show.terminal import progress

        count, written = start_many(batch, output, lang, kind, force=force)
        for _ in progress(written, count, "new"):
            pass
        sys.stdout.write(say("said.written-many", lang, number=count, folder=output) + "\n")
        return
    if model is None:
        raise InputError([error("missing.model", place("command-line"))])
    start(model, output, lang, kind, force=force)
    sys.stdout.write(say("said.written", lang, path=output) + "\n")


@command("update")
@argument("book", type=FILE, metavar="BOOK")
@option("-o", "--output", type=FILE, metavar="OUT")
@option("--lang", type=OneOf(LANGUAGES))
@force_option
def update(*, book: Path, output: Path | None, lang: Lang | None, force: bool) -> None:
    """Write the workbook of this version, and say what was carried into it."""
    from rebalancer.updating import update as updated
    from xl_addin.hosts.excel.package import kind_of

    kind = kind_of(book)
    for line in updated(book, output, kind, lang=lang, force=force).lines():
        sys.stdout.write(tell(line, reader_language()) + "\n")
