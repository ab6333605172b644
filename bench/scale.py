"""What a sweep costs besides its trainings, and what more workers and more images cost; ratios within one run.

python bench/scale.py trials [--counts 16,64,256]     the scheduler's part: very short trials, in a sweep and in a plain loop
python bench/scale.py ranks  [--processes 1,2]        one training in several processes: images/s, and the share lost in waiting
python bench/scale.py nodes  [--nodes 1,2,4]          the same sweep on so many Ray nodes of one processor each, on this machine
python bench/scale.py images [--millions 0.06,0.4,1.6]  synthetic images, in memory and from shards: images/s and memory
python bench/scale.py prune  [--seeds 10] [--examples 10000]  the session's grid, pruned against full: both winners on fresh seeds
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import secrets
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean
from typing import Any

from usage import processor_s

NODES = Path(__file__).parents[1] / "tests" / "nodes.py"
TINY: dict[str, Any] = {"examples": 20, "epochs": 1, "batch_size": 20, "hidden_sizes": (4,), "val": 0.01}


def trials(counts: list[int]) -> None:
    """Sweeps of trials that train for some milliseconds, by one worker; and the same trials one after another in this process."""
    import handlens as hl
    from handlens.config import make_config
    from handlens.sweep import make_spec
    from handlens.sweep.folder import Trials, new_folder
    from handlens.sweep.trial import advance

    heads = ("trials", "sweep: s of processor", "by the clock", "plain loop: s of processor", "by the clock", "MB of the driver")
    print(f"| {' | '.join(heads)} |\n|{' --- |' * len(heads)}")
    for count in counts:
        axes, search = {"lr": "0.0001..0.1"}, f"random {count}"
        used, start = processor_s(), time.perf_counter()
        hl.sweep(axes, name=f"sweep-{count}", search=search, workers=1, **TINY)
        cells = [count, f"{processor_s() - used:.1f}", f"{time.perf_counter() - start:.1f}"]
        loop = Trials(new_folder(f"loop-{count}", make_spec(make_config(TINY), axes, search, 1, False)))
        used, start = processor_s(), time.perf_counter()
        for name in loop.names:
            assert [*advance(loop.job(name, 1))][-1] == {"reason": ""}
        cells += [f"{processor_s() - used:.1f}", f"{time.perf_counter() - start:.1f}"]
        cells.append(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}")
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


def nodes(counts: list[int]) -> None:
    """Sixteen trials of a second or two; the tables must be the same."""
    import handlens as hl
    from handlens.sweep import load_sweep

    hl.load("mnist")
    words = ["lr=0.1,0.01,0.001,0.0001", "hidden_sizes=16,32,64,128", "--epochs", "2", "--examples", "20000", "--backend", "ray"]
    tables = []
    print("| nodes | s by the clock | s for each trial and node |\n| --- | --- | --- |")
    for count in counts:
        with tempfile.TemporaryDirectory(prefix="r-", ignore_cleanup_errors=True) as folder:
            token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
            env = {**os.environ, **token, "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_TMPDIR": folder}
            with subprocess.Popen([sys.executable, str(NODES), str(count)], stdout=subprocess.PIPE, text=True, env=env) as cluster:
                assert cluster.stdout is not None
                address = next(found[1] for line in cluster.stdout if (found := re.search(r"cluster at (\S+)\.$", line)))
                command = [sys.executable, "-m", "handlens", "sweep", *words, "--address", address, "--name", f"nodes-{count}"]
                start = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True, env=env)
                seconds = time.perf_counter() - start
                cluster.terminate()
        tables.append([row["val_accuracies"] for row in load_sweep(f"nodes-{count}").table])
        assert tables[-1] == tables[0]
        print(f"| {count} | {seconds:.1f} | {seconds * count / 16:.1f} |", flush=True)


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


def prune(seeds: int, examples: int) -> None:
    """The session's grid on some images, full and pruned, once a seed; both winners are trained again on five fresh seeds and tested."""
    import handlens as hl
    from handlens.sweep import GRIDS, Best, Sweep

    knobs: dict[str, Any] = {"examples": examples, "epochs": 5, "workers": 2}

    def once(seed: int, how: str) -> tuple[Sweep, Best, list[float], int]:
        used = processor_s()
        found = hl.sweep(GRIDS["session-grid"], name=f"{how or 'full'}-{seed}", prune=how or False, seed=seed, **knobs)
        seconds, best = round(processor_s() - used), found.best
        assert best
        fresh = hl.sweep({name: [value] for name, value in best.point.items()}, name=f"{found.name}-fresh", seeds=5, seed=900, **knobs).best
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
    parser.add_argument("what", choices=["trials", "ranks", "nodes", "images", "epoch", "prune"])
    for name, default in (
        ("counts", "16,64,256"),
        ("processes", "1,2"),
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
            case "trials":
                trials([int(count) for count in given.counts.split(",")])
            case "ranks":
                ranks([int(count) for count in given.processes.split(",")])
            case "nodes":
                nodes([int(count) for count in given.nodes.split(",")])
            case "images":
                images([float(million) for million in given.millions.split(",")])
            case "epoch":
                epoch(float(given.millions), given.where)
            case _:
                prune(given.seeds, given.examples)


if __name__ == "__main__":
    main()
