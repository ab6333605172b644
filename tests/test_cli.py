import json
import shutil
from pathlib import Path

import pytest

import handlens as hl
from handlens import cli
from handlens.config import FIELDS, PRESETS

SMALL = ("train", "softmax", "--epochs", "1", "--batch-size", "500")


class Terminal:
    """Runs command lines in this process, and keeps what came out."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys
        self.out = self.err = ""

    def __call__(self, *words: str | Path, code: int = 0) -> str:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(word) for word in words])
        self.out, self.err = self.capsys.readouterr()
        assert ended.value.code == code, f"{words}\n{self.out}\n{self.err}"
        assert "Traceback" not in self.err
        return self.out

    def json(self, *words: str) -> object:
        return json.loads(self(*words, "--json"))


@pytest.fixture
def terminal(capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(capsys)


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
    suggested = [line.split("  ")[1].split() for line in out[out.index("Try next") :].splitlines()[1:]]
    assert [words[:2] for words in suggested] == [["handlens", "train"], ["handlens", "train"], ["handlens", "compare"]]
    for words in suggested[:2]:
        terminal(*words[1:], "--dry-run")
    terminal(*suggested[2][1:])


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
        (("train", "--config", "nothing.toml"), 5, "not there"),
        (("train", "--device", "tpu"), 2, "no device 'tpu'"),
        (("train", "--resume", "nothing"), 4, "no runs yet"),
        (("evaluate", "nothing"), 4, "handlens train session"),
        (("evaluate",), 2, "Missing argument"),
        (("compare", "one"), 2, "two runs"),
        (("runs", "show"), 4, "no runs yet"),
        (("data", "fetch", "nmist"), 2, "Did you mean 'mnist'"),
        (("data", "import", "nowhere"), 3, "nowhere"),
        (("data", "path", "nmist"), 2, "Did you mean 'mnist'"),
    ],
)
def test_a_mistake_is_answered_with_a_sentence_what_helps_and_the_exit_code(
    terminal: Terminal, words: tuple[str, ...], code: int, said: str
) -> None:
    terminal(*words, code=code)
    assert said in terminal.err
    assert len(terminal.err.splitlines()) <= 6


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
