"""A page in Chromium, as a person has it: it is opened, read, filled, pressed, typed into, printed."""

import json
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.http.pages.chromium import Chromium, DevToolsError, Event, chromium
from tests.waiting import LIMIT_S

__all__ = ["Browser", "Look", "NewPage", "Page", "chromium"]

_PAUSE_S = 0.02
_LIKE_NEW = "about:blank"

# The name of a key, its virtual key code, and the text that it types.
_KEYS = {
    "Enter": (13, "\r"),
    "Tab": (9, ""),
    "Escape": (27, ""),
    "Backspace": (8, ""),
    "Space": (32, " "),
    "PageUp": (33, ""),
    "PageDown": (34, ""),
    "End": (35, ""),
    "Home": (36, ""),
    "ArrowLeft": (37, ""),
    "ArrowUp": (38, ""),
    "ArrowRight": (39, ""),
    "ArrowDown": (40, ""),
    "Delete": (46, ""),
}
_SUBMIT = """(path, fields) => {
  const form = document.createElement("form");
  for (const [name, value] of Object.entries(fields)) {
    const field = document.createElement("textarea");
    [field.name, field.value] = [name, value];
    form.append(field);
  }
  [form.method, form.action] = ["post", path];
  document.body.append(form);
  form.submit();
}"""
_MODIFIERS = {"Alt": 1, "Control": 2, "Meta": 4, "Shift": 8}


@dataclass(frozen=True, kw_only=True)
class Look:
    """How a visitor looks at a page; `scale` is the number of real pixels of one in CSS (2: at 200 % zoom)."""

    width: int = 1100
    height: int = 900
    scale: float = 1
    dark: bool = False
    reduced_motion: bool = False
    language: str = "en"
    timezone: str = "UTC"
    javascript: bool = True


class Page:
    """A page without a past: its cookies and storage are its own. `close` it, or use it as a context.

    `requests` and `complaints` record what it loaded and complained about since it was opened.
    """

    def __init__(self, chromium: Chromium, look: Look | None = None, *, like: "Page | None" = None) -> None:
        """Make a page; with `like`, it is another tab of that page's visitor."""
        self._chromium = chromium
        self._own_context = like is None
        self._context: str = like._context if like else chromium.send("Target.createBrowserContext")["browserContextId"]
        self._target: str = chromium.send("Target.createTarget", url=_LIKE_NEW, browserContextId=self._context)[
            "targetId"
        ]
        self._session: str = chromium.send("Target.attachToTarget", targetId=self._target, flatten=True)["sessionId"]
        self._is_loaded = True
        self._downloads: dict[str, str] = {}
        self.requests: list[dict[str, Any]] = []
        self.complaints: list[str] = []
        chromium.listen(self._session, self._note)
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.send(f"{domain}.enable")
        self.look(look or Look())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the page and, unless another page shares it, forget its cookies and storage."""
        self._chromium.forget(self._session)
        self._chromium.send("Target.closeTarget", targetId=self._target)
        if self._own_context:
            self._chromium.send("Target.disposeBrowserContext", browserContextId=self._context)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command of the DevTools protocol and return its result."""
        return self._chromium.send(method, self._session, **parameters)

    def look(self, look: Look) -> None:
        """Look at the page like this from now on; a language counts from the next address."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=look.width,
            height=look.height,
            deviceScaleFactor=look.scale,
            mobile=look.width < 600,
        )
        features = {
            "prefers-color-scheme": "dark" if look.dark else "light",
            "prefers-reduced-motion": "reduce" if look.reduced_motion else "no-preference",
        }
        self.send(
            "Emulation.setEmulatedMedia", features=[{"name": name, "value": value} for name, value in features.items()]
        )
        agent = self._chromium.send("Browser.getVersion")["userAgent"]
        self.send("Emulation.setUserAgentOverride", userAgent=agent, acceptLanguage=look.language)
        self.send("Emulation.setTimezoneOverride", timezoneId=look.timezone)
        self.send("Emulation.setScriptExecutionDisabled", value=not look.javascript)
        self.send("Emulation.setFocusEmulationEnabled", enabled=True)

    def open(self, address: str) -> None:
        """Go to an address and wait until the page is loaded."""
        self.requests.clear()
        self.complaints.clear()
        self._is_loaded = False
        found = self.send("Page.navigate", url=address)
        assert "errorText" not in found, found
        self._until_loaded()

    def submit(self, path: str, fields: dict[str, str]) -> None:
        """Send a form to a path of the open page's server, and wait for the page that answers."""
        self.requests.clear()
        self.complaints.clear()
        self._is_loaded = False
        self.run(f"({_SUBMIT})({json.dumps(path)}, {json.dumps(fields)})")
        self._until_loaded()

    def run(self, expression: str) -> Any:
        """Return the value of a JavaScript expression as JSON; a promise is awaited."""
        found = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait_for(self, condition: str) -> None:
        """Wait until a JavaScript expression is true, on this page or on the one to which it leads."""
        deadline, why = time.monotonic() + LIMIT_S, ""
        while True:
            try:
                found = self.send("Runtime.evaluate", expression=f"Boolean(({condition}))", returnByValue=True)
            except DevToolsError as error:
                # The page was left at this moment.
                found, why = {"result": {}}, str(error)
            if found["result"].get("value") is True:
                return
            if "exceptionDetails" in found:
                why = str(found["exceptionDetails"].get("exception", {}).get("description"))
            assert time.monotonic() < deadline, f"{condition} never came true ({why}): {self.text('body')}"
            time.sleep(_PAUSE_S)

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

    def press(self, keys: str) -> None:
        """Press a real key, such as "Enter", "a" or "Shift+Tab", where the focus is."""
        *held, key = keys.split("+") if len(keys) > 1 else [keys]
        # The code of "#" would be that of another key, "End".
        code, text = _KEYS.get(key, (ord(key[0].upper()) if key.isalnum() else 0, key))
        event = {
            "modifiers": sum(_MODIFIERS[name] for name in held),
            "key": " " if key == "Space" else key,
            "code": key if key in _KEYS else "",
            "windowsVirtualKeyCode": code,
        }
        typed = {"text": text} if text and not {"Alt", "Control", "Meta"} & set(held) else {}
        self.send("Input.dispatchKeyEvent", type="keyDown" if typed else "rawKeyDown", **event, **typed)
        self.send("Input.dispatchKeyEvent", type="keyUp", **event)

    def type(self, text: str) -> None:
        """Type a text, key by key, where the focus is."""
        for character in text:
            self.press({" ": "Space", "\n": "Enter", "\t": "Tab"}.get(character, character))

    def download(self, selector: str, folder: Path) -> Path:
        """Press a button and wait for the file that it saves into a folder."""
        self._downloads.clear()
        self.send("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))
        self.click(selector)
        while self._downloads.get("state") != "completed":
            self._chromium.next_message()
            assert self._downloads.get("state") != "canceled", "the download was cancelled"
        return folder / self._downloads["name"]

    def screenshot(self, path: Path, *, whole: bool = True, quality: int = 80) -> None:
        """Write what is seen as PNG, or as WebP of a quality from 0 to 100; the whole page, or only the window."""
        form = path.suffix.removeprefix(".")
        options = {"quality": quality} if form == "webp" else {"optimizeForSpeed": False}
        found = self.send("Page.captureScreenshot", format=form, captureBeyondViewport=whole, **options)
        path.write_bytes(b64decode(found["data"]))

    def print_pdf(self, path: Path) -> None:
        """Print the page, on the paper that its style wants, as PDF."""
        found = self.send("Page.printToPDF", printBackground=True, preferCSSPageSize=True)
        path.write_bytes(b64decode(found["data"]))

    def _until_loaded(self) -> None:
        while not self._is_loaded:
            self._chromium.next_message()

    def _note(self, event: Event) -> None:
        method, about = event["method"], event.get("params", {})
        if method == "Page.loadEventFired":
            self._is_loaded = True
        elif method == "Network.requestWillBeSent":
            self.requests.append(about["request"])
        elif method == "Log.entryAdded":
            self.complaints.append(about["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(about["exceptionDetails"]["exception"].get("description", "an exception"))
        elif method == "Page.downloadWillBegin":
            self._downloads["name"] = about["suggestedFilename"]
        elif method == "Page.downloadProgress":
            self._downloads["state"] = about["state"]


NewPage = Callable[..., Page]
"""Make a page that is looked at like this: what the fixture `new_page` gives."""


class Browser(Page):
    """A page in a Chromium of its own."""

    def __init__(self, program: str, profile: Path, *flags: str, **look: Any) -> None:
        self._alone = Chromium(program, profile, *flags)
        super().__init__(self._alone, Look(**look))

    def __exit__(self, *_: object) -> None:
        self._alone.__exit__()


def follow(page: Page, selector: str) -> None:
    """Press a button or a link, and wait for the page to which it leads."""
    page.run("void (window.isLeft = false)")
    page.click(selector)
    arrive(page)


def arrive(page: Page) -> None:
    """Wait for the page that an action led to."""
    page.wait_for("window.isLeft === undefined && document.readyState === 'complete'")
