import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from small import small_data

import handlens as hl
from handlens import files, runs
from handlens.errors import HandlensError, ModelError, RunBusy, RunDamaged, RunNotFound, UsageError


@pytest.fixture
def run() -> hl.Run:
    model = hl.models.MLP((16,), image_size=8, num_classes=4)
    return hl.fit(model, small_data(), epochs=3, lr=0.01, name="first", note="a try", quiet=True)


def test_the_folder_is_plain_files_that_people_can_read(run: hl.Run) -> None:
    names = {path.name for path in run.folder.iterdir()}
    assert {"config.json", "env.json", "run.json", "rows.jsonl", "checkpoint.json", "epoch-0003.safetensors"} <= names
    assert json.loads((run.folder / "config.json").read_text())["lr"] == 0.01
    rows = [json.loads(line) for line in (run.folder / "rows.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert {"torch", "python", "threads", "device", "commit"} <= json.loads((run.folder / "env.json").read_text()).keys()


def test_a_run_opened_again_says_what_it_said(run: hl.Run) -> None:
    again = hl.load_run("first")
    assert again.to_dict() == run.to_dict()
    assert again.status == "complete"
    assert again.history["val_accuracy"] == [row["val_accuracy"] for row in run.rows]
    assert "first" in repr(again)
    assert "<img" in again._repr_html_()


def test_the_checkpoint_has_no_name_path_or_time_in_it(run: hl.Run) -> None:
    twin = hl.fit(hl.models.MLP((16,), image_size=8, num_classes=4, seed=None), small_data(), epochs=1, lr=0.01, name="other", quiet=True)
    assert twin.name == "other"
    for name in ("one", "two"):
        hl.fit(lambda: hl.models.MLP((16,), image_size=8, num_classes=4), small_data(), epochs=2, lr=0.01, name=name, quiet=True)
    one, two = hl.load_run("one"), hl.load_run("two")
    assert one.checkpoint["sha256"] == two.checkpoint["sha256"]
    assert one.about.id != two.about.id


def test_it_keeps_the_start_the_last_two_and_the_best_and_no_others(run: hl.Run) -> None:
    pointer = run.pointer
    kept = {entry.file for entry in (pointer.last, pointer.start, pointer.previous, pointer.best) if entry}
    assert {path.name for path in run.folder.glob("*.safetensors")} == kept
    losses = run.history["val_loss"]
    assert pointer.best is not None
    assert pointer.best.epoch == 1 + losses.index(min(losses))
    assert pointer.start
    assert pointer.start.epoch == 0


def test_each_checkpoint_gives_its_own_weights(run: hl.Run) -> None:
    start, last = run.model("start"), run.model("last")
    assert not torch.equal(next(start.parameters()), next(last.parameters()))
    with pytest.raises(UsageError, match="Did you mean 'best'"):
        run.model("bets")


def test_a_damaged_checkpoint_is_refused_and_a_whole_one_is_offered(run: hl.Run) -> None:
    path = run.folder / run.pointer.last.file
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(RunDamaged, match="damaged") as caught:
        hl.load_run("first").model("last")
    assert "--checkpoint" in caught.value.hint
    assert hl.load_run("first").model("previous")


@pytest.mark.parametrize("reference", ["first", "fir", "latest", "best", "best:train_loss"])
def test_a_run_is_found_by_name_beginning_latest_and_best(run: hl.Run, reference: str) -> None:
    assert hl.load_run(reference).name == "first"


def test_a_run_is_found_by_its_id_the_beginning_of_that_and_its_folder(run: hl.Run) -> None:
    assert {hl.load_run(text).name for text in (run.about.id, run.about.id[:-2], str(run.folder))} == {"first"}


def test_latest_is_the_newest_and_best_the_most_accurate(run: hl.Run) -> None:
    worse = hl.fit("softmax", small_data(), epochs=1, lr=1e-6, name="aworse", quiet=True)
    assert hl.load_run("latest").name == worse.name
    assert hl.load_run("best").name == "first"
    assert [one.name for one in hl.list_runs()] == ["first", "aworse"]


def test_what_is_not_there_is_answered_with_what_is(run: hl.Run) -> None:
    with pytest.raises(RunNotFound, match="Did you mean 'first'"):
        hl.load_run("frist")
    hl.fit("softmax", small_data(), epochs=1, name="fifth", quiet=True)
    with pytest.raises(RunNotFound, match="2 runs"):
        hl.load_run("fi")
    with pytest.raises(UsageError, match="'val_loss'"):
        hl.load_run("best:val_los")


def test_where_nothing_is_yet_the_folder_and_the_next_step_are_named(tmp_path: Path) -> None:
    with pytest.raises(RunNotFound) as caught:
        hl.load_run("latest")
    assert str(tmp_path / "runs") in str(caught.value)
    assert "handlens train session" in str(caught.value)


def test_broken_folders_are_listed_with_the_reason_and_stop_nothing(run: hl.Run) -> None:
    root = runs.runs_folder()
    (root / "other").mkdir()
    (root / "other" / "holiday.jpg").write_text("a picture")
    (root / "half").mkdir()
    (root / "half" / "run.json").write_text('{"id": "x"}')
    (root / "text").mkdir()
    (root / "text" / "run.json").write_text("<html>")
    (root / "a-file").write_text("not a folder")
    found, broken = runs.scan()
    assert [one.name for one in found] == ["first"]
    assert {one.name for one in broken} == {"other", "half", "text"}
    assert all(one.reason for one in broken)
    with pytest.raises(RunDamaged, match="text"):
        hl.load_run("text")


def test_a_folder_in_which_a_training_was_about_to_begin_is_no_broken_run(run: hl.Run) -> None:
    for count, name in enumerate(["run.lock", "config.json", "env.json", "epoch-0000.safetensors"]):
        folder = runs.runs_folder() / f"begun-{count}"
        folder.mkdir()
        for made in ("run.lock", name):
            (folder / made).write_text("")
    found, broken = runs.scan()
    assert ([one.name for one in found], broken) == (["first"], [])


def test_note_tags_and_name_can_be_changed_and_last(run: hl.Run) -> None:
    run.annotate(note="better", tags=("good", "mlp"))
    run.rename("second")
    again = hl.load_run("second")
    assert (again.about.note, again.about.tags) == ("better", ("good", "mlp"))
    with pytest.raises(RunNotFound):
        hl.load_run("first")


@pytest.mark.parametrize("name", ["", "..", "a/b", "A b", "x" * 65, "été", "-x", "a..b"])
def test_a_name_that_cannot_be_a_folder_is_refused(run: hl.Run, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a name"):
        run.rename(name)


def test_a_deleted_run_is_in_the_trash_and_not_in_the_list(run: hl.Run) -> None:
    trash = run.delete()
    assert (trash / "config.json").is_file()
    assert runs.scan() == ([], [])


def test_what_is_in_the_trash_comes_back_unless_its_name_is_taken(run: hl.Run) -> None:
    root, rows = run.folder.parent, run.rows
    first = run.delete()
    assert runs.removed(root) == [(first.name, "first")]
    assert hl.Run(runs.take_back(root, first.name)).rows == rows
    second = runs.to_trash(root, "first")
    (root / "first").mkdir()
    with pytest.raises(UsageError, match="There is another run 'first' by now"):
        runs.take_back(root, second.name)
    for entry in (first.name, "..", "first", "../first"):
        with pytest.raises(RunNotFound, match="not in the trash"):
            runs.take_back(root, entry)
    assert runs.removed(root) == [(second.name, "first")]


def test_a_doubted_label_is_remembered_once_and_forgotten_again(run: hl.Run) -> None:
    doubts = [runs.Doubt("test", index, f"sha-{index}", "4", "9") for index in range(8)]
    assert runs.load_doubts(run) == []
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda doubt: runs.save_doubt(run, doubt), [*doubts, *doubts]))
    assert sorted(runs.load_doubts(run), key=lambda doubt: doubt.index) == doubts
    runs.take_back_doubt(run, doubts[3])
    assert doubts[3] not in runs.load_doubts(hl.load_run("first"))
    assert len(runs.load_doubts(run)) == 7


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"doubts": 1}', '{"doubts": [{}]}', '{"doubts": [{"split": "../x", "index": 0}]}'])
def test_a_file_of_doubts_that_is_none_is_refused(run: hl.Run, text: str) -> None:
    (run.folder / "doubts.json").write_text(text)
    with pytest.raises(RunDamaged, match=r"doubts\.json"):
        runs.load_doubts(run)


def test_a_run_that_is_being_written_cannot_be_renamed_deleted_or_continued(run: hl.Run) -> None:
    with runs.writing(run.folder):
        for attempt in (lambda: run.rename("x"), run.delete, lambda: hl.resume("first", quiet=True)):
            with pytest.raises(RunBusy, match="process"):
                attempt()


def test_a_second_run_of_one_name_is_refused_with_the_way_to_go_on(run: hl.Run) -> None:
    with pytest.raises(UsageError, match="--resume first"):
        hl.fit("softmax", small_data(), epochs=1, name="first", quiet=True)


def test_a_run_on_own_data_or_an_own_network_asks_for_it(run: hl.Run) -> None:
    with pytest.raises(UsageError, match="data of your own"):
        hl.load_run("first").evaluate()
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 4))
    hl.fit(net, small_data(), epochs=1, name="own", quiet=True)
    with pytest.raises(HandlensError, match="network of your own"):
        hl.load_run("own").model()
    assert hl.load_run("own", model=net, data=small_data()).evaluate("test").n == 80


def test_another_data_set_is_kept_beside_the_runs_own(mnist: hl.Dataset) -> None:
    run = hl.fit("softmax", mnist, epochs=1, batch_size=1000, quiet=True)
    own, other = run.evaluate("test"), run.evaluate("fashion-mnist")
    assert own.accuracy > 0.7 > 0.3 > other.accuracy
    kept = {name: json.loads((run.folder / "evaluation" / f"{name}.json").read_text()) for name in ("test", "fashion-mnist")}
    assert [kept[name]["accuracy"] for name in kept] == [own.accuracy, other.accuracy]
    assert {found["checkpoint"] for found in kept.values()} == {run.checkpoint["sha256"]}


def test_a_sent_run_cannot_have_a_file_run_that_this_user_never_named(run: hl.Run, tmp_path: Path) -> None:
    marker, code = tmp_path / "executed", tmp_path / "elsewhere.py"
    code.write_text(f"open({str(marker)!r}, 'w').close()\nfrom torch import nn\nNet = nn.Identity\n")
    sha256 = files.sha256(code)
    config = json.loads((run.folder / "config.json").read_text()) | {"model": "elsewhere.py:Net"}
    (run.folder / "config.json").write_text(json.dumps(config))
    about = json.loads((run.folder / "run.json").read_text())
    about |= {"model_file": str(code), "model_sha256": sha256, "config_sha256": files.sha256(run.folder / "config.json")}
    (run.folder / "run.json").write_text(json.dumps(about))
    with pytest.raises(ModelError, match="named by somebody else"):
        hl.load_run("first").model()
    assert not marker.exists()


def test_figures_that_were_changed_in_the_row_file_are_not_believed(run: hl.Run) -> None:
    rows = run.folder / "rows.jsonl"
    rows.write_text(rows.read_text().replace('"val_accuracy": ', '"val_accuracy": 9'))
    assert hl.load_run("first").history["val_accuracy"] == run.history["val_accuracy"]
    rows.unlink()
    assert len(hl.load_run("first").rows) == 3


def test_a_run_whose_last_checkpoint_is_damaged_is_listed_as_that(run: hl.Run) -> None:
    (run.folder / run.pointer.last.file).write_bytes(b"")
    again = hl.load_run("first")
    assert again.status == "damaged"
    assert [row["epoch"] for row in again.rows] == [1, 2]


def test_many_who_tag_a_run_at_once_lose_nothing(run: hl.Run) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: hl.load_run("first").tag(f"t{number}"), range(40)))
    assert set(hl.load_run("first").about.tags) == {f"t{number}" for number in range(40)}


def test_a_tag_is_put_on_once(run: hl.Run) -> None:
    run.tag("good", "good", "mlp")
    run.tag("mlp")
    assert run.about.tags == ("good", "mlp")


def test_a_name_that_is_too_long_for_any_disk_is_not_found(run: hl.Run) -> None:
    for text in ("a" * 300, "a" * 5000):
        with pytest.raises(RunNotFound):
            hl.load_run(text)
