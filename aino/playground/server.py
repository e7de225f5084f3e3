"""The server of the playground: this machine alone, and only who knows the token."""

from __future__ import annotations

import json
import secrets
import sys
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any
from urllib.parse import parse_qs

from aino.playground import lessons
from aino.playground.session import Session

_PAGE = {
    "": ("index.html", "text/html"), "page.css": ("page.css", "text/css"),
    **{name: (name, "text/javascript") for name in ("main.js", "network.js", "plane.js")},
}  # fmt: skip
#: How much a request may hold.
_MOST_BYTES = 1 << 20
#: How many pages may be open at once, each with its network.
_MOST_PAGES = 32
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def _forward(session: Session, given: dict[str, Any]) -> Any:
    session.forward(given.get("steps"))
    return session.state()


def _back(session: Session, given: dict[str, Any]) -> Any:
    session.back(given.get("steps"))
    return session.state()


#: What a page may ask -> what answers.
_QUESTIONS: dict[str, Callable[[Session, dict[str, Any]], Any]] = {
    "setup": lambda session, given: session.state(),
    "forward": _forward,
    "back": _back,
    "perceptron": lambda session, given: lessons.perceptron(
        session, given.get("layer"), given.get("unit"), given.get("point")
    ),
    "walk": lambda session, given: lessons.walk(session, given.get("point"), given.get("target")),
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
        #: What each open page shows, by the name that it gives itself; the one asked last, last.
        self.sessions = {"": Session({})}
        #: One step after the other, whichever thread asks.
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.server_address[1]}/{self.token}/"

    @property
    def session(self) -> Session:
        """What the page shows that asked last."""
        return next(reversed(self.sessions.values()))

    def session_of(self, tab: Any) -> Session:
        """Return what a page shows; ``ValueError`` for one that is not known."""
        if not isinstance(tab, str) or tab not in self.sessions:
            raise ValueError("this page is not known, or so many were opened after it: reload it")
        session = self.sessions[tab] = self.sessions.pop(tab)
        return session

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of pages that were closed before they had their answer."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def answer(self, name: str, given: dict[str, Any]) -> Any:
        """Return what a page asks for; ``ValueError`` says what is wrong with it.

        ``given["tab"]`` is the page's name: each has a network of its own.
        """
        if name not in _QUESTIONS:
            raise KeyError(name)
        tab = given.get("tab", "")
        if name == "setup":
            if not isinstance(tab, str) or len(tab) > 64:
                raise ValueError("the name of a page is a short text")
            session = Session(given)  # only settings that are right replace what is there
            self.sessions.pop(tab, None)
            self.sessions[tab] = session
            if len(self.sessions) > _MOST_PAGES:
                del self.sessions[next(iter(self.sessions))]
            return session.state()
        return _QUESTIONS[name](self.session_of(tab), given)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Playground
    protocol_version = "HTTP/1.1"
    #: After so many seconds without a word it is not waited any longer.
    timeout = 60

    def do_GET(self) -> None:
        name = self._name()
        if name is None:
            return
        if name in _PAGE:
            file, kind = _PAGE[name]
            content = (resources.files("aino.playground") / "page" / file).read_bytes()
            self._send(HTTPStatus.OK, content, f"{kind}; charset=utf-8")
        elif name in ("model.dit", "program.py"):
            asked = parse_qs(self.path.partition("?")[2], max_num_fields=8)
            try:
                with self.server.lock:
                    session = self.server.session_of(asked.get("tab", [""])[0])
                    whole = session.file() if name == "model.dit" else session.program().encode()
            except ValueError as error:
                self._refuse(HTTPStatus.NOT_FOUND, str(error))
                return
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
        if length < 0:
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "a question says how long it is")
            return
        if length > _MOST_BYTES:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "this is more than 1 MB")
            return
        try:
            given = json.loads(self.rfile.read(length) or b"{}")
            if not isinstance(given, dict):
                raise ValueError("a request is a dictionary")
            with self.server.lock:
                answer = self.server.answer(name, given)
            content = json.dumps(answer, allow_nan=False).encode()
        except json.JSONDecodeError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, f"a question is JSON: {error}")
        except (ValueError, OverflowError, RecursionError) as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
        except KeyError:
            self._refuse(HTTPStatus.NOT_FOUND, "there is no such question")
        else:
            self._send(HTTPStatus.OK, content, "application/json")

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
