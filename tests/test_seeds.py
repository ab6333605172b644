import random
import subprocess
import sys

import pytest
import torch

from handlens import seeds


def test_a_seed_is_the_same_number_for_ever() -> None:
    """These decide the weights of every run: a change here changes all results, and makes a resumed training another one."""
    assert seeds.seed_for("order", 42, 0) == 6545427880442072044
    assert seeds.seed_for("weights", 42) == 7073383299208560706
    assert seeds.seed_for("dropout", 0, 1) == 6049787817576918742


def test_a_seed_is_the_same_in_another_process() -> None:
    code = "from handlens import seeds; print(seeds.seed_for('order', 42, 'a'))"
    answers = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": number, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for number in ("1", "2")
    }
    assert answers == {f"{seeds.seed_for('order', 42, 'a')}\n"}


def test_purposes_and_keys_have_seeds_of_their_own() -> None:
    keys = [
        ("order", 42, 0),
        ("order", 42, 1),
        ("order", 43, 0),
        ("dropout", 42, 0),
        ("order", 420),
        ("order", "42", 0),
        ("order", 42, "0"),
    ]
    found = {seeds.seed_for(*key) for key in keys}  # type: ignore[arg-type]
    assert len(found) == len(keys)
    many = {seeds.seed_for("order", seed, epoch) for seed in range(100) for epoch in range(100)}
    assert len(many) == 10_000
    assert all(0 <= seed < 1 << 63 for seed in many)


def test_a_generator_is_its_own() -> None:
    before = torch.get_rng_state()
    first = torch.rand(3, generator=seeds.generator("order", 1))
    assert torch.equal(first, torch.rand(3, generator=seeds.generator("order", 1)))
    assert not torch.equal(first, torch.rand(3, generator=seeds.generator("order", 2)))
    assert torch.equal(torch.get_rng_state(), before)


def test_seeded_gives_the_caller_their_generators_back() -> None:
    torch.manual_seed(3)
    alone = torch.rand(4)
    torch.manual_seed(3)
    with seeds.seeded("weights", 1):
        inside = torch.rand(2)
    assert torch.equal(torch.rand(4), alone)
    with seeds.seeded("weights", 1):
        assert torch.equal(torch.rand(2), inside)


def test_seeded_gives_them_back_after_an_error_too() -> None:
    before = torch.get_rng_state()
    with pytest.raises(ZeroDivisionError), seeds.seeded("weights", 1):
        torch.rand(2 // 0)
    assert torch.equal(torch.get_rng_state(), before)


def test_outside_both_go_on_where_they_were() -> None:
    torch.manual_seed(3)
    alone = torch.rand(4)
    with seeds.seeded("dropout", 1):
        whole = torch.rand(4)
    torch.manual_seed(3)
    with seeds.seeded("dropout", 1) as outside:
        ours = [torch.rand(2)]
        with outside():
            theirs = [torch.rand(2)]
        ours.append(torch.rand(2))
        with pytest.raises(ZeroDivisionError), outside():
            theirs.append(torch.rand(2)) or 1 // 0  # type: ignore[func-returns-value]
    assert torch.equal(torch.cat(ours), whole)
    assert torch.equal(torch.cat(theirs), alone)


def test_pythons_and_numpys_own_generators_are_not_touched() -> None:
    before = random.getstate()
    with seeds.seeded("weights", 1):
        seeds.generator("order", 1)
    assert random.getstate() == before
