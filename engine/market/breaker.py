"""Leave a source alone that has refused us, also after a restart: every further request makes it refuse longer."""

from __future__ import annotations

import datetime as dt

from engine import errors
from engine.errors import AuthFailed, Blocked, MarketDataError, RateLimited
from engine.market.store import Breaker, Store

MINUTE = 60.0
HOUR = 60 * MINUTE
#: Seconds that a source is left alone after a first, second, … refusal in a row.
WAITS: dict[type[MarketDataError], tuple[float, ...]] = {
    RateLimited: (15 * MINUTE, 30 * MINUTE, HOUR),
    Blocked: (HOUR,),
    AuthFailed: (15 * MINUTE,),
}
#: KRX shuts an address out for a day, and locks an account after a few wrong passwords.
KRX_WAITS: dict[type[MarketDataError], tuple[float, ...]] = {
    **WAITS,
    Blocked: (24 * HOUR,),
    RateLimited: (24 * HOUR,),
    AuthFailed: (24 * HOUR,),
}


def refusal(store: Store, source: str, now: dt.datetime) -> MarketDataError | None:
    """Return the error with which a source is not asked now, None where it may be asked."""
    breaker = store.breakers().get(source)
    if breaker is None or breaker.until <= now:
        return None
    kind: type[MarketDataError] = getattr(errors, breaker.error, RateLimited)
    left = (breaker.until - now).total_seconds()
    mend = "; after mending the login, `rebalancer doctor --live` tries it at once" if kind is AuthFailed else ""
    mend_ko = ". 로그인을 고친 뒤 `rebalancer doctor --live`로 바로 확인할 수 있습니다" if kind is AuthFailed else ""
    minutes = max(round(left / 60), 1)
    message = f"{source} refused earlier ({breaker.error}) and is not asked again for {minutes} min{mend}"
    ko = f"{source} 접속이 앞서 거절되어({breaker.error}) {minutes}분 동안 다시 묻지 않습니다{mend_ko}"
    return kind(message, ko=ko, source=source, retry_after=left)


def record(store: Store, source: str, error: MarketDataError | None, now: dt.datetime) -> None:
    """Open the breaker on a refusal, close it on an answer (`error` None); other errors leave it as it is."""
    before = store.breakers().get(source)
    if error is None:
        if before is not None:
            store.close_breaker(source)
        return
    waits = (KRX_WAITS if source == "krx" else WAITS).get(type(error))
    if waits is None:
        return
    step = min(before.step + 1 if before else 0, len(waits) - 1)
    seconds = max(waits[step], error.retry_after or 0.0)
    store.put_breaker(Breaker(source, now + dt.timedelta(seconds=seconds), step, type(error).__name__))
