import copy
import math
from collections.abc import Iterator

import pytest
import torch
from small import small_data
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import handlens as hl
from handlens.errors import TrainingError
from handlens.train import SCHEDULES, State, make_optimizer, train


def new_state(model: nn.Module | None = None, name: str = "adam", schedule: str = "none") -> State:
    model = model or hl.models.MLP((16,), image_size=8, num_classes=4, seed=1)
    return State(model, make_optimizer(model, name, lr=0.01), SCHEDULES[schedule])


def weights(state: State) -> list[Tensor]:
    return [tensor.clone() for tensor in state.model.state_dict().values()]


def same(one: list[Tensor], two: list[Tensor]) -> bool:
    return all(torch.equal(first, second) for first, second in zip(one, two, strict=True))


def test_it_learns_and_each_row_says_what_was_reached() -> None:
    data = small_data()
    state = new_state()
    rows = list(train(state, hl.batches(data.train, 16), (data.val.images, data.val.labels), epochs=6))
    assert [row["epoch"] for row in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[-1]["val_accuracy"] == 1.0
    assert rows[-1]["train_loss"] < rows[0]["train_loss"]
    assert rows == state.rows
    assert all(math.isfinite(value) for row in rows for value in row.values())


def test_the_loop_is_the_lessons_own_loop_bit_for_bit() -> None:
    data = small_data()
    ours, plain = new_state(), new_state()
    list(train(ours, hl.batches(data.train, 16, seed=42), epochs=3))
    model, optimizer = plain.model, plain.optimizer
    loader = hl.batches(data.train, 16, seed=42)
    for _ in range(3):
        for images, labels in loader:
            loss = cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    assert same(weights(ours), weights(plain))


def test_a_dataloader_in_the_same_order_gives_the_same_weights_bit_for_bit() -> None:
    data = small_data()

    class SameOrder(torch.utils.data.Sampler[int]):
        epoch = 0

        def set_epoch(self, epoch: int) -> None:
            self.epoch = epoch

        def __len__(self) -> int:
            return len(data.train)

        def __iter__(self) -> Iterator[int]:
            return iter(hl.data.order(len(data.train), 42, self.epoch).tolist())

    ours, theirs = new_state(), new_state()
    list(train(ours, hl.batches(data.train, 16, seed=42), epochs=3))
    list(train(theirs, torch.utils.data.DataLoader(data.train, 16, sampler=SameOrder()), epochs=3))
    assert same(weights(ours), weights(theirs))


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_stopped_after_any_epoch_and_continued_it_gives_the_same_bits(name: str, schedule: str) -> None:
    data = small_data()
    model = hl.models.MLP((16,), image_size=8, num_classes=4, dropout=0.3, batch_norm=True, seed=1)
    whole = new_state(copy.deepcopy(model), name, schedule)
    list(train(whole, hl.batches(data.train, 16), epochs=4))
    first = new_state(copy.deepcopy(model), name, schedule)
    for row in train(first, hl.batches(data.train, 16), epochs=4):
        if row["epoch"] == 2:
            break
    second = State(copy.deepcopy(first.model), make_optimizer(first.model, name, lr=0.01), SCHEDULES[schedule], epoch=2)
    second.optimizer = make_optimizer(second.model, name, lr=0.01)
    history = copy.deepcopy(first.optimizer.state_dict()["state"])
    second.optimizer.load_state_dict({"state": history, "param_groups": second.optimizer.state_dict()["param_groups"]})
    again = State(second.model, second.optimizer, SCHEDULES[schedule], epoch=2)
    list(train(again, hl.batches(data.train, 16), epochs=4))
    assert same(weights(again), weights(whole))


def test_rows_within_an_epoch_and_a_caller_who_draws_random_numbers_change_nothing() -> None:
    data = small_data()
    model = hl.models.MLP((16,), image_size=8, num_classes=4, dropout=0.5, seed=1)
    quiet, busy = new_state(copy.deepcopy(model)), new_state(copy.deepcopy(model))
    torch.manual_seed(3)
    expected = [torch.rand(1).item() for _ in range(100)]
    list(train(quiet, hl.batches(data.train, 16), epochs=2))
    torch.manual_seed(3)
    drawn = []
    for row in train(busy, hl.batches(data.train, 16), epochs=2, every=3):
        drawn.append(torch.rand(1).item())
        assert ("step" in row) == (len(drawn) not in (3, 6))
    assert same(weights(quiet), weights(busy))
    assert drawn == expected[: len(drawn)]


def test_a_break_leaves_the_global_generator_as_it_was() -> None:
    data = small_data()
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    for _row in train(new_state(), hl.batches(data.train, 16), epochs=2, every=1):
        break
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("lr", [1e30, float("inf")])
def test_a_loss_that_is_no_number_ends_the_training_in_words_within_the_epoch(lr: float) -> None:
    data = small_data()
    state = new_state()
    for group in state.optimizer.param_groups:
        group["initial_lr"] = lr
    with pytest.raises(TrainingError, match=r"infinite|not a number"):
        list(train(state, hl.batches(data.train, 16), epochs=3))
    assert state.epoch == 0
    assert state.rows == []


@pytest.mark.parametrize("total", [10, 37])
@pytest.mark.filterwarnings("ignore:Detected call of")
def test_the_schedules_are_pytorchs(total: int) -> None:
    weight = nn.Parameter(torch.zeros(1))

    def theirs(make: object) -> list[float]:
        optimizer = torch.optim.SGD([weight], lr=1.0)
        scheduler = make(optimizer)  # type: ignore[operator]
        rates = []
        for _ in range(total):
            rates.append(optimizer.param_groups[0]["lr"])
            scheduler.step()
        return rates

    oracle = {
        "cosine": theirs(lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total)),
        "none": [1.0] * total,
    }
    for name, expected in oracle.items():
        assert [SCHEDULES[name](step / total) for step in range(total)] == pytest.approx(expected, abs=1e-6)


def test_one_cycle_has_pytorchs_start_peak_and_end() -> None:
    one_cycle = SCHEDULES["one-cycle"]
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=1001, cycle_momentum=False)
    rates = []
    for _ in range(1000):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    ours = [one_cycle(step / 1000) for step in range(1000)]
    assert ours == pytest.approx(rates, abs=0.01)
    assert max(ours) == pytest.approx(1.0, abs=1e-4)


def test_step_falls_to_a_tenth_after_each_third() -> None:
    step = SCHEDULES["step"]
    assert [round(step(done), 6) for done in (0, 0.3, 0.34, 0.66, 0.67, 0.99)] == [1, 1, 0.1, 0.1, 0.01, 0.01]
