"""The lab is killed while pages save drawings: what was acknowledged is there, byte for byte; the rest is whole or not there."""

from __future__ import annotations

import http.client
import json
import random
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from corpus import amount, commit
from nursery import Nursery

import handlens as hl
from handlens.data.drawing import normalize
from handlens.data.mine.digits import drawn, place, seen
from handlens.web.keys import OWNER, Keys

Record = Callable[[str, object], None]
Strokes = list[list[list[float]]]
SECRET = "5a" * 32
CLIENTS = 4


def free_port() -> int:
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        return int(some.getsockname()[1])


@dataclass
class Client:
    """A page that draws and saves, one drawing after the other, until nobody answers.

    Attributes:
        acknowledged: the strokes of each drawing that was answered with 201, by its id.
    """

    port: int
    seed: int
    acknowledged: dict[str, Strokes] = field(default_factory=dict)
    answers: set[int] = field(default_factory=set)

    def run(self) -> None:
        """Save drawings."""
        draw = random.Random(self.seed)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with suppress(OSError, http.client.HTTPException), closing(connection):
            while True:
                strokes = [[[round(draw.uniform(0, 200), 1), round(draw.uniform(0, 200), 1)] for _ in range(4)]]
                self.save(connection, strokes, draw.randrange(10))

    def save(self, connection: http.client.HTTPConnection, strokes: Strokes, label: int) -> None:
        """Save one; only what was answered counts."""
        keys = Keys(self.port, secret=bytes.fromhex(SECRET))
        headers = {"content-type": "application/json", "origin": f"http://127.0.0.1:{self.port}"}
        headers["cookie"] = f"{keys.name}={keys.cookie(OWNER)}"
        connection.request("POST", "/api/digits", json.dumps({"strokes": strokes, "label": label, "anyway": True}), headers)
        answer = connection.getresponse()
        told = answer.read()
        self.answers.add(answer.status)
        if answer.status == 201:
            self.acknowledged[json.loads(told)["id"]] = strokes


def test_a_drawing_that_the_lab_acknowledged_is_there_after_any_kill(
    nursery: Nursery, quick_disk: Path, monkeypatch: pytest.MonkeyPatch, record_property: Record
) -> None:
    monkeypatch.setenv("HANDLENS_DATA", str(quick_disk))
    moments, kills, everything = random.Random(commit()), amount("lab_kills", 10), dict[str, Strokes]()
    for turn in range(kills):
        port = free_port()
        child = nursery.start("jobs:serve_lab", port, SECRET, log=quick_disk / f"lab-{turn}")
        while "port" not in child.said and child.is_alive:
            time.sleep(0.01)
        clients = [Client(port, 1000 * turn + number) for number in range(CLIENTS)]
        threads = [threading.Thread(target=client.run) for client in clients]
        for thread in threads:
            thread.start()
        while not any(client.acknowledged for client in clients) and any(thread.is_alive() for thread in threads):
            time.sleep(0.01)
        time.sleep(moments.uniform(0, 0.3))
        assert child.kill() == -signal.SIGKILL, child.said
        for thread in threads:
            thread.join()
        for client in clients:
            everything |= client.acknowledged
            assert client.answers <= {201, 400, 422}
        check(everything)
    record_property("cases", kills)
    assert len(everything) >= kills


def check(acknowledged: dict[str, Strokes]) -> None:
    """What was acknowledged is there as it was drawn; what else is there is whole."""
    kept = {digit.id: digit for digit in hl.mine.digits()}
    assert acknowledged.keys() <= kept.keys()
    for digit_id, strokes in acknowledged.items():
        assert json.loads(place(digit_id, "json").read_bytes()) == strokes
        assert np.array_equal(drawn(kept[digit_id]), normalize(strokes).stages[0].picture)
    for digit_id in kept.keys() - acknowledged.keys():
        assert seen(kept[digit_id]).image.any()
