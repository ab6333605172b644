"""The lab under load: `wrk` at the prediction route, what a training loses by it, and clients that are slow on purpose.

python bench/lab_load.py [--seconds 30] [--connections 64] [--slow 200]

It needs `wrk` (Debian: apt-get install wrk). Runs, data and state are in a folder that is deleted afterwards; the starter model answers.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from handlens.data.cache import root
from handlens.web.keys import OWNER, Keys

SEVEN = [[[70, 60], [110, 60], [150, 60], [200, 60], [180, 100], [160, 140], [140, 180], [120, 220]]]
_TRAIN = {"preset": "session", "knobs": {"epochs": "200", "hidden_sizes": "128"}, "fetch": True}


@dataclass(frozen=True)
class Lab:
    """A lab that runs, and what its own pages send along."""

    port: int
    process: subprocess.Popen[str]
    folder: Path

    @property
    def headers(self) -> dict[str, str]:
        """What its own pages send."""
        keys = Keys(self.port, secret=(self.folder / "state" / "handlens" / "lab.key").read_bytes())
        host = f"127.0.0.1:{self.port}"
        cookie = f"{keys.name}={keys.cookie(OWNER)}"
        return {"Host": host, "Origin": f"http://{host}", "Content-Type": "application/json", "Cookie": cookie}

    def ask(self, path: str, body: object) -> Any:
        """Ask a route; its answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", path, json.dumps(body), self.headers)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def spent_s(self) -> float:
        """Processor time up to now."""
        return float(sum(psutil.Process(self.process.pid).cpu_times()[:2]))

    def held(self) -> tuple[int, int, float]:
        """Descriptors, threads, and memory in MB."""
        me = psutil.Process(self.process.pid)
        return me.num_fds(), me.num_threads(), me.memory_info().rss / 1e6


@contextlib.contextmanager
def running() -> Iterator[Lab]:
    """A lab in a folder of its own, with MNIST."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "data").mkdir()
        (folder / "data" / "mnist").symlink_to(root() / "mnist")
        own = {
            name: str(folder / part) for name, part in (("HANDLENS_RUNS", "runs"), ("HANDLENS_DATA", "data"), ("XDG_STATE_HOME", "state"))
        }
        command = [sys.executable, "-m", "handlens", "lab", "--no-browser", "--port", "8760"]
        environment = {**os.environ, **own, "PYTHONUNBUFFERED": "1"}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        assert process.stdout
        try:
            link = next(found[0] for line in process.stdout if (found := re.search(r"127\.0\.0\.1:(\d+)", line)))
            lab = Lab(int(link.split(":")[1]), process, folder)
            lab.ask("/api/answer", {"strokes": SEVEN})
            yield lab
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)
            process.stdout.close()


def wrk(lab: Lab, connections: int, seconds: float, pause_s: float = 0.0) -> dict[str, float]:
    """Requests a second, ms of the lab's processor for each, p50 and p99 in ms, errors; with a pause after each, as people draw."""
    delay = f"function delay() return {round(pause_s * 1000)} end" if pause_s else ""
    heads = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in lab.headers.items() if name != "Host")
    script = lab.folder / "drawing.lua"
    script.write_text(f"wrk.method = 'POST'\nwrk.body = '{json.dumps({'strokes': SEVEN})}'\n{heads}\n{delay}\n")
    options = ["-t", "2" if connections > 1 else "1", "-c", str(connections), "-d", f"{seconds:g}s", "--latency", "--timeout", "10s"]
    command = ["wrk", *options, "-s", str(script), f"http://127.0.0.1:{lab.port}/api/answer"]
    spent = lab.spent_s()
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    spent = lab.spent_s() - spent
    times = {share: _ms(found[1]) for share in ("50%", "99%") if (found := re.search(rf"{share}\s+(\S+)", said))}
    errors = sum(
        int(number) for line in re.findall(r"(?:Socket errors|Non-2xx).*", said) for number in re.findall(r"\d+", line.partition(":")[2])
    )
    rate = re.search(r"Requests/sec:\s+(\S+)", said)
    answered = re.search(r"(\d+) requests in", said)
    cost_ms = spent / int(answered[1]) * 1e3 if answered else 0.0
    return {
        "rate": float(rate[1]) if rate else 0.0,
        "cost_ms": cost_ms,
        "p50": times.get("50%", 0),
        "p99": times.get("99%", 0),
        "errors": errors,
    }


def _ms(text: str) -> float:
    found = re.fullmatch(r"([\d.]+)(us|ms|s)", text)
    return float(found[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[found[2]] if found else 0.0


def steps_a_second(lab: Lab, name: str, seconds: float) -> float:
    """How quick a training is, from its own count."""

    def step() -> int:
        live = json.loads((lab.folder / "runs" / ".lab" / name / "live.json").read_text())
        return int(live["epoch"] * live["steps"] + live["step"])

    start, before = time.perf_counter(), step()
    time.sleep(seconds)
    return (step() - before) / (time.perf_counter() - start)


def training(lab: Lab, seconds: float, connections: int) -> list[tuple[str, float]]:
    """Steps a second alone, while one person draws (20 a second), and under wrk; in turns, since the machine may be busy otherwise."""
    name = lab.ask("/api/trainings", _TRAIN)["name"]
    until, live = time.monotonic() + 120, lab.folder / "runs" / ".lab" / name / "live.json"
    while time.monotonic() < until and not (live.exists() and json.loads(live.read_text()).get("step")):
        time.sleep(0.2)
    found = []
    for _ in range(3):
        for what, options in (("alone", None), ("one draws", (1, 0.05)), ("wrk", (connections, 0.0))):
            load = threading.Thread(target=lambda options=options: wrk(lab, options[0], seconds + 1, options[1])) if options else None
            if load:
                load.start()
            found.append((what, steps_a_second(lab, name, seconds)))
            if load:
                load.join()
    lab.ask(f"/api/trainings/{name}/control", {"do": "stop"})
    return found


def slow(lab: Lab, count: int) -> tuple[float, float, int]:
    """Clients that send one byte of a body a second: the longest that one was borne, the p99 of an honest one meanwhile, and refusals."""
    head = "".join(f"{name}: {value}\r\n" for name, value in lab.headers.items())
    longest: list[float] = []

    def one() -> None:
        start = time.perf_counter()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", lab.port), timeout=60) as line:
            line.sendall(f"POST /api/answer HTTP/1.1\r\n{head}Content-Length: 1000\r\n\r\n".encode())
            line.settimeout(1)
            while time.perf_counter() - start < 60:
                line.sendall(b" ")
                with contextlib.suppress(TimeoutError):
                    if not line.recv(4096):
                        break
        longest.append(time.perf_counter() - start)

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    times, refused = [], 0
    while any(thread.is_alive() for thread in threads):
        start = time.perf_counter()
        try:
            refused += "probabilities" not in lab.ask("/api/answer", {"strokes": SEVEN})
        except (OSError, ValueError, http.client.HTTPException):
            refused += 1
        times.append((time.perf_counter() - start) * 1e3)
        time.sleep(0.05)
    return max(longest), sorted(times)[int(0.99 * (len(times) - 1))], refused


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--slow", type=int, default=200)
    asked = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("wrk is not on this machine: apt-get install wrk")
    with running() as lab:
        before = lab.held()
        found = wrk(lab, asked.connections, asked.seconds)
        print(f"wrk, {asked.connections} connections, {asked.seconds:g} s: {found['rate']:.0f} predictions/s, ", end="")
        print(f"p50 {found['p50']:.0f} ms, p99 {found['p99']:.0f} ms, {found['errors']:g} errors; ", end="")
        print(f"each takes {found['cost_ms']:.2f} ms of a processor")
        bore, honest, refused = slow(lab, asked.slow)
        print(f"{asked.slow} slow senders: the longest was borne {bore:.1f} s; honest p99 {honest:.0f} ms, {refused} refused")
        speeds = training(lab, max(3.0, asked.seconds / 6), asked.connections)
        medians = {what: statistics.median(speed for name, speed in speeds if name == what) for what, _ in speeds}
        for what in ("one draws", "wrk"):
            share = medians[what] / medians["alone"]
            print(f"a training while {what}: {share:.0%} of its speed alone ({medians[what]:.0f} of {medians['alone']:.0f} steps/s)")
        time.sleep(3)
        after = lab.held()
        print(f"descriptors {before[0]} -> {after[0]}, threads {before[1]} -> {after[1]}, memory {before[2]:.0f} -> {after[2]:.0f} MB")


if __name__ == "__main__":
    main()
