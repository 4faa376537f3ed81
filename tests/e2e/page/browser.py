"""A Chromium driven over the DevTools protocol: open a page, ask it, type into it, and hear its errors and requests."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = (
    "--headless=new",
    # Tests often run as root in a container, where Chromium's own sandbox cannot start.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--no-first-run",
    "--no-proxy-server",
    "--remote-debugging-port=0",
)
PATIENCE = 20.0
KEYS = {"Enter": 13, "Escape": 27, "ArrowUp": 38, "ArrowDown": 40, "Tab": 9}


def find_chromium() -> str | None:
    """The path of an installed Chromium, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class PageError(Exception):
    """The page threw, or a wait ran out."""


class Page:
    """One tab without a past; `errors` and `requests` fill while commands run."""

    def __init__(self, socket: ClientConnection) -> None:
        self.errors: list[str] = []
        self.requests: list[str] = []
        self._socket = socket
        self._last_id = 0
        self._loaded: set[str] = set()
        self._session: str | None = None
        self._heard: set[str] = set()
        self._context = self.send("Target.createBrowserContext")["browserContextId"]
        target = self.send("Target.createTarget", url="about:blank", browserContextId=self._context)["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._session = session
        self._watch(session)
        self.send("Page.enable")
        self.send("Page.setLifecycleEventsEnabled", enabled=True)

    def close(self) -> None:
        """Close the tab and forget what it stored."""
        self._session = None
        self.send("Target.disposeBrowserContext", browserContextId=self._context)

    def send(self, method: str, **params: Any) -> Any:
        """Run a protocol command and return its result."""
        sent = self._post(self._session, method, params)
        while True:
            message = json.loads(self._socket.recv(timeout=PATIENCE))
            if message.get("id") == sent:
                if "error" in message:
                    raise PageError(f"{method}: {message['error']['message']}")
                return message["result"]
            self._notice(message)

    def open(self, url: str) -> None:
        """Start from a fresh record and load *url*."""
        self.errors.clear()
        self.requests.clear()
        begun = self.send("Page.navigate", url=url)
        if "errorText" in begun:
            raise PageError(f"{url}: {begun['errorText']}")
        # Without a loader only what stands behind the # is new: there is nothing to wait for.
        while "loaderId" in begun and begun["loaderId"] not in self._loaded:
            self._notice(json.loads(self._socket.recv(timeout=PATIENCE)))

    def other_origins(self, origin: str) -> list[str]:
        """What was asked of anybody but *origin*; data and blob addresses ask nobody."""
        return [url for url in self.requests if not url.startswith((f"{origin}/", "data:", f"blob:{origin}/"))]

    def ask(self, expression: str) -> Any:
        """The value of a JavaScript expression, promises awaited."""
        answer = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise PageError(f"{expression}: {answer['exceptionDetails'].get('exception', {}).get('description')}")
        return answer["result"].get("value")

    def wait(self, expression: str) -> Any:
        """The first truthy value of *expression*; the page itself looks again and again."""
        poll = f"""new Promise((found, late) => {{
            const began = performance.now();
            const look = () => {{
                let value = null;
                try {{ value = {expression}; }} catch {{}}
                if (value) found(typeof value === 'object' ? true : value);
                else if (performance.now() - began > {PATIENCE * 900}) late(new Error("did not become true"));
                else setTimeout(look, 40);
            }};
            look();
        }})"""
        try:
            return self.ask(poll)
        except PageError as late:
            text = self.ask("document.body.innerText.slice(0, 2000)")
            raise PageError(f"waited for {expression}\nerrors: {self.errors}\npage: {text}") from late

    def type(self, text: str) -> None:
        """Put *text* where the focus is."""
        self.send("Input.insertText", text=text)

    def press(self, key: str, modifiers: int = 0) -> None:
        """Press and release a key; 2 is the Control modifier."""
        code = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key], "modifiers": modifiers}
        text = {"text": "\r"} if key == "Enter" and not modifiers else {}
        self.send("Input.dispatchKeyEvent", type="keyDown", **code, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", **code)

    def resize(self, width: int, height: int) -> None:
        """Show the page in a window of this size."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.send("Emulation.setDeviceMetricsOverride", **size)

    def fits(self, width: int) -> bool:
        """Whether nothing of the page is wider than the window that was asked for, and every link of its head is seen.

        In a small window `innerWidth` is no measure: it grows with what is in it. A scroll bar takes of the width.
        """
        return bool(
            self.ask(f"""document.documentElement.clientWidth <= {width}
            && document.documentElement.scrollWidth <= document.documentElement.clientWidth
            && [...document.querySelectorAll('nav a')].every(link => {{
                const box = link.getBoundingClientRect();
                return box.width > 0 && box.left >= 0 && box.right <= {width};
            }})""")
        )

    def prefer(self, scheme: str) -> None:
        """Ask the page for its `light` or `dark` colours."""
        self.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path: Path) -> None:
        """Write the whole page as a PNG."""
        data = self.send("Page.captureScreenshot", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def view(self, path: Path) -> None:
        """Write what the window shows as a PNG."""
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))

    def _post(self, session: str | None, method: str, params: dict[str, Any]) -> int:
        self._last_id += 1
        command = {"id": self._last_id, "method": method, "params": params}
        self._socket.send(json.dumps(command | ({"sessionId": session} if session else {})))
        return self._last_id

    def _watch(self, session: str) -> None:
        self._heard.add(session)
        for method in ("Runtime.enable", "Network.enable", "Log.enable"):
            self._post(session, method, {})
        # Workers are targets of their own, and may fail or fetch as well.
        attach = {"autoAttach": True, "waitForDebuggerOnStart": False, "flatten": True}
        self._post(session, "Target.setAutoAttach", attach)

    def _notice(self, message: dict[str, Any]) -> None:
        if message.get("sessionId") not in self._heard:
            return
        params = message.get("params", {})
        match message.get("method"):
            case "Page.lifecycleEvent" if params["name"] == "load":
                self._loaded.add(params["loaderId"])
            case "Target.attachedToTarget":
                self._watch(params["sessionId"])
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                self.errors.append(details.get("exception", {}).get("description") or details["text"])
            case "Runtime.consoleAPICalled" if params["type"] in {"error", "assert"}:
                self.errors.append(" ".join(str(a.get("value", a.get("description"))) for a in params["args"]))
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                self.errors.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")


@contextmanager
def open_browser(executable: str) -> Iterator[ClientConnection]:
    """A Chromium of its own, gone afterwards with all it stored."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [executable, *FLAGS, f"--user-data-dir={profile}", "about:blank"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                address = debugger_address(process, Path(profile) / "DevToolsActivePort")
                with connect(address, max_size=None, proxy=None) as socket:
                    yield socket
            finally:
                process.terminate()


def debugger_address(process: subprocess.Popen[bytes], told: Path) -> str:
    """Where Chromium listens: it writes the port and the path into a file of its profile."""
    for _ in range(int(PATIENCE * 10)):
        if told.exists() and len(lines := told.read_text().splitlines()) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        with suppress(subprocess.TimeoutExpired):
            raise PageError(f"Chromium ended with status {process.wait(timeout=0.1)}")
    raise PageError("Chromium did not open its debugging port")
