"""Prices, rates, and instruments that the catalogue does not know."""

from __future__ import annotations

from engine.portfolio import ASSET_TYPES, MARKETS
from templates.schema import Column, Table, Text
from templates.tables.shared import ASSET_CLASSES, CURRENCIES, CURRENCY, NAME, PRICE, STATUS, TICKER

FX = Table(
    "FxRates",
    "Prices",
    Text("Exchange rates", "환율"),
    (
        Column("Currency", CURRENCY, "text", key="currency", width=9),
        Column("Pair", Text("Pair", "통화쌍"), "text", key="pair", width=10),
        Column("ManualRate", Text("Own rate", "직접 입력 환율"), "rate", key="rate", width=12, aliases=("수동환율",)),
        Column("MarketRate", Text("Market rate", "시장 환율"), "rate", "result", 12),
        Column("Rate", Text("Rate used", "적용 환율"), "rate", "formula", 12,
               formula='=IF({Currency}="","",IF({ManualRate}="",IF({MarketRate}="","",{MarketRate}),'
                       'IF({Pair}={Currency}&BaseCurrency,{ManualRate},IF({Pair}=BaseCurrency&{Currency},'
                       '1/{ManualRate},IF({MarketRate}="","",{MarketRate})))))'),
        Column("AsOf", Text("As of", "기준 시각"), "datetime", "result", 17),
        Column("Source", Text("Source", "출처"), role="result", width=10),
        Column("Status", STATUS, "status", "result", 10),
    ),
    required=("Pair", "ManualRate"),
)  # fmt: skip

INSTRUMENTS = Table(
    "Instruments",
    "Prices",
    Text("Own instruments (not in the catalogue)", "직접 등록한 종목 (목록에 없는 것)"),
    (
        Column("Ticker", TICKER, "ticker", key="symbol"),
        Column("Name", NAME, key="name", width=24),
        Column("Market", Text("Market", "시장"), "choice", key="market", choices=MARKETS, width=8),
        Column("Currency", CURRENCY, "choice", key="currency", choices=CURRENCIES, width=9),
        Column("Class", Text("Kind", "종류"), "choice", key="asset_type", choices=ASSET_TYPES, width=8),
        Column("AssetClass", Text("Asset class", "자산군"), "choice", key="asset_class", choices=ASSET_CLASSES),
        Column("Leverage", Text("Leverage", "레버리지"), "number", key="leverage", width=9),
        Column("Futures", Text("Futures", "선물"), "bool", key="futures", width=8),
        Column("TER", Text("TER", "총보수"), "number", key="expense_ratio", width=8),
        Column("Lot", Text("Lot", "매매 단위"), "number", key="lot", width=8),
        Column("NameEn", Text("English name", "영문명"), key="name_en", width=20),
    ),
    required=("Ticker", "AssetClass", "Leverage"),
    note=Text("Only what the catalogue does not know.", "목록에 없는 종목만 적으세요."),
)

PRICES = Table(
    "Prices",
    "Prices",
    Text("Prices", "시세"),
    (
        Column("Ticker", TICKER, "ticker", "result"),
        Column("Name", NAME, role="result", width=30),
        Column("Price", PRICE, "price", "result", 14, unit="Currency"),
        Column("Currency", CURRENCY, "text", "result", 9),
        Column("AsOf", Text("As of", "기준 시각"), "datetime", "result", 17),
        Column("Source", Text("Source", "출처"), role="result", width=12),
        Column("Status", STATUS, "status", "result", 12),
    ),
    required=("Ticker", "Price", "Source"),
    ranges=True,
    spare=20,
)
