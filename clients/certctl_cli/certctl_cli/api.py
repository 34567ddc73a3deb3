"""The one place that speaks HTTP: requests out, answers or Stop back."""

import json
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn, Self

import httpx

from certctl_cli import __version__
from certctl_cli.contexts import Context, address
from certctl_cli.errors import Problem, Stop
from certctl_cli.exits import Exit, exit_of

PREFIX = "/api/v1/"
TIMEOUT = 30.0  # seconds, of each step of a request
TRIES = 4  # of what changes nothing, where no answer comes
_AGAIN = {429, 502, 503, 504}
_MAX_PAUSE = 30.0  # seconds
PAGE = 500  # rows, the most that the server gives

Query = Mapping[str, str | int | list[str]]


class Api:
    """A server, with the key of one context. Close it, or use it in a `with`."""

    def __init__(self, context: Context, *, pause: Callable[[float], None] = time.sleep) -> None:
        # Here and not in login alone: the environment, and a file that was edited, name one, too.
        parts = address(context.url)
        self.context = context
        self.base = f"{parts.scheme}://{parts.netloc}"
        self._pause = pause
        self._http = httpx.Client(
            base_url=self.base,
            verify=_trust(context.ca_pem),
            timeout=TIMEOUT,
            follow_redirects=False,  # a key goes to the server that it was given for, and no other
            headers={
                "Authorization": f"Bearer {context.api_key}",
                "Accept": "application/json, */*;q=0.1",
                "User-Agent": f"certctl-cli/{__version__}",
            },
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *unused: object) -> None:
        self._http.close()

    def get(self, path: str, query: Query | None = None) -> Any:
        """Return what stands at `path` below /api/v1/."""
        return _json(self.send("GET", path, query=query))

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, once: str = "") -> Any:
        """Send `body` and return the answer.

        `once` is an Idempotency-Key: with it a request that got no answer is sent again.
        """
        headers = {"Idempotency-Key": once} if once else {}
        return _json(self.send("POST", path, body=body or {}, headers=headers, again=bool(once)))

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """Change what stands at `path`."""
        return _json(self.send("PATCH", path, body=body))

    def rows(self, path: str, query: Query | None = None, *, most: int = 0) -> Iterator[Any]:
        """Walk a list to its end, over all pages, or to `most` rows of it."""
        number, left = 1, most
        while True:
            size = min(PAGE, left) if most else PAGE
            page = self.get(path, {**(query or {}), "page": number, "page_size": size})
            rows = page["results"]
            yield from rows[:left] if most else rows
            left -= len(rows)
            if not page["next"] or (most and left <= 0):
                return
            number += 1

    def stream(self, path: str, query: Query | None = None) -> Iterator[bytes]:
        """Yield a long answer as it comes; one that breaks off raises Stop."""
        try:
            with self._http.stream("GET", PREFIX + path, params=dict(query or {})) as answer:
                if not answer.is_success:
                    answer.read()
                _checked(answer)
                yield from answer.iter_bytes()
        except httpx.HTTPError as error:
            self._unreachable(error)

    def send(  # noqa: PLR0913 - a request's parts
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        again: bool = False,
    ) -> httpx.Response:
        """Send one request and return the answer; raises Stop for all but a success.

        What changes nothing is tried again where the server is away or asks to wait.
        """
        again = again or method == "GET"
        url = path if path.startswith("/") else PREFIX + path
        for attempt in range(1, TRIES + 1):
            last = attempt == TRIES or not again
            try:
                answer = self._http.request(
                    method, url, params=dict(query or {}), json=body, headers=dict(headers or {})
                )
            except (httpx.NetworkError, httpx.RemoteProtocolError, httpx.TimeoutException) as error:
                if last or _untrusted(error):
                    self._unreachable(error)
                self._pause(2.0 ** (attempt - 1) / 2)
                continue
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                self._unreachable(error)
            if answer.status_code in _AGAIN and not last:
                self._pause(_asked_pause(answer, attempt))
                continue
            return _checked(answer)
        raise AssertionError("the last try returns or raises")

    def _unreachable(self, error: Exception) -> NoReturn:
        if _untrusted(error):
            raise Stop(
                f"{self.base} shows a certificate that is not trusted: {error}.",
                hint="Name its CA: certctl login --ca-file FILE, or --fingerprint SHA256",
            ) from error
        raise Stop(
            f"{self.base} gives no answer: {str(error) or type(error).__name__}.",
            hint="Is it running, and is this the right address? Try: certctl doctor",
        ) from error


def _trust(ca_pem: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_pem:
        context = ssl.create_default_context(cadata=_cadata(ca_pem))
        # A server's own certificate may be named in place of its CA.
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _cadata(pem: str) -> str:
    try:
        ssl.create_default_context(cadata=pem)
    except (ssl.SSLError, ValueError) as error:
        raise Stop("The file of CAs holds no certificate in PEM.", Exit.USAGE) from error
    return pem


def _untrusted(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _asked_pause(answer: httpx.Response, attempt: int) -> float:
    text = answer.headers.get("Retry-After", "")
    return min(float(text) if text.isdigit() else 2.0 ** (attempt - 1) / 2, _MAX_PAUSE)


def _checked(answer: httpx.Response) -> httpx.Response:
    kind = _kind(answer)
    # A page of a proxy that asks to log in is a success, too, and no certificate or trail.
    if answer.is_success and kind != "text/html":
        return answer
    if answer.is_redirect:
        raise Stop(
            f"The server sends on to {answer.headers.get('Location', 'elsewhere')}; "
            "a key is not taken there.",
            hint="Log in with the address that it sends to, if that is the right server.",
        )
    if kind != "application/problem+json":
        raise Stop(
            f"The answer ({answer.status_code}, {kind or 'no type'}) is not one of certctl's.",
            hint="Something before it may have answered: a proxy, or another program.",
        )
    raise _problem(answer)


def _problem(answer: httpx.Response) -> Problem:
    try:
        problem: dict[str, Any] = answer.json()
    except ValueError:
        problem = {}
    lines = [str(problem.get("detail") or problem.get("title") or answer.reason_phrase)]
    lines += [
        f"  {one.get('field', '')}: {one.get('detail', '')}"
        for one in problem.get("errors") or []
        if str(one.get("detail", "")) not in lines[0]
    ]
    code = str(problem.get("code", ""))
    return Problem(
        "\n".join(lines),
        exit_of(answer.status_code),
        code=code,
        hint=_HINTS.get(code, "")
        or f"({answer.status_code} {code}, {problem.get('request_id', '')})",
    )


_HINTS = {
    "invalid_key": "The key is wrong, disabled or at its end. Try: certctl login",
    "self_approval": "Ask a colleague. Who may decide is told on the job's page in the admin.",
    "changed_since_shown": "Look at it again: certctl approve shows the review anew.",
    "throttled": "Too many requests: wait a little.",
}


class Answer(dict[str, Any]):
    """An object of an answer; a field that is not there ends the command in words."""

    def __missing__(self, key: str) -> NoReturn:
        """Raise Stop for a field that the server should have sent."""
        raise Stop(
            f"The server's answer has no {key!r}.",
            hint="Is it certctl, and of a release near this one's? Try: certctl doctor",
        )


def _kind(answer: httpx.Response) -> str:
    return str(answer.headers.get("Content-Type", "")).partition(";")[0].strip().lower()


def _json(answer: httpx.Response) -> Any:
    if answer.status_code == httpx.codes.NO_CONTENT:
        return None
    kind = _kind(answer)
    try:
        if kind == "application/json":
            # Every answer of the API is an object, lists too: of a page.
            shown = json.loads(answer.content, object_hook=Answer)
            if isinstance(shown, Answer):
                return shown
            kind = "JSON of another shape"
    except (ValueError, RecursionError):
        kind = "broken JSON"
    raise Stop(
        f"The answer ({answer.status_code}, {kind or 'no type'}) is not one of certctl's.",
        hint="Is this the address of certctl itself? Try: certctl doctor",
    )
