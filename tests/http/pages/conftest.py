"""Fixtures for the pages: requests as browsers send them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
from falcon import testing

from tests.databases import open_engine, prepare
from tests.http.conftest import MANAGER
from tests.http.pages.browser import Page
from tests.http.pages.scenes import Scene, fill_with_raffles
from tests.live_server import LiveServer

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"}
FORM = BROWSER | {"Content-Type": "application/x-www-form-urlencoded", "Origin": "http://127.0.0.1:8080"}

Show = Callable[..., testing.Result]


@pytest.fixture
def show(client: testing.TestClient) -> Show:
    """Open a page as a browser does: `show(path, language=…, source=…)`; by default from a manager's address."""

    def get(path: str, *, language: str = "en", source: str = MANAGER) -> testing.Result:
        return client.simulate_get(path, headers=BROWSER | {"Accept-Language": language}, remote_addr=source)

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


class Fairground(NamedTuple):
    """Raffles in each state, and two servers on their database: one takes this machine for a manager's."""

    raffles: dict[str, str]
    for_visitors: LiveServer
    for_managers: LiveServer

    def enter(self, page: Page, scene: Scene) -> None:
        """Go to a scene as its audience does."""
        server = self.for_managers if scene.for_managers else self.for_visitors
        path = scene.path.format(**self.raffles)
        if scene.form is None:
            page.open(f"{server.url}{path}")
        else:
            page.open(f"{server.url}/raffles/")
            page.submit(path, scene.form)
        page.wait_for(scene.ready)


@pytest.fixture(scope="session")
def fairground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fairground]:
    """Raffles in each state on real servers; tests leave them as they are."""
    folder = tmp_path_factory.mktemp("fairground")
    database = folder / "raffles.db"
    prepare(f"sqlite:///{database}")
    with open_engine(f"sqlite:///{database}") as engine:
        raffles = fill_with_raffles(engine)
    with ExitStack() as running:
        servers = [
            LiveServer(database, log=folder / f"{manager}.log", MANAGER_IPS=manager)
            for manager in ("127.0.0.2", "127.0.0.1")
        ]
        for server in servers:
            running.callback(server.stop)
        yield Fairground(raffles, *servers)
