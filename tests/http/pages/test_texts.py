"""Every text of every page comes from the catalogue: the pages are shown in a language that marks its texts."""

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlencode

import pytest
from falcon import testing

from rafflekit.html import languages, rendering
from rafflekit.http.app import create_app
from tests.databases import open_engine, prepare
from tests.html.escaped import BEGIN, Marked, escaped_texts
from tests.http.conftest import MANAGER, SETTINGS
from tests.http.pages.conftest import BROWSER, FORM
from tests.http.pages.scenes import SCENES, Scene, fill_with_raffles

MARKED = "xx"
VISITOR = "192.0.2.9"
UNTRANSLATED = ("proof",)
"""Scenes in English only."""


class Application(NamedTuple):
    """The application on a database with raffles in each state, whose names have no letters."""

    client: testing.TestClient
    raffles: dict[str, str]

    def enter(self, scene: Scene) -> str:
        path, source = scene.path.format(**self.raffles), MANAGER if scene.for_managers else VISITOR
        if scene.form is None:
            headers = BROWSER | {"Accept-Language": MARKED}
            return self.client.simulate_get(path, headers=headers, remote_addr=source).text
        headers = FORM | {"Accept-Language": MARKED}
        return self.client.simulate_post(path, body=urlencode(scene.form), headers=headers, remote_addr=source).text


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """The application, whose pages are also in a language that marks its texts."""
    url = f"sqlite:///{tmp_path_factory.mktemp('texts')}/raffles.db"
    prepare(url)
    with pytest.MonkeyPatch.context() as changed, open_engine(url) as engine:
        changed.setattr(languages, "LANGUAGES", ("en", MARKED))
        changed.setattr(rendering, "texts_in", lambda _language: Marked())
        raffles = fill_with_raffles(engine, spell=lambda text: re.sub(r"[^\W\d_]", "7", text))
        yield Application(testing.TestClient(create_app(engine, SETTINGS), headers={"Host": "127.0.0.1:8080"}), raffles)


@pytest.mark.parametrize("name", [name for name in SCENES if name not in UNTRANSLATED])
def test_no_text_of_a_page_escapes_the_catalogue(application: Application, name: str) -> None:
    html = application.enter(SCENES[name])

    assert BEGIN in html
    assert escaped_texts(html) == []


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ("<p>Hello</p>", ["Hello"]),
        ("<p>⟦Read <a href='/x'>this</a>, <bdi>Ann</bdi>.⟧ 7 × <bdi>tea</bdi></p>", []),
        ("<p>⟦Read⟧ <b>more</b></p>", ["more"]),
        (
            '<img alt="A photo"><input placeholder="⟦Code⟧" value="x"><input type="submit" value="Go">',
            ["A photo", "Go"],
        ),
        ('<p data-copied="It is copied" data-state="open" aria-label="⟦Pages⟧"></p>', ["It is copied"]),
        ('<div lang="en"><p title="No">Detail</p></div><template>Late</template><script>let x</script>', ["Late"]),
    ],
)
def test_an_escaped_text_is_found(html: str, found: list[str]) -> None:
    assert escaped_texts(html) == found
