"""What the replayed vendors answer: invented numbers in the shapes that yfinance 1.7.0, pykrx 1.2.9 and Naver have."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

#: The moment that tests take as now: a Friday, Korea open, New York closed since Thursday's session.
NOW = dt.datetime(2026, 11, 20, 5, 0, tzinfo=dt.UTC)
CRUMB = "CrUmB-sEcReT"
COOKIE = "d=AQAB-cookie-sEcReT"
KRX_ID, KRX_PW = "krx-user-sEcReT", "krx-pass-sEcReT"


@dataclass(frozen=True)
class Request:
    host: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    cookie: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    body: bytes
    status: int = 200
    type: str = "application/json; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Share:
    """One instrument; `symbol` is Yahoo's, `code` the Korean one."""

    symbol: str
    price: float
    currency: str = "USD"
    kind: str = "EQUITY"
    zone: str = "America/New_York"
    name: str = ""
    shown_as: str = ""
    last_close_missing: bool = False

    @property
    def code(self) -> str:
        return self.symbol.partition(".")[0]


def _universe() -> dict[str, Share]:
    seoul = "Asia/Seoul"
    shares = [
        Share("AAPL", 201.5, name="Apple Inc."),
        Share("MSFT", 402.25, name="Microsoft Corporation"),
        Share("BRK-B", 488.1, name="Berkshire Hathaway Inc."),
        Share("SPY", 601.0, kind="ETF", name="SPDR S&P 500 ETF Trust"),
        Share("QQQ", 512.3, kind="ETF", name="Invesco QQQ Trust"),
        Share("005930.KS", 71000, "KRW", zone=seoul, name="삼성전자"),
        Share("000660.KS", 187000, "KRW", zone=seoul, name="SK하이닉스"),
        Share("069500.KS", 42965, "KRW", "ETF", seoul, "KODEX 200"),
        Share("360750.KS", 21035, "KRW", "ETF", seoul, "TIGER 미국S&P500"),
        Share("0193W0.KS", 9875, "KRW", "ETF", seoul, "KODEX 삼성전자단일종목레버리지"),
        Share("247540.KQ", 152000, "KRW", zone=seoul, name="에코프로비엠"),
        Share("KRW=X", 1402.5, "KRW", "CURRENCY", "Europe/London", "USD/KRW"),
        Share("EURKRW=X", 1520.25, "KRW", "CURRENCY", "Europe/London", "EUR/KRW"),
    ]
    return {share.symbol: share for share in shares}


def many() -> tuple[list[str], list[str]]:
    """Fifty further symbols, 25 US and 25 Korean, for the benchmark and the threads."""
    return [f"Z{chr(65 + i)}Q" for i in range(25)], [f"9{i:02d}010" for i in range(25)]


@dataclass
class Vendors:
    """The vendors' state. Change `shares`, the trade times or the dictionaries to change what they say."""

    shares: dict[str, Share] = field(default_factory=_universe)
    traded: dict[str, dt.datetime] = field(default_factory=dict)
    yahoo_state: str = "REGULAR"
    naver_status: str = "OPEN"
    naver_session: str = "regularMarket"
    naver_prices: dict[str, str] = field(default_factory=dict)
    naver_names: dict[str, str] = field(default_factory=dict)
    closes: dict[str, tuple[list[dt.date], list[Any], dict[str, Any]]] = field(default_factory=dict)
    previous: dict[str, float] = field(default_factory=dict)
    listed_on: dict[str, dt.datetime] = field(default_factory=dict)
    second: dict[str, float] = field(default_factory=dict)
    dropped_second: set[str] = field(default_factory=set)
    reuters: dict[str, str] = field(default_factory=lambda: {"SPY": ".A", "BRK-B": ""})
    per_euro: dict[str, float] = field(default_factory=lambda: {"USD": 1.084, "JPY": 163.1, "KRW": 1520.3})
    reference_day: dt.date = dt.date(2026, 11, 19)
    halted: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)
    #: What becomes of the body of a kind of request, on its way.
    twisted: dict[str, Callable[[bytes], bytes]] = field(default_factory=dict)
    crumb: str = CRUMB
    logins: list[tuple[str, str]] = field(default_factory=list)
    login_code: str = ""
    sessions: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.traded = {
            "Asia/Seoul": NOW - dt.timedelta(seconds=40),
            "America/New_York": dt.datetime(2026, 11, 19, 21, 0, tzinfo=dt.UTC),
            "Europe/London": NOW - dt.timedelta(seconds=30),
        }
        us, korean = many()
        self.shares.update({name: Share(name, 100 + i, name=name) for i, name in enumerate(us)})
        self.shares.update(
            {
                f"{code}.KS": Share(f"{code}.KS", 10_000 + 10 * i, "KRW", zone="Asia/Seoul", name=f"종목{i:02d}")
                for i, code in enumerate(korean)
            }
        )

    def change(self, symbol: str, **fields: Any) -> None:
        """Change an instrument."""
        self.shares[symbol] = replace(self.shares[symbol], **fields)

    def by_code(self) -> dict[str, Share]:
        return {share.code: share for share in self.shares.values() if share.zone == "Asia/Seoul"}

    def answer(self, request: Request) -> tuple[str, Answer]:
        """Return the kind of a request, for faults and the log, and what a healthy vendor answers."""
        for suffix, path, kind, reply in _ROUTES:
            if request.host.endswith(suffix) and request.path.startswith(path):
                told = reply(self, request)
                twisted = self.twisted.get(kind) if told.status == 200 else None
                return kind, replace(told, body=twisted(told.body)) if twisted else told
        return "elsewhere", Answer(b"{}", 404)

    # --- Yahoo ----------------------------------------------------------------------------------------------------
    def cookie_page(self, _request: Request) -> Answer:
        cookie = f"A3={COOKIE}; Expires=Fri, 20 Nov 2037 00:00:00 GMT; Domain=.yahoo.com; Path=/; Secure; HttpOnly"
        return Answer(b"", 404, "text/html", (("Set-Cookie", cookie),))

    def crumb_page(self, _request: Request) -> Answer:
        return Answer(self.crumb.encode(), type="text/plain")

    def consent_page(self, _request: Request) -> Answer:
        return Answer(b"<html><body>no form</body></html>", type="text/html")

    def _refused(self, request: Request) -> Answer | None:
        if request.query.get("crumb") == self.crumb and f"A3={COOKIE}" in request.cookie:
            return None
        error = {"code": "Unauthorized", "description": "Invalid Crumb"}
        return _json({"finance": {"result": None, "error": error}}, 401)

    def batch_quote(self, request: Request) -> Answer:
        refused = self._refused(request)
        if refused:
            return refused
        names = [name for name in request.query.get("symbols", "").split(",") if name not in self.dropped]
        rows = [self._row(self.shares[name]) for name in names if name in self.shares]
        return _json({"quoteResponse": {"result": rows, "error": None}})

    def _row(self, share: Share) -> dict[str, Any]:
        return {
            "symbol": share.shown_as or share.symbol,
            "quoteType": share.kind,
            "currency": share.currency,
            "regularMarketPrice": share.price,
            "regularMarketTime": int(self.traded[share.zone].timestamp()),
            "regularMarketPreviousClose": self.previous.get(share.symbol, share.price * 0.98),
            **({"firstTradeDateMilliseconds": listed * 1000} if (listed := self._listed(share)) else {}),
            "marketState": self.yahoo_state if share.zone != "America/New_York" else "PREPRE",
            "exchangeTimezoneName": share.zone,
            "exchangeDataDelayedBy": 20 if share.zone == "Asia/Seoul" else 0,
            "shortName": share.name,
            "longName": share.name,
        }

    def _listed(self, share: Share) -> int:
        day = self.listed_on.get(share.symbol)
        return int(day.timestamp()) - 6 * 3600 if day else 0

    def chart(self, request: Request) -> Answer:
        name = request.path.rpartition("/")[2]
        share = self.shares.get(name)
        if share is None:
            error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
            return _json({"chart": {"result": None, "error": error}}, 404)
        zone = ZoneInfo(share.zone)
        last = self.traded[share.zone].astimezone(zone).date()
        days = [day for i in range(7, -1, -1) if (day := last - dt.timedelta(days=i)).weekday() < 5]
        stamps = [int(dt.datetime.combine(day, dt.time(9, 30), zone).timestamp()) for day in days]
        closes: list[Any] = [share.price * (1 - 0.01 * (len(days) - 1 - i)) for i in range(len(days))]
        if share.last_close_missing:
            closes[-1] = None
        events: dict[str, Any] = {}
        if name in self.closes:
            days, given, more = self.closes[name]
            stamps = [int(dt.datetime.combine(day, dt.time(9, 30), zone).timestamp()) for day in days]
            closes = list(given)
            if "split" in more:
                day, new, old = more["split"]
                at = int(dt.datetime.combine(day, dt.time(9, 30), zone).timestamp())
                events = {"splits": {str(at): {"date": at, "numerator": new, "denominator": old}}}
        span = {"timezone": "X", "gmtoffset": 0, "start": stamps[-1], "end": stamps[-1] + 23400}
        meta = {
            "currency": share.currency,
            "symbol": share.shown_as or share.symbol,
            "exchangeName": "X",
            "instrumentType": share.kind,
            "firstTradeDate": 345479400,
            "regularMarketTime": int(self.traded[share.zone].timestamp()),
            "gmtoffset": 0,
            "timezone": "X",
            "exchangeTimezoneName": share.zone,
            "regularMarketPrice": share.price,
            "chartPreviousClose": share.price * 0.98,
            "priceHint": 2,
            "currentTradingPeriod": {"pre": span, "regular": span, "post": span},
            "dataGranularity": "1d",
            "range": "5d",
            "validRanges": ["1d", "5d", "1mo", "1y", "max"],
        }
        candles = dict.fromkeys(("open", "high", "low", "close"), closes)
        candles["volume"] = [None if close is None else 1000 for close in closes]
        totals = [c * 0.99 if isinstance(c, float) else c for c in closes]
        if "dividend" in (more := self.closes.get(name, ([], [], {}))[2]):
            day, amount = more["dividend"]
            at = days.index(day)
            totals = [c * (1 - amount / closes[at - 1]) if i < at else c for i, c in enumerate(closes)]
        indicators = {"quote": [candles], "adjclose": [{"adjclose": totals}]}
        return _json(
            {
                "chart": {
                    "result": [{"meta": meta, "timestamp": stamps, "events": events, "indicators": indicators}],
                    "error": None,
                }
            }
        )

    def spark(self, request: Request) -> Answer:
        """Closes alone of up to twenty symbols, cut to the range asked for; what is unknown is absent."""
        names = request.query.get("symbols", "").split(",")
        if len(names) > 20:
            return _json({"spark": {"result": None, "error": {"code": "Bad Request"}}}, 400)
        days = {"5d": 7, "1mo": 30, "3mo": 91, "6mo": 182, "1y": 365, "2y": 730, "5y": 1826, "10y": 3652}
        since = NOW.timestamp() - days.get(request.query.get("range", ""), 10**5) * 86400
        rows = []
        for name in names:
            if name not in self.shares or name in self.dropped:
                continue
            chart = json.loads(self.chart(replace(request, path=f"/{name}")).body)["chart"]["result"][0]
            closes = chart["indicators"]["quote"][0]["close"]
            kept = [(at, close) for at, close in zip(chart["timestamp"], closes, strict=True) if at >= since]
            answer = {
                "meta": chart["meta"],
                "timestamp": [at for at, _ in kept],
                "indicators": {"quote": [{"close": [close for _, close in kept]}]},
            }
            rows.append({"symbol": name, "response": [answer]})
        return _json({"spark": {"result": rows, "error": None}})

    def quote_summary(self, request: Request) -> Answer:
        refused = self._refused(request)
        if refused:
            return refused
        share = self.shares.get(request.path.rpartition("/")[2])
        if share is None:
            error = {"code": "Not Found", "description": "Quote not found"}
            return _json({"quoteSummary": {"result": None, "error": error}}, 404)
        result: dict[str, Any] = {
            "quoteType": {"quoteType": share.kind, "symbol": share.symbol, "timeZoneFullName": share.zone},
            "price": {"longName": share.name, "currency": share.currency},
            "summaryDetail": {"currency": share.currency, "marketCap": 3.1e12},
        }
        if share.kind == "EQUITY":
            result["assetProfile"] = {"sector": "Technology"}
        else:
            result["summaryDetail"] = {"currency": share.currency, "yield": 0.0117, "totalAssets": 6.5e11}
            fees = {"annualReportExpenseRatio": 0.000945, "annualHoldingsTurnover": 0.03, "totalNetAssets": 650000.0}
            names = {"categoryName": "Large Blend", "family": "X", "legalType": "Exchange Traded Fund"}
            result["fundProfile"] = {**names, "feesExpensesInvestment": fees, "feesExpensesInvestmentCat": {}}
            result["summaryProfile"] = {"longBusinessSummary": "tracks an index"}
            holding = {"symbol": "NVDA", "holdingName": "NVIDIA Corp", "holdingPercent": 0.08}
            weights = [{"technology": 0.35}, {"healthcare": 0.10}]
            more: dict[str, Any] = {"equityHoldings": {}, "bondHoldings": {}, "bondRatings": []}
            result["topHoldings"] = {**more, "holdings": [holding], "sectorWeightings": weights}
        return _json({"quoteSummary": {"result": [result], "error": None}})

    # --- Naver ----------------------------------------------------------------------------------------------------
    def naver_quotes(self, request: Request) -> Answer:
        known = self.by_code()
        traded = self.traded["Asia/Seoul"].astimezone(ZoneInfo("Asia/Seoul")).isoformat(timespec="seconds")
        rows = []
        for code in request.path.rpartition("/")[2].split(","):
            if code not in known or code in self.dropped:
                continue
            price = self.naver_prices.get(code, f"{known[code].price:.0f}")
            rows.append(
                {
                    "itemCode": code,
                    "stockName": self.naver_names.get(code, known[code].name),
                    "stockExchangeType": {"code": "KS", "zoneId": "Asia/Seoul", "delayTime": 0},
                    "marketSessionType": self.naver_session,
                    "marketStatus": self.naver_status,
                    "tradeStopType": {"name": "STOPPED" if code in self.halted else "TRADING"},
                    "closePrice": price,
                    "closePriceRaw": price,
                    "localTradedAt": traded,
                }
            )
        return _json({"pollingInterval": 7000, "datas": rows})

    def naver_list(self, _request: Request) -> Answer:
        rows = [
            {"itemcode": share.code, "etfTabCode": 1, "itemname": share.name, "nowVal": share.price, "nav": share.price}
            for share in self.by_code().values()
            if share.kind == "ETF"
        ]
        body = json.dumps({"resultCode": "success", "result": {"etfItemList": rows}}, ensure_ascii=False)
        return Answer(body.encode("euc-kr"), type="application/json;charset=EUC-KR")

    def naver_facts(self, request: Request) -> Answer:
        code = request.path.split("/")[3]
        share = self.by_code().get(code)
        if share is None or share.kind != "ETF":
            return _json({"code": "StockNotFound"}, 404)
        return _json(
            {
                "itemCode": code,
                "itemName": share.name,
                "totalFee": 0.15,
                "marketValueRaw": "6123400000000",
                "returnPerformanceReferenceDate": "2026.11.19",
                "dividend": {"dividendYieldTtm": 1.8},
                "sectorPortfolioList": [{"detailTypeCode": "IT", "weight": 41.2}],
                "etfTop10MajorConstituentAssets": [
                    {"seq": 1, "itemCode": "005930", "itemName": "삼성전자", "etfWeight": "32.76%"},
                    {"seq": 2, "itemCode": "", "itemName": "NVIDIA CORP", "etfWeight": "-"},
                ],
            }
        )

    def naver_chart(self, request: Request) -> Answer:
        code = request.query.get("symbol", "")
        share = self.by_code().get(code)
        last = self.traded["Asia/Seoul"].astimezone(ZoneInfo("Asia/Seoul")).date()
        days = [day for i in range(14, -1, -1) if (day := last - dt.timedelta(days=i)).weekday() < 5]
        items = [f'<item data="{d:%Y%m%d}|{p}|{p}|{p}|{p}|100" />' for d in days if share for p in [int(share.price)]]
        head = f'<chartdata symbol="{code}" name="{share.name if share else ""}" count="{len(items)}" timeframe="day">'
        text = (
            f'<?xml version="1.0" encoding="EUC-KR" ?>\n<protocol>\n{head}\n{"".join(items)}\n</chartdata>\n</protocol>'
        )
        return Answer(text.encode("euc-kr"), type="text/xml; charset=euc-kr")

    # --- second sources -------------------------------------------------------------------------------------------
    def ecb_rates(self, _request: Request) -> Answer:
        rows = "".join(f"<Cube currency='{name}' rate='{rate}'/>" for name, rate in self.per_euro.items())
        head = '<?xml version="1.0" encoding="UTF-8"?><gesmes:Envelope xmlns:gesmes="x" xmlns="y">'
        text = f"{head}<Cube><Cube time='{self.reference_day}'>{rows}</Cube></Cube></gesmes:Envelope>"
        return Answer(text.encode(), type="text/xml")

    def frankfurter_rates(self, request: Request) -> Answer:
        base, rows = request.query.get("base", "").upper(), []
        known = {"EUR": 1.0, **self.per_euro}
        for quote in request.query.get("quotes", "").upper().split(","):
            if base in known and quote in known:
                rate = known[quote] / known[base]
                rows.append({"date": str(self.reference_day), "base": base, "quote": quote, "rate": rate})
        return _json(rows)

    def naver_rate(self, request: Request) -> Answer:
        code = request.path.rpartition("/")[2]
        share = self.shares.get("KRW=X" if code == "FX_USDKRW" else f"{code[3:]}=X")
        if share is None:
            return _json({"code": "StockConflict"}, 409)
        price = self.second.get(code, share.price)
        row = {
            "reutersCode": code,
            "localTradedAt": (self.traded["Europe/London"] - dt.timedelta(hours=1)).isoformat(timespec="seconds"),
            "closePrice": f"{price:,.2f}",
            "calcPrice": str(price),
            "fluctuationsType": {"code": "5"},
        }
        return _json({"exchangeInfo": row, "marketIndexCdList": []})

    def naver_world(self, request: Request) -> Answer:
        known = {share.symbol.replace("-B", "b") + self.reuters.get(share.symbol, ".O"): share
                 for share in self.shares.values() if share.zone == "America/New_York"}  # fmt: skip
        traded = self.traded["America/New_York"].astimezone(ZoneInfo("America/New_York")).isoformat()
        rows = [
            {
                "reutersCode": code,
                "symbolCode": known[code].symbol.replace("-", " "),
                "stockName": known[code].name,
                "closePrice": f"{self.second.get(known[code].symbol, known[code].price):,.2f}",
                "localTradedAt": traded,
                "marketStatus": "CLOSE",
                "currencyType": {"code": "USD"},
                "stockExchangeType": {"code": "NSQ", "nationType": "USA", "delayTime": 0},
            }
            for code in request.path.rpartition("/")[2].split(",")
            if code in known and known[code].symbol not in self.dropped_second
        ]
        return _json({"pollingInterval": 70000, "datas": rows})

    def cnbc_quotes(self, request: Request) -> Answer:
        rows = []
        for symbol in request.query.get("symbols", "").split("|"):
            share = self.shares.get(symbol.replace(".", "-"))
            if share is None:
                rows.append({"symbol": symbol, "code": 1})
                continue
            price = self.second.get(share.symbol, share.price)
            traded = self.traded["America/New_York"].isoformat(timespec="milliseconds")
            row = {"symbol": symbol, "code": 0, "shortName": share.name, "last": f"{price:,.2f}", "last_time": traded}
            rows.append({**row, "previous_day_closing": f"{price * 0.98:,.2f}", "curmktstatus": "POST_MKT"})
        return _json({"FormattedQuoteResult": {"FormattedQuote": rows if len(rows) > 1 else rows[0]}})

    # --- KRX ------------------------------------------------------------------------------------------------------
    def krx_front(self, _request: Request) -> Answer:
        cookie = "JSESSIONID=anonymous; Domain=.krx.co.kr; Path=/; HttpOnly"
        return Answer(b"<html/>", type="text/html", headers=(("Set-Cookie", cookie),))

    def krx_login(self, request: Request) -> Answer:
        given = request.form.get("mbrId", ""), request.form.get("pw", "")
        self.logins.append(given)
        code = self.login_code or ("CD001" if given == (KRX_ID, KRX_PW) else "CD002")
        if code != "CD001":
            return _json({"_error_code": code, "_error_message": "로그인 실패"})
        session = f"session-{len(self.logins)}-sEcReT"
        self.sessions.add(session)
        cookie = f"JSESSIONID={session}; Domain=.krx.co.kr; Path=/; HttpOnly"
        return Answer(_json({"_error_code": code, "_error_message": "정상"}).body, headers=(("Set-Cookie", cookie),))

    def krx_data(self, request: Request) -> Answer:
        if not any(session in request.cookie for session in self.sessions):
            return Answer(b"LOGOUT", 400, "text/html")
        table = request.form.get("bld", "").rpartition("/")[2]
        rows = _KRX_TABLES.get(table)
        return _json(rows(self) if rows else {"output": []})


def _json(document: Any, status: int = 200) -> Answer:
    return Answer(json.dumps(document, ensure_ascii=False).encode("utf-8"), status)


def _market(vendors: Vendors) -> dict[str, Any]:
    rows = [
        {
            "ISU_SRT_CD": share.code,
            "ISU_CD": f"KR7{share.code}003",
            "ISU_ABBRV": share.name,
            "MKT_NM": "KOSPI",
            "SECT_TP_NM": "",
            "TDD_CLSPRC": f"{share.price:,.0f}",
            "FLUC_TP_CD": "1",
            "CMPPREVDD_PRC": "500",
            "FLUC_RT": "0.71",
            "TDD_OPNPRC": f"{share.price:,.0f}",
            "TDD_HGPRC": f"{share.price:,.0f}",
            "TDD_LWPRC": f"{share.price:,.0f}",
            "ACC_TRDVOL": "12,345",
            "ACC_TRDVAL": "876,543,210",
            "MKTCAP": "423,860,000,000,000",
            "LIST_SHRS": "5,969,782,550",
            "MKT_ID": "STK",
        }
        for share in vendors.by_code().values()
        if share.kind == "EQUITY"
    ]
    return {"OutBlock_1": rows}


def _etf_prices(vendors: Vendors) -> dict[str, Any]:
    rows = [
        {
            "ISU_SRT_CD": share.code,
            "ISU_ABBRV": share.name,
            "TDD_CLSPRC": f"{share.price:,.0f}",
            "NAV": f"{share.price:,.2f}",
            "TDD_OPNPRC": f"{share.price:,.0f}",
            "TDD_HGPRC": f"{share.price:,.0f}",
            "TDD_LWPRC": f"{share.price:,.0f}",
            "ACC_TRDVOL": "192,061",
            "ACC_TRDVAL": "8,222,510,755",
            "OBJ_STKPRC_IDX": "421.35",
        }
        for share in vendors.by_code().values()
        if share.kind == "ETF"
    ]
    return {"output": rows}


def _etf_list(vendors: Vendors) -> dict[str, Any]:
    rows = [
        {
            "ISU_CD": f"KR7{share.code}007",
            "ISU_SRT_CD": share.code,
            "ISU_NM": share.name,
            "ISU_ABBRV": share.name,
            "LIST_DD": "2002/10/14",
            "ETF_TOT_FEE": "0.150",
        }
        for share in vendors.by_code().values()
        if share.kind == "ETF"
    ]
    return {"output": rows}


def _etn_list(_vendors: Vendors) -> dict[str, Any]:
    return {"output": [{"ISU_CD": "KRG580000112", "ISU_SRT_CD": "580011", "ISU_ABBRV": "ETN", "LIST_DD": "2020/09/01"}]}


def _elw_list(_vendors: Vendors) -> dict[str, Any]:
    return {"output": [{"ISU_CD": "KRA5811AJA22", "ISU_SRT_CD": "58F194", "ISU_ABBRV": "ELW", "LIST_DD": "2020/02/26"}]}


def _deposit(_vendors: Vendors) -> dict[str, Any]:
    def row(code: str, name: str, amount: str, percent: str) -> dict[str, str]:
        keys = ("COMPST_ISU_CD", "COMPST_ISU_CD2", "COMPST_ISU_NM", "COMPST_ISU_CU1_SHRS", "VALU_AMT", "COMPST_AMT")
        return {**dict(zip(keys, (code, code, name, "8,175.00", amount, amount), strict=True)), "COMPST_RTO": percent}

    rows = [row("005930", "삼성전자", "711,225,000", "16.53"), row("000660", "SK하이닉스", "400,000,000", "9.30")]
    return {"output": [*rows, row("KRD010010001", "원화현금", "209,056,629", "-")]}


def _sectors(vendors: Vendors) -> dict[str, Any]:
    rows = [
        {
            "ISU_SRT_CD": share.code,
            "ISU_ABBRV": share.name,
            "MKT_TP_NM": "KOSPI",
            "IDX_IND_NM": "전기·전자",
            "TDD_CLSPRC": f"{share.price:,.0f}",
            "CMPPREVDD_PRC": "500",
            "FLUC_RT": "0.71",
            "MKTCAP": "423,860,000,000,000",
            "FLUC_TP_CD": "1",
        }
        for share in vendors.by_code().values()
        if share.kind == "EQUITY"
    ]
    return {"block1": rows}


def _finder(vendors: Vendors) -> dict[str, Any]:
    rows = [
        {
            "full_code": f"KR7{share.code}003",
            "short_code": share.code,
            "codeName": share.name,
            "marketCode": "STK",
            "marketName": "유가증권",
            "marketEngName": "KOSPI",
            "ord1": "",
            "ord2": "16",
        }
        for share in vendors.by_code().values()
        if share.kind == "EQUITY"
    ]
    return {"block1": rows}


_KRX_TABLES: dict[str, Callable[[Vendors], dict[str, Any]]] = {
    "MDCSTAT01501": _market,
    "MDCSTAT04301": _etf_prices,
    "MDCSTAT04601": _etf_list,
    "MDCSTAT06701": _etn_list,
    "MDCSTAT08501": _elw_list,
    "MDCSTAT05001": _deposit,
    "MDCSTAT03901": _sectors,
    "finder_stkisu": _finder,
    "finder_listdelisu": _finder,
}
_COMS = "/contents/MDC/COMS/client/"
_ROUTES: tuple[tuple[str, str, str, Callable[[Vendors, Request], Answer]], ...] = (
    ("fc.yahoo.com", "/", "yahoo.cookie", Vendors.cookie_page),
    ("guce.yahoo.com", "/", "yahoo.consent", Vendors.consent_page),
    ("consent.yahoo.com", "/", "yahoo.consent", Vendors.consent_page),
    ("yahoo.com", "/v1/test/getcrumb", "yahoo.crumb", Vendors.crumb_page),
    ("yahoo.com", "/v7/finance/quote", "yahoo.quote", Vendors.batch_quote),
    ("yahoo.com", "/v8/finance/chart/", "yahoo.chart", Vendors.chart),
    ("yahoo.com", "/v7/finance/spark", "yahoo.spark", Vendors.spark),
    ("yahoo.com", "/v10/finance/quoteSummary/", "yahoo.summary", Vendors.quote_summary),
    ("naver.com", "/api/realtime/domestic/stock/", "naver.quotes", Vendors.naver_quotes),
    ("naver.com", "/api/realtime/worldstock/stock/", "naver-world.quotes", Vendors.naver_world),
    ("naver.com", "/marketindex/exchange/", "naver-rates.quotes", Vendors.naver_rate),
    ("ecb.europa.eu", "/stats/eurofxref/eurofxref-daily.xml", "ecb.quotes", Vendors.ecb_rates),
    ("frankfurter.dev", "/v2/rates", "frankfurter.quotes", Vendors.frankfurter_rates),
    ("quote.cnbc.com", "/quote-html-webservice/restQuote/", "cnbc.quotes", Vendors.cnbc_quotes),
    ("naver.com", "/api/sise/etfItemList.nhn", "naver.list", Vendors.naver_list),
    ("naver.com", "/api/stock/", "naver.facts", Vendors.naver_facts),
    ("naver.com", "/sise.nhn", "naver.chart", Vendors.naver_chart),
    ("data.krx.co.kr", f"{_COMS}MDCCOMS001D1.cmd", "krx.login", Vendors.krx_login),
    ("data.krx.co.kr", _COMS, "krx.front", Vendors.krx_front),
    ("data.krx.co.kr", "/comm/bldAttendant/getJsonData.cmd", "krx.data", Vendors.krx_data),
)
