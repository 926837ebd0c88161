"""What the pages can be told.  Every value has a safe default for one machine on loopback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class WebSettings:
    """allowed_hosts: host names (without port) a request may be addressed to; anything else is refused,
    which keeps a foreign site from reaching the pages through a rebound DNS name.
    https: cookies are sent over TLS only; set it whenever a proxy with TLS stands in front.
    poll_s: how often the list of wearers looks for news.
    stale_after: without data for so long a wearer is shown as "no data".
    """

    allowed_hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    https: bool = False
    session: timedelta = timedelta(hours=12)
    poll_s: int = 15
    stale_after: timedelta = timedelta(hours=48)
    now: Callable[[], datetime] = utc_now

    @property
    def cookie(self) -> str:
        # Browsers accept a __Host- cookie only with Secure, Path=/ and no Domain.
        return "__Host-gaitmon" if self.https else "gaitmon_session"


def login_url(base_url: str, token: str) -> str:
    """The address to print in the terminal.  A fragment never leaves the browser: it is in no log."""
    return f"{base_url.rstrip('/')}/login#{token}"
