"""The lab behind nginx exactly as docs/serve.md says: who is known gets answers, and nobody gets anything else."""

from __future__ import annotations

import base64
import http.client
import json
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from web.service import SEVEN, Service

DOCS = Path(__file__).parents[2] / "docs" / "serve.md"

pytestmark = pytest.mark.skipif(not (shutil.which("nginx") and shutil.which("openssl")), reason="nginx is not installed here")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def config(folder: Path, port: int, lab: Service) -> str:
    """The block of the docs with this test's ports, cookie and files, in what nginx needs around it."""
    block = re.search(r"^```text\n(limit_req_zone.*?)^```", DOCS.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert block
    cookie = f"{lab.keys.name}={lab.keys.cookie('owner')}"
    block_here = block[1].replace("handlens-8765=THE COOKIE'S VALUE", cookie).replace("127.0.0.1:8765", lab.host)
    block_here = block_here.replace("/etc/nginx/", f"{folder}/").replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
    paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    around = f"daemon off;\npid {folder}/pid;\nerror_log {folder}/errors;\nevents {{}}\n"
    return f"{around}http {{\naccess_log off;\n{paths}{block_here}}}\n"


@pytest.fixture(scope="module")
def proxy(lab: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of an nginx that knows the user `ada`."""
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=digits.example.org"]
    subprocess.run([*made, "-keyout", folder / "digits.key", "-out", folder / "digits.pem"], check=True, capture_output=True, timeout=60)
    known = subprocess.run(["openssl", "passwd", "-apr1", "lovelace"], check=True, capture_output=True, text=True, timeout=60).stdout
    (folder / "digits.users").write_text(f"ada:{known}")
    (folder / "nginx.conf").write_text(config(folder, port, lab))
    command = ["nginx", "-e", str(folder / "errors"), "-c", str(folder / "nginx.conf"), "-g", "user root;"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.communicate(timeout=30)


def wait_for(port: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[1]
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("nginx does not listen")


def ask(port: int, path: str, body: bytes, user: str = "ada:lovelace") -> tuple[int, bytes]:
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=ssl._create_unverified_context())
    headers = {"host": "digits.example.org", "content-type": "application/json", "sec-fetch-site": "cross-site"}
    if user:
        headers["authorization"] = f"Basic {base64.b64encode(user.encode()).decode()}"
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_who_is_known_gets_answers(proxy: int, lab: Service) -> None:
    body = json.dumps({"strokes": SEVEN}).encode()
    status, answer = ask(proxy, "/api/answer", body)
    assert status == 200
    assert json.loads(answer)["probabilities"] == lab.ask("POST", "/api/answer", body).json["probabilities"]


def test_nobody_else_does_and_nothing_else_is_passed_on(proxy: int) -> None:
    body = json.dumps({"strokes": SEVEN}).encode()
    assert ask(proxy, "/api/answer", body, user="")[0] == 401
    assert ask(proxy, "/api/answer", body, user="ada:babbage")[0] == 401
    for path in ("/api/trainings", "/api/answer/../trainings", "/start?key=x", "/", "/api/runs"):
        assert ask(proxy, path, b"{}")[0] in (404, 405), path
    assert ask(proxy, "/api/photo", bytes(21 << 20))[0] == 413
