"""One vendor's HTTP session: counted, paced, never past its deadline, and its failures classified at the edge.

yfinance is given this session, so that every request it makes on its own (cookie, crumb, time zone) is held to the
same deadline and a refusal ends its retries at once. No message made here quotes a vendor's text or an address: a
crumb, a cookie or a login can be in either.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import stamina
from curl_cffi import requests
from curl_cffi.requests import exceptions
from pyrate_limiter import Duration, InMemoryBucket, Limiter, Rate

from engine.errors import AuthFailed, Blocked, MarketDataError, RateLimited, SchemaChanged, Transient
from engine.market.provider import Deadline

T = TypeVar("T")
#: Requests a second that each vendor is asked at most; far below what a browser makes.
PACE = {"yahoo": 20, "naver": 10}
_DISCONNECTED = ("the connection failed", "연결하지 못했습니다")
#: Least time worth starting a request for, in seconds.
SHORTEST = 0.02
#: The cookie page's status says nothing: Yahoo answers it with 404 and the cookie.
COOKIE_HOSTS = ("fc.yahoo.com",)


class Wire(requests.Session[Any]):
    """Be a browser-like session of one vendor; `begin` starts a batch.

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
    stamina.instrumentation.set_on_retry_hooks(())  # its log goes to stderr, where it says nothing to anybody
    patience = max(deadline.left, SHORTEST)
    return stamina.retry(on=Transient, attempts=2, timeout=patience, wait_initial=0.05, wait_jitter=0.05)(ask)()


def refuse(status: int, retry_after: str | None, source: str) -> None:
    """Raise the error that an HTTP status alone tells: 429, 403 and 451, 5xx; other statuses pass."""
    if status == 429:
        wait = float(retry_after) if retry_after and retry_after.isdigit() else None
        message, ko = f"{source} asks for fewer requests (HTTP 429)", f"{source} 요청이 너무 많습니다 (HTTP 429)"
        raise RateLimited(message, ko=ko, source=source, retry_after=wait)
    if status in (403, 451):
        message, ko = (
            f"{source} has shut this address out (HTTP {status})",
            f"{source}에서 이 주소를 막았습니다 (HTTP {status})",
        )
        raise Blocked(message, ko=ko, source=source)
    if status >= 500:
        raise Transient(f"{source} failed (HTTP {status})", ko=f"{source} 서버 오류 (HTTP {status})", source=source)


#: What the network's own failures are called, in English and Korean; the more special class comes first.
_NETWORK = (
    (
        exceptions.DNSError,
        "its name could not be looked up: is there a network?",
        "주소를 찾을 수 없습니다: 네트워크를 확인하세요",
    ),
    (
        exceptions.SSLError,
        "its certificate was not accepted: a proxy or a wrong clock can be the cause",
        "인증서를 믿을 수 없습니다: 프록시나 틀린 시계 때문일 수 있습니다",
    ),
    (exceptions.ProxyError, "the proxy did not let the request through", "프록시가 요청을 막았습니다"),
    (exceptions.Timeout, "it did not answer in time", "제때 응답하지 않았습니다"),
    (exceptions.ConnectionError, *_DISCONNECTED),
    (exceptions.IncompleteRead, "the answer was cut short", "응답이 중간에 끊겼습니다"),
)


def classify(error: Exception, source: str) -> MarketDataError:
    """Return the error of the tree for a foreign exception, by its class and status, never by its message."""
    if isinstance(error, MarketDataError):
        return error
    if isinstance(error, exceptions.InvalidJSONError | ValueError):
        return SchemaChanged(
            f"{source} answered with a page that is not data: a login page, a block or a captive network",
            ko=f"{source} 응답이 데이터가 아닙니다: 로그인 페이지, 차단, 또는 인증이 필요한 네트워크",
            source=source,
        )
    for kind, said, said_ko in _NETWORK:
        if isinstance(error, kind):
            return Transient(f"{source}: {said}", ko=f"{source}: {said_ko}", source=source)
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status == 401:
        message = f"{source} did not accept its own cookie and crumb (HTTP 401)"
        return AuthFailed(message, ko=f"{source}에서 자기 쿠키를 받아들이지 않았습니다 (HTTP 401)", source=source)
    if status:
        return SchemaChanged(f"{source} answered HTTP {status}", ko=f"{source} 응답 HTTP {status}", source=source)
    if isinstance(error, OSError):
        said, said_ko = _DISCONNECTED
        return Transient(f"{source}: {said}", ko=f"{source}: {said_ko}", source=source)
    message = f"{source} gave an answer of an unexpected shape ({type(error).__name__})"
    return SchemaChanged(message, ko=f"{source} 응답 형식이 예상과 다릅니다 ({type(error).__name__})", source=source)


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
