"""The corpus of mistakes: how many causes have programs in several styles, and that each mistake is one change."""

from __future__ import annotations

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
