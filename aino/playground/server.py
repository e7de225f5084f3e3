"""The server of the playground: this machine alone, and only who knows the token."""

from __future__ import annotations

import json
import secrets
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any

from aino.playground import lessons
from aino.playground.session import Session

_PAGE = {
    "": ("index.html", "text/html"), "page.css": ("page.css", "text/css"),
    **{name: (name, "text/javascript") for name in ("main.js", "network.js", "plane.js")},
}  # fmt: skip
#: How much a request may hold.
_MOST_BYTES = 1 << 20
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Playground(ThreadingHTTPServer):
    """Serves the page on 127.0.0.1 under a path that nobody else knows.

    Arguments:
        port: where it listens; 0 takes a free one.
    """

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.token = secrets.token_urlsafe(24)
        self.session = Session({})
        #: One step after the other, whichever thread asks.
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.server_address[1]}/{self.token}/"

    def answer(self, name: str, given: dict[str, Any]) -> Any:
        """Return what the page asks for; ``ValueError`` says what is wrong with it."""
        if name == "setup":
            # Only settings that are right replace what is there.
            self.session = Session(given)
        elif name == "forward":
            self.session.forward(given.get("steps"))
        elif name == "back":
            self.session.back(given.get("steps"))
        elif name == "perceptron":
            return lessons.perceptron(
                self.session, given.get("layer"), given.get("unit"), given.get("point")
            )
        elif name == "walk":
            return lessons.walk(self.session, given.get("point"), given.get("target"))
        else:
            raise KeyError(name)
        return self.session.state()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Playground
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        name = self._name()
        if name is None:
            return
        if name in _PAGE:
            file, kind = _PAGE[name]
            content = (resources.files("aino.playground") / "page" / file).read_bytes()
            self._send(HTTPStatus.OK, content, f"{kind}; charset=utf-8")
        elif name in ("model.dit", "program.py"):
            with self.server.lock:
                session = self.server.session
                whole = session.file() if name == "model.dit" else session.program().encode()
            self._send(HTTPStatus.OK, whole, "application/octet-stream", name)
        else:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such page")

    def do_POST(self) -> None:
        name = self._name()
        if name is None:
            return
        origin = self.headers.get("Origin")
        if origin is not None and origin != f"http://{self.headers.get('Host')}":
            self._refuse(HTTPStatus.FORBIDDEN, "another page may not ask here")
            return
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            length = -1
        if not 0 <= length <= _MOST_BYTES:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "this is more than 1 MB")
            return
        try:
            given = json.loads(self.rfile.read(length) or b"{}")
            if not isinstance(given, dict):
                raise ValueError("a request is a dictionary")
            with self.server.lock:
                answer = self.server.answer(name, given)
        except (ValueError, RecursionError) as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
        except KeyError:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such question")
        else:
            self._send(HTTPStatus.OK, json.dumps(answer).encode(), "application/json")

    def _name(self) -> str | None:
        """Return what is asked for; None, and an answer, for who must not ask."""
        port = self.server.server_address[1]
        # A name of somebody else's that leads to this machine is refused, too.
        if self.headers.get("Host") not in (f"127.0.0.1:{port}", f"localhost:{port}"):
            self._refuse(HTTPStatus.FORBIDDEN, "this server is for this machine")
            return None
        token, slash, name = self.path.partition("?")[0].removeprefix("/").partition("/")
        if not slash or not secrets.compare_digest(token.encode(), self.server.token.encode()):
            self._refuse(HTTPStatus.FORBIDDEN, "open the address that the terminal shows")
            return None
        return name

    def _refuse(self, status: HTTPStatus, text: str) -> None:
        self.close_connection = True
        self._send(status, json.dumps({"error": text}).encode(), "application/json")

    def _send(self, status: HTTPStatus, content: bytes, kind: str, name: str = "") -> None:
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(content)), **_HEADERS}
        if name:
            headers["Content-Disposition"] = f'attachment; filename="{name}"'
        if self.close_connection:
            headers["Connection"] = "close"
        for header, value in headers.items():
            self.send_header(header, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the terminal belongs to the user."""
