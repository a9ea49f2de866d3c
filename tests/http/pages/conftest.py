"""Fixtures for the pages: requests as browsers send them."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from falcon import testing

from tests.http.conftest import MANAGER
from tests.http.pages.fairground import Fairground, open_fairground

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"}
FORM = BROWSER | {"Content-Type": "application/x-www-form-urlencoded", "Origin": "http://127.0.0.1:8080"}

Show = Callable[..., testing.Result]


@pytest.fixture
def show(client: testing.TestClient) -> Show:
    """Open a page as a browser does: `show(path, language=…, source=…, host=…)`; by default a manager's."""

    def get(path: str, *, language: str = "en", source: str = MANAGER, host: str = "127.0.0.1:8080") -> testing.Result:
        headers = BROWSER | {"Accept-Language": language, "Host": host}
        return client.simulate_get(path, headers=headers, remote_addr=source)

    return get


@pytest.fixture
def submit(client: testing.TestClient) -> Show:
    """Send a form of a page: `submit(path, fields, source=…, headers=…)`; by default from a manager's address."""

    def send(
        path: str, fields: dict[str, Any] | None = None, *, source: str = MANAGER, headers: dict[str, str] | None = None
    ) -> testing.Result:
        body = urlencode(fields or {}, doseq=True)
        return client.simulate_post(path, body=body, headers=FORM | (headers or {}), remote_addr=source)

    return send


@pytest.fixture(scope="session")
def fairground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fairground]:
    """Raffles in each state on real servers; tests leave them as they are."""
    with open_fairground(tmp_path_factory.mktemp("fairground")) as opened:
        yield opened
