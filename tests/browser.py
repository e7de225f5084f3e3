"""A headless Chromium, spoken to by the W3C's WebDriver protocol, which is JSON over HTTP."""

import base64
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

PROGRAM = shutil.which("chromedriver")
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
MISSING = None if PROGRAM and CHROMIUM else "there is no chromium with its chromedriver"

#: What the protocol calls keys that are no letters.
KEYS = {
    "Escape": "\ue00c", "Enter": "\ue007", "Tab": "\ue004", "Home": "\ue011", "End": "\ue010",
    "ArrowLeft": "\ue012", "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowDown": "\ue015",
}  # fmt: skip
#: The name under which the protocol hands out elements.
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser:
    """One window; ``log`` holds what pages complained of since it was last asked for."""

    def __init__(self, size=(1200, 800), dark=False):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._address = f"http://127.0.0.1:{free.getsockname()[1]}"
        port = self._address.rpartition(":")[2]
        self._driver = subprocess.Popen(
            [PROGRAM, f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                     f"--window-size={size[0]},{size[1]}"]  # fmt: skip
        if dark:
            arguments.append("--blink-settings=preferredColorScheme=0")
        wanted = {
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": CHROMIUM, "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }
        self._session = ""
        try:
            self._wait_for_driver()
            made = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
            self._session = f"/session/{made['sessionId']}"
        except BaseException:
            self.close()
            raise

    def _wait_for_driver(self):
        for _ in range(200):
            try:
                if self._ask("GET", "/status")["ready"]:
                    return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("chromedriver does not answer")

    def _ask(self, method, path, data=None):
        body = None if data is None else json.dumps(data).encode()
        request = urllib.request.Request(
            self._address + path, body, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"]) from None

    def close(self):
        if self._session:
            self._ask("DELETE", self._session)
        self._driver.terminate()
        self._driver.wait(10)

    def open(self, path):
        self.visit(Path(path).resolve().as_uri())

    def visit(self, url):
        self._ask("POST", f"{self._session}/url", {"url": url})
        # Keys that are pressed before the page is painted get lost.
        painted = "requestAnimationFrame(() => requestAnimationFrame(() => arguments[0]()))"
        data = {"script": painted, "args": []}
        self._ask("POST", f"{self._session}/execute/async", data)

    def run(self, script, *arguments):
        """Return what a script's ``return`` gives; ``arguments[0]`` is the first argument."""
        data = {"script": script, "args": list(arguments)}
        return self._ask("POST", f"{self._session}/execute/sync", data)

    def click(self, selector, times=1):
        """Click in the middle of the first element that a CSS selector finds."""
        data = {"using": "css selector", "value": selector}
        found = self._ask("POST", f"{self._session}/element", data)
        click = [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]
        move = {"type": "pointerMove", "origin": {_ELEMENT: found[_ELEMENT]}, "x": 0, "y": 0}
        self._act({"type": "pointer", "id": "mouse", "actions": [move, *click * times]})

    def drag(self, start, end):
        """Press the mouse at one point of the window, and let it go at another."""
        moves = [{"type": "pointerMove", "x": x, "y": y, "duration": 20} for x, y in (start, end)]
        down, up = {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}
        self._act({"type": "pointer", "id": "mouse", "actions": [moves[0], down, moves[1], up]})

    def wheel(self, x, y, turned):
        action = {"type": "scroll", "x": x, "y": y, "deltaX": 0, "deltaY": turned, "duration": 0}
        self._act({"type": "wheel", "id": "wheel", "actions": [action]})

    def press(self, *keys):
        """Press keys one after another: names from ``KEYS``, or text."""
        letters = [KEYS.get(key) or key for key in keys]
        actions = [
            {"type": kind, "value": letter}
            for key in letters
            for letter in key
            for kind in ("keyDown", "keyUp")
        ]
        self._act({"type": "key", "id": "keyboard", "actions": actions})

    def _act(self, device):
        self._ask("POST", f"{self._session}/actions", {"actions": [device]})

    def inside(self, selector):
        """Let what is asked from now on be asked of the page in a frame."""
        data = {"using": "css selector", "value": selector}
        found = self._ask("POST", f"{self._session}/element", data)
        self._ask("POST", f"{self._session}/frame", {"id": found})

    def picture(self, path):
        Path(path).write_bytes(base64.b64decode(self._ask("GET", f"{self._session}/screenshot")))

    def log(self):
        entries = self._ask("POST", f"{self._session}/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] != "INFO"]
