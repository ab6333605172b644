import copy
import math
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from small import small_data
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

import handlens as hl
from handlens.errors import TrainingError
from handlens.optim import make_optimizer
from handlens.schedules import SCHEDULES
from handlens.train import Average, State, make_loss, train


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


def stepwise(state: State, images: list[Tensor], labels: list[Tensor]) -> list[Tensor]:
    """The weights after one epoch over these batches."""
    list(train(state, Given(list(zip(images, labels, strict=True))), epochs=1))
    return weights(state)


class Given(list[tuple[Tensor, Tensor]]):
    """Batches that are there already, as a loader."""


def given_batches(count: int, size: int) -> tuple[list[Tensor], list[Tensor]]:
    split = small_data().train
    pairs = [(split.images[at : at + size].div(255), split.labels[at : at + size]) for at in range(0, count * size, size)]
    return [images for images, _ in pairs], [labels for _, labels in pairs]


def test_accumulated_batches_take_the_step_of_the_large_batch() -> None:
    small, large = new_state(), new_state()
    small.accumulate = 4
    images, labels = given_batches(8, 16)
    pairs = zip(stepwise(small, images, labels), stepwise(large, *given_batches(2, 64)), strict=True)
    for one, two in pairs:
        torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-4)
    assert small.optimizer.state_dict()["state"][0]["step"] == 2


def test_what_is_left_over_at_the_end_of_an_epoch_is_a_step_too() -> None:
    state = new_state()
    state.accumulate = 3
    images, labels = given_batches(4, 16)
    left = stepwise(state, images, labels)
    assert state.optimizer.state_dict()["state"][0]["step"] == 2
    large = new_state()
    pairs = zip(left, stepwise(large, [torch.cat(images[:3]), images[3]], [torch.cat(labels[:3]), labels[3]]), strict=True)
    for one, two in pairs:
        torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-4)


def test_clipped_gradients_are_as_long_as_allowed_and_no_longer() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 4))
    free, clipped = (State(copy.deepcopy(model), make_optimizer(model, "sgd", lr=1.0)) for _ in range(2))
    for state in (free, clipped):
        state.optimizer = make_optimizer(state.model, "sgd", lr=1.0, momentum=0.0)
        state.optimizer.param_groups[0]["initial_lr"] = 1.0
    clipped.clip = 0.01
    moves = []
    for state in (free, clipped):
        after = stepwise(state, *given_batches(1, 16))
        moves.append(torch.cat([(new - old).flatten() for new, old in zip(after, model.state_dict().values(), strict=True)]))
    assert moves[0].norm() > 0.05
    assert moves[1].norm().item() == pytest.approx(0.01, rel=1e-3)
    torch.testing.assert_close(moves[1], moves[0] * 0.01 / moves[0].norm(), atol=1e-6, rtol=1e-3)


def test_averaged_weights_are_those_of_pytorchs_averaged_model() -> None:
    state = new_state(hl.models.MLP((16,), image_size=8, num_classes=4, batch_norm=True, seed=1))
    state.average = Average(state.model, 0.7)
    counts = iter(range(1, 100))

    def decayed(mean: Any, current: Any, _count: Any) -> None:
        step = next(counts)
        torch._foreach_lerp_(mean, current, 1 - min(0.7, step / (step + 9)))

    theirs = torch.optim.swa_utils.AveragedModel(state.model, multi_avg_fn=decayed)
    theirs.n_averaged += 1  # its first update would only copy
    for _row in train(state, Given(zip(*given_batches(8, 16), strict=True)), epochs=3, every=1):
        if "step" in _row:
            theirs.update_parameters(state.model)
    for ours, oracle in zip(state.average.model.parameters(), theirs.module.parameters(), strict=True):
        torch.testing.assert_close(ours, oracle)
    assert not same(weights(state), [tensor.clone() for tensor in state.average.model.state_dict().values()])
    assert torch.equal(state.average.model.layers[2].running_mean, state.model.layers[2].running_mean)  # type: ignore[index,union-attr]
    assert state.network is state.average.model


def test_what_is_watched_is_what_is_averaged() -> None:
    data, state = small_data(), new_state()
    state.average = Average(state.model, 0.99)
    (row,) = train(state, hl.batches(data.train, 16), (data.val.images, data.val.labels), epochs=1)
    logits = hl.models.predict_logits(state.average.model, data.val.images)
    assert row["val_loss"] == pytest.approx(cross_entropy(logits, data.val.labels).item())


def test_bfloat16_is_used_where_it_is_wished_and_only_there() -> None:
    seen = []
    for amp in (False, True):
        state = new_state()
        state.amp = amp
        state.model.layers[1].register_forward_hook(lambda _module, _inputs, output: seen.append(output.dtype))  # type: ignore[index,union-attr]
        stepwise(state, *given_batches(2, 16))
        assert all(weight.dtype == torch.float32 for weight in state.model.parameters())
    assert seen == [torch.float32] * 2 + [torch.bfloat16] * 2


def test_label_smoothing_and_class_weights_are_pytorchs() -> None:
    logits, labels = torch.randn(6, 4, generator=torch.Generator().manual_seed(1)), torch.tensor([0, 1, 2, 3, 0, 1])
    weight = torch.tensor([1.0, 2.0, 0.5, 1.0])
    assert make_loss() is cross_entropy
    assert make_loss(0.1, weight)(logits, labels) == nn.CrossEntropyLoss(weight=weight, label_smoothing=0.1)(logits, labels)


def test_labels_may_be_probabilities_and_accuracy_counts_the_most_likely() -> None:
    images, labels = given_batches(4, 16)
    mixed = [0.7 * nn.functional.one_hot(some, 4) + 0.3 * nn.functional.one_hot((some + 1) % 4, 4) for some in labels]
    (hard,) = train(new_state(), Given(zip(images, labels, strict=True)), epochs=1)
    state = new_state()
    (soft,) = train(state, Given(zip(images, mixed, strict=True)), epochs=1)
    assert soft["train_loss"] != hard["train_loss"]
    again = new_state()
    list(train(again, Given(zip(images, mixed, strict=True)), epochs=20))
    logits = hl.models.predict_logits(again.model, torch.cat(images))
    assert again.rows[-1]["train_accuracy"] > 0.9
    assert (logits.argmax(1) == torch.cat(labels)).float().mean() > 0.9


def test_weight_decay_leaves_biases_and_norms_alone() -> None:
    model = hl.models.MLP((8,), image_size=4, batch_norm=True, seed=1)
    groups = make_optimizer(model, "adamw", lr=0.01, weight_decay=0.1).param_groups
    pulled = {id(weight) for group in groups if group["weight_decay"] for weight in group["params"]}
    assert pulled == {id(module.weight) for module in model.modules() if isinstance(module, nn.Linear)}
    assert sum(len(group["params"]) for group in groups) == len([*model.parameters()])
