"""`make screenshots`: a picture of every page in `docs/images/`, from real servers.

A new scene gets its picture on a phone, unless `_NOT_SHOWN` names it; `PICTURES` has more.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.http.pages.browser import Look, Page
from tests.http.pages.chromium import Chromium, chromium
from tests.http.pages.fairground import open_fairground
from tests.http.pages.scenes import SCENES

FOLDER = Path(__file__).parents[3] / "docs" / "images"
MOST_BYTES = 1_000_000
"""The size of all pictures together."""

_QUALITY = 45

PHONE = Look(width=390, height=844, scale=1.5)
DARK_PHONE = Look(width=390, height=844, scale=1.5, dark=True)
GERMAN_PHONE = Look(width=390, height=844, scale=1.5, language="de")
DESKTOP = Look(width=1100, height=800)
PROJECTOR = Look(width=1280, height=720)


class Picture(NamedTuple):
    """A scene, and how it is looked at."""

    scene: str
    look: Look


# A sentence and a button say little in a picture.
_NOT_SHOWN = {"desk-impossible"}

PICTURES = {name: Picture(name, PHONE) for name in SCENES if name not in _NOT_SHOWN} | {
    "list-desktop": Picture("list", DESKTOP),
    "open-dark": Picture("open", DARK_PHONE),
    "open-german": Picture("open", GERMAN_PHONE),
    "proof-desktop": Picture("proof", DESKTOP),
    **{name: Picture(name, PROJECTOR) for name in SCENES if name.startswith("wall-")},
}
"""The pictures by the names of their files."""


def main() -> int:
    """Take all pictures, in place of those that are there."""
    program = chromium()
    if program is None:
        print("This needs Chromium; in Debian: apt-get install chromium-headless-shell, or chromium", file=sys.stderr)
        return 1
    # As in the tests: rafflekit refuses databases that other users can read.
    os.umask(0o077)
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.webp"):
        old.unlink()
    with (
        tempfile.TemporaryDirectory() as name,
        open_fairground(Path(name)) as fairground,
        Chromium(program, Path(name) / "profile") as browser,
    ):
        for file, (scene, look) in PICTURES.items():
            with Page(browser, look) as page:
                fairground.enter(page, SCENES[scene])
                page.screenshot(FOLDER / f"{file}.webp", whole=False, quality=_QUALITY)
            (FOLDER / f"{file}.webp").chmod(0o644)
    print(f"{len(PICTURES)} pictures, {sum(file.stat().st_size for file in FOLDER.iterdir()):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
