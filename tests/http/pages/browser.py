"""A real Chromium without a window, driven by its DevTools protocol through a pipe, without a library or a port."""

import json
import os
import select
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any, Self

from tests.waiting import LIMIT_S

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_STOP_LIMIT_S = 20
# As root it runs only without its sandbox. The other options keep it from contacting any other server.
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-quic"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"),
    *("--disable-features=HttpsUpgrades", "--remote-debugging-pipe"),
)


def chromium() -> str | None:
    """Return the path of Chromium, None if it is not installed."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    """One page in its own browser; `requests` and `complaints` record what it loaded and complained about."""

    def __init__(
        self, program: str, profile: Path, *flags: str, width: int = 1100, height: int = 900, dark: bool = False
    ) -> None:
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
        self._is_loaded = True
        self._session: str | None = None
        self.requests: list[dict[str, Any]] = []
        self.complaints: list[str] = []
        [target] = [each for each in self.send("Target.getTargets")["targetInfos"] if each["type"] == "page"]
        self._session = self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.send(f"{domain}.enable")
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = "dark" if dark else "light"
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

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

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the DevTools protocol and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                result: dict[str, Any] = answer["result"]
                return result
            self._note(answer)

    def open(self, address: str) -> None:
        """Go to an address and wait until the page is loaded."""
        self.requests.clear()
        self.complaints.clear()
        self._is_loaded = False
        found = self.send("Page.navigate", url=address)
        assert "errorText" not in found, found
        while not self._is_loaded:
            self._note(self._next())

    def run(self, expression: str) -> Any:
        """Return the value of a JavaScript expression as JSON; a promise is awaited."""
        found = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait_for(self, condition: str) -> None:
        """Wait until a JavaScript expression is true; the page checks it before each frame."""
        limit = f"performance.now() + {LIMIT_S * 1000}"
        held = self.run(
            f"new Promise((done) => {{ const end = {limit}; const look = () => {{ if ({condition}) done(true);"
            " else if (performance.now() > end) done(false); else setTimeout(look, 20); }; look(); })"
        )
        assert held, f"{condition} never came true: {self.text('body')}"

    def text(self, selector: str) -> str:
        """Return the text that is seen in an element."""
        found: str = self.run(f"document.querySelector({json.dumps(selector)}).innerText")
        return found

    def fill(self, selector: str, text: str) -> None:
        """Put a text into a field."""
        self.run(f"void (document.querySelector({json.dumps(selector)}).value = {json.dumps(text)})")

    def click(self, selector: str) -> None:
        """Press a button that is seen."""
        self.run(
            f"(() => {{ const found = document.querySelector({json.dumps(selector)});"
            " if (!found.checkVisibility()) throw new Error('it is not seen'); found.click(); })()"
        )

    def choose_file(self, selector: str, file: Path) -> None:
        """Choose a file in a field for files."""
        found = self.send("Runtime.evaluate", expression=f"document.querySelector({json.dumps(selector)})")
        self.send("DOM.setFileInputFiles", files=[str(file)], objectId=found["result"]["objectId"])

    def _note(self, event: dict[str, Any]) -> None:
        method, about = event.get("method"), event.get("params", {})
        if method == "Page.loadEventFired":
            self._is_loaded = True
        elif method == "Network.requestWillBeSent":
            self.requests.append(about["request"])
        elif method == "Log.entryAdded":
            self.complaints.append(about["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(about["exceptionDetails"]["exception"].get("description", "an exception"))

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._reading], [], [], 2 * LIMIT_S)
            assert ready, "Chromium does not answer"
            some = os.read(self._reading, 1 << 20)
            assert some, "Chromium ended"
            self._buffer += some
        message, _, self._buffer = self._buffer.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer
