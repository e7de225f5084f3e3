"""The server: for this machine, for who knows the token, and for its own page."""

import http.client
import json
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
    "no length": ("POST", "/TOKEN/setup", None, {"Content-Length": "x"}, 413),
    "no JSON": ("POST", "/TOKEN/setup", "{", {}, 400),
    "no dictionary": ("POST", "/TOKEN/setup", "[]", {}, 400),
    "deep": ("POST", "/TOKEN/setup", "[" * 100000, {}, 400),
    "wrong": ("POST", "/TOKEN/forward", '{"steps": 0}', {}, 400),
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
    assert main(["play", "--port", "70000"]) == 1
    assert "0 to 65535" in capsys.readouterr().err
