"""Korean particles, right by the sound that the word before them ends in."""

from __future__ import annotations

import re
from decimal import Decimal

#: As catalogues write them: after a consonant, after a vowel.
_PARTICLES = {
    "은(는)": ("은", "는"),
    "이(가)": ("이", "가"),
    "을(를)": ("을", "를"),
    "과(와)": ("과", "와"),
    "(으)로": ("으로", "로"),
    "(이)라": ("이라", "라"),
    "(이)나": ("이나", "나"),
    "(이)면": ("이면", "면"),
}
_PARTICLE = re.compile("|".join(re.escape(written) for written in _PARTICLES))
_BEFORE = re.compile(r"[0-9A-Za-z가-힣%$₩]")
#: How digits end when they are read: 영, 일, 이, 삼, …
_DIGITS = dict(zip("0123456789", ("ㅇ", "ㄹ", "", "ㅁ", "", "", "ㄱ", "ㄹ", "ㄹ", ""), strict=True))
#: How the names of letters end, where not in a vowel: 엘, 엠, 엔, 알.
_LETTERS = {"L": "ㄹ", "M": "ㅁ", "N": "ㄴ", "R": "ㄹ"}
_SIGNS = {"%": "", "$": "", "₩": "ㄴ"}
#: How a last character is read, where it is no Hangul.
_READ: dict[str, str] = {**_DIGITS, **_LETTERS, **_SIGNS}
_FINALS: tuple[str, ...] = ("", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ")


def with_particles(text: str) -> str:
    """Return the text with each particle in the form that the word before it takes.

    >>> with_particles("QQQ은(는) 3주, SCHD을(를), 서울(으)로, 005930이(가)")
    'QQQ는 3주, SCHD를, 서울로, 005930이'
    """
    return _PARTICLE.sub(lambda found: _chosen(found[0], text[: found.start()]), text)


def _chosen(written: str, before: str) -> str:
    closed, open_ = _PARTICLES[written]
    final = _final(before)
    # 로 also follows ㄹ: 서울로.
    return open_ if not final or (written == "(으)로" and final == "ㄹ") else closed


def _final(text: str) -> str:
    """Return the consonant that a text ends in when it is read aloud, "" for a vowel; signs and quotes are passed over.

    What stands in brackets at the end is passed over too: 삼성전자(005930) is read by its name.
    """
    bare = re.sub(r"\s*\([^()]*\)\W*$", "", text)
    found = _BEFORE.findall(bare or text)
    if not found:
        return ""
    last = found[-1]
    if "가" <= last <= "힣":
        return _FINALS[(ord(last) - ord("가")) % 28]
    return _READ.get(last.upper(), "")


#: What Koreans count large amounts by.
_UNITS = ((Decimal(10) ** 12, "조"), (Decimal(10) ** 8, "억"))


def in_large_units(amount: Decimal) -> str:
    """Return an amount as Koreans say it: with one digit after the point above a trillion, in full below 100 million.

    >>> in_large_units(Decimal("729313000000000"))
    '729.3조'
    """
    for unit, name in _UNITS:
        if abs(amount) >= unit:
            return f"{amount / unit:,.1f}".removesuffix(".0") + name
    return f"{amount:,.0f}"
