"""Programs of one more writer who saw only the catalogue of mistakes, in `unseen9/`, and mistakes in them."""

from __future__ import annotations

from pathlib import Path

from doctor.programs import Mutant

UNSEEN9 = {path.stem: path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "unseen9").glob("*.txt"))}

# Cause, program, what is replaced, by what, and text of the line that is to be named.
MISTAKES: list[tuple[str, str, str, str, str]] = [
    ("missing_super_init", "DigitClassifierMain", "        super().__init__()\n", "", "def __init__(self, numberOfInputs):"),
    (
        "dropout_wrong_place",
        "assistant_generated",
        "        x = self.fc2(x)                           # Output layer (logits)\n",
        "        x = self.dropout(self.fc2(x))             # Output layer (logits) with dropout\n",
        "x = self.dropout(self.fc2(x))             # Output layer (logits) with dropout",
    ),
    (
        "same_batch_every_step",
        "bar_training",
        "    for xb, yb in bar:\n",
        '    for _ in bar:\n        xb, yb = next(batches(data["x_train"], data["y_train"], size, epoch))\n',
        'xb, yb = next(batches(data["x_train"], data["y_train"], size, epoch))',
    ),
    (
        "tuned_on_test",
        "beamline_scan",
        "            eps = efficiency(net, X_cal, k_cal)\n",
        "            eps = efficiency(net, X_meas, k_meas)\n",
        "eps = efficiency(net, X_meas, k_meas)",
    ),
    (
        "dead_relu",
        "ch05_listing",
        "            nn.init.uniform_(layer.weight, -0.08, 0.08)\n",
        "            nn.init.uniform_(layer.weight, -0.08, 0.0)\n",
        "nn.init.uniform_(layer.weight, -0.08, 0.0)",
    ),
    ("confusion_axes_swapped", "confusion_report", "    table[t, g] += 1\n", "    table[g, t] += 1\n", "table[g, t] += 1"),
    (
        "argmax_wrong_dim",
        "curve_table",
        "            guess = net(xs).argmax(1)\n",
        "            guess = net(xs).argmax(0)\n",
        "guess = net(xs).argmax(0)",
    ),
    (
        "eval_on_train",
        "digit_service_trainer",
        '    report = evaluate(network, splits["test"])\n',
        '    report = evaluate(network, splits["train"])\n',
        'report = evaluate(network, splits["train"])',
    ),
    (
        "class_not_instance",
        "experiment_cli",
        "    model = ARCHITECTURES[args.arch]()\n",
        "    model = ARCHITECTURES[args.arch]\n",
        "model = ARCHITECTURES[args.arch]",
    ),
    ("missing_flatten", "gap_head", "        return self.fc(x.flatten(1))\n", "        return self.fc(x)\n", "return self.fc(x)"),
    (
        "target_wrong_type",
        "kaggle_digit_baseline",
        "labels = torch.from_numpy(train[:, 0]).long()\n",
        "labels = torch.from_numpy(train[:, 0])\n",
        "labels = torch.from_numpy(train[:, 0])",
    ),
    (
        "zero_grad_after_backward",
        "keras_refugee",
        "                self.optimizer.zero_grad()\n                loss.backward()\n",
        "                loss.backward()\n                self.optimizer.zero_grad()\n",
        "self.optimizer.zero_grad()",
    ),
    ("missing_step", "littlelightning", "                    optimizer.step()\n", "", "module.on_after_backward()"),
    (
        "augment_on_test",
        "nb_export_week4",
        'test_ds = Digits(raw["x_test"], raw["y_test"])\n',
        'test_ds = Digits(raw["x_test"], raw["y_test"], transform=jitter)\n',
        'test_ds = Digits(raw["x_test"], raw["y_test"], transform=jitter)',
    ),
    (
        "accuracy_broadcast",
        "odd_or_even",
        "        return (odd.squeeze(1) == truth).float().mean().item()\n",
        "        return (odd == truth).float().mean().item()\n",
        "return (odd == truth).float().mean().item()",
    ),
    (
        "fresh_model_evaluated",
        "restore_and_report",
        '    model.load_state_dict(checkpoint["weights"])\n',
        "",
        'model = build(checkpoint["n_hidden"])',
    ),
    (
        "double_scaling",
        "rgb_backbone",
        '    pictures = archive[f"x_{part}"][:count]\n',
        '    pictures = archive[f"x_{part}"][:count] / 255\n',
        'pictures = archive[f"x_{part}"][:count] / 255',
    ),
    (
        "lr_too_high",
        "row_reader_gru",
        "optimizer = torch.optim.Adam(model.parameters(), lr=0.003)\n",
        "optimizer = torch.optim.Adam(model.parameters(), lr=0.3)\n",
        "optimizer = torch.optim.Adam(model.parameters(), lr=0.3)",
    ),
    (
        "logits_into_nll",
        "tiny25",
        "        l = F.cross_entropy(m(x[i]), y[i])\n",
        "        l = F.nll_loss(m(x[i]), y[i])\n",
        "l = F.nll_loss(m(x[i]), y[i])",
    ),
    (
        "defined_but_unused",
        "two_stream_flag",
        "        h = self.from_picture(picture) + self.from_flag(red)\n",
        "        h = self.from_picture(picture)\n",
        "self.from_flag = nn.Embedding",
    ),
]


def broken_unseen9() -> list[Mutant]:
    """All of them, each with its mistake."""
    return [Mutant(cause, name, old, new, line, UNSEEN9[name]) for cause, name, old, new, line in MISTAKES]
