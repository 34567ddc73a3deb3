"""A small REST client for the walk: JSON in, JSON out, over real HTTP."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: dict[str, str]


@dataclass(frozen=True)
class Client:
    """Somebody who calls the REST API with a key."""

    base_url: str
    name: str
    api_key: str

    def get(self, path: str) -> Answer:
        """GET."""
        return self._call("GET", path, None, {})

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        """POST JSON; keyword arguments are extra headers (`Idempotency_Key=…`)."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._call("POST", path, {} if body is None else body, named)

    def _call(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Answer:
        request = urllib.request.Request(  # noqa: S310 - the demo's own http URL
            f"{self.base_url}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.api_key}",
                "Content-Type": "application/json",
                **headers,
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
                return _answer(response.status, response.read(), dict(response.headers))
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error.read(), dict(error.headers))


def _answer(status: int, body: bytes, headers: dict[str, str]) -> Answer:
    try:
        return Answer(status, json.loads(body), headers)
    except ValueError:
        return Answer(status, body.decode("utf-8", "replace"), headers)
