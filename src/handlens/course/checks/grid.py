"""A made-up score, lucky here and there, shows which settings are tried, how they are averaged, and by what is chosen."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from handlens.course import wire
from handlens.course.verdict import Mistake
from handlens.words import counted

NEEDS = ("search",)
CAUSES = ()
RATES, WIDTHS, SEEDS = (0.1, 0.01, 0.001), (64, 128), (1, 2, 3)


def ask(chance: torch.Generator) -> dict[str, Tensor]:
    """Scores rates x widths x seeds: the best mean, the luckiest single one and the best on test are three different settings."""
    places = torch.randperm(6, generator=chance).tolist()
    val = 0.80 + 0.02 * torch.rand(6, 3, generator=chance)
    test = 0.80 + 0.02 * torch.rand(6, 3, generator=chance)
    val[places[0]] += 0.08
    val[places[1], int(torch.randint(3, (1,), generator=chance))] += 0.15
    val[places[2]] -= 0.3
    test[places[3]] += 0.15
    return {"val": val.double(), "test": test.double()}


def play(names: dict[str, Any], given: dict[str, Tensor]) -> dict[str, Any]:
    """What the learner finds, and what was asked for meanwhile."""
    calls: list[list[float]] = []

    def score(lr: float, width: int, seed: int, split: str = "val") -> float:
        calls.append([RATES.index(lr), WIDTHS.index(width), SEEDS.index(seed), int(split == "test")])
        return float(given[split][RATES.index(lr) * len(WIDTHS) + WIDTHS.index(width), SEEDS.index(seed)])

    found = names["search"](score, list(RATES), list(WIDTHS), list(SEEDS))
    return {"found": found, "calls": calls}


def judge(given: dict[str, Tensor], values: dict[str, Any]) -> Mistake | None:
    """The table of means, and the best of it."""
    settings = [(rate, width) for rate in RATES for width in WIDTHS]
    parts = values["found"]
    if not isinstance(parts, list) or len(parts) != 2 or not isinstance(parts[1], dict):
        return Mistake(
            "two_things", "search should give two things back: the best setting, and the table.", "End it with: return best, table"
        )
    best = tuple(parts[0]) if isinstance(parts[0], list) else parts[0]
    tried = {tuple(call[:3]) for call in values["calls"] if not call[3]}
    mistake = _judge_test(values["calls"], best) or _judge_tried(tried, parts[1], settings)
    means = given["val"].mean(1)
    return mistake or _judge_table(parts[1], settings, given["val"]) or _judge_best(best, settings, means, given["val"])


def _judge_test(calls: list[list[float]], best: Any) -> Mistake | None:
    """The test may be asked at the very end, and for the chosen setting alone."""
    splits = [int(call[3]) for call in calls]
    asked, tested = sum(splits), {(RATES[int(call[0])], WIDTHS[int(call[1])]) for call in calls if call[3]}
    if not asked or (splits == sorted(splits) and [*tested] == [best]):
        return None
    sentence = "The test images are used to choose, so the score of the winner will be too good."
    return Mistake(
        "tuned_on_test", sentence, "Choose by val; keep the test for the very end.", f"The test was asked for {counted(asked, 'time')}."
    )


def _judge_tried(tried: set[tuple[float, ...]], table: dict[Any, Any], settings: list[tuple[float, int]]) -> Mistake | None:
    pairs, seeds = {call[:2] for call in tried}, {call[2] for call in tried}
    seen = f"{len(pairs)} of {len(settings)} settings were tried, with {len(seeds)} of {len(SEEDS)} seeds: {len(tried)} trainings."
    if len(pairs) < len(settings):
        return Mistake(
            "settings_left_out", "Not all combinations are tried.", "Two loops, one inside the other: each rate with each width.", seen
        )
    if len(tried) < len(settings) * len(SEEDS):
        return Mistake(
            "noise_taken_for_effect", "A setting that is tried once may just be lucky.", "Try each with all seeds, and take the mean.", seen
        )
    if len(table) < len(settings):
        return Mistake(
            "overwritten",
            "Later settings overwrite earlier ones in the table.",
            "Use the pair as key: table[rate, width].",
            f"The table has {counted(len(table), 'entry', 'entries')}.",
        )
    return None


def _judge_table(table: dict[Any, Any], settings: list[tuple[float, int]], val: Tensor) -> Mistake | None:
    if set(table) != set(settings):
        return Mistake(
            "other_keys",
            "The keys of the table should be pairs of rate and width.",
            "table[rate, width] = mean",
            f"A key: {next(iter(table))}",
        )
    means = torch.tensor([wire.number(table[setting]) or 0.0 for setting in settings], dtype=torch.float64)
    if torch.allclose(means, val.mean(1), atol=1e-6):
        return None
    seen = f"For {settings[0]} you have {means[0]:.4f}; its scores are {', '.join(f'{one:.4f}' for one in val[0])}."
    if torch.allclose(means, val.max(1).values):
        return Mistake(
            "best_of_seeds", "The best seed is taken for each setting, not the mean: luck wins.", "Take the mean over the seeds.", seen
        )
    if torch.allclose(means, val[:, -1]):
        return Mistake("last_seed", "Only the last seed is kept.", "Collect the scores of all seeds, and take their mean.", seen)
    if torch.allclose(means, val.sum(1)):
        return Mistake("sum_not_mean", "This is the sum over the seeds, not their mean.", "Divide by the number of seeds.", seen)
    return Mistake(
        "other_means",
        "The table does not hold the means over the seeds.",
        "For each setting: add the scores, divide by their number.",
        seen,
    )


def _judge_best(best: Any, settings: list[tuple[float, int]], means: Tensor, val: Tensor) -> Mistake | None:
    right = settings[int(means.argmax())]
    if best == right:
        return None
    seen = f"You choose {best}; the best mean, {means.max():.4f}, has {right}."
    if best == settings[int(means.argmin())]:
        return Mistake("worst_chosen", "This is the setting with the lowest mean.", "Higher accuracy is better: use max.", seen)
    if best == settings[int(val.max(1).values.argmax())]:
        return Mistake("luck_chosen", "This setting has the best single score, not the best mean.", "Compare the means.", seen)
    if best not in settings:
        return Mistake(
            "best_is_no_setting", "The first thing should be the best pair of rate and width.", "best = max(table, key=table.get)", seen
        )
    return Mistake("other_best", "This is not the setting with the best mean.", "best = max(table, key=table.get)", seen)
