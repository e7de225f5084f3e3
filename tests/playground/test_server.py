"""The server: for this machine, for who knows the token, and for its own page."""

import http.client
import json
import socket
import struct
import threading

import pytest

from aino.command_line import main, play
from aino.playground.server import Playground


@pytest.fixture(scope="module")
def server():
    with Playground() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def ask(server, method, path, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=20)
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), content


def test_it_listens_to_this_machine_alone(server):
    assert server.server_address[0] == "127.0.0.1"
    assert server.url.startswith("http://127.0.0.1:")
    with Playground() as other:
        assert other.token != server.token
        assert len(other.token) >= 32


@pytest.mark.parametrize("name", ["", "main.js", "network.js", "plane.js", "page.css"])
def test_the_page(server, name):
    status, headers, content = ask(server, "GET", f"/{server.token}/{name}")
    assert status == 200
    assert len(content) > 500
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert b"http://" not in content.replace(b"http://www.w3.org/2000/svg", b"")
    assert b"https://" not in content


#: what is asked wrongly -> the method, the path, the body, the headers, and the status.
REFUSED = {
    "no token": ("GET", "/", None, {}, 403),
    "another token": ("GET", "/x/", None, {}, 403),
    "no token for a question": ("POST", "/forward", "{}", {}, 403),
    "another host": ("GET", "/TOKEN/", None, {"Host": "evil.example"}, 403),
    "another page": ("POST", "/TOKEN/forward", '{"steps": 1}', {"Origin": "http://evil.example"},
                     403),
    "a file beside": ("GET", "/TOKEN/../session.py", None, {}, 404),
    "no such page": ("GET", "/TOKEN/nothing", None, {}, 404),
    "no such question": ("POST", "/TOKEN/nothing", "{}", {}, 404),
    "too much": ("POST", "/TOKEN/setup", None, {"Content-Length": str(1 << 21)}, 413),
    "no length": ("POST", "/TOKEN/setup", None, {"Content-Length": "x"}, 411),
    "less than nothing": ("POST", "/TOKEN/setup", None, {"Content-Length": "-5"}, 411),
    "in pieces": ("POST", "/TOKEN/setup", None, {"Transfer-Encoding": "chunked"}, 411),
    "no JSON": ("POST", "/TOKEN/setup", "{", {}, 400),
    "no dictionary": ("POST", "/TOKEN/setup", "[]", {}, 400),
    "deep": ("POST", "/TOKEN/setup", "[" * 100000, {}, 400),
    "wrong": ("POST", "/TOKEN/forward", '{"steps": 0}', {}, 400),
    "wrong settings": ("POST", "/TOKEN/setup", '{"hidden": [99]}', {}, 400),
    "no text": ("POST", "/TOKEN/forward", b"\xff\xfe", {}, 400),
    "a large number": ("POST", "/TOKEN/setup", f'{{"points": [[{10**400}, 0, 0]]}}', {}, 400),
    "a long table": ("POST", "/TOKEN/setup", json.dumps({"table": "x" * 200_000}), {}, 400),
    "no number": ("POST", "/TOKEN/perceptron", '{"layer": 0, "unit": 0, "point": [NaN, 0]}', {},
                  400),
    "two kinds of points": ("POST", "/TOKEN/setup", '{"shape": "xor", "points": []}', {}, 400),
    "an unknown page": ("POST", "/TOKEN/forward", '{"steps": 1, "tab": "x"}', {}, 400),
    "no name of a page": ("POST", "/TOKEN/forward", '{"steps": 1, "tab": []}', {}, 400),
    "a long name of a page": ("POST", "/TOKEN/setup", json.dumps({"tab": "x" * 65}), {}, 400),
    "an unknown page's model": ("GET", "/TOKEN/model.dit?tab=x", None, {}, 404),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_changes_nothing(server, name):
    method, path, body, headers, status = REFUSED[name]
    before = server.session
    step = before.step
    found, _, content = ask(server, method, path.replace("TOKEN", server.token), body, **headers)
    assert found == status
    assert json.loads(content)["error"]
    assert server.session is before
    assert before.step == step


def test_questions_and_what_is_taken_home(server):
    def post(name, **given):
        status, _, content = ask(server, "POST", f"/{server.token}/{name}", json.dumps(given))
        assert status == 200
        return json.loads(content)

    assert post("setup", hidden=[2], shape="xor")["sizes"] == [2, 2, 1]
    assert post("forward", steps=3)["step"] == 3
    assert post("back", steps=1)["step"] == 2
    assert len(post("perceptron", layer=0, unit=1, point=[0.5, 0.5])["weights"]) == 2
    assert post("walk", point=[0.8, 0.8], target=0)["steps"][0]["formula"] == "x"
    status, headers, content = ask(server, "GET", f"/{server.token}/model.dit")
    assert (status, content) == (200, server.session.file())
    assert 'filename="model.dit"' in headers["Content-Disposition"]
    assert b"import aino" in ask(server, "GET", f"/{server.token}/program.py")[2]


def test_the_command(capsys, monkeypatch):
    opened = []
    monkeypatch.setattr(play.webbrowser, "open", opened.append)

    def ended(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Playground, "serve_forever", ended)
    assert main(["play"]) == 0
    url = capsys.readouterr().out.split()[4]
    assert opened == [url]
    assert main(["play", "--no-browser"]) == 0
    assert len(opened) == 1
    capsys.readouterr()
    for port in ("70000", "-1", "x"):
        with pytest.raises(SystemExit) as ended:
            main(["play", "--port", port])
        assert ended.value.code == 2
        assert "0 to 65535" in capsys.readouterr().err
    with Playground() as other:
        port = str(other.server_address[1])
        assert main(["play", "--no-browser", "--port", port]) == 1
        assert f"aino: port {port}: address already in use" in capsys.readouterr().err


def test_each_page_has_a_network_of_its_own():
    with Playground() as server:

        def post(name, **given):
            return server.answer(name, given)

        post("setup", tab="one", hidden=[2], shape="xor")
        post("forward", tab="one", steps=5)
        post("setup", tab="two", hidden=[3, 3], shape="three")
        assert post("forward", tab="one", steps=1)["step"] == 6
        assert post("forward", tab="two", steps=1)["sizes"] == [2, 3, 3, 3]
        assert post("back", tab="one", steps=2)["step"] == 4
        assert server.session is server.session_of("one")
        # Of many, those that were not asked for longest are forgotten, and say so.
        for number in range(31):
            post("setup", tab=f"more {number}")
        assert post("back", tab="one", steps=1)["step"] == 3
        with pytest.raises(ValueError, match="reload"):
            post("forward", tab="two", steps=1)


def test_a_page_that_is_closed_too_early_is_no_mistake(server, capsys):
    path = f"/{server.token}/setup"
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.server_address[1]}\r\n"
    for _ in range(5):
        connection = socket.create_connection(server.server_address)
        connection.sendall(f"{head}Content-Length: 2\r\n\r\n{{}}".encode())
        # What is unread is reset, so that the answer can't be sent.
        reset = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        connection.close()
    assert ask(server, "POST", path, "{}")[0] == 200
    assert capsys.readouterr().err == ""
