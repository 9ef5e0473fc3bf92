"""The tables that a person fills in: what is held, what is wanted, by which rules."""

from __future__ import annotations

from collections.abc import Mapping

from engine.ledger.kinds import KINDS as ENTRY_KINDS
from engine.money import MINOR_DIGITS
from engine.portfolio import ACCOUNT_TYPES, ASSET_TYPES, JOINT, MARKETS, TRAITS
from templates.spec.schema import Column, Table
from templates.spec.vocabulary import ASSET_CLASSES, CLASSES, KINDS, SCHEDULES, SECTIONS

CURRENCIES = tuple(MINOR_DIGITS)
_RULE = "INDEX({{Rules.{name}}},MATCH({{SectionCode}},{{Rules.SectionCode}},0))"
_ABSOLUTE, _RELATIVE, _WIDE = (_RULE.format(name=f) for f in ("AbsoluteBand", "RelativeBand", "RelativeBandHigh"))
# The nearer of both bands; the relative one is the target's own or its section's, and wider while volatility is high.
_BAND_IN_FORCE = (
    f'=IF({{Ticker}}="","",IFERROR(MIN(IF({_ABSOLUTE}="",9,{_ABSOLUTE}),IF(AND({{RelativeBand}}="",{_RELATIVE}=""),9,'
    f'MAX(IF({{RelativeBand}}<>"",{{RelativeBand}},{_RELATIVE}),IF({{Volatility}}<>"",'
    f'IF({{RelativeBandHigh}}<>"",{{RelativeBandHigh}},N({_WIDE})),0))*N({{Target}}))),9))'
)
NAMED = '=IF({Ticker}="","",IFERROR(INDEX({Prices.Name},MATCH({Ticker},{Prices.Ticker},0))&"",""))'
WEIGHED = '=IF({Ticker}="","",IF(TotalValue>0,{Value}/TotalValue,0))'


_OWN_CURRENCY = 'IF({Currency}<>"",{Currency},IFERROR(INDEX({Prices.Currency},MATCH({Ticker},{Prices.Ticker},0)),""))'
_QUOTED = "INDEX({Prices.Price},MATCH({Ticker},{Prices.Ticker},0))"
# A cell that holds nothing reads as 0; dividing by "is it filled" turns it into an error, so that it never counts as 0.
_QUOTE_OR_NA = f'IFERROR({_QUOTED}/({_QUOTED}<>""),IF(N({{Quantity}})=0,"",NA()))'


def rate_of(currency: str, amount: str) -> str:
    """Return the formula of a currency's rate into the base currency; missing where there is an amount."""
    rate = f"INDEX({{FxRates.Rate}},MATCH({currency},{{FxRates.Currency}},0))"
    return f'IF({currency}=BaseCurrency,1,IFERROR({rate}/({rate}<>""),IF(N({amount})=0,"",NA())))'


#: The goal that an instrument is first in.
_GOAL_OF = "INDEX({Goals.Goal},MATCH({Ticker},{Goals.Ticker},0))"
#: The place of a goal's wider one among the targets, of that one's wider one, and so on; in cells that are typed in.
_PARENT = "MATCH({Within},{Targets.Key},0)"
_GRANDPARENT = f"MATCH(INDEX({{Targets.Within}},{_PARENT}),{{Targets.Key}},0)"
_EARLIER = f"MATCH(INDEX({{Targets.Within}},{_GRANDPARENT}),{{Targets.Key}},0)"


def _weight_at(place: str, wider: str) -> str:
    share, weight = (f"INDEX({{=Targets.{name}}},{place})" for name in ("Share", "Target"))
    return f'IF({share}="",N({weight}),{share}*{wider})'


_WANTED = _weight_at(_PARENT, _weight_at(_GRANDPARENT, f"N(INDEX({{=Targets.Target}},{_EARLIER}))"))
_IS_GOAL = '{=Ticker}="",{Members}&{Class}<>""'
_HELD = "SUMPRODUCT(--({Holdings.Ticker}={Ticker}),{Holdings.Value})"
_LISTED = 'SUBSTITUTE(SUBSTITUTE(SUBSTITUTE({Members}," ",""),",","|"),";","|")'
_AMONG = (
    f'SUMPRODUCT(ISNUMBER(SEARCH("|"&{{Holdings.Ticker}}&"|","|"&{_LISTED}&"|"))*({{Holdings.Ticker}}<>""),'
    "{Holdings.Value})"
)

_ACCOUNT = Column("Account", key="account")
#: What formulas compare in place of a section's name, which a person may write in any language.
SECTION_CODE = Column("SectionCode", role="formula", formula="={~section:Section}", hidden=True, shared=False)


def _setting_words(row: Mapping[str, object]) -> str:
    kind = f"setting.{row.get('Key')}"
    return kind if kind in KINDS else ""


HOLDINGS = Table(
    "Holdings",
    "Holdings",
    (
        _ACCOUNT,
        Column("Ticker", "ticker", key="symbol"),
        Column("Name", role="formula", width=33, formula=NAMED, link=True),
        Column("Class", "choice", key="asset_type", choices=ASSET_TYPES, width=8, shared=False, words="asset_type"),
        Column("Market", "choice", key="market", choices=MARKETS, width=8, shared=False, words="market"),
        Column("Currency", "choice", key="currency", choices=CURRENCIES, width=9),
        Column("Section", role="formula", width=11, link=True, words="section",
               formula='=IF({Ticker}="","",IFERROR(INDEX({Targets.Section},MATCH({Ticker},{Targets.Ticker},0)),"–"))',
               goaled=f'=IF({{Ticker}}="","",IFERROR(INDEX({{Targets.Section}},MATCH({{Ticker}},{{Targets.Ticker}},0)),'
                      f'IFERROR(IF({_GOAL_OF}="","–",INDEX({{Targets.Section}},MATCH({_GOAL_OF},{{Targets.Ticker}},0))),"–")))'),
        Column("Quantity", "quantity", key="quantity"),
        Column("AverageCost", "price", key="average_cost", width=12, unit="Currency"),
        Column("ManualPrice", "price", key="price", width=12, unit="Currency", shared=False),
        Column("Locked", "bool", key="locked", width=10, shared=False),
        Column("Exposure", key="exposure", width=30, optional=True),
        Column("Price", "price", "formula", 12, unit="Currency", link=True,
               formula=f'=IF({{Ticker}}="","",IF({{ManualPrice}}<>"",{{ManualPrice}},{_QUOTE_OR_NA}))'),
        Column("FX", "rate", "formula", 10, link=True,
               formula=f'=IF({{Ticker}}="","",{rate_of(_OWN_CURRENCY, "{Quantity}")})'),
        Column("Value", "money", "formula", 15,
               formula='=IF({Ticker}="","",IF(N({Quantity})=0,0,{Quantity}*{Price}*{FX}))'),
        Column("Weight", "weight", "formula", 9, formula=WEIGHED),
        Column("Check", role="formula", width=24, reveals=True, check=True,
               formula='=IF({Ticker}="",IF(N({Quantity})<>0,{!check.no-ticker},""),IF(ISNUMBER({Ticker}),'
                       '{!check.ticker-number},IF(ISTEXT({Quantity}),{!check.quantity-text},IF(N({Quantity})<0,'
                       '{!check.quantity-negative},IF(ISERROR({Price}),{!check.no-price},IF(ISERROR({FX}),'
                       '{!check.no-rate},""))))))'),
    ),
    required=("Ticker", "Quantity"),
    spare=5,
    identity=("Account", "Ticker", "Quantity"),
    sums=True,
    always=True,
)  # fmt: skip

CASH = Table(
    "Cash",
    "Cash",
    (
        _ACCOUNT,
        Column("Currency", "choice", key="currency", choices=CURRENCIES, width=9),
        Column("Amount", "money", key="amount", width=15, unit="Currency"),
        Column("FX", "rate", "formula", 10, link=True,
               formula=f'=IF({{Currency}}="","",{rate_of("{Currency}", "{Amount}")})'),
        Column("Value", "money", "formula", 15,
               formula='=IF({Currency}="","",IF(N({Amount})=0,0,{Amount}*{FX}))'),
    ),
    required=("Currency", "Amount"),
    identity=("Account", "Currency"),
    spare=8,
    sums=True,
    amounts=True,
)  # fmt: skip


_TARGET_CHECK = (
    'IF({Ticker}="",IF(N({Target})<>0,{!check.no-ticker},""),IF(ISNUMBER({Ticker}),'
    "{!check.ticker-number},IF(ISTEXT({=Target}),{!check.target-text},IF(OR(N({Target})<0,"
    "N({Target})>1),{!check.target-range},IF(SUMPRODUCT(--({Targets.Ticker}={Ticker}))>1,"
    '{!check.target-twice},IF(ISNA(MATCH({SectionCode},{Rules.SectionCode},0)),{!check.no-rule},""))))))'
)
_LOCKED = "SUMPRODUCT(({Holdings.Ticker}={Ticker})*({Holdings.Locked}=TRUE))>0"
#: Of equivalents and classes: something is held, and all of it is locked.
_IN_GOAL = "SUMPRODUCT(--({Goals.Goal}={Ticker}),SUMIFS({Holdings.Quantity},{Holdings.Ticker},{Goals.Ticker}%s))"
_ALL_LOCKED = f"AND({_IN_GOAL % ''}>0,{_IN_GOAL % ''}={_IN_GOAL % ',{Holdings.Locked},TRUE'})"
_STATUS = (
    '=IF({{Ticker}}="","",IF({locked},'
    '{{@status.LOCKED}},IF(AND({{Enabled}}<>"",{{Enabled}}=FALSE),{{@status.DISABLED}},IF(NOT(TotalValue>0),{{@status.OK}},'
    "IF(ROUND({{Weight}}-{{High}},12)>0,{{@status.OVER}},IF(ROUND({{Low}}-{{Weight}},12)>0,{{@status.UNDER}},{{@status.OK}}))))))"
)
TARGETS = Table(
    "Targets",
    "Targets",
    (
        Column("Section", "choice", key="section", choices=SECTIONS, width=11, words="section"),
        Column("Goal", key="name", width=18, optional=True),
        Column("Ticker", "ticker", key="ticker"),
        Column("Members", "ticker", key="any", width=26, optional=True),
        Column("Class", "choice", key="class", width=16, choices=CLASSES, optional=True, words="class"),
        Column("Name", role="formula", width=33, formula=NAMED, link=True,
               goaled='=IF({Ticker}="","",IF({=Ticker}<>"",IFERROR(INDEX({Prices.Name},MATCH({=Ticker},{Prices.Ticker},0))&"",'
                      '""),IF({Goal}<>"",{Goal},IF({Class}<>"",{Class},{Members}))))'),
        Column("Role", key="role", width=20),
        Column("Target", "weight", key="weight", width=9, exact=True),
        Column("Share", "weight", key="share", width=9, exact=True, optional=True),
        Column("Wanted", "weight", "formula", 9, exact=True, optional=True,
               formula=f'=IF({{Ticker}}="","",IF({{Share}}="",N({{=Target}}),{{Share}}*{_WANTED}))'),
        Column("Min", "weight", key="min", width=9),
        Column("Max", "weight", key="max", width=9),
        Column("Enabled", "bool", key="enabled", width=9),
        Column("Consolidate", "bool", key="consolidate", width=11, optional=True),
        Column("Benchmark", "ticker", key="benchmark"),
        Column("ThesisValid", "bool", key="thesis_valid", width=11),
        Column("RelativeBand", "weight", key="relative_band", optional=True),
        Column("RelativeBandHigh", "weight", key="relative_band_high_volatility", optional=True),
        Column("Volatility", role="result", width=10, optional=True, words="volatility"),
        Column("TER", "number", "result", 8, percent=True),
        Column("Value", "money", "formula", 15,
               formula=f'=IF({{Ticker}}="","",{_HELD})',
               goaled=f'=IF({{Ticker}}="","",IF({{=Ticker}}<>"",{_HELD},IF({{Members}}<>"",{_AMONG},'
                      'SUMPRODUCT(--({Goals.Goal}={Ticker}),{Goals.Held}))))'),
        Column("Weight", "weight", "formula", 9, formula=WEIGHED),
        Column("Drift", "drift", "formula", 9,
               formula='=IF({Ticker}="","",{Weight}-N({Target}))'),
        Column("Band", "weight", "formula", 8, exact=True,
               formula='=IF({Ticker}="","",IFERROR(MIN('
                       'IF(INDEX({Rules.AbsoluteBand},MATCH({SectionCode},{Rules.SectionCode},0))="",9,'
                       'INDEX({Rules.AbsoluteBand},MATCH({SectionCode},{Rules.SectionCode},0))),'
                       'IF(INDEX({Rules.RelativeBand},MATCH({SectionCode},{Rules.SectionCode},0))="",9,'
                       'INDEX({Rules.RelativeBand},MATCH({SectionCode},{Rules.SectionCode},0))*N({Target}))),9))',
               wider=_BAND_IN_FORCE),
        Column("Low", "weight", "formula", 8,
               formula='=IF({Ticker}="","",IF({Band}=9,0,MAX(0,N({Target})-{Band})))'),
        Column("High", "weight", "formula", 8,
               formula='=IF({Ticker}="","",IF({Band}=9,1,N({Target})+{Band}))'),
        Column("Signal", "signal", "formula", 4,
               formula='=IF({Ticker}="","",IF({Status}={@status.OVER},"▲",IF({Status}={@status.UNDER},"▼",'
                       'IF({Status}={@status.OK},"●","–"))))'),
        Column("Status", "status", "formula", 11, words="status", formula=_STATUS.format(locked=_LOCKED),
               goaled=_STATUS.format(locked=f'IF({{=Ticker}}<>"",{_LOCKED},{_ALL_LOCKED})')),
        Column("Check", role="formula", width=24, reveals=True, check=True, formula=f"={_TARGET_CHECK}",
               goaled=f"=IF(AND({_IS_GOAL},ISNA(MATCH({{Ticker}},{{Goals.Goal}},0))),{{!check.goal-unplanned}},"
                      f"IF(ISERROR({{Target}}),{{!check.share-unplanned}},{_TARGET_CHECK}))"),
        SECTION_CODE,
        Column("Within", role="result", hidden=True, shared=False, optional=True),
        Column("Key", role="formula", hidden=True, shared=False, optional=True,
               formula='=IF({=Ticker}<>"",{=Ticker},IF({Goal}<>"",{Goal},IF({Class}<>"",{~class:Class},'
               f'SUBSTITUTE({_LISTED},"|","{JOINT}"))))'),
        Column("Leaf", "integer", "formula", hidden=True, shared=False, optional=True,
               formula='=IF({Ticker}="","",IF(SUMPRODUCT(--({Targets.Within}={Ticker}))>0,0,1))'),
        Column("Counted", "weight", "formula", hidden=True, shared=False, optional=True, exact=True,
               formula='=IF({Ticker}="","",IF({Leaf}=1,{Target},0))'),
        Column("CountedWeight", "weight", "formula", hidden=True, shared=False, optional=True,
               formula='=IF({Ticker}="","",IF({Leaf}=1,{Weight},0))'),
    ),
    required=("Ticker", "Target"),
    spare=3,
    identity=("Ticker", "Goal", "Members", "Class"),
    sums=True,
    always=True,
)  # fmt: skip

GROUPS = Table(
    "Groups",
    "Settings",
    (
        Column("Name", key="name", width=14),
        Column("Members", "list", key="members", width=26),
        Column("Min", "weight", key="min", width=9),
        Column("Max", "weight", key="max", width=9),
        Column("Weight", "weight", "formula", 9,
               formula='=IF({Name}="","",SUMPRODUCT(ISNUMBER(SEARCH(","&{Holdings.Ticker}&",",","&SUBSTITUTE('
                       '{Members}," ","")&","))*({Holdings.Ticker}<>""),{Holdings.Weight}))'),
        Column("Status", "status", "formula", 11, words="status",
               formula='=IF({Name}="","",IF(AND({Max}<>"",ROUND({Weight}-N({Max}),12)>0),{@status.OVER},'
                       'IF(AND({Min}<>"",ROUND(N({Min})-{Weight},12)>0),{@status.UNDER},{@status.OK})))'),
    ),
    required=("Members", "Max"),
    spare=2,
    identity=("Name",),
)  # fmt: skip


RULES = Table(
    "Rules",
    "Settings",
    (
        Column("Section", "choice", key="section", choices=SECTIONS, width=11, words="section"),
        Column("Schedule", "choice", key="schedule", choices=SCHEDULES, width=13, words="schedule"),
        Column("Months", "list", key="months", optional=True),
        Column("AbsoluteBand", "weight", key="absolute_band"),
        Column("RelativeBand", "weight", key="relative_band"),
        Column("RelativeBandHigh", "weight", key="relative_band_high_volatility", optional=True),
        Column("MinTrade", "money", key="min_trade", width=13),
        Column("LastRebalanced", "date", key="last_rebalanced", width=12),
        Column("Target", "weight", "formula", 9, exact=True,
               formula='=IF({Section}="","",SUMPRODUCT(--({Targets.SectionCode}={SectionCode}),{+Targets.Target}))'),
        Column("Weight", "weight", "formula", 9,
               formula='=IF({Section}="","",SUMPRODUCT(--({Targets.SectionCode}={SectionCode}),{+Targets.Weight}))'),
        Column("Drift", "drift", "formula", 9,
               formula='=IF({Section}="","",{Weight}-{Target})'),
        Column("Status", "status", "formula", 11, words="status",
               formula='=IF({Section}="","",IF(ROUND(ABS({Drift})-IF({AbsoluteBand}<>"",{AbsoluteBand},'
                       'IF({RelativeBand}<>"",{RelativeBand}*{Target},9)),12)>0,IF({Drift}>0,{@status.OVER},{@status.UNDER}),{@status.OK}))'),
        SECTION_CODE,
    ),
    required=("Section", "Schedule"),
    spare=2,
    identity=("Section",),
)  # fmt: skip

ACCOUNTS = Table(
    "Accounts",
    "Settings",
    (
        Column("Name", key="name", width=12),
        Column("Type", "choice", key="type", choices=ACCOUNT_TYPES, words="account_type"),
        Column("Markets", "list", key="markets", choices=MARKETS, words="market"),
        Column("RiskCap", "weight", key="risk_cap", width=12, bounded=False, words="restriction"),
        Column("Banned", "list", key="banned", choices=TRAITS, width=16, words="trait"),
        Column("CashBuffer", "money", key="cash_buffer", width=13),
        Column("Value", "money", "formula", 15,
               formula='=IF({Name}="","",SUMPRODUCT(--({Holdings.Account}={Name}),{Holdings.Value})'
                       '+SUMPRODUCT(--({Cash.Account}={Name}),{Cash.Value}))'),
    ),
    required=("Name", "Type"),
    identity=("Name",),
)  # fmt: skip

CLASS_TREE = Table(
    "Classes",
    "Settings",
    (
        Column("Class", key="class", width=18, words="class"),
        Column("Within", key="within", width=18, words="class"),
    ),
    required=("Class", "Within"),
    optional=True,
    spare=2,
    identity=("Class",),
)

PREFERENCES = Table(
    "Preferences",
    "Settings",
    (
        Column("What", key="what", width=18, words="preference"),
        Column("Places", key="places", width=30),
    ),
    required=("What", "Places"),
    optional=True,
    spare=2,
    identity=("What",),
)

SETTINGS = Table(
    "Settings",
    "Settings",
    (
        Column("Key", key="key", width=18, words="setting"),
        Column("Value", "text", key="value", width=16, plain=True, words=_setting_words),
        Column("Choices", role="result", width=28, wrapped=True),
        Column("Meaning", role="result", width=44, wrapped=True),
    ),
    required=("Key", "Value"),
    spare=0,
)

COSTS = Table(
    "Costs",
    "Settings",
    (
        Column("Key", key="key", width=12),
        Column("Commission", "number", key="commission", percent=True),
        Column("Minimum", "number", key="minimum", reveals=True),
        Column("SellTax", "number", key="sell_tax", percent=True),
    ),
    required=("Key", "Commission", "SellTax"),
)  # fmt: skip


FX = Table(
    "FxRates",
    "Cash",
    (
        Column("Currency", "text", key="currency", width=9),
        Column("Pair", "text", key="pair", width=10),
        Column("ManualRate", "rate", key="rate", width=12),
        Column("MarketRate", "rate", "result", 12),
        Column("Rate", "rate", "formula", 12,
               formula='=IF({Currency}="","",IF({ManualRate}="",IF({MarketRate}="","",{MarketRate}),'
                       'IF({Pair}={Currency}&BaseCurrency,{ManualRate},IF({Pair}=BaseCurrency&{Currency},'
                       '1/{ManualRate},IF({MarketRate}="","",{MarketRate})))))'),
        Column("AsOf", "datetime", "result", 17),
        Column("Source", role="result", width=10, words="source"),
        Column("Status", "status", "result", 10, words="price"),
    ),
    required=("Pair", "ManualRate"),
    identity=("Pair",),
    results=True,
)  # fmt: skip

INSTRUMENTS = Table(
    "Instruments",
    "Settings",
    (
        Column("Ticker", "ticker", key="symbol"),
        Column("Name", key="name", width=24),
        Column("Market", "choice", key="market", choices=MARKETS, width=8, shared=False, words="market"),
        Column("Currency", "choice", key="currency", choices=CURRENCIES, width=9),
        Column("Class", "choice", key="asset_type", choices=ASSET_TYPES, width=8, shared=False, words="asset_type"),
        Column("AssetClass", "choice", key="asset_class", choices=ASSET_CLASSES, words="asset_class"),
        Column("Leverage", "number", key="leverage", width=9),
        Column("Futures", "bool", key="futures", width=8),
        Column("TER", "number", key="expense_ratio", width=8, percent=True),
        Column("Lot", "number", key="lot", width=8),
        Column("NameEn", key="name_en", width=20),
        Column("Exposure", key="exposure", width=30, optional=True),
    ),
    required=("Ticker", "AssetClass", "Leverage"),
    sums=True,
)


HISTORY = Table(
    "History",
    "History",
    (
        Column("Date", "date", width=12, key="date"),
        Column("Value", "money", width=16, key="value", indexed=True),
        Column("Flow", "money", width=14, key="flow"),
        Column("CashWeight", "weight", width=9, key="cash_weight"),
        Column("CoreWeight", "weight", width=9, key="core_weight"),
        Column("SatelliteWeight", "weight", width=9, key="satellite_weight"),
        Column("Drift", "weight", width=9, key="drift"),
        Column("Note", width=40, key="note", reveals=True, shared=False),
    ),
    required=("Date", "Value"),
    spare=8,
)

#: The columns of NAME.ledger.csv (`engine.ledger.entries`), those first that a person reads.
LEDGER = Table(
    "Ledger",
    "Ledger",
    (
        Column("Date", "date", width=12, key="date"),
        Column("Kind", "choice", key="kind", choices=ENTRY_KINDS, width=12, words="entry"),
        Column("Account", key="account"),
        Column("Ticker", "ticker", key="symbol"),
        Column("Quantity", "number", width=12, key="quantity"),
        Column("Price", "number", width=13, key="price"),
        Column("Currency", "choice", key="currency", choices=CURRENCIES, width=9),
        Column("Amount", "number", width=16, key="amount"),
        Column("Cost", "number", width=11, key="cost"),
        Column("Tax", "number", width=11, key="tax"),
        Column("FX", "number", width=11, key="fx"),
        Column("Note", width=30, key="note"),
        Column("Id", width=18, key="id"),
        Column("Batch", width=18, key="batch"),
        Column("Undoes", width=18, key="undoes"),
        Column("Format", "integer", width=8, key="format"),
    ),
    required=("Date", "Kind", "Id", "Batch"),
    spare=8,
)
