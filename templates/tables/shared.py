"""What several tables share: choices, captions, the formulas of an instrument's name and weight."""

from __future__ import annotations

from typing import get_args

from engine.money import MINOR_DIGITS
from engine.settings import Schedule
from templates.schema import Text

ASSET_CLASSES = ("equity", "bond", "commodity", "cash", "mixed")
CURRENCIES = tuple(MINOR_DIGITS)
SECTIONS = ("core", "satellite", "all")
SCHEDULES: tuple[str, ...] = get_args(Schedule)

ACCOUNT = Text("Account", "계좌")
TICKER = Text("Ticker", "종목코드")
NAME = Text("Name", "종목명")
SECTION = Text("Section", "구분")
CURRENCY = Text("Currency", "통화")
VALUE = Text("Value", "평가액")
WEIGHT = Text("Weight", "현재 비중")
STATUS = Text("Status", "상태")
CHECK = Text("Check", "확인")
PRICE = Text("Price", "현재가")
TICKER_ALIASES = ("Symbol", "Code", "종목 코드", "코드", "심볼", "티커")
NAMED = '=IF({Ticker}="","",IFERROR(INDEX({Prices.Name},MATCH({Ticker},{Prices.Ticker},0))&"",""))'
WEIGHED = '=IF({Ticker}="","",IF(TotalValue>0,{Value}/TotalValue,0))'
