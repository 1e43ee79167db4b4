"""Drives a real Chromium over a pipe (DevTools protocol), with the standard library alone."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_PLACE_PIPES: Final = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); "
    "os.execvp(sys.argv[3], sys.argv[3:])"
)
_FLAGS: Final = (
    "--headless=new",
    "--no-sandbox",  # a container's root has no other way
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
_MESSAGES: Final = {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"}


def find_browser() -> str | None:
    """Return the path of a Chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One tab of a headless Chromium.

    Parameters
    ----------
    program : str
        As `find_browser` found it.

    Attributes
    ----------
    messages : list of str
        What came to the console: logs, warnings, errors, exceptions, refusals by policy.
    requests : list of str
        Addresses that were asked for, without ``data:`` and the page itself.
    """

    def __init__(self, program: str) -> None:
        self._folder = tempfile.TemporaryDirectory(
            prefix="medlabel-browser-", ignore_cleanup_errors=True
        )
        to_child, self._write = os.pipe()
        self._read, from_child = os.pipe()
        # Above 4, so that placing one pipe does not close the other.
        inner = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (to_child, from_child)]
        os.close(to_child)
        os.close(from_child)
        command = [sys.executable, "-c", _PLACE_PIPES, *map(str, inner), program, *_FLAGS]
        self._process = subprocess.Popen(
            [*command, f"--user-data-dir={self._folder.name}", "about:blank"],
            pass_fds=inner,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for fd in inner:
            os.close(fd)
        self._buffer = b""
        self._number = 0
        self._session = ""
        self.messages: list[str] = []
        self.requests: list[str] = []
        self._address = ""

    def __enter__(self) -> Self:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self.call(f"{domain}.enable")
        self.size(1280, 900)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session = ""
        try:
            self.call("Browser.close")
            self._process.wait(20)
        except (OSError, TimeoutError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait(20)
        os.close(self._write)
        os.close(self._read)
        self._folder.cleanup()

    def _receive(self, until: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select(
                [self._read], [], [], max(0.0, until - time.monotonic())
            )
            if not ready:
                raise TimeoutError("The browser did not answer in time.")
            data = os.read(self._read, 1 << 20)
            if not data:
                raise OSError("The browser went away.")
            self._buffer += data
        raw, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(raw)
        self._note(message)
        return message

    def _note(self, message: Mapping[str, Any]) -> None:
        method = message.get("method", "")
        given = message.get("params", {})
        if method in _MESSAGES:
            self.messages.append(f"{method} {json.dumps(given)[:600]}")
        elif method == "Network.requestWillBeSent":
            address = given["request"]["url"]
            if not address.startswith("data:") and address != self._address:
                self.requests.append(address)

    def call(self, method: str, /, timeout_s: float = 60.0, **given: object) -> dict[str, Any]:
        """Send a command and return its result."""
        self._number += 1
        number = self._number
        sent: dict[str, object] = {"id": number, "method": method, "params": given}
        if self._session:
            sent["sessionId"] = self._session
        os.write(self._write, json.dumps(sent).encode() + b"\0")
        until = time.monotonic() + timeout_s
        while True:
            message = self._receive(until)
            if message.get("id") == number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                result: dict[str, Any] = message.get("result", {})
                return result

    def size(self, width: int, height: int) -> None:
        """Give the window a size."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def prefer(self, scheme: str, media: str = "") -> None:
        """Prefer light or dark; media may be print."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call("Emulation.setEmulatedMedia", media=media, features=features)

    def scripts(self, allowed: bool) -> None:
        """Allow JavaScript or not."""
        self.call("Emulation.setScriptExecutionDisabled", value=not allowed)

    def first_run(self, source: str) -> str:
        """Run a script at the begin of each page from now on; return its handle."""
        added = self.call("Page.addScriptToEvaluateOnNewDocument", source=source)
        return str(added["identifier"])

    def no_more(self, handle: str) -> None:
        """Take a script of `first_run` back."""
        self.call("Page.removeScriptToEvaluateOnNewDocument", identifier=handle)

    def open(self, path: Path) -> None:
        """Open a file, and forget what earlier pages said."""
        self.messages.clear()
        self.requests.clear()
        self._address = path.as_uri()
        self.call("Page.navigate", url=self._address)

    def value(self, expression: str) -> Any:
        """Return what an expression is, as JSON can say it; promises are awaited."""
        result = self.call(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
        )
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"])[:600])
        return result["result"].get("value")

    def wait(self, expression: str, timeout_s: float = 60.0) -> Any:
        """Wait until an expression is true, and return it."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            found = self.value(expression)
            if found:
                return found
            time.sleep(0.02)
        raise TimeoutError(f"Never true in the page: {expression}")

    def ready(self, timeout_s: float = 60.0) -> int:
        """Wait until the page can be used; return the milliseconds that it took."""
        return int(
            self.wait(
                "location.href !== 'about:blank' && document.documentElement?.dataset.ready",
                timeout_s,
            )
        )

    def click(self, selector: str) -> None:
        """Click an element."""
        self.value(f"document.querySelector({json.dumps(selector)}).click()")

    def enter(self, selector: str, words: str) -> None:
        """Type into a field, as far as the page can tell."""
        self.value(
            f"(() => {{ const field = document.querySelector({json.dumps(selector)});"
            f"field.value = {json.dumps(words)};"
            "field.dispatchEvent(new Event('input', { bubbles: true })); })()"
        )

    def choose_file(self, selector: str, path: Path) -> None:
        """Choose a file in a file field."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def press(self, key: str, code: int, modifiers: int = 0) -> None:
        """Press a key."""
        given = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": modifiers}
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, **given)

    def text(self, selector: str) -> str:
        """Return the visible text of an element."""
        return str(self.value(f"document.querySelector({json.dumps(selector)}).innerText"))

    def picture(self, path: Path, *, whole: bool = True) -> None:
        """Write a PNG of the window, or of the whole page."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole,
                         **self._clip(whole))  # fmt: skip
        path.write_bytes(base64.b64decode(shot["data"]))

    def _clip(self, whole: bool) -> dict[str, object]:
        if not whole:
            return {}
        box = self.call("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {**box, "scale": 1}}

    def pdf(self) -> bytes:
        """Print the page."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])

    def heap_mb(self) -> float:
        """Return the memory that scripts hold."""
        return float(self.call("Runtime.getHeapUsage")["usedSize"]) / 1e6

    def tabbed(self, steps: int) -> Sequence[str]:
        """Press Tab and return what has the focus after each step."""
        found = []
        for _ in range(steps):
            self.press("Tab", 9)
            found.append(
                str(
                    self.value(
                        "(() => { const e = document.activeElement; return e.id || "
                        "e.getAttribute('aria-label') || e.textContent.slice(0, 40); })()"
                    )
                )
            )
        return found
