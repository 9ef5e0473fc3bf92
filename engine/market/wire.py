"""One vendor's HTTP session: counted, paced, never past its deadline, and its failures classified at the edge.

yfinance is given this session, so that every request it makes on its own (cookie, crumb, time zone) is held to the
same deadline and a refusal ends its retries at once. No message made here quotes a vendor's text or an address: a
crumb, a cookie or a login can be in either.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import json
import math
import random
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

from curl_cffi import requests
from curl_cffi.curl import CURL_WRITEFUNC_ERROR
from curl_cffi.requests import exceptions
from pyrate_limiter import Duration, InMemoryBucket, Limiter, Rate

from engine.errors import AuthFailed, Blocked, MarketDataError, RateLimited, SchemaChanged, Transient
from engine.market.provider import Deadline, unexpected
from engine.phrase import phrase

T = TypeVar("T")
#: Requests a second that each vendor is asked at most; far below what a browser makes.
PACE = {"yahoo": 20, "naver": 10, "ecb": 2, "frankfurter": 2, "cnbc": 4}
#: Whose servers may be asked, after a redirect too.
DOMAINS = {
    "yahoo": "yahoo.com",
    "naver": "naver.com",
    "ecb": "ecb.europa.eu",
    "frankfurter": "frankfurter.dev",
    "cnbc": "cnbc.com",
}
#: Redirects that are followed, and the largest body that is taken, in bytes, decompressed.
HOPS, MOST = 4, 16 * 2**20
#: Digits of a whole number that is read.
LONG = 30
#: A request that had this many seconds and no answer is a source that hangs; it is left alone for so long.
HANGING, HANG_WAIT = 1.0, 60.0
#: Longest that a source's own word keeps us away, in seconds.
LONGEST_WAIT = 7 * 86400.0
#: Seconds before a second attempt: from, to.
PAUSE = (0.05, 0.1)
#: Least time worth starting a request for, in seconds.
SHORTEST = 0.02
#: What a page that is not there is read as.
ABSENT = object()
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
        """Ask, and follow redirects among the vendor's own servers; what is sent along never reaches another's."""
        options["allow_redirects"] = False
        asked = options.get("timeout")
        for _ in range(HOPS):
            response = self._once(method, url, options, asked)
            target = response.headers.get("Location")
            if not target or not 300 <= response.status_code < 400:
                return response
            options = {key: options[key] for key in options if key not in ("params", "data", "json")}
            url, method = self._ours(url, target), "GET"
            if not url:
                raise SchemaChanged(phrase("source.redirected", source=self.vendor), source=self.vendor)
        raise SchemaChanged(phrase("source.redirect-loop", source=self.vendor), source=self.vendor)

    def _ours(self, url: str, target: str) -> str:
        """Return where a redirect leads, "" where that is not one of the vendor's own servers."""
        try:
            joined = urljoin(url, target)
            parts = urlsplit(joined)
            host = parts.hostname or ""
        except ValueError:
            return ""
        return joined if parts.scheme == "https" and f".{host}".endswith(f".{DOMAINS[self.vendor]}") else ""

    def _once(self, method: Any, url: str, options: dict[str, Any], asked: object) -> Any:  # noqa: ANN401 - a response
        self._limiter.try_acquire(self.vendor, timeout=self._deadline.left)
        left = self._deadline.left
        if left < SHORTEST:
            spent = self._deadline.spent(self.vendor)
            if self._count and self._deadline.seconds >= HANGING:
                spent.retry_after = HANG_WAIT
            raise spent
        options["timeout"] = min(left, asked) if isinstance(asked, (int, float)) else left
        with self._state:
            self._count += 1
        host, _, path = url.split("?", maxsplit=1)[0].partition("://")[2].partition("/")
        body = _Body()
        try:
            response = super().request(method, url, content_callback=body.take, **options)
        except exceptions.RequestException as error:
            if body.size > MOST:
                raise SchemaChanged(phrase("source.too-much", source=self.vendor), source=self.vendor) from None
            if host in COOKIE_HOSTS:
                raise  # yfinance has a second way to a cookie
            raise _late(classify(error, self.vendor), error, options["timeout"]) from None
        response.content = b"".join(body.chunks)
        with self._state:
            self.skew = _skew(response.headers.get("Date"))
        if host not in COOKIE_HOSTS:
            refuse(response.status_code, response.headers.get("Retry-After"), self.vendor)
            self._hear("/" + path, response)
        return response

    def json(self, url: str, deadline: Deadline, encoding: str = "utf-8", **options: Any) -> Any:  # noqa: ANN401
        """Return a page's JSON, asked for twice where that may help; raises the error tree.

        `ABSENT` is a 404 that comes as data: a page of something else says nothing about a symbol.
        """

        def ask() -> Any:  # noqa: ANN401 - a JSON value
            response = self.get(url, **options)
            status = response.status_code
            if status == 401:
                raise AuthFailed(phrase("source.own-cookie", source=self.vendor), source=self.vendor)
            if status >= 400 and status != 404:
                raise SchemaChanged(phrase("source.status", source=self.vendor, status=status), source=self.vendor)
            document = self.read(response, encoding)
            return ABSENT if status == 404 else document

        return twice(ask, deadline)

    def read(self, response: Any, encoding: str = "utf-8") -> Any:  # noqa: ANN401 - a JSON value
        """Return the JSON of an answer; raises SchemaChanged where it is none."""
        try:
            return json.loads(response.content.decode(encoding), parse_int=_whole)
        except (ValueError, RecursionError):
            raise SchemaChanged(phrase("source.no-data-page", source=self.vendor), source=self.vendor) from None

    def get(self, url: str, **options: Any) -> Any:  # noqa: ANN401 - curl_cffi's signature
        """Make a GET request."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> Any:  # noqa: ANN401 - curl_cffi's signature
        """Make a POST request."""
        return self.request("POST", url, **options)


def _whole(digits: str) -> int | float:
    """Return a whole number; one too long for any use is infinite, which costs its own row and not the document."""
    return int(digits) if len(digits) <= LONG else math.inf


class _Body:
    """An answer's body as it comes, no larger than `MOST`: what is packed small may unpack without end."""

    def __init__(self) -> None:
        self.chunks: list[bytes] = []
        self.size = 0

    def take(self, chunk: bytes) -> int:
        self.size += len(chunk)
        if self.size > MOST:
            return CURL_WRITEFUNC_ERROR
        self.chunks.append(chunk)
        return len(chunk)


def _late(error: MarketDataError, cause: Exception, seconds: float) -> MarketDataError:
    """Return the error of a request that failed; one that hung says how long its source is left alone."""
    if isinstance(cause, exceptions.Timeout) and seconds >= HANGING:
        error.retry_after = HANG_WAIT
    return error


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
        said = phrase("source.rate-limited", source=source)
        raise RateLimited(said, source=source, retry_after=seconds_until(retry_after))
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


def seconds_until(text: str | None) -> float | None:
    """Return the seconds that a Retry-After header means, as a number or as a date; None where it means nothing."""
    plain = (text or "").strip()
    if plain.isascii() and plain.isdigit():
        return min(float(plain[:12]) if len(plain) <= 12 else LONGEST_WAIT, LONGEST_WAIT)
    ahead = _skew(plain)
    return None if ahead is None else min(max(ahead, 0.0), LONGEST_WAIT)


def _skew(date: str | None) -> float | None:
    """Return by how many seconds a date of HTTP is ahead of our clock; None where it is none."""
    try:
        theirs = email.utils.parsedate_to_datetime(date or "")
        if theirs.tzinfo is None:
            theirs = theirs.replace(tzinfo=dt.UTC)
        return theirs.timestamp() - time.time()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
