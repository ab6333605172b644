import re
from pathlib import Path

import pytest

from handlens.config import FIELDS, GROUPS, Config, grouped, make_config, resolve
from handlens.errors import ConfigError
from handlens.presets import PRESETS


def test_every_knob_has_a_reason() -> None:
    assert all(field.description and len(field.description) > 20 for field in FIELDS.values())


def test_every_knob_has_a_name_in_words_of_its_own_and_its_place_in_a_group() -> None:
    titles = [str(field.title) for field in FIELDS.values()]
    assert [title for title in titles if not re.fullmatch(r"[a-z][a-zA-Z ()]{2,27}", title)] == []
    assert len(set(titles)) == len(FIELDS)
    assert list(grouped()) == list(GROUPS.values())
    assert [name for names in grouped().values() for name in names] == list(FIELDS)


def test_every_preset_is_a_config_and_the_session_is_the_default() -> None:
    configs = {name: make_config(preset.knobs) for name, preset in PRESETS.items()}
    session = configs["session"]
    assert session == Config()
    assert (session.hidden_sizes, session.activation, session.optimizer, session.lr) == ((128, 64), "relu", "adam", 0.001)
    assert (session.batch_size, session.epochs, session.seed, session.val) == (64, 5, 42, 0.1)


@pytest.mark.parametrize(
    "knobs, said",
    [
        ({"epoch": 3}, "Did you mean 'epochs'"),
        ({"lr": 0}, "lr cannot be 0"),
        ({"lr": float("nan")}, "lr cannot be nan"),
        ({"dropout": 1.5}, "dropout cannot be 1.5"),
        ({"optimizer": "adma"}, "'adam'"),
        ({"hidden_sizes": "128,x"}, "hidden_sizes cannot be 'x'"),
        ({"hidden_sizes": (0,)}, "1 to 65,536"),
        ({"hidden_sizes": "-5"}, "1 to 65,536"),
        ({"hidden_sizes": "128--64"}, "1 to 65,536"),
        ({"val": 1}, "val cannot be 1"),
        ({"seed": -1}, "seed cannot be -1"),
        ({"hidden_sizes": "[256,128]"}, "brackets: 256,128"),
        ({"lr": "0,01"}, "a point in place of the comma: 0.01"),
        ({"dropout": "20"}, "20 % are 0.2"),
        ({"val": 10}, "10 % are 0.1"),
    ],
)
def test_what_cannot_be_is_refused_with_the_knob_the_value_and_help(knobs: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_config(knobs)
    assert said in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("written", ["128,64", "128-64", "128 - 64", (128, 64), [128, 64], "128, 64"])
def test_hidden_sizes_can_be_written_in_each_usual_way(written: object) -> None:
    assert make_config({"hidden_sizes": written}).hidden_sizes == (128, 64)


def test_no_hidden_layer_and_one_hidden_layer_can_be_written() -> None:
    assert make_config({"hidden_sizes": ""}).hidden_sizes == ()
    assert make_config({"hidden_sizes": 32}).hidden_sizes == (32,)


def test_later_sources_win_and_each_value_says_where_it_comes_from(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("lr = 0.5\nepochs = 3\n")
    found, sources = resolve("mlp", file, {"epochs": "2"})
    assert (found.epochs, found.lr, found.dropout, found.momentum) == (2, 0.5, 0.2, 0.9)
    assert (sources["epochs"], sources["lr"]) == ("option", f"file {file}")
    assert (sources["dropout"], sources["momentum"]) == ("preset mlp", "default")


@pytest.mark.parametrize("name", PRESETS)
def test_a_config_survives_json(name: str) -> None:
    wanted = make_config(PRESETS[name].knobs)
    assert Config.model_validate_json(wanted.model_dump_json()) == wanted


def test_the_knob_amp_of_earlier_runs_is_read_as_the_precision_it_meant() -> None:
    assert make_config({"amp": True}) == make_config({"precision": "bfloat16"})
    assert make_config({"amp": False}) == Config()


@pytest.mark.parametrize("text", ["lr = ", "lr 3", "[lr]\nx = 1", "epoch = 3", "\x00", "lr = '1e999'", "a = " + "[" * 5000])
def test_a_bad_file_is_named_in_the_error(text: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        resolve(None, file, {})
    assert str(file) in str(caught.value)
