"""Every caption and sentence of the reports, in English and Korean."""

from __future__ import annotations

from collections.abc import Mapping

from rebalancer.language import Lang

#: name: (English, Korean)
TEXTS: Mapping[str, tuple[str, str]] = {
    # captions
    "plan": ("Rebalancing plan", "리밸런싱 계획"),
    "portfolio": ("Portfolio", "포트폴리오"),
    "as_of": ("As of", "기준일"),
    "total": ("Total value", "총 평가액"),
    "drift_total": ("Drift of the portfolio", "포트폴리오 괴리"),
    "needs": ("Needs rebalancing", "리밸런싱 필요"),
    "yes": ("yes", "예"),
    "no": ("no", "아니요"),
    "prices": ("Prices", "시세"),
    "summary": ("Summary", "요약"),
    "positions": ("Positions", "종목"),
    "sections": ("Sections", "구성"),
    "trades": ("Trades", "매매"),
    "conversions": ("Currency conversions", "환전"),
    "cash": ("Cash", "현금"),
    "reconciliation": ("Reconciliation", "현금 검산"),
    "tax": ("Costs and taxes (estimate)", "비용과 세금 (추정)"),
    "quality": ("Quality of the plan", "계획의 품질"),
    "problems": ("Problems", "확인할 점"),
    "conclusion": ("Conclusion", "결론"),
    # columns
    "name": ("Name", "종목명"),
    "symbol": ("Ticker", "종목코드"),
    "section": ("Section", "구성"),
    "accounts": ("Accounts", "계좌"),
    "account": ("Account", "계좌"),
    "quantity": ("Quantity", "수량"),
    "price": ("Price", "가격"),
    "currency": ("Currency", "통화"),
    "fx": ("FX", "환율"),
    "value": ("Value", "평가액"),
    "weight": ("Weight", "비중"),
    "target": ("Target", "목표"),
    "drift_points": ("Drift pp", "괴리 %p"),
    "drift": ("Drift", "괴리"),
    "band": ("Band", "밴드"),
    "low": ("Low", "하한"),
    "high": ("High", "상한"),
    "status": ("Status", "상태"),
    "source": ("Price source", "시세 출처"),
    "price_as_of": ("Price as of", "시세 시각"),
    "session": ("Session", "장 구분"),
    "fresh": ("fresh", "최신"),
    "due": ("Due", "점검"),
    "next_due": ("Next due", "다음 점검"),
    "breaches": ("Outside the band", "밴드 이탈"),
    "side": ("Side", "구분"),
    "amount": ("Amount", "금액"),
    "cost": ("Cost", "비용"),
    "tax_column": ("Tax", "세금"),
    "cost_tax": ("Cost+tax", "비용+세금"),
    "reason": ("Reason", "이유"),
    "weight_after": ("Weight after", "매매 후 비중"),
    "before": ("Before", "매매 전"),
    "sells": ("+ Sells", "+ 매도"),
    "buys": ("- Buys", "- 매수"),
    "costs": ("- Costs", "- 비용·세금"),
    "exchanged": ("± Exchange", "± 환전"),
    "after": ("= After", "= 매매 후"),
    "check": ("Check", "검산"),
    "all_accounts": ("All", "전체"),
    "severity": ("Severity", "구분"),
    "code": ("Code", "코드"),
    "where": ("Where", "위치"),
    "message": ("Message", "내용"),
    "stale": ("STALE", "오래됨"),
    "due_now": ("due now", "점검일"),
    "never": ("-", "-"),
    "risk.OK": ("OK", "지킴"),
    "risk.BREACH": ("BREACH", "위반"),
    "risk.UNKNOWN": ("UNKNOWN", "모름"),
    "verdict.HOLD": ("HOLD", "유지"),
    "verdict.REVIEW": ("REVIEW", "재검토"),
    "verdict.REPLACE": ("REPLACE", "교체"),
    "session.pre": ("pre", "장전"),
    "session.regular": ("regular", "정규장"),
    "session.after": ("after", "시간외"),
    "session.closed": ("closed", "장 마감"),
    "session.unknown": ("unknown", "모름"),
    "store.quotes": ("quotes", "시세"),
    "store.history": ("history", "과거 시세"),
    "store.facts": ("facts", "종목 정보"),
    "store.unknown": ("unknown", "모르는 종목"),
    "store.breakers": ("breakers", "쉬는 제공처"),
    "store.watch": ("watch", "관심 종목"),
    "store.listings": ("listings", "ETF 목록"),
    "doctor.ok": ("ok", "정상"),
    "doctor.note": ("note", "참고"),
    "doctor.wrong": ("wrong", "문제"),
    "cleared": ("cleared", "비웠습니다"),
    "left_alone": ("{source}: {error}, not asked before {until}", "{source}: {error}, {until}까지 묻지 않음"),
    "chart": ("Current and target weights", "현재 비중과 목표 비중"),
    # values
    "buy": ("buy", "매수"),
    "sell": ("sell", "매도"),
    "core": ("core", "코어"),
    "satellite": ("satellite", "새틀라이트"),
    "all": ("all", "전체"),
    "error": ("error", "오류"),
    "warning": ("warning", "주의"),
    "info": ("note", "참고"),
    "OK": ("OK", "적정"),
    "OVER": ("OVER", "초과"),
    "UNDER": ("UNDER", "부족"),
    "NO_TARGET": ("NO TARGET", "목표 없음"),
    "LOCKED": ("LOCKED", "고정"),
    "DISABLED": ("DISABLED", "제외"),
    "balances": ("OK", "일치"),
    "differs": ("DIFFERS", "불일치"),
    # sentences
    "sample_prices": (
        "SAMPLE PRICES of {date}: made up for demonstration. Do not trade on them.",
        "{date} 예시 시세: 시연용으로 만든 가격입니다. 이 가격으로 매매하지 마세요.",
    ),
    "stale_prices": (
        "STALE PRICES: {list}. Refresh them before you trade.",
        "오래된 시세: {list}. 매매 전에 갱신하세요.",
    ),
    "source_line": ("{source}: {count} ({age})", "{source}: {count}개 ({age})"),
    "no_date": ("no date given", "시각 정보 없음"),
    "no_trades": ("No trades.", "매매할 것이 없습니다."),
    "converts": (
        "{account}Convert {amount} into {bought} at {rate} {cheap} per {dear}, spread {cost} included",
        "{account}{amount} → {bought} 환전, 환율 {dear}당 {rate} {cheap}, 스프레드 {cost} 포함",
    ),
    "target_left": (
        'The targets leave {weight} for cash; after the plan it holds what is shown under "= After".',
        '목표 비중의 나머지 {weight}는 현금 몫이며, 매매 뒤 현금은 "= 매매 후"와 같습니다.',
    ),
    "balanced": (
        "Before + sells - buys - costs ± exchange = after, to the smallest unit of each currency.",
        "매매 전 + 매도 - 매수 - 비용 ± 환전 = 매매 후, 통화별 최소 단위까지 일치합니다.",
    ),
    "unbalanced": (
        "DOES NOT RECONCILE in {list}. Do not trade on this plan; please report it.",
        "{list} 현금이 맞지 않습니다. 이 계획으로 매매하지 말고 알려 주세요.",
    ),
    "proven_best": (
        "Provably the best plan: what is left of deviation, with costs, is {objective} of the total value.",
        "증명된 최선의 계획입니다. 남는 괴리와 비용의 합은 총액의 {objective}입니다.",
    ),
    "proven_gap": (
        "Within {gap} of the provably best plan: deviation and costs left: {objective} of the total (least {bound}).",
        "증명된 최선에서 {gap} 이내입니다. 남는 괴리와 비용의 합은 총액의 {objective}, 가능한 최소는 {bound}입니다.",
    ),
    "found_by": ("Found by {method} in {seconds} s.", "방법: {method}, {seconds}초."),
    "transaction_tax": ("Taxes on the sales themselves: {amount}", "거래세: {amount}"),
    "overseas_tax": (
        "Korean tax on overseas gains, for these sales alone: gain {gain}, allowance {allowance} a year, tax {tax}",
        "해외주식 양도소득세(이번 매도만): 양도차익 {gain}, 연간 공제 {allowance}, 세금 {tax}",
    ),
    "dividend_tax": (
        "Korean-listed foreign funds, taxed as dividends: income {income}, tax {tax}",
        "국내 상장 해외 ETF 배당소득세: 소득 {income}, 세금 {tax}",
    ),
    "tax_missing": (
        "Taxes on gains are not known without the average cost of: {list}",
        "평균 단가가 없어 양도차익 세금을 알 수 없는 종목: {list}",
    ),
    "do_trades": (
        "{why} {what}; costs and taxes {costs}; {cash} of cash remain.",
        "{why} {what}, 비용·세금 {costs}, 남는 현금 {cash}.",
    ),
    "why_needed": ("Rebalance:", "리밸런싱 필요:"),
    "why_closer": (
        "Nothing is outside its band, yet these trades bring the portfolio closer to target:",
        "밴드를 벗어난 종목은 없지만 목표에 더 가까워지는 매매:",
    ),
    "do_sells": ("sell {amounts} in {count} orders", "매도 {count}건 {amounts}"),
    "do_buys": ("buy {amounts} in {count} orders", "매수 {count}건 {amounts}"),
    "do_sell": ("sell {amounts} in one order", "매도 1건 {amounts}"),
    "do_buy": ("buy {amounts} in one order", "매수 1건 {amounts}"),
    "nothing": (
        "Nothing to do: no position is outside its band and no review is due.",
        "할 일이 없습니다. 밴드를 벗어난 종목도, 점검일이 된 구성도 없습니다.",
    ),
    "stuck": (
        "Rebalancing is due, but no allowed trade brings the portfolio closer to its targets.",
        "리밸런싱이 필요하지만, 허용된 매매로는 목표에 더 가까워지지 않습니다.",
    ),
    "written": ("Workbook: {path}", "통합 문서: {path}"),
    "zero": ("none", "없음"),
}


def say(name: str, lang: Lang, **values: object) -> str:
    """Return a text in the language, its placeholders filled. Raises KeyError for an unknown name."""
    text = TEXTS[name][lang == "ko"]
    return text.format(**values) if values else text


def known(name: str, lang: Lang) -> str:
    """Return a value's name in the language where there is one (a section, say), else the value itself."""
    return say(name, lang) if name in TEXTS else name
