"""`rebalancer models`: the model portfolios that a workbook can start from."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from engine.words import LANGUAGES
from xl_addin.cli.common import add_output_arguments

if TYPE_CHECKING:
    from templates.models import ModelPortfolio


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_output_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print every model with what it says of itself."""
    from templates.models import load_all

    models = load_all()
    if args.json:
        from xl_addin.show.json import dump

        sys.stdout.write(dump({"models": [_document(model) for model in models], "problems": []}))
        return 0
    from xl_addin.show.colour import paint_for
    from xl_addin.show.numbers import percent
    from xl_addin.show.table import Column, Row, table_lines

    korean = args.lang == "ko"
    titles = (
        ("모델", "이름", "기대 수익", "최대 낙폭", "보수")
        if korean
        else ("Model", "Name", "Return", "Worst fall", "Fee")
    )
    rows = []
    for model in models:
        facts = model.facts
        fee, _ = model.weighted_fee
        figures = (facts.expected_return, facts.drawdown, fee)
        shown = (percent(figure) if figure is not None else "–" for figure in figures)
        rows.append(Row((facts.key, facts.title(args.lang), *shown), remark=facts.summary(args.lang)))
    columns = [Column(title, "<" if place < 2 else ">") for place, title in enumerate(titles)]
    lines = table_lines(columns, rows, paint_for(sys.stdout))
    note = (
        "기대 수익과 낙폭은 가정이며 보장이 아닙니다." if korean else "Return and fall are assumptions, not promises."
    )
    start = "rebalancer new MODEL -o FILE.xlsx"
    sys.stdout.write("\n".join([*lines, "", note, f"{'시작' if korean else 'Start with'}: {start}"]) + "\n")
    return 0


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
                "name": portfolio.instruments[target.symbol].name,
                "weight": number(target.weight),
                "role": target.role,
            }
            for section, target in portfolio.targets()
        ],
    }
