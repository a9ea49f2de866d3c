"""The pictures of the pages in the docs."""

from tests.http.pages.screenshots import FOLDER, MOST_BYTES, PICTURES


def test_every_page_has_its_picture() -> None:
    assert {file.name for file in FOLDER.iterdir()} == {f"{name}.webp" for name in PICTURES}, "run: make screenshots"


def test_the_pictures_are_small_together() -> None:
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) <= MOST_BYTES
