"""What a sweep costs besides its trainings, and what more workers and more images cost; ratios within one run.

python bench/scale.py trials [--counts 16,64,256]     the scheduler's part: very short trials, in a sweep and in a plain loop
python bench/scale.py ranks  [--processes 1,2]        one training in several processes: images/s, and the share lost in waiting
python bench/scale.py workers [--workers 1,2]         sixteen trials on so many workers of this machine: time and memory
python bench/scale.py nodes  [--nodes 1,2,4]          the same trials on so many Ray nodes of one processor each, on this machine
python bench/scale.py resume [--counts 16,64,256]     a sweep whose last trial is missing: how long until it is under way
python bench/scale.py images [--millions 0.06,0.4,1.6]  synthetic images, in memory and from shards: images/s and memory
python bench/scale.py prune  [--seeds 10] [--examples 10000]  the session's grid, pruned against full: both winners on fresh seeds
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import resource
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Any

from usage import most_memory_mb, processor_s

if TYPE_CHECKING:
    from handlens.sweep import Best, Sweep

NODES = Path(__file__).parents[1] / "tests" / "nodes.py"
TINY: dict[str, Any] = {"examples": 20, "epochs": 1, "batch_size": 20, "hidden_sizes": (4,), "val": 0.01}
SIXTEEN = ["lr=0.1,0.01,0.001,0.0001", "hidden_sizes=16,32,64,128", "--epochs", "2", "--examples", "20000"]
COSTS = "s by the clock | s for each trial and place | MB of one worker | MB of all processes, shared pages counted once"
SILENT: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def trials(counts: list[int]) -> None:
    """Sweeps of trials that train for some milliseconds, by one worker; and the same trials one after another in this process."""
    from handlens.config import make_config
    from handlens.sweep import make_spec
    from handlens.sweep.folder import Trials, new_folder
    from handlens.sweep.trial import advance

    seconds = ("sweep: s of processor", "by the clock", "plain loop: s of processor", "by the clock")
    heads = ("trials", *seconds, "MB of the driver")
    print(f"| {' | '.join(heads)} |\n|{' --- |' * len(heads)}")
    for count in counts:
        axes, search = {"lr": "0.0001..0.1"}, f"random {count}"
        used, start = processor_s(), time.perf_counter()
        _silently(axes, name=f"sweep-{count}", search=search, workers=1, **TINY)
        cells = [count, f"{processor_s() - used:.1f}", f"{time.perf_counter() - start:.1f}"]
        loop = Trials(new_folder(f"loop-{count}", make_spec(make_config(TINY), axes, search, 1, False)))
        used, start = processor_s(), time.perf_counter()
        for name in loop.names:
            assert [*advance(loop.job(name, 1))][-1] == {"reason": ""}
        cells += [f"{processor_s() - used:.1f}", f"{time.perf_counter() - start:.1f}"]
        cells.append(f"{most_memory_mb():.0f}")
        print(f"| {' | '.join(map(str, cells))} |", flush=True)


def ranks(counts: list[int]) -> None:
    """The same training by torchrun with so many processes of one thread each."""
    print("| processes | images/s | of each | waited |\n| --- | --- | --- | --- |")
    for count in counts:
        launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)] if count > 1 else []
        knobs = ["--model", "cnn", "--examples", "6000", "--epochs", "2", "--batch-size", "256", "--threads", "1"]
        command = [sys.executable, *launch, "-m", "handlens", "train", *knobs, "--name", f"ranks-{count}"]
        subprocess.run(command, check=True, capture_output=True)
        import handlens as hl

        rows = hl.load_run(f"ranks-{count}").rows
        speed = sum(row["images_per_s"] for row in rows) / len(rows)
        waited = sum(row.get("waited_s", 0) for row in rows) / sum(row["time_s"] for row in rows)
        print(f"| {count} | {speed:,.0f} | {speed / count:,.0f} | {waited:.0%} |", flush=True)


def resume(counts: list[int]) -> None:
    """Sweeps of so many short trials of which the last is missing, as a killed driver leaves them, until it is trained."""
    import handlens as hl
    from handlens.config import make_config
    from handlens.sweep import make_spec
    from handlens.sweep.folder import Trials, new_folder
    from handlens.sweep.trial import advance

    hl.load("mnist")
    torch_s = median(_seconds_of("-c", "import torch") for _ in range(3))
    heads = ("trials", "s until the missing one has an epoch", "s of `import torch` alone", "s without two of these")
    print(f"| {' | '.join(heads)} |\n|{' --- |' * len(heads)}")
    for count in counts:
        trials = Trials(new_folder(f"resume-{count}", make_spec(make_config(TINY), {"lr": "0.0001..0.1"}, f"random {count}", 1, False)))
        *done, last = trials.names
        for name in done:
            assert [*advance(trials.job(name, 1))][-1] == {"reason": ""}
        seconds = median(_until_there(trials.folder / str(last)) for _ in range(3))
        print(f"| {count} | {seconds:.1f} | {torch_s:.1f} | {seconds - 2 * torch_s:.1f} |", flush=True)


def _seconds_of(*words: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, *words], check=True)
    return time.perf_counter() - start


def _until_there(trial: Path) -> float:
    """Go on with a sweep, and take away again what it trained."""
    start = time.perf_counter()
    with subprocess.Popen([sys.executable, "-m", "handlens", "sweep", "--resume", trial.parent.name], **SILENT) as driver:
        while not (trial / "checkpoint.json").exists():
            assert driver.poll() in (None, 0)
            time.sleep(0.005)
        seconds = time.perf_counter() - start
    shutil.rmtree(trial)
    return seconds


def workers(counts: list[int]) -> None:
    """Sixteen trials of a second or two by so many workers of this machine; the tables must be the same."""
    import handlens as hl

    hl.load("mnist")
    tables = []
    print(f"| workers | {COSTS} |\n| --- | --- | --- | --- | --- |")
    for count in counts:
        costs = _costs(["--workers", str(count), "--name", f"workers-{count}"], count)
        tables.append([row["val_accuracies"] for row in hl.load_sweep(f"workers-{count}").table])
        assert tables[-1] == tables[0]
        print(f"| {count} | {costs} |", flush=True)


def _costs(words: list[str], places: int, others: tuple[int, ...] = (), env: dict[str, str] | None = None) -> str:
    """Run the sweep of sixteen trials, and look at its processes and at those of the `others` now and then: cells as in COSTS."""
    import psutil

    start, of_one, of_all = time.perf_counter(), 0, 0
    with subprocess.Popen([sys.executable, "-m", "handlens", "sweep", *SIXTEEN, *words], **SILENT, env=env) as driver:
        while driver.poll() is None:
            held = 0
            for root in (driver.pid, *others):
                with contextlib.suppress(psutil.Error):
                    for process in [psutil.Process(root), *psutil.Process(root).children(recursive=True)]:
                        memory = process.memory_full_info()
                        held += getattr(memory, "pss", memory.uss)
                        if re.search(r"handlens\.sweep\.worker|ray::_do", " ".join(process.cmdline())):
                            of_one = max(of_one, memory.rss)
            of_all = max(of_all, held)
            with contextlib.suppress(subprocess.TimeoutExpired):
                driver.wait(0.5)
    assert not driver.returncode
    seconds = time.perf_counter() - start
    return f"{seconds:.1f} | {seconds * places / 16:.1f} | {of_one / 1e6:.0f} | {of_all / 1e6:.0f}"


def nodes(counts: list[int]) -> None:
    """The same on so many Ray nodes; the tables must be the same."""
    import handlens as hl

    hl.load("mnist")
    tables = []
    print(f"| nodes | {COSTS} |\n| --- | --- | --- | --- | --- |")
    for count in counts:
        with tempfile.TemporaryDirectory(prefix="r-", ignore_cleanup_errors=True) as folder:
            token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
            env = {**os.environ, **token, "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_TMPDIR": folder}
            with subprocess.Popen([sys.executable, str(NODES), str(count)], stdout=subprocess.PIPE, text=True, env=env) as cluster:
                assert cluster.stdout is not None
                address = next(found[1] for line in cluster.stdout if (found := re.search(r"cluster at (\S+)\.$", line)))
                words = ["--backend", "ray", "--address", address, "--name", f"nodes-{count}"]
                costs = _costs(words, count, (cluster.pid,), env)
                cluster.terminate()
        tables.append([row["val_accuracies"] for row in hl.load_sweep(f"nodes-{count}").table])
        assert tables[-1] == tables[0]
        print(f"| {count} | {costs} |", flush=True)


def images(millions: list[float]) -> None:
    """Synthetic 28x28 images: an epoch of a linear network, once in memory and once from shards, each in a process of its own."""
    for million in millions:
        for where in ("memory", "shards"):
            subprocess.run([sys.executable, __file__, "epoch", "--millions", str(million), "--where", where], check=True)


def epoch(million: float, where: str) -> None:
    """One epoch; prints its line of the table."""
    import torch
    from torch import nn

    import handlens as hl
    from handlens.data import sharded, write_shards

    def piece(number: int) -> tuple[torch.Tensor, torch.Tensor]:
        generator = torch.Generator().manual_seed(number)
        images = torch.randint(256, (20_000, 1, 28, 28), dtype=torch.uint8, generator=generator)
        return images, torch.randint(10, (20_000,), generator=generator)

    pieces = (piece(number) for number in range(round(million * 50)))
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    with tempfile.TemporaryDirectory() as folder:
        if where == "shards":
            write_shards(folder, pieces)
            run = hl.fit(net, sharded(folder, 256), epochs=1, quiet=True)
        else:
            whole, labels = (torch.cat(parts) for parts in zip(*pieces, strict=True))
            run = hl.fit(net, (whole, labels), epochs=1, batch_size=256, val=0.0, quiet=True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"| {million:g} million | {where} | {run.rows[0]['images_per_s']:,.0f} | {memory:,.0f} |", flush=True)


def _silently(axes: dict[str, Any], **options: Any) -> Sweep:
    """`hl.sweep`, without its lines."""
    import handlens as hl

    with contextlib.redirect_stdout(io.StringIO()):
        return hl.sweep(axes, **options)


def prune(seeds: int, examples: int) -> None:
    """The session's grid on some images, full and pruned, once a seed; both winners are trained again on five fresh seeds and tested."""
    from handlens.sweep import GRIDS

    knobs: dict[str, Any] = {"examples": examples, "epochs": 5, "workers": 2}

    def once(seed: int, how: str) -> tuple[Sweep, Best, list[float], int]:
        used = processor_s()
        found = _silently(GRIDS["session-grid"], name=f"{how or 'full'}-{seed}", prune=how or False, seed=seed, **knobs)
        seconds, best = round(processor_s() - used), found.best
        assert best
        winner = {name: [value] for name, value in best.point.items()}
        fresh = _silently(winner, name=f"{found.name}-fresh", seeds=5, seed=900, **knobs).best
        assert fresh
        return found, best, [100 * one for one in fresh.test_accuracies], seconds

    print("| seed | full: winner | tested | s of processor | pruned: winner | its place in full | tested | points lost | s |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for seed in range(seeds):
        (full, winner, tested, seconds), (_, other, again, less) = once(seed, ""), once(seed, "rungs")
        place = [row["point"] for row in full.sorted()].index(other.number) + 1
        cells = [seed, _words(winner.point), f"{mean(tested):.2f} %", seconds, _words(other.point), place, f"{mean(again):.2f} %"]
        print(f"| {' | '.join(map(str, [*cells, f'{mean(tested) - mean(again):.2f}', less]))} |", flush=True)


def _words(point: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in point.items())


def main() -> None:
    """Print the rows of a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["trials", "ranks", "resume", "workers", "nodes", "images", "epoch", "prune"])
    for name, default in (
        ("counts", "16,64,256"),
        ("processes", "1,2"),
        ("workers", "1,2"),
        ("nodes", "1,2,4"),
        ("millions", "0.06,0.4,1.6"),
        ("where", "memory"),
    ):
        parser.add_argument(f"--{name}", default=default)
    for name, number in (("seeds", 10), ("examples", 10_000)):
        parser.add_argument(f"--{name}", type=int, default=number)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("HANDLENS_RUNS", str(Path(folder, "runs")))
        match given.what:
            case "images":
                images([float(million) for million in given.millions.split(",")])
            case "epoch":
                epoch(float(given.millions), given.where)
            case "prune":
                prune(given.seeds, given.examples)
            case _:
                measure, numbers = {
                    "trials": (trials, given.counts),
                    "resume": (resume, given.counts),
                    "ranks": (ranks, given.processes),
                    "workers": (workers, given.workers),
                    "nodes": (nodes, given.nodes),
                }[given.what]
                measure([int(number) for number in numbers.split(",")])


if __name__ == "__main__":
    main()
