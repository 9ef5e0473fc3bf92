"""Where a problem is, in the reader's language: a sheet's cell, a file's line, a price, a rule."""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.phrase import Phrase

#: What stands alone, or before the name of what it is about.
_WORDS: Mapping[str, str] = {
    "account": "계좌",
    "cash": "현금",
    "clock": "시계",
    "command line": "명령줄",
    "compare": "비교",
    "concentration.before": "집중도",
    "core": "코어",
    "correlate": "상관계수",
    "costs": "비용",
    "facts": "ETF 정보",
    "funds": "ETF",
    "fx": "환율",
    "group": "그룹",
    "groups": "그룹",
    "history": "과거 시세",
    "market data": "시세 자료",
    "portfolio": "포트폴리오",
    "position": "종목",
    "price": "시세",
    "prices": "시세",
    "review": "새틀라이트 점검",
    "rules": "규칙",
    "risk": "한도 점검",
    "satellite": "새틀라이트",
    "universe": "후보 종목",
    "weights": "비중",
}
#: The rules of `engine.analysis.risk`, before what each is about.
_RULES: Mapping[str, str] = {
    "banned": "금지 종목",
    "core-aum": "코어 순자산",
    "core-fee": "코어 보수",
    "core-maximum": "코어 최대",
    "core-minimum": "코어 최소",
    "core-total-return": "코어 분배금 재투자",
    "core-tracking-error": "코어 추적오차",
    "gross-exposure": "총 노출",
    "group-maximum": "그룹 최대",
    "group-minimum": "그룹 최소",
    "leveraged-fund": "레버리지 ETF",
    "leveraged-total": "레버리지 합계",
    "maximum": "최대 비중",
    "minimum": "최소 비중",
    "portfolio-fee": "가중 보수",
    "risk-asset-cap": "위험자산 한도",
    "single-name": "단일 기업",
    "volatility-band": "변동성 밴드",
}
#: What a rule is about, where it is not one instrument, group or account.
_SCOPES: Mapping[str, str] = {"portfolio": "전체", "core": "코어", "company": "기업", "rotation": "로테이션"}


def _any(words: Mapping[str, str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_RULE = re.compile(rf"^({_any(_RULES)})(?: ({_any(_SCOPES)})$|(?=$| ))")
_FIRST = re.compile(rf"^({_any(_WORDS)})(?=$| )")
#: (what a place looks like, how it is said), applied in turn.
_SHAPES = (
    (re.compile(r"^sample portfolio\b"), "예시 포트폴리오"),
    (re.compile(r"^sample prices\b"), "예시 시세"),
    (re.compile(r"^price of (.+)$"), r"\1 시세"),
    (re.compile(r"^limit of (.+)$"), r"\1 한도"),
    (re.compile(r"\btable (\w+) \(headers ([^)]*)\), row (\w+)"), r"\1 표(머리글 \2) \3 행"),
    (re.compile(r"\bsheet ('[^']*'|\"[^\"]*\")"), r"\1 시트"),
    (re.compile(r",? \brow (\d+)"), r" \1행"),
    (re.compile(r" line (\d+)(?=:|$)"), r" \1행"),
    (re.compile(r"\bcolumn ([A-Z]+) \((\w+)\)"), r"\1열(\2)"),
    (re.compile(r",? column (\d+)$"), r" \1열"),
    (re.compile(r",? column (\S+)$"), r" \1 열"),
    (re.compile(r", line (\d+)$"), r", \1번째 줄"),
)


def place(where: str | Phrase, lang: str) -> str:
    """Return a problem's `where` in a language; what has no regular shape, such as a path, stays as it is."""
    if isinstance(where, Phrase):
        from engine.words import tell

        return tell(where, lang)
    if lang != "ko":
        return where
    for shape, said in _SHAPES:
        where = shape.sub(said, where)
    where = _RULE.sub(lambda found: f"{_RULES[found[1]]} {_SCOPES.get(found[2], '')}".rstrip(), where)
    return _FIRST.sub(lambda found: _WORDS[found[1]], where)


def scope(word: str, lang: str) -> str:
    """Return what a rule is about in a language: the portfolio, the core, else the name as it is."""
    return _SCOPES.get(word, word) if lang == "ko" else word
