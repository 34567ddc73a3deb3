"""Plain http as relying parties speak it: no redirects, no cookies, bounded time and size."""

import http.client
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

TIMEOUT = 20.0  # seconds, of each wait
MAX_BODY = 256 * 1024 * 1024  # a CRL of a million entries has some 40 MB


class CannotAsk(Exception):
    """Nobody answers there, or not in http."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def header(self, name: str) -> str:
        """Return a header's value, several joined by commas; "" where there is none."""
        return ", ".join(self.headers.get_all(name) or [])

    @property
    def content_type(self) -> str:
        """The media type alone, in lower case."""
        return self.header("Content-Type").partition(";")[0].strip().lower()


class Fetcher(Protocol):
    """Whoever asks; raises CannotAsk."""

    def ask(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request as it is written, and follow nothing."""
        ...


class Http:
    """Asks over the network, with a connection for each question."""

    def __init__(self, *, timeout: float = TIMEOUT, max_body: int = MAX_BODY) -> None:
        self.timeout, self.max_body = timeout, max_body

    def ask(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request as it is written; raises CannotAsk."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise CannotAsk(f"{url} is no http URL")
        if parts.scheme == "https":
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                parts.hostname,
                parts.port,
                timeout=self.timeout,
                context=ssl.create_default_context(),
            )
        else:
            connection = http.client.HTTPConnection(
                parts.hostname, parts.port, timeout=self.timeout
            )
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            content = response.read(self.max_body + 1)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise CannotAsk(f"{method} {url[:200]}: {str(error) or type(error).__name__}") from None
        finally:
            connection.close()
        if len(content) > self.max_body:
            raise CannotAsk(f"{method} {url[:200]}: more than {self.max_body} bytes came back")
        return Answer(response.status, response.headers, content)
