"""A real Chromium without a window, driven by its DevTools protocol through a pipe, without a library or a port."""

import json
import os
import select
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.waiting import LIMIT_S

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_STOP_LIMIT_S = 20
_FLAGS = (
    # As root it runs only without its sandbox.
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-quic"),
    # It contacts no other server, and names ending in .example mean this machine.
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"),
    *("--disable-features=HttpsUpgrades", "--host-resolver-rules=MAP *.example 127.0.0.1"),
    # A page works as if its window were in front, even next to others.
    *("--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows"),
    *("--disable-background-timer-throttling", "--hide-scrollbars", "--remote-debugging-pipe"),
)

Event = dict[str, Any]


def chromium() -> str | None:
    """Return the path of Chromium, None if it is not installed."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class DevToolsError(Exception):
    """Chromium refused a command."""


class Chromium:
    """A browser process. Its commands go to the browser itself, or to a page if they name its session."""

    def __init__(self, program: str, profile: Path, *flags: str) -> None:
        from_browser, to_us = os.pipe()
        from_us, to_browser = os.pipe()

        def hand_over() -> None:
            # Chromium reads commands from descriptor 3 and writes answers to 4.
            reading, writing = os.dup(from_us), os.dup(to_us)
            os.dup2(reading, 3)
            os.dup2(writing, 4)

        with (profile.parent / "chromium.log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, *_FLAGS, *flags, f"--user-data-dir={profile}", "about:blank"],
                stdout=log,
                stderr=log,
                close_fds=False,
                preexec_fn=hand_over,  # noqa: PLW1509  (it copies two numbers, and takes no lock)
                start_new_session=True,
            )
        os.close(from_us)
        os.close(to_us)
        self._reading, self._writing = from_browser, to_browser
        self._buffer = b""
        self._number = 0
        self._listeners: dict[str, Callable[[Event], None]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(_STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(_STOP_LIMIT_S)
        os.close(self._reading)
        os.close(self._writing)

    def send(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; meanwhile, pages hear of their events."""
        self._number += 1
        number = self._number
        message = {"id": number, "method": method, "params": parameters}
        os.write(self._writing, json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        while (answer := self.next_message()).get("id") != number:
            pass
        if "error" in answer:
            raise DevToolsError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def listen(self, session: str, listener: Callable[[Event], None]) -> None:
        """Pass the events of a page's session to a listener."""
        self._listeners[session] = listener

    def forget(self, session: str) -> None:
        """Stop passing the events of a session."""
        self._listeners.pop(session, None)

    def next_message(self) -> dict[str, Any]:
        """Wait for the next message of the browser, pass it to the page that it concerns, and return it."""
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._reading], [], [], 2 * LIMIT_S)
            assert ready, "Chromium does not answer"
            some = os.read(self._reading, 1 << 20)
            assert some, "Chromium ended"
            self._buffer += some
        message, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        if "method" in answer and (listener := self._listeners.get(answer.get("sessionId", ""))):
            listener(answer)
        return answer
