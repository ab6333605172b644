"""The corpus of mistakes: how many causes have programs in several styles, and that each mistake is one change."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from doctor import score
from doctor.corpus import BROKEN
from doctor.programs import EXTRA, Mutant

from handlens.doctor import all_causes

_CAUSES, _STYLES = 60, 5
# They need a second line to be a program at all, or the training and the test images are made in the same way in two lines.
SEVERAL_EDITS = {
    "backward_twice-mlp",
    "batch_scramble-rows as a sequence",
    "batchnorm_single-nll",
    "double_scaling-cnn",
    "double_scaling-focal loss, weighted sampler, collate",
    "double_scaling-trainer",
    "inputs_not_scaled-cnn",
    "inputs_not_scaled-estimator",
    "inputs_not_scaled-hypernet",
    "inputs_not_scaled-joint_autoencoder",
    "inputs_not_scaled-prefetch_thread",
    "inputs_not_scaled-private_gradients",
    "inputs_not_scaled-sequential",
    "inputs_not_scaled-shards",
    "inputs_not_scaled-trainer",
    "loss_tensor_kept-cnn",
    "loss_tensor_kept-sequential",
    "regression_loss_for_classes-mlp",
    "scheduler_per_batch-cnn",
    "scheduler_per_batch-mlp",
    "scheduler_per_batch-nll",
    "unregistered_layers-mlp",
    "vanishing_sigmoid-trainer",
    "wrong_norm_stats-cnn",
    "wrong_norm_stats-tiny_vit",
    "zero_grad_after_backward-nll",
    "zero_grad_after_backward-trainer",
    "zero_grad_per_epoch-sequential",
}


def test_sixty_causes_have_programs_in_five_styles() -> None:
    styles = {cause: {one.style for one in BROKEN if one.cause == cause} for cause in all_causes()}
    assert sum(len(known) >= _STYLES for known in styles.values()) >= _CAUSES
    assert {one.cause for one in BROKEN} <= set(styles)


def test_each_mistake_is_one_change_of_a_right_program() -> None:
    """In one place; those that change several are listed, and are no more."""
    assert {one.name for one in BROKEN if places(one) > 1} == SEVERAL_EDITS


def places(mutant: Mutant) -> int:
    """In how many places of the right program something is replaced."""
    return mutant.right.count(mutant.old) + len(EXTRA.get((mutant.cause, mutant.style), []))


def answer(name: str, cause: str, *causes: str, seed: int = 0, seconds: float = 2.0, **about: bool) -> score.Answer:
    line = about.get("right_line", True)
    return score.Answer(name, cause, seed, "text", score.STATE, causes, line, "", seconds, 1.0, 10**9)


def test_the_scores_are_told_in_one_table_and_the_misses_in_another(tmp_path: Path) -> None:
    answers = [
        answer("plain", ""),
        answer("gan", "", "lr_too_low"),
        answer("no_activation-mlp", "no_activation", "no_activation", right_line=False, seconds=9.0),
        answer("missing_eval-mlp", "missing_eval", "missing_eval"),
        answer("missing_eval-mlp", "missing_eval", "dead_relu", "missing_eval", seed=1),
    ]
    one, other = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
    lines = [json.dumps(asdict(each)) for each in answers]
    one.write_text("\n".join(lines[:3]) + "\n" + lines[3][:40], encoding="utf-8")
    other.write_text("\n".join(lines[3:]) + "\n", encoding="utf-8")
    said = score.report(list(score.known([one, other]).values()), 7)
    assert said == score.report(answers, 7)
    for row in (
        "| not asked yet | 2 | 0 |",
        "| true cause first | 2 of 3 (66.7%) | 95 % |",
        "| true cause among the first three | 3 of 3 (100.0%) |  |",
        "| right line (within 1), where the true cause is first | 1 of 2 (50.0%) | 85 % |",
        "| right programs blamed | 1 of 2 (50.0%) | 0 |",
        "| same first cause with all seeds | 0 of 1 (0.0%) | 100 % |",
        "| the slowest | 9.0 s: no_activation-mlp | 15 s |",
        "| missing_eval | dead_relu | 1 | mlp, seed 1 |",
        "| no_activation | no_activation, at another line | 1 | mlp |",
        "| nothing | lr_too_low | 1 | gan |",
    ):
        assert row in said
