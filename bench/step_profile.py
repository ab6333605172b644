"""Where the time of a training step goes: products of matrices, convolutions, the optimizer, and the rest.

    python bench/step_profile.py [PRESET ...]

A tenth of an epoch on MNIST after another tenth to warm up, on one thread. The profiler counts the time of each operation without those
that it calls; what it cannot see is Python between them.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

import torch
from torch.profiler import ProfilerActivity, profile

import handlens as hl
from handlens import device
from handlens.config import make_config
from handlens.plan import plan
from handlens.presets import preset_knobs
from handlens.train import train

KINDS = {
    "products of matrices": ("aten::mm", "aten::addmm"),
    "convolutions": ("aten::mkldnn_convolution", "aten::convolution_backward"),
    "optimizer": ("aten::_fused_adam_", "aten::_fused_adamw_", "aten::_foreach_add_", "aten::hardshrink"),
    "order and bytes to fractions": ("aten::index_select", "aten::div"),
    "pooling, batch norm, activation": (
        "aten::max_pool2d_with_indices",
        "aten::max_pool2d_with_indices_backward",
        "aten::native_batch_norm",
        "aten::native_batch_norm_backward",
        "aten::threshold_backward",
        "aten::clamp_min",
    ),
    "loss": ("aten::_log_softmax", "aten::_log_softmax_backward_data", "aten::nll_loss_forward", "aten::nll_loss_backward"),
}
KIND_OF = {operation: kind for kind, operations in KINDS.items() for operation in operations}


def measure(preset: str, data: hl.Dataset) -> dict[str, float]:
    """The share of each kind in the time by the clock."""
    planned = plan(make_config({**preset_knobs(preset), "epochs": 2, "epoch_part": 0.1, "threads": 1}), data=data)
    with device.settled(torch.device("cpu"), 1):
        rows = train(planned.state(), planned.loader, epochs=2)
        next(rows)
        with profile(activities=[ProfilerActivity.CPU]) as seen:
            start = time.perf_counter()
            next(rows)
            whole = 1e6 * (time.perf_counter() - start)
    spent: Counter[str] = Counter()
    for event in seen.key_averages():
        spent[KIND_OF.get(event.key, "other operations")] += event.self_cpu_time_total
    return {kind: spent[kind] / whole for kind in (*KINDS, "other operations")} | {"Python between them": 1 - sum(spent.values()) / whole}


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", default=["session", "fast-mlp", "fast-cnn"])
    presets = parser.parse_args().presets
    data = hl.load("mnist")
    found = {preset: measure(preset, data) for preset in presets}
    print(f"| kind | {' | '.join(presets)} |\n| --- {'| --- ' * len(presets)}|")
    for kind in found[presets[0]]:
        print(f"| {kind} | {' | '.join(f'{found[preset][kind]:.0%}' for preset in presets)} |")


if __name__ == "__main__":
    main()
