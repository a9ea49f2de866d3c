"""Raffles in each state on real servers, where all scenes play."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.databases import open_engine, prepare
from tests.http.pages.browser import Page
from tests.http.pages.scenes import SCENES, Scene, fill_with_raffles
from tests.live_server import LiveServer

# Without it, pages that are opened on this machine have no QR codes for phones.
PUBLIC_URL = {"RAFFLEKIT_PUBLIC_URL": "https://raffles.example"}


class Fairground(NamedTuple):
    """The raffles' ids by name, and two servers on their database: one takes this machine for a manager's."""

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


@contextmanager
def open_fairground(folder: Path) -> Iterator[Fairground]:
    """Start the servers, with their database in a folder; stop them afterwards."""
    database = folder / "raffles.db"
    prepare(f"sqlite:///{database}")
    with open_engine(f"sqlite:///{database}") as engine:
        raffles = fill_with_raffles(engine)
        # This machine has a ticket already. Otherwise, the scene that is played first would get it.
        key = (SCENES["ticket"].form or {})["idempotency_key"]
        engine.participate(raffles["open"], address="127.0.0.1", idempotency_key=key)
    with ExitStack() as running:
        servers = []
        for managers in ("127.0.0.2", "127.0.0.1"):
            servers.append(LiveServer(database, log=folder / f"{managers}.log", MANAGER_IPS=managers, **PUBLIC_URL))
            running.callback(servers[-1].stop)
        yield Fairground(raffles, *servers)
