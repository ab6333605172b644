"""The doctor names a learner's mistake with its line, and says nothing of a right program."""

from __future__ import annotations

import ast
import contextlib
import inspect
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import torch
import torch.nn.functional as F
from corpus import FULL
from doctor import ground
from doctor.corpus import ALL_RIGHT, BROKEN
from doctor.healthy import program
from doctor.programs import BASES, Mutant
from doctor.score import right_line, seeded
from drivers import running, wait_until
from terminal import Terminal
from torch import nn

import handlens as hl
from handlens.doctor import Diagnosis, all_causes, child, examine
from handlens.doctor.case import Case
from handlens.doctor.cause import conclude
from handlens.doctor.demo import Demo, outcome
from handlens.doctor.endings import in_words
from handlens.doctor.probes import Probe
from handlens.doctor.script import Script
from handlens.doctor.seen import Failure, Seen
from handlens.errors import UsageError
from handlens.files import lock
from handlens.limits import Limits

KNOWN_MISSES = {
    "init_too_large-backprop_by_hand",  # a loss and gradients that are written by hand are not seen
    "eval_on_train-manual_ce",  # without a network no calls are seen in the test, and the guesses are NumPy's
    "batch_scramble-einsum_only",  # patches are cut by a function, of bytes: no network gets them, and no two images can be compared
    "lr_too_low-registry_json",  # Adadelta needs more steps than are tried
    "tuned_on_test-beamline_scan",  # only a physicist knows that X_meas is the test and X_cal is not
}
KNOWN_LINES = {
    "train_test_preprocess_mismatch-shiftstream",  # that which divides by 255, in the same class
    "no_activation-early_exits",
}
SAMPLE = [
    "missing_zero_grad-mlp",
    "missing_eval-own_layers",
    "missing_eval-one_by_one",
    "missing_zero_grad-accumulate_bf16",
    "backward_twice-prototypes_later",
    "optimizer_wrong_params-registry_transfer",
    "train_test_leak-kfold_study",
    "labels_shuffled-numpy_pipeline",
    "softmax_before_ce-config_mlp",
    "batch_scramble-patch_transformer_later",
    "constant_init-functional_clip",
    "class_not_instance-experiment_cli",
    "double_scaling-rgb_backbone",
    "same_batch_every_step-bar_training",
    "target_wrong_type-kaggle_digit_baseline",
    "softmax_before_ce-cnn",
    "missing_eval-trainer",
    "inputs_not_scaled-mlp",
    "broken_graph-mlp",
    "missing_step-nll",
    "eval_on_train-mlp",
    "unregistered_layers-mlp",
    "wrong_flatten_size-cnn",
    "accuracy_wrong_denominator-nll",
    "missing_train_mode-cnn",
    "missing_zero_grad-bare parameters, batch norm by hand",
    "broken_graph-two heads",
    "lr_too_low-nll",
    "constant_init-kurz_und_deutsch",
    "eval_on_train-idx_reader",
    "label_off_by_one-torchvision_or_not",
    "missing_step-autoencoder_probe",
    "relu_on_output-uncertainty_weights",
    "missing_eval-callbacks_logging",
    "logits_into_nll-lookahead",
    "broken_graph-hf_style",
    "batch_scramble-vmapensemble",
    "missing_shuffle-shiftstream",
    "tuned_on_test-assistant_trainer",
]
SOME_HEALTHY = ["accumulation", "lbfgs", "k-fold", "frozen backbone", "gan", "accuracy of training", "triplets", "which rate"]
SOME_HEALTHY += ["active_learning", "functional_dict", "gan_with_judge", "sanity_first", "mean_teacher", "fgsm_after", "unet_pair"]
SOME_HEALTHY += [
    "step_returns_number",
    "shares_of_batches",
    "samples_of_generator",
    "backbone_from_file",
    "gradients_given",
    "sky_folders",
    "denoise",
]
WITHOUT_DATA = () if ground.FASHION.exists() else ("fashion_flips", "fashion_cells")
KNOWN = [one for one in BROKEN if one.name not in KNOWN_MISSES and one.style not in WITHOUT_DATA]
CHOSEN = [one for one in KNOWN if FULL or one.name in SAMPLE]
RIGHT = [name for name in (ALL_RIGHT if FULL else SOME_HEALTHY) if name not in WITHOUT_DATA]
SEEDS = (1, 2, 3, 4) if FULL else (1,)
SEEDED = CHOSEN if FULL else [one for one in CHOSEN if one.name in ("lr_too_low-nll", "missing_zero_grad-mlp")]

Ask = Callable[[str], Diagnosis]


@pytest.fixture(scope="session")
def files(mnist: hl.Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that programs read."""
    return ground.prepare(tmp_path_factory.mktemp("ground"), mnist)


@pytest.fixture
def ask(tmp_path: Path, files: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """What the doctor says of a program."""
    monkeypatch.chdir(files)

    def examined(text: str) -> Diagnosis:
        path = tmp_path / "program.py"
        path.write_text(text, encoding="utf-8")
        return examine(path)[0]

    return examined


def test_the_sample_is_of_the_corpus() -> None:
    assert {one.name for one in CHOSEN} >= set(SAMPLE)


@pytest.mark.usefixtures("mnist")
@pytest.mark.parametrize("mutant", CHOSEN, ids=lambda one: one.name)
def test_a_mistake_is_named_with_its_line(mutant: Mutant, ask: Ask) -> None:
    found = ask(mutant.text)
    assert found.causes[:1] == (mutant.cause,), found
    assert mutant.name in KNOWN_LINES or right_line(mutant, found.line), found
    assert found.evidence
    assert found.change


@pytest.mark.usefixtures("mnist")
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("mutant", SEEDED, ids=lambda one: one.name)
def test_a_mistake_is_the_same_whatever_the_seed(mutant: Mutant, seed: int, ask: Ask) -> None:
    assert ask(seeded(mutant.text, seed)).causes[:1] == (mutant.cause,)


@pytest.mark.usefixtures("mnist")
@pytest.mark.parametrize("seed", (0, *SEEDS) if FULL else (0,))
@pytest.mark.parametrize("name", RIGHT)
def test_nothing_is_said_of_a_right_program(name: str, seed: int, ask: Ask) -> None:
    found = ask(seeded(ALL_RIGHT[name], seed) if seed else ALL_RIGHT[name])
    assert (found.causes, found.failure) == ((), ""), found


@pytest.mark.usefixtures("mnist")
def test_files_stay_as_they_are(tmp_path: Path) -> None:
    script, results = tmp_path / "program.py", tmp_path / "results.json"
    script.write_text(program("writes files"), encoding="utf-8")
    results.write_text("mine", encoding="utf-8")
    found, _ = examine(script)
    assert (found.causes, found.failure) == ((), "")
    assert results.read_text(encoding="utf-8") == "mine"
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix) == ["program.py", "results.json"]
    assert not (tmp_path / "checkpoints").exists()


def ground_of_files(folder: Path) -> Path:
    """A folder with some files, folders and links."""
    for path in ("data/old.txt", "data/kept.txt", "runs/1/model.pt", "elsewhere/e.txt", "mine.txt", "model.pt"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path, encoding="utf-8")
    (folder / "hollow").mkdir()
    for link in ("linked", "linked2"):
        (folder / link).symlink_to("elsewhere")
    return folder


def tree(folder: Path) -> list[tuple[str, bytes]]:
    """All that stands in a folder."""
    return sorted((str(path.relative_to(folder)), path.read_bytes() if path.is_file() else b"") for path in folder.rglob("*"))


def test_a_program_sees_its_files_as_it_would_alone_and_they_stay_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script, alone, watched = Path(__file__).parent / "doctor" / "files.txt", tmp_path / "alone", tmp_path / "watched"
    said = subprocess.run([sys.executable, script], cwd=ground_of_files(alone), capture_output=True, text=True, check=True).stdout
    monkeypatch.chdir(ground_of_files(watched))
    before = tree(watched)
    diagnosis, finished = examine(script)
    assert (diagnosis.causes, diagnosis.failure) == ((), "")
    assert finished.stdout.splitlines() == said.splitlines()
    assert said.splitlines()[-1].startswith("at last")
    assert tree(watched) == before


@pytest.mark.usefixtures("mnist")
def test_the_command_says_what_to_try(tmp_path: Path, terminal: Terminal) -> None:
    bad, good = tmp_path / "bad.py", tmp_path / "good.py"
    mutant = next(one for one in BROKEN if one.name == "softmax_before_ce-cnn")
    bad.write_text(mutant.text, encoding="utf-8")
    good.write_text(BASES["cnn"], encoding="utf-8")
    said = terminal("doctor", bad, code=1)
    assert "CrossEntropyLoss already contains softmax" in said
    assert "bad.py:" in said
    assert '"softmax_before_ce"' in terminal("doctor", "--json", bad, code=1)
    assert "I found nothing wrong." in terminal("doctor", good)
    assert "softmax" in terminal("doctor", "--explain", "softmax_before_ce")
    said = terminal("doctor", "--verbose", good)
    assert re.search(r"INIT: the first loss\t2\.\d+\tabout 2\.30, as by guessing\n", said)
    assert re.search(r"PERM: one image changed\t0 of 15 others change\t0\n", said)
    assert "OVERFIT: a few by heart\tloss" in said
    assert all(cause in said for cause in all_causes())


MANY_EPOCHS = """
import torch
from torch import nn

torch.manual_seed(0)
labels = torch.arange(100) % 4
images = torch.eye(4)[labels] + 0.1 * torch.rand(100, 4)
model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 4))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
epochs, history = 30, {}
for epoch in range(epochs):
    for rows in torch.randperm(100).split(20):
        loss = nn.functional.cross_entropy(model(images[rows]), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    history[epoch] = loss.item()
print(history[epochs - 1])
"""


def test_an_exception_that_may_come_of_the_cut_is_a_note(tmp_path: Path, terminal: Terminal) -> None:
    path = tmp_path / "program.py"
    path.write_text(MANY_EPOCHS, encoding="utf-8")
    said = terminal("doctor", path)
    assert "I found nothing wrong." in said
    assert "program.py:18   print(history[epochs - 1])   KeyError: 29" in said
    path.write_text(MANY_EPOCHS.replace("history[epoch] = ", "history[epoch - 1] += "), encoding="utf-8")
    assert "It ends at line 17 with an exception" in terminal("doctor", path, code=5)


BY_CUTTING = {
    "x and y must have same first dimension, but have shapes (20,) and (12,)": "ValueError",
    "shape '[20, 20]' is invalid for input of size 240": "RuntimeError",
    "max() iterable argument is empty": "ValueError",
    "All arrays must be of the same length": "ValueError",
}


@pytest.mark.parametrize("text", BY_CUTTING)
def test_nobody_is_blamed_for_what_a_cut_does(text: str) -> None:
    failure = Failure(BY_CUTTING[text], text, 1, (1,))
    for shortened in (True, False):
        said = conclude(Case(Script("x = 1\n", "p.py"), Seen(failure=failure, shortened=shortened), {}, probing=False))
        assert said.causes == ()
        assert bool(said.failure) != shortened


NET = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(784, 64)

    def forward(self, x):
        out = nn.Linear(64, 10)  # made anew at each call
        return out(self.one(x.flatten(1)).relu())


if __name__ == "__main__":
    print(nn.Softmax()(Net()(torch.zeros(1, 784))))
"""
LOOP = """
import torch.nn.functional as F


def train(model, optimizer, images, labels, epochs):
    for epoch in range(epochs):
        for step in range(5000):
            loss = F.cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(epoch, loss.item())
"""
MAIN = """
import torch
from parts import loop
from parts.net import Net

torch.manual_seed(0)
labels = torch.arange(100) % 10
images = torch.rand(10, 1, 28, 28)[labels]
model = Net()
loop.train(model, torch.optim.SGD(model.parameters(), lr=0.1), images, labels, 40)
"""


def test_a_mistake_in_another_file_is_named_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts").mkdir()
    for name, text in (("parts/net.py", NET), ("parts/loop.py", LOOP), ("main.py", MAIN)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    found, _ = examine("main.py")
    assert found.causes == ("layers_in_forward",)
    assert (found.place, found.line, found.code) == ("parts/net.py", 12, "out = nn.Linear(64, 10)  # made anew at each call")
    assert found.steps < 400
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["loop.py", "main.py", "net.py", "parts"]
    (tmp_path / "parts" / "net.py").write_text(NET.replace("def forward(self, x):", "def forward(self, x)"), encoding="utf-8")
    found, _ = examine("main.py")
    assert (found.causes, found.place, found.line, found.code) == (("syntax",), "net.py", 11, "def forward(self, x)")


IN_A_THREAD = """
import threading
import torch
from torch import nn

def work():
    net(torch.rand(8, 1, 28, 28))

net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Flatten(), nn.Linear(4 * 14 * 14, 10))
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""
NO_TRAINING = {
    "for i in range(3)\n    pass\n": ("syntax",),
    "n = 0\nwhile n < 10_000:\n    n += 1\n": (),
    "import sys\nsys.exit(3)\n": (),
    "import os\nos._exit(0)\n": (),
    IN_A_THREAD: ("wrong_flatten_size",),
    "while True:\n    try:\n        for i in range(10**9):\n            pass\n    except BaseException:\n        pass\n": (),
}


@pytest.mark.parametrize("text", NO_TRAINING)
def test_programs_that_train_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "program.py").write_text(text, encoding="utf-8")
    found, _ = examine(tmp_path / "program.py")
    assert found.causes == NO_TRAINING[text]


def told(text: str | bytes, *arguments: str, terminal: Terminal, code: int) -> str:
    """What the command says of a program of these lines."""
    Path("program.py").write_bytes(text if isinstance(text, bytes) else text.encode())
    return terminal("doctor", *arguments, "program.py", code=code)


def test_what_python_cannot_read_is_shown_with_its_line(terminal: Terminal) -> None:
    said = told("n = 3\nfor i in range(n)\n    pass\n", terminal=terminal, code=1)
    assert "program.py:2   for i in range(n)" in said
    assert "Seen   expected ':'." in said
    assert "More" not in said


UNREAD = {
    "if 1:\n\tx = 1\n        y = 2\n": (
        "Indent with spaces alone: here are tabs too.",
        "inconsistent use of tabs and spaces in indentation.",
    ),
    "x = 1\n  y = 2\n": ("Look at the spaces before it: all lines of a block begin at the same place.", "unexpected indent."),
    "x = = 1\n": ("Look at it, and at the end of the one above it.", "Something is missing here, or too much."),
    "x = [1 2]\n": ("Look at it, and at the end of the one above it.", "Perhaps you forgot a comma?"),
}


@pytest.mark.parametrize("text", UNREAD)
def test_what_python_cannot_read_is_told_in_words(text: str) -> None:
    with pytest.raises(SyntaxError) as caught:
        compile(text, "program.py", "exec")
    found = child.unreadable(caught.value)
    assert (found.change, found.evidence) == UNREAD[text]


TOO_LARGE = "[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 4 bytes."
THERE = "It asks at line 3 for data/train.csv, and that is not there."
ENDINGS = {
    "ModuleNotFoundError: No module named 'lightning'": "It imports lightning at line 3, and Python does not find that.",
    "ImportError: attempted relative import with no known parent package": "It imports with a dot at line 3",
    "FileNotFoundError: [Errno 2] No such file or directory: 'data/train.csv'": THERE,
    "KeyboardInterrupt: ": "It stops itself at line 3 with KeyboardInterrupt, as Ctrl+C would.",
    "FileNotFoundError: [Errno 2] No such file or directory: 'model.pt' -> 'best.pt'": "It asks at line 3 for model.pt, and that",
    "FileNotFoundError: [Errno 2] No such file or directory: '/tmp/hl-1/t/a.pt'": "It asks at line 3 for a temporary file of an earlier",
    "OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB": "It asks at line 3 for more memory than is free on the graphics card.",
    "MemoryError: ": "It asks at line 3 for more memory than the doctor gives a program.",
    f"RuntimeError: {TOO_LARGE}": "It asks at line 3 for more memory than the doctor gives a program.",
    "SystemExit: no data": "It ends itself at line 3, before it has trained anything: no data",
    "IndexError: list index out of range": "It asks at line 3 for an argument that it did not get.",
    "EOFError: EOF when reading a line": "At line 3 it asks for input(), and under the doctor nobody types.",
    "ValueError: \n\nthey differ\nmuch": "It ends at line 3 with an exception that the doctor does not know:\n  ValueError: they differ",
    "AssertionError: ": "It ends at line 3 with an exception that the doctor does not know:\n  AssertionError",
}


@pytest.mark.parametrize("failure", ENDINGS)
def test_an_ending_is_told_in_words(failure: str) -> None:
    assert "\n".join(in_words(failure, 3, "rate = float(sys.argv[1])", trained=False)).startswith(ENDINGS[failure])


def test_a_file_that_could_not_be_written_is_named_as_the_program_names_it(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("open('out/log.txt', 'w')\n", encoding="utf-8")
    diagnosis, _ = examine(program)
    assert str(diagnosis).splitlines()[0] == f"It asks at line 1 for {tmp_path / 'out' / 'log.txt'}, and that is not there."


NOT_A_NUMBER = """
import torch

weights = torch.ones(2, requires_grad=True)
for step in range(3):
    loss = (weights * float("nan")).sum()
    loss.backward()
"""
ENCODED = {
    "utf-8 with a mark": b"\xef\xbb\xbfprint(1)\n",
    "latin-1": "# -*- coding: latin-1 -*-\nassert len('\xfc') == 1\n".encode("latin-1"),
}


def test_a_loss_that_is_no_number_is_null(terminal: Terminal) -> None:
    assert json.loads(told(NOT_A_NUMBER, "--json", terminal=terminal, code=1))["losses"] == [None, None]


@pytest.mark.parametrize("name", ENCODED)
def test_a_program_is_read_in_its_encoding(name: str, terminal: Terminal) -> None:
    assert "I found nothing wrong." in told(ENCODED[name], terminal=terminal, code=0)


def test_a_program_that_asks_is_answered_by_nobody(terminal: Terminal) -> None:
    assert "At line 2 it asks for input(), and under the doctor nobody types." in told("n = 3\ninput()\n", terminal=terminal, code=5)


def test_a_notebook_is_no_program(tmp_path: Path) -> None:
    (tmp_path / "training.ipynb").write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match="This is a notebook"):
        examine(tmp_path / "training.ipynb")
    (tmp_path / "training.py").write_text('{"cells": [], "nbformat": 4}', encoding="utf-8")
    with pytest.raises(UsageError, match="This is a notebook"):
        examine(tmp_path / "training.py")


def test_what_stands_after_the_name_is_the_programs_unless_it_knows_no_such_word(terminal: Terminal) -> None:
    lines = "import sys\nprint(sys.argv[1:])\nimport torch\ntorch.ones(2, 3) @ torch.ones(4, 5)\n"
    Path("program.py").write_text(lines, encoding="utf-8")
    assert json.loads(terminal("doctor", "program.py", "--json", "--help", code=1))["causes"]
    said = terminal("doctor", "program.py", "--verbose", "--help", code=1)
    assert "['--help']" in said
    assert "It ends with RuntimeError: mat1 and mat2 shapes cannot be multiplied" in said
    Path("program.py").write_text(f"{lines}# it knows --json itself\n", encoding="utf-8")
    assert "['--json']" in terminal("doctor", "--verbose", "program.py", "--json", code=1)


ARGUED = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float, required=True)
parser.add_argument("name")
given = parser.parse_args()
assert (given.rate, given.name) == (0.1, "a b")
"""


def test_a_program_that_wants_arguments_says_so_and_gets_them(terminal: Terminal) -> None:
    said = told(ARGUED, terminal=terminal, code=5)
    assert "It ends itself at line 6, before it has trained anything: exit status 2." in said
    assert "the following arguments are required: --rate, name" in said
    words = "--rate 0.1 'a b'"
    behind = [("--args", words), ("--args", "--rate", "0.1", "a b"), ("--rate", "0.1", "--args", "'a b'"), ("--args", "--rate 0.1", "a b")]
    for given in [("--args", words, "program.py"), *(("program.py", *one) for one in behind)]:
        assert "I found nothing wrong.\nNo backward pass was seen" in terminal("doctor", *given)
    terminal("doctor", "--args", "it's", "program.py", code=2)


def test_trials_with_copies_end_when_their_time_is_up() -> None:
    batch = (torch.rand(8, 4), torch.arange(8) % 2)
    probe = Probe(nn.Linear(4, 2), [batch], lambda given: given, F.cross_entropy, torch.optim.SGD, {"lr": 0.1})
    known = probe.train()
    assert known.finite
    probe.spent = 100.0
    assert not probe.train(lr=2.0).finite
    assert probe.train() is known


def test_an_endless_loop_is_ended(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("while True:\n    pass\n", encoding="utf-8")
    found, _ = examine(tmp_path / "program.py")
    assert found.causes == ()
    assert re.search(r"^I saw no training\. .* was at line [12] then\.$", str(found), re.MULTILINE)


@pytest.mark.parametrize("of_windows", [False, True])
def test_time_is_up_with_a_timer_and_with_a_thread(of_windows: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if of_windows:
        monkeypatch.delattr(signal, "setitimer")
    before = signal.getsignal(signal.SIGALRM)
    try:
        with pytest.raises(child.SeenEnough):
            work_for(0.2)
        child.until_enough(0.1)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)  # as it is after the program
        time.sleep(0.3)
    finally:
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(os.name == "nt", reason="there a thread wakes it")
def test_time_is_up_also_for_one_that_only_waits() -> None:
    before, began = signal.getsignal(signal.SIGALRM), time.perf_counter()
    try:
        with pytest.raises(child.SeenEnough):
            wait_for(2.0)
        assert 2.0 < time.perf_counter() - began < 3.6  # twice as long, if waiting counted half
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)  # the next one, for a program that catches it
        signal.signal(signal.SIGALRM, before)


def wait_for(seconds: float) -> None:
    child.until_enough(seconds)
    time.sleep(30)


def work_for(seconds: float) -> None:
    child.until_enough(seconds)
    until = time.monotonic() + 10
    while time.monotonic() < until:
        pass


ENDLESS = "parts = []\nwhile True:\n    parts.append(bytes(1 << 28))\n"
LEAVES = """
import os, pathlib, subprocess, sys, threading, time
other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path("/dev/stdout").open("w").write(f"{other.pid} {os.getpid()}")
threading.Thread(target=time.sleep, args=(60,)).start()
"""


def test_memory_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["handlens.doctor.examine"], "_LIMITS", Limits(time_s=40.0, memory_bytes=4 << 30))
    (tmp_path / "program.py").write_text(ENDLESS, encoding="utf-8")
    found, _ = examine(tmp_path / "program.py")
    assert (found.failure, found.line) == ("MemoryError: ", 3)


def test_what_a_program_starts_ends_with_it(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(LEAVES, encoding="utf-8")
    found, finished = examine(tmp_path / "program.py")
    assert (found.causes, found.failure) == ((), "")
    assert len(finished.stdout.split()) == 2
    until = time.monotonic() + 10
    while (alive := [one for one in map(int, finished.stdout.split()) if is_alive(one)]) and time.monotonic() < until:
        time.sleep(0.05)
    assert not alive


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path("/proc", str(process), "stat")
    return not state.exists() or state.read_text(encoding="utf-8").split()[2] != "Z"


MAKES_FILES = """
import os, signal, sys, tempfile
from pathlib import Path
Path(tempfile.mkdtemp(), "half.pt").write_text("half")
Path(sys.argv[1], "half.pt").write_text("half")
"""
ENDS = {
    "by itself": "",
    "killed": "os.kill(os.getpid(), signal.SIGKILL)",
    "as its time is up": "signal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True:\n    pass",
}


@pytest.mark.parametrize("end", ENDS)
def test_what_a_program_makes_elsewhere_ends_with_it(end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("program", "temporary", "elsewhere"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "program")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", None)  # so that it is looked for again
    monkeypatch.setattr(sys.modules["handlens.doctor.examine"], "_LIMITS", Limits(time_s=10.0 if "time" in end else 60.0))
    Path("program.py").write_text(MAKES_FILES + ENDS[end], encoding="utf-8")
    with pytest.raises(UsageError) if ENDS[end] else contextlib.nullcontext():
        examine("program.py", [str(tmp_path / "elsewhere")])
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["elsewhere", "program", "program.py", "temporary"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the program goes on until its time is up")
def test_a_doctor_that_is_killed_takes_its_program_along_and_the_next_one_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary, program = tmp_path / "temporary", tmp_path / "program.py"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    program.write_text("import time\ntime.sleep(60)", encoding="utf-8")
    with running("-m", "handlens", "doctor", str(program)) as doctor:
        wait_until(lambda: [*temporary.glob("hl-*/t/handlens-doctor-*")] or not doctor.is_running, "the program under the doctor")
        assert doctor.is_running, doctor.said
        doctor.kill()
        assert doctor.orphans
        assert psutil.wait_procs(doctor.orphans, timeout=10)[1] == []
    [left] = temporary.iterdir()
    (temporary / "hl-of-somebody-else").mkdir()
    with lock(temporary / "hl-alive" / "doctor.lock"):
        for folder in temporary.iterdir():
            os.utime(folder, (0, 0))
        program.write_text("print(1)", encoding="utf-8")
        examine(program)
        assert sorted(path.name for path in temporary.iterdir()) == ["hl-alive", "hl-of-somebody-else"]
    assert not left.exists()


REFUSED = {b"\xff\xfe\x00": "no text", b"print(1)\x00\n": "zero bytes", b"\n": "nothing in this file"}


@pytest.mark.parametrize("content", REFUSED)
def test_what_is_no_program_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "program.py").write_bytes(content)
    with pytest.raises(UsageError, match=REFUSED[content]):
        examine(tmp_path / "program.py")


@pytest.mark.parametrize("name", all_causes())
def test_a_cause_is_told_kindly(name: str) -> None:
    """The lint of all that a cause may say: its sentence and its change, and those that it makes with a program's numbers."""
    cause = all_causes()[name]
    said = messages(inspect.getsource(inspect.getmodule(cause.look)))  # type: ignore[arg-type]
    sentences = [cause.SENTENCE, *said["sentence"]]
    changes = [cause.CHANGE, *said["change"]]
    assert all(0 < len(sentence.split()) <= 25 for sentence in sentences), sentences
    assert all(0 < len(change.split()) <= 25 and change[0].isupper() for change in changes), changes
    for text in (*sentences, *changes, *said["evidence"]):
        assert not re.search(r"\b(error|illegal|invalid|wrong)\b", text, re.IGNORECASE), text
        assert len(text.split()) <= 40
    assert cause.look.__doc__
    assert set(getattr(cause, "EXPLAINS", ())) <= set(all_causes())


def messages(source: str) -> dict[str, list[str]]:
    """The texts that are handed to `Finding`, by what they are; `x` stands for each number that is put into them."""
    found: dict[str, list[str]] = {"line": [], "evidence": [], "sure": [], "sentence": [], "change": []}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding":
            given = {**dict(zip(found, node.args, strict=False)), **{one.arg: one.value for one in node.keywords if one.arg}}
            for name, value in given.items():
                parts = [
                    str(part.value) if isinstance(part, ast.Constant) else "x"
                    for text in ast.walk(value)
                    if isinstance(text, ast.JoinedStr)
                    for part in text.values
                ]
                plain = [value.value] if isinstance(value, ast.Constant) and isinstance(value.value, str) else []
                found[name] += plain or (["".join(parts)] if parts else [])
    return found


def test_each_mistake_is_shown_beside_what_is_right() -> None:
    for name, cause in all_causes().items():
        demo = Demo(cause.DEMO)
        with_it, without_it = outcome(demo.wrong), outcome(demo.right)
        assert with_it, name
        assert with_it != without_it, name
        assert not re.search(r"(Error|Warning): ", without_it), f"{name}: {without_it}"


def test_a_lesson_stands_side_by_side_where_there_is_room(terminal: Terminal) -> None:
    said = terminal("doctor", "--explain", "stats_reset_in_loop")
    assert re.search(r"    seen = 0 +\|     seen \+= len\(y\)", said)
    assert "gives  50 of 200 images counted" in said
    assert "gives  200 of 200 images counted" in said
    assert '"gives": "IndexError: Target 10 is out of bounds.' in terminal("doctor", "--explain", "label_off_by_one", "--json")
