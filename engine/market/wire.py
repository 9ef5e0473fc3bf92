"""One vendor's HTTP session: counted, paced, never past its deadline, and its failures classified at the edge.

yfinance is given this session, so that every request it makes on its own (cookie, crumb, time zone) is held to the
same deadline and a refusal ends its retries at once. No message made here quotes a vendor's text or an address: a
crumb, a cookie or a login can be in either.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import random
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from curl_cffi import requests
from curl_cffi.requests import exceptions
from pyrate_limiter import Duration, InMemoryBucket, Limiter, Rate

from engine.errors import AuthFailed, Blocked, MarketDataError, RateLimited, SchemaChanged, Transient
from engine.market.provider import Deadline, unexpected
from engine.phrase import phrase

T = TypeVar("T")
#: Requests a second that each vendor is asked at most; far below what a browser makes.
PACE = {"yahoo": 20, "naver": 10}
#: Seconds before a second attempt: from, to.
PAUSE = (0.05, 0.1)
#: Least time worth starting a request for, in seconds.
SHORTEST = 0.02
#: The cookie page's status says nothing: Yahoo answers it with 404 and the cookie.
COOKIE_HOSTS = ("fc.yahoo.com",)


class Wire(requests.Session[Any]):
    """A browser-like session of one vendor; `begin` starts a batch.

    `hear(path, response)` sees every answer that is no refusal, and may raise. `refusal` is the batch's last error.
    """

    def __init__(self, vendor: str, hear: Callable[[str, Any], None] = lambda _path, _response: None) -> None:
        super().__init__(impersonate="chrome")
        self.vendor = vendor
        self.skew: float | None = None
        self.refusal: MarketDataError | None = None
        self._hear = hear
        self._count = 0
        self._deadline = Deadline(0)
        self._state = threading.Lock()
        self._limiter = Limiter(InMemoryBucket([Rate(PACE[vendor], Duration.SECOND)]))

    def begin(self, deadline: Deadline) -> None:
        """Start a batch: forget the last one's count and errors."""
        with self._state:
            self._deadline, self._count, self.skew, self.refusal = deadline, 0, None, None

    @property
    def count(self) -> int:
        """Return how many requests the batch has made."""
        return self._count

    def request(self, method: Any, url: str, **options: Any) -> Any:  # type: ignore[override]  # noqa: ANN401
        """Make one request within the batch's deadline; raises the error tree for a refusal or a server failure."""
        try:
            return self._request(method, url, options)
        except MarketDataError as error:
            self.refusal = error
            raise

    def _request(self, method: Any, url: str, options: dict[str, Any]) -> Any:  # noqa: ANN401 - a response
        self._limiter.try_acquire(self.vendor, timeout=self._deadline.left)
        left = self._deadline.left
        if left < SHORTEST:
            raise self._deadline.spent(self.vendor)
        asked = options.get("timeout")
        options["timeout"] = min(left, asked) if isinstance(asked, (int, float)) else left
        with self._state:
            self._count += 1
        host, _, path = url.split("?", maxsplit=1)[0].partition("://")[2].partition("/")
        try:
            response = super().request(method, url, **options)
        except exceptions.RequestException as error:
            if host in COOKIE_HOSTS:
                raise  # yfinance has a second way to a cookie
            raise classify(error, self.vendor) from None
        with self._state:
            self.skew = _skew(response.headers.get("Date"))
        if host not in COOKIE_HOSTS:
            refuse(response.status_code, response.headers.get("Retry-After"), self.vendor)
            self._hear("/" + path, response)
        return response

    def get(self, url: str, **options: Any) -> Any:  # noqa: ANN401 - curl_cffi's signature
        """Make a GET request."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> Any:  # noqa: ANN401 - curl_cffi's signature
        """Make a POST request."""
        return self.request("POST", url, **options)


def twice(ask: Callable[[], T], deadline: Deadline) -> T:
    """Return what a call returns; one that fails in a way that may pass is made once more, within the deadline.

    Never after a refusal: every further request makes a source refuse longer.
    """
    try:
        return ask()
    except Transient:
        pause = random.uniform(*PAUSE)  # noqa: S311 - so that two who failed together do not come back together
        if deadline.left < pause + SHORTEST:
            raise
    time.sleep(pause)
    return ask()


def refuse(status: int, retry_after: str | None, source: str) -> None:
    """Raise the error that an HTTP status alone tells: 429, 403 and 451, 5xx; other statuses pass."""
    if status == 429:
        wait = float(retry_after) if retry_after and retry_after.isdigit() else None
        raise RateLimited(phrase("source.rate-limited", source=source), source=source, retry_after=wait)
    if status in (403, 451):
        raise Blocked(phrase("source.blocked", source=source, status=status), source=source)
    if status >= 500:
        raise Transient(phrase("source.server", source=source, status=status), source=source)


#: How the network's own failures are said; the more special class comes first.
_NETWORK = (
    (exceptions.DNSError, "source.no-address"),
    (exceptions.SSLError, "source.certificate"),
    (exceptions.ProxyError, "source.proxy"),
    (exceptions.Timeout, "source.timeout"),
    (exceptions.ConnectionError, "source.disconnected"),
    (exceptions.IncompleteRead, "source.cut-short"),
)


def classify(error: Exception, source: str) -> MarketDataError:
    """Return the error of the tree for a foreign exception, by its class and status, never by its message."""
    if isinstance(error, MarketDataError):
        return error
    if isinstance(error, exceptions.InvalidJSONError | ValueError):
        return SchemaChanged(phrase("source.no-data-page", source=source), source=source)
    for kind, key in _NETWORK:
        if isinstance(error, kind):
            return Transient(phrase(key, source=source), source=source)
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 401:
        return AuthFailed(phrase("source.own-cookie", source=source), source=source)
    if status:
        return SchemaChanged(phrase("source.status", source=source, status=status), source=source)
    if isinstance(error, OSError):
        return Transient(phrase("source.disconnected", source=source), source=source)
    return unexpected(source, error)


def _skew(date: str | None) -> float | None:
    if not date:
        return None
    try:
        theirs = email.utils.parsedate_to_datetime(date)
    except ValueError:
        return None
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=dt.UTC)
    return theirs.timestamp() - time.time()
