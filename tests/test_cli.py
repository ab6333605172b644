import contextlib
import importlib
import io
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from terminal import Terminal

import handlens as hl
from handlens import cli
from handlens.config import FIELDS
from handlens.fit import in_words
from handlens.presets import PRESETS
from handlens.transfer import few_examples

LONG = "mlp_with-a-very-long-name-that-somebody-found-good-to-have"
SMALL = ("train", "softmax", "--epochs", "1", "--batch-size", "500")


@pytest.fixture(scope="module")
def two_runs(mnist: hl.Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A runs folder with `one` and `two`, trained once for all tests here."""
    folder = tmp_path_factory.mktemp("two")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HANDLENS_RUNS", str(folder))
        for name, lr in (("one", 0.001), ("two", 0.01)):
            hl.fit("softmax", mnist, epochs=1, batch_size=500, lr=lr, name=name, quiet=True)
    return folder


@pytest.fixture
def runs(two_runs: Path, tmp_path: Path) -> Path:
    """A copy of them, to do anything to."""
    return Path(shutil.copytree(two_runs, tmp_path / "runs"))


def test_train_shows_the_network_each_epoch_the_result_and_commands_that_work(terminal: Terminal, runs: Path) -> None:
    out = terminal(*SMALL, "--name", "three")
    assert "Test accuracy" in out
    assert "95 % interval" in out
    assert "7,850" in out  # parameters: 784 * 10 + 10
    assert "6,000 (10% of each class) kept apart" in terminal.err
    assert "epoch 1/1" in terminal.err
    page = (runs / "three" / "report.html").read_text()
    assert "<title>" in page
    suggested = [line.split() for line in out[out.index("Try next") :].splitlines() if line.startswith("  handlens")]
    assert [words[:2] for words in suggested] == [["handlens", "train"], ["handlens", "train"], ["handlens", "compare"]]
    terminal(*suggested[0][1:], "--dry-run")
    for words in suggested[1:]:
        terminal(*words[1:])


def test_train_as_json_is_the_run_with_its_test_figures(terminal: Terminal, mnist: hl.Dataset) -> None:
    found = terminal.json(*SMALL, "--name", "one")
    assert isinstance(found, dict)
    assert found["name"] == "one"
    assert found["status"] == "complete"
    assert found["config"]["model"] == "softmax"
    assert {"file", "sha256", "epoch"} <= found["checkpoint"].keys()
    assert 0.5 < found["test"]["accuracy"] < 1
    assert terminal.json("runs", "show", "one")["checkpoint"] == found["checkpoint"]  # type: ignore[index]


def test_reading_verbs_give_json_and_tab_separated_values(terminal: Terminal, runs: Path) -> None:
    evaluation = terminal.json("evaluate", "one")
    assert isinstance(evaluation, dict)
    assert {"accuracy", "interval", "loss", "n", "split"} <= evaluation.keys()
    assert (evaluation["n"], evaluation["split"]) == (10_000, "test")
    assert terminal.json("evaluate", "one", "--on", "val")["n"] == 6_000  # type: ignore[index]
    listed = terminal.json("runs", "ls")
    assert [run["name"] for run in listed] == ["one", "two"]  # type: ignore[attr-defined]
    table = [line.split("\t") for line in terminal("runs", "ls").splitlines()]
    assert [row[0] for row in table] == ["name", "one", "two"]
    assert len({len(row) for row in table}) == 1
    compared = [line.split("\t") for line in terminal("compare", "one", "two").splitlines()]
    assert [row[0] for row in compared] == ["run", "one", "two"]
    assert "lr" in compared[0]
    for words in (("data", "ls"), ("info",), ("train", "--list"), ("train", "--print-config"), ("compare", "one", "two")):
        terminal.json(*words)


def test_a_complete_run_resumed_is_already_complete(terminal: Terminal, runs: Path) -> None:
    terminal("train", "--resume", "one")
    assert "already complete" in terminal.err


def test_runs_are_shown_noted_tagged_renamed_repeated_and_removed(terminal: Terminal, runs: Path) -> None:
    terminal("runs", "note", "one", "my first")
    assert terminal("runs", "tag", "one", "a", "b").strip() == "a b"
    assert terminal("runs", "tag", "one", "a", "--remove").strip() == "b"
    terminal("runs", "rename", "one", "uno")
    assert Path(terminal("runs", "path", "uno").strip()).is_dir()
    assert "my first #b" in terminal("runs", "show", "uno")
    terminal("runs", "repeat", "uno", "--name", "again")
    assert hl.load_run("again").checkpoint["sha256"] == hl.load_run("uno").checkpoint["sha256"]
    terminal("runs", "rm", "latest", code=2)
    terminal("runs", "rm", "agai", code=4)
    terminal("runs", "rm", "uno", "again", "two")
    terminal("runs", "ls", code=4)


def test_a_dry_run_looks_at_everything_and_writes_nothing(terminal: Terminal, mnist: hl.Dataset, tmp_path: Path) -> None:
    out = terminal("train", "session", "--dry-run")
    assert "Nothing was written" in out
    assert "109,386" in out
    assert not (tmp_path / "runs").exists()


def test_one_batch_is_learned_by_heart_or_the_exit_code_is_1(terminal: Terminal, mnist: hl.Dataset) -> None:
    assert "Learned by heart" in terminal("train", "session", "--overfit-one-batch")
    assert "Not learned by heart" in terminal("train", "session", "--overfit-one-batch", "--lr", "1e-7", code=1)


def test_print_config_says_where_each_value_comes_from(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("lr = 0.5\n")
    lines = [line.split("\t") for line in terminal("train", "mlp", "--config", file, "--epochs", "2", "--print-config").splitlines()]
    table = {knob: (value, source) for knob, value, source in lines}
    assert table["lr"] == ("0.5", f"file {file}")
    assert table["epochs"] == ("2", "option")
    assert table["dropout"] == ("0.2", "preset mlp")
    assert table["momentum"] == ("0.9", "default")
    assert table.keys() - {"knob"} == FIELDS.keys()


def test_every_preset_is_listed_with_its_network_and_purpose(terminal: Terminal) -> None:
    out = terminal("train", "--list")
    assert all(name in out and preset.purpose in out for name, preset in PRESETS.items())


@pytest.mark.parametrize(
    "words, code, said",
    [
        (("trian",), 2, "Did you mean 'train'"),
        (("train", "sesion"), 2, "Did you mean 'session'"),
        (("train", "--epoch", "3"), 2, "--epochs"),
        (("train", "--lr", "fast"), 2, "lr cannot be 'fast'"),
        (("train", "--model", "mpl"), 2, "Did you mean 'mlp'"),
        (("train", "--data", "mnits"), 2, "Did you mean 'mnist'"),
        (("train", "--model", "nothing.py:Net"), 2, "no file 'nothing.py'"),
        (("train", "--config", "nothing.toml"), 2, "not there"),
        (("train", "--device", "tpu"), 2, "no device 'tpu'"),
        (("train", "--resume", "nothing"), 4, "no runs yet"),
        (("evaluate", "nothing"), 4, "handlens train session"),
        (("evaluate",), 2, "Missing argument"),
        (("compare", "one"), 2, "two runs"),
        (("runs", "show"), 4, "no runs yet"),
        (("data", "fetch", "nmist"), 2, "Did you mean 'mnist'"),
        (("data", "import", "nowhere"), 3, "nowhere"),
        (("data", "path", "nmist"), 2, "Did you mean 'mnist'"),
        (("train", "--hidden-sizes", "256", "128"), 2, "--hidden-sizes 256,128"),
        (("train", "--hidden-sizes", "256", "128", "mlp"), 2, "'128' is no preset."),
        (("train", "softmax", "mlp"), 2, "one preset"),
        (("train", "--checkpoint", "last"), 2, "--checkpoint goes with --resume"),
        (("train", "--resume", "one", "--name", "two"), 2, "handlens runs rename one"),
        (("train", "--resume", "one", "--note", "hm"), 2, "handlens runs note one"),
        (("bench", "--save", "bench.png"), 2, "--save goes with --ablate"),
        (("runs", "nothing"), 2, "No such command"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence_what_helps_and_the_exit_code(
    terminal: Terminal, words: tuple[str, ...], code: int, said: str
) -> None:
    terminal(*words, code=code)
    assert said in terminal.err
    assert len(terminal.err.splitlines()) <= 6


@pytest.mark.parametrize(
    "words",
    [
        ("train", "--model", f"{'x' * 300}.py:Net"),
        ("explain", "one", "x" * 300),
        ("mine", "add", "x" * 300, "--label", "3"),
        ("mine", "export", "x" * 300),
        ("course", "ls", "--folder", "x" * 300),
    ],
)
def test_a_name_too_long_for_a_file_is_said(terminal: Terminal, runs: Path, mnist: hl.Dataset, words: tuple[str, ...]) -> None:
    terminal(*words, code=5)
    assert "The name is too long for this disk." in terminal.err


def test_an_unforeseen_fault_is_a_sentence_and_a_traceback_only_with_debug(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fault() -> None:
        raise ZeroDivisionError("odd")

    monkeypatch.setattr("handlens.device.environment", fault)
    terminal("info", code=5)
    assert "handlens has a fault here" in terminal.err
    with pytest.raises(SystemExit):
        cli.main(["info", "--debug"])
    assert "Traceback" in capsys.readouterr().err


def test_each_verb_has_help_with_its_exit_free_of_errors(terminal: Terminal) -> None:
    for verb in cli.VERBS:
        assert "Usage" in terminal(verb, "--help")
    assert "--hidden-sizes" in terminal("train", "--help")


@pytest.mark.parametrize("verb", ["runs", "data"])
def test_a_verb_of_many_alone_shows_its_help_with_every_purpose_whole(terminal: Terminal, verb: str) -> None:
    commands = terminal(verb).partition("Commands:")[2].splitlines()
    assert len(commands) > 5
    assert terminal.err == ""
    assert not [line for line in commands if line.endswith("...")]


@pytest.mark.parametrize(
    "words, code, said",
    [
        (("runs", "rm", "one", "nosuch"), 4, "no run 'nosuch'"),
        (("runs", "rename", "one", "two"), 2, "a run 'two' already"),
        (("runs", "tag", "one", "two words"), 2, "one word"),
        (("runs", "tag", "one", ""), 2, "one word"),
        (("compare", "one", "one"), 2, "'one' is given twice"),
        (("errors", "one", "one"), 2, "given twice"),
        (("errors", "one", "--pair", "4"), 2, "'4' is no pair of classes"),
        (("errors", "one", "--pair", "4,4"), 2, "no mistake"),
        (("errors", "one", "two", "--pair", "4,9"), 2, "--pair goes with one run"),
        (("errors", "one", "--on", "nowhere"), 2, "nowhere"),
        (("labels", "nosuch"), 4, "no run 'nosuch'"),
        (("labels", "one", "--examples", "999999"), 2, "Only 60,000 training images are"),
        (("labels", "one", "--examples", "25", "--folds", "9"), 2, "cannot be put into 9 folds"),
        (("evaluate", "one", "--on", "val", "--calibrate"), 2, "found on val"),
        (("evaluate", "one", "--on", "tset"), 2, "Did you mean 'test'? Choose test, val, train"),
        (("evaluate", "best:test_accuracy"), 2, "best:val_accuracy"),
        (("report", "one", "--checkpoint", "previous"), 0, ""),
    ],
)
def test_what_cannot_be_done_with_runs_is_said_and_changes_nothing(
    terminal: Terminal, runs: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    before = sorted(runs.iterdir())
    terminal(*words, code=code)
    assert said in terminal.err
    assert sorted(runs.iterdir()) == before
    assert hl.load_run("one").about.tags == ()


@pytest.mark.parametrize("option", [(), ("--dry-run",)])
@pytest.mark.parametrize("name, said", [("one", "already"), ("A b", "cannot be a name"), ("latest", "something else")])
def test_a_name_is_looked_at_before_the_data(
    terminal: Terminal, runs: Path, monkeypatch: pytest.MonkeyPatch, option: tuple[str, ...], name: str, said: str
) -> None:
    monkeypatch.setattr("handlens.data.load", lambda *_, **__: pytest.fail("data were loaded"))
    terminal(*SMALL, "--name", name, *option, code=2)
    assert said in terminal.err


def test_knobs_of_our_networks_are_refused_for_a_network_of_ones_own(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text("from torch import nn\n\n\ndef Net():\n    return nn.Flatten()\n")
    (tmp_path / "mine.toml").write_text("dropout = 0.5\n")
    own = ("train", "--model", "net.py:Net", "--print-config")
    for words in (("--hidden-sizes", "32"), ("--config", "mine.toml")):
        terminal(*own, *words, code=2)
        assert "has no effect" in terminal.err
    assert "lr\t0.002\tpreset mlp" in terminal(*own, "mlp")  # which also has sizes for a network that it would make itself
    assert "hidden_sizes" not in terminal.out


def test_knobs_that_a_model_has_not_are_refused_from_an_option_and_a_file_but_not_from_a_preset(terminal: Terminal, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("hidden_sizes = [32]\nmodel = 'softmax'\n")
    for words in (("resnet", "--dropout", "0.3"), ("softmax", "--hidden-sizes", "32"), ("--config", "mine.toml")):
        terminal("train", *words, "--print-config", code=2)
        assert "has no such knob" in terminal.err
    terminal("train", "mlp", "--model", "softmax", "--no-batch-norm", "--print-config")


@pytest.mark.parametrize(
    "where, said",
    [
        ("handlens.cli.training.dataset_of", "No run had begun"),
        ("handlens.cli.training.show_layers", "No run had begun"),
        ("handlens.fit._check_new", "No run had begun"),
        ("handlens.fit._check_room", "0 of 1 epoch is saved; to go on: handlens train --resume three"),
        ("handlens.cli.training._watch", "0 of 1 epoch is saved; to go on: handlens train --resume three"),
    ],
)
def test_an_interrupt_at_any_time_says_what_is_saved(
    terminal: Terminal, runs: Path, monkeypatch: pytest.MonkeyPatch, where: str, said: str
) -> None:
    def interrupt(*_: object) -> None:
        if where != "handlens.fit._check_new" or (runs / "three").exists():  # it looks at the name before, too
            raise KeyboardInterrupt

    module, _, name = where.rpartition(".")
    monkeypatch.setattr(importlib.import_module(module), name, interrupt)
    terminal(*SMALL, "--name", "three", code=130)
    assert terminal.err.splitlines()[-1].startswith(f"Interrupted. {said}")


def test_a_run_that_is_not_at_its_end_says_so_first(terminal: Terminal, runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(importlib.import_module("handlens.fit"), "_check_room", lambda _run: (_ for _ in ()).throw(KeyboardInterrupt))
        terminal(*SMALL, "--name", "three", code=130)
    for verb in ("evaluate", "report"):
        terminal(verb, "three")
        assert terminal.err.splitlines()[0] == "Run three is interrupted: 0 of 1 epoch is done; to go on: handlens train --resume three"


def test_after_a_training_that_guesses_smaller_steps_are_advised(terminal: Terminal, mnist: hl.Dataset) -> None:
    out = terminal("train", "--hidden-sizes", "8", "--epochs", "1", "--batch-size", "500", "--lr", "10")
    assert "--lr 1.0" in out
    assert "no better than guessing" in out
    assert "--lr 100" not in out
    out = terminal("train", "softmax", "--epochs", "1", "--batch-size", "30000", "--lr", "1e-9")
    assert "--lr 1e-08" in out


def test_the_advice_for_one_batch_tells_small_steps_from_large_ones(terminal: Terminal, mnist: hl.Dataset) -> None:
    assert "larger steps may get there, --lr 1e-06" in terminal("train", "--overfit-one-batch", "--lr", "1e-7", code=1)
    assert "smaller steps, --lr 10" in terminal("train", "--overfit-one-batch", "--lr", "100", code=1)


def test_a_runs_folder_that_cannot_be_written_is_answered_with_its_variable(
    terminal: Terminal, mnist: hl.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("HANDLENS_RUNS", str(tmp_path / "file"))
    terminal(*SMALL, code=5)
    assert "HANDLENS_RUNS" in terminal.err


def test_a_busy_run_says_how_to_stop_who_has_it(terminal: Terminal, runs: Path) -> None:
    with hl.runs.writing(runs / "one"):
        terminal("runs", "rm", "one", code=5)
    assert f"kill {os.getpid()}" in terminal.err


def test_the_device_is_shown_with_the_threads_that_will_be_used(terminal: Terminal, mnist: hl.Dataset) -> None:
    before = torch.get_num_threads()
    terminal(*SMALL, "--dry-run", "--threads", str(before + 1))
    assert f"{before + 1} threads, " in terminal.err


class Screen(io.StringIO):
    """A terminal, as far as anybody asks."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    """A terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")  # no bold letters, which would be counted
    return Screen()


@pytest.mark.parametrize("words", [("runs", "ls"), ("runs", "show", "two"), ("compare", "one", "two", LONG), ("data", "ls")])
def test_on_80_columns_no_word_is_broken(terminal: Terminal, runs: Path, screen: Screen, words: tuple[str, ...]) -> None:
    shutil.copytree(runs / "two", runs / LONG)
    hl.load_run(LONG).annotate(note="a remark that is too long for the rest of the line, and cannot have a column of its own")
    with contextlib.redirect_stdout(screen):
        terminal(*words)
    lines = screen.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    wanted = {"runs": ("two", "accuracy"), "compare": (LONG, "test_accuracy", "interval"), "data": ("fashion-mnist", "handwritten")}
    assert all(any(word in line for line in lines) for word in wanted[words[0]])


@pytest.mark.skipif(sys.platform != "linux", reason="PyTorch's threads are GNU's on Linux only")
@pytest.mark.parametrize("own, heard", [({}, cli.SPINS), ({"GOMP_SPINCOUNT": "77"}, "77")])
def test_threads_that_wait_soon_sleep_unless_the_user_wants_it_otherwise(own: dict[str, str], heard: str) -> None:
    plain = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    command = [sys.executable, "-m", "handlens", "info"]
    told = subprocess.run(command, env={**plain, **own, "OMP_DISPLAY_ENV": "VERBOSE"}, capture_output=True, text=True, check=True).stderr
    assert f"GOMP_SPINCOUNT = '{heard}'" in told


def test_an_epoch_is_one_line_of_80_columns_and_losses_stand_below_each_other() -> None:
    row = {"epoch": 9.0, "train_loss": 0.5, "train_accuracy": 1.0, "val_loss": 15.46, "val_accuracy": 0.1, "time_s": 1.25}
    one, other = in_words(row, 10), in_words({**row, "epoch": 10.0, "train_loss": 1234.5}, 10)
    assert len(one) <= 80
    assert one.index("val loss") == other.index("val loss")


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
@pytest.mark.parametrize("words", [("--help",), ("runs", "--help"), ("train", "--list"), ("train", "--print-config", "--json")])
def test_a_pipe_that_nobody_reads_is_no_error(words: tuple[str, ...], tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        answer = subprocess.run([sys.executable, "-m", "handlens", *words], stdout=pipe, stderr=subprocess.PIPE, check=False)
    assert (answer.returncode, answer.stderr) == (0, b"")


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_a_reader_that_goes_away_ends_nothing(mnist: hl.Dataset, tmp_path: Path) -> None:
    program = [sys.executable, "-m", "handlens", *SMALL, "--name", "one"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
        assert process.wait(60) == 0
    assert hl.load_run("one").status == "complete"
    assert (tmp_path / "runs" / "one" / "report.html").exists()


def test_in_one_file_tables_and_remarks_are_in_order_without_empty_lines(mnist: hl.Dataset, tmp_path: Path) -> None:
    with (tmp_path / "said").open("w") as said:
        subprocess.run([sys.executable, "-m", "handlens", *SMALL, "--name", "one"], stdout=said, stderr=said, check=True)
    lines = (tmp_path / "said").read_text().splitlines()
    places = [next(number for number, line in enumerate(lines) if line.startswith(start)) for start in ("Data", "layer", "Run", "epoch")]
    assert places[0] == 0
    assert places == sorted(places)
    assert "" not in lines[: places[-1] + 1]


def test_lr_find_tells_a_rate_and_draws_the_curve(terminal: Terminal, runs: Path, tmp_path: Path) -> None:
    knobs = ("lr-find", "softmax", "--examples", "2000", "--save", tmp_path / "curve.png")
    out = terminal(*knobs)
    assert "Try lr = " in out
    found = json.loads(terminal(*knobs, "--json"))
    assert f"lr = {found['suggestion']:g}" in out
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    learned = json.loads(terminal("lr-find", "--init-from", "one", "--examples", "500", "--save", tmp_path / "curve.png", "--json"))
    assert learned["losses"][0] < 1 < found["losses"][0]  # with the network of that run, and what it has learned
    terminal("lr-find", "resnet", "--dropout", "0.3", code=2)
    assert "resnet has no such knob" in terminal.err
    assert not [path for path in runs.iterdir() if path.name not in ("one", "two")]


def test_transfer_compares_the_ways_to_begin(terminal: Terminal, runs: Path, tmp_path: Path) -> None:
    terminal("train", "--hidden-sizes", "8", "--examples", "500", "--epochs", "1", "--name", "deep")
    knobs = ("--data", "fashion-mnist", "--examples", "20,50", "--seeds", "2", "--epochs", "2", "--save", tmp_path / "curves.png")
    out = terminal("transfer", "deep", *knobs)
    assert [line.split("\t")[0] for line in out.splitlines()[:3]] == ["training images", "20", "50"]
    assert "mean of 2 trainings" in out
    assert len(json.loads(terminal("transfer", "deep", *knobs, "--json"))["trainings"]) == 12
    assert (tmp_path / "curves.png").read_bytes().startswith(b"\x89PNG")
    for words, said in (
        (["--examples", "ten"], "with commas between"),
        (["--data", "fashion-mnist", "--examples", "60001"], "Only 60,000 training images are"),
        (["--data", "mnist"], "has learned the images of mnist already"),
    ):
        terminal("transfer", "deep", *words, code=2)
        assert said in terminal.err


def test_transfer_shows_what_it_has_when_it_is_interrupted_and_takes_a_network_of_ones_own(
    terminal: Terminal, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = "nn.Flatten(), nn.Linear(784, 8), nn.ReLU(), nn.Linear(8, 10)"
    (tmp_path / "net.py").write_text(f"from torch import nn\n\ndef net():\n    return nn.Sequential({layers})\n")
    own = f"{tmp_path / 'net.py'}:net"
    terminal("train", "--model", own, "--examples", "500", "--epochs", "1", "--name", "own")
    knobs = ("transfer", "own", "--examples", "20,50", "--seeds", "1", "--epochs", "1", "--save", tmp_path / "curves.png")
    terminal(*knobs, code=2)
    assert "--model FILE.py:Class" in terminal.err

    def interrupted(*words: Any) -> Iterator[Any]:
        yield from itertools.islice(few_examples(*words), 4)
        raise KeyboardInterrupt

    monkeypatch.setattr("handlens.transfer.few_examples", interrupted)
    out = terminal(*knobs, "--model", own, code=130)
    assert "4 of 6 trainings were done" in terminal.err
    assert [line.split("\t")[0] for line in out.splitlines()[:3]] == ["training images", "20", "50"]
    assert out.splitlines()[2].endswith("\t\t")
    assert (tmp_path / "curves.png").exists()


@pytest.mark.parametrize("slopes, shown", [("2", "1.9"), ("2,-1", "-0.9")])
def test_line_learns_the_first_sessions_line(terminal: Terminal, tmp_path: Path, slopes: str, shown: str) -> None:
    out = terminal("line", "--slopes", slopes, "--save", tmp_path / "line.png")
    assert shown in out.splitlines()[-4]
    assert (tmp_path / "line.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads(terminal("line", "--slopes", slopes, "--save", str(tmp_path / "line.png"), "--json"))["target"]["bias"] == 10
    terminal("line", "--slopes", "two", code=2)
    terminal("line", "--lr", "1", code=5)
    assert "try an lr of 0.1" in terminal.err


def test_train_from_another_runs_weights(terminal: Terminal, runs: Path) -> None:
    terminal("train", "--init-from", "one", "--examples", "500", "--epochs", "1", "--name", "more")
    assert "Begins with the weights of run one." in terminal.err
    assert hl.load_run("more").config.model == "softmax"
    (runs.parent / "mine.toml").write_text('init_from = "one"\nnormalize = true\n')
    for words, normalize in ((["--init-from", "one"], False), (["--config", str(runs.parent / "mine.toml")], True)):
        found = json.loads(terminal("train", "mlp", *words, "--epochs", "1", "--print-config", "--json"))
        assert found["model"] == {"value": "softmax", "from": "weights of one"}
        assert found["normalize"]["value"] is normalize
        for network in (["--model", "cnn"], ["cnn-small"]):
            terminal("train", *words, *network, code=2)
            assert "is softmax: its weights are not for cnn" in terminal.err
    terminal("train", "--init-from", "nobody", code=4)
