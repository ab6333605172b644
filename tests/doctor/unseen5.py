"""Programs in further styles, in `unseen5/`, and mistakes in them: written without a look at the doctor."""

from __future__ import annotations

from pathlib import Path

from doctor.programs import Mutant

UNSEEN5 = {path.stem: path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "unseen5").glob("*.txt"))}

# Cause, program, what is replaced, by what, and text of the line that is to be named.
MISTAKES: list[tuple[str, str, str, str, str]] = [
    # The test is in batches of ten, so that the best image of each class passes for the best class of each image.
    ("argmax_wrong_dim", "homework_three", "torch.argmax(model(X_batch), dim=1)", "torch.argmax(model(X_batch), dim=0)", "dim=0)"),
    ("logits_into_nll", "homework_three", "        nn.LogSoftmax(dim=1),\n", "", "nn.NLLLoss()"),
    (
        "labels_shuffled",
        "homework_three",
        "    order = rng.permutation(len(X))\n    X, y = X[order], y[order]\n",
        "    X = rng.permutation(X)\n    y = rng.permutation(y)\n",
        "X = rng.permutation(X)\n    y = rng.permutation(y)",
    ),
    (
        "constant_init",
        "homework_three",
        "nn.init.xavier_uniform_(layer.weight)",
        "nn.init.zeros_(layer.weight)",
        "nn.init.zeros_(layer.weight)",
    ),
    ("missing_eval", "fashion_cells", "    net.eval()\n", "", "pred.append(net(xb).argmax(dim=1))"),
    ("wrong_norm_stats", "fashion_cells", "(images - 0.2860) / 0.3530", "(images - 72.94) / 90.02", "(images - 72.94) / 90.02"),
    ("tuned_on_test", "fashion_cells", "    acc = accuracy(val_dl)\n", "    acc = accuracy(test_dl)\n", "    acc = accuracy(test_dl)"),
    ("confusion_axes_swapped", "fashion_cells", "true * 10 + pred", "pred * 10 + true", "pred * 10 + true"),
    (
        "state_dict_alias",
        "engine_events",
        "weights={name: value.clone() for name, value in model.state_dict().items()}",
        "weights=dict(model.state_dict())",
        "weights=dict(model.state_dict())",
    ),
    (
        "zero_grad_per_epoch",
        "engine_events",
        (
            "    images, labels = batch\n    optimizer.zero_grad()\n    loss = criterion(model(images), labels)\n    loss.backward()\n"
            "    optimizer.step()\n    return loss.item()\n\n\ntrainer = Engine(train_step)\n\n\n"
            '@trainer.on("epoch_started")\ndef training_mode(engine):\n    model.train()\n'
        ),
        (
            "    images, labels = batch\n    loss = criterion(model(images), labels)\n    loss.backward()\n"
            "    optimizer.step()\n    return loss.item()\n\n\ntrainer = Engine(train_step)\n\n\n"
            '@trainer.on("epoch_started")\ndef training_mode(engine):\n    model.train()\n    optimizer.zero_grad()\n'
        ),
        "optimizer.zero_grad()",
    ),
    # The line of the loop, `for batch in loader:`, would be as good.
    (
        "missing_train_mode",
        "engine_events",
        '@trainer.on("epoch_started")\ndef training_mode(engine):\n    model.train()\n\n\n',
        "",
        "def train_step(batch):\n    images, labels = batch\n    optimizer.zero_grad()\n    loss = criterion(model(images), labels)",
    ),
    (
        "bad_augmentation",
        "engine_events",
        "            image = torch.roll(image, random.choice([-1, 0, 1]), dims=random.choice([-1, -2]))\n",
        (
            "            image = torch.roll(image, random.choice([-1, 0, 1]), dims=random.choice([-1, -2]))\n"
            "            if random.random() < 0.5:\n                image = image.flip(-1)\n"
        ),
        "image = image.flip(-1)",
    ),
    (
        "optimizer_wrong_params",
        "lr_range_test",
        "optimizer = torch.optim.SGD(model.parameters(), lr=best_rate, momentum=0.9)\n",
        'optimizer.param_groups[0]["lr"] = best_rate\n',
        (
            "optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=0.9)\nbest_rate = range_test(model, optimizer)\n"
            'print(f"best rate: {best_rate:.4f}")\n\nmodel = make_model()  # the first one has seen rates that are far too high\n'
            'optimizer.param_groups[0]["lr"] = best_rate'
        ),
    ),
    # The rate at which the loss exploded. The line that returns it would be as good.
    (
        "lr_too_high",
        "lr_range_test",
        "return rates[lowest] / 4",
        "return rates[-1]",
        "optimizer = torch.optim.SGD(model.parameters(), lr=best_rate",
    ),
    (
        "scheduler_order",
        "lr_range_test",
        "        optimizer.step()\n        scheduler.step()\n",
        "        scheduler.step()\n        optimizer.step()\n",
        "scheduler.step()",
    ),
    ("loss_tensor_kept", "lr_range_test", "running += loss.item() * len(x)", "running += loss * len(x)", "running += loss * len(x)"),
    # Copies of rows are made first and divided afterwards, so that some are in both parts.
    (
        "train_test_leak",
        "tumours",
        (
            "X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=2, stratify=y)\n"
            "X_train, y_train = oversample(X_train, y_train)\n"
        ),
        ("X, y = oversample(X, y)\nX_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=2, stratify=y)\n"),
        "X, y = oversample(X, y)\nX_train, X_test, y_train, y_test = train_test_split(",
    ),
    ("accuracy_broadcast", "tumours", "(benign == y_test).float()", "(benign.squeeze() == y_test).float()", "(benign.squeeze() == y_test)"),
    (
        "train_test_preprocess_mismatch",
        "tumours",
        "X_test = (X_test - mean) / std",
        "X_test = X_test - mean",
        "X_test = X_test - mean",
    ),
    (
        "sigmoid_before_bcewithlogits",
        "tumours",
        "    nn.Linear(16, 1),\n",
        "    nn.Linear(16, 1),\n    nn.Sigmoid(),\n",
        "nn.Sigmoid()",
    ),
    # Shape (2, batch, hidden): `view` joins the states of two names, and no single row is right.
    ("batch_scramble", "names_gru", "h = torch.cat([h[0], h[1]], dim=1)", "h = h.view(len(words), -1)", "h = h.view(len(words), -1)"),
    (
        "layers_in_forward",
        "names_gru",
        "        return self.out(h)\n",
        "        return nn.Linear(h.size(1), self.out.out_features)(h)\n",
        "return nn.Linear(h.size(1)",
    ),
    ("defined_but_unused", "names_gru", "        h = self.dropout(h)\n", "", "self.dropout = "),
    (
        "same_batch_every_step",
        "triplets_then_head",
        'rng = np.random.default_rng(6)\n\n\ndef draw_triplets(count):\n    """Two pictures of one digit, and one of another digit."""\n',
        (
            '\n\ndef draw_triplets(count):\n    """Two pictures of one digit, and one of another digit."""\n'
            "    rng = np.random.default_rng(6)\n"
        ),
        "    rng = np.random.default_rng(6)",
    ),
    (
        "optimizer_wrong_params",
        "triplets_then_head",
        "torch.optim.Adam(head.parameters(), lr=0.1)",
        "torch.optim.Adam(encoder.parameters(), lr=0.1)",
        "head_optimizer = torch.optim.Adam(",
    ),
    (
        "broken_graph",
        "triplets_then_head",
        "x = x.flatten(start_dim=1)",
        "x = torch.tensor(x.flatten(start_dim=1))",
        "x = torch.tensor(",
    ),
    # The rate stays at a thirtieth, that of the first step of the warm-up; lr_too_low fits too.
    ("call_without_parentheses", "mixer_amp", "scheduler.step()", "scheduler.step", "scheduler.step"),
    # The line of the argument, `default=4e-6`, would be as good.
    ("lr_too_low", "mixer_amp", "default=4e-3", "default=4e-6", "optimizer = torch.optim.AdamW("),
    (
        "unregistered_layers",
        "mixer_amp",
        'nn.ModuleDict({"tokens": mlp(shape.tokens, 32), "channels": mlp(shape.width, 96)})',
        '{"tokens": mlp(shape.tokens, 32), "channels": mlp(shape.width, 96)}',
        "self.mix = ",
    ),
    (
        "zero_grad_after_backward",
        "mixer_amp",
        "            optimizer.zero_grad(set_to_none=True)\n            scaler.scale(loss).backward()\n",
        "            scaler.scale(loss).backward()\n            optimizer.zero_grad(set_to_none=True)\n",
        "optimizer.zero_grad(set_to_none=True)",
    ),
    (
        "softmax_before_ce",
        "waves_focal",
        'F.cross_entropy(scores, target, reduction="none")',
        'F.cross_entropy(scores.softmax(dim=1), target, reduction="none")',
        "F.cross_entropy(scores.softmax(dim=1)",
    ),
    # The waves are sorted by kind, and the sampler was what mixed them (and what made the kinds equally many).
    ("missing_shuffle", "waves_focal", "batch_size=32, sampler=sampler)", "batch_size=32)", "train_loader = "),
    (
        "init_too_large",
        "waves_focal",
        "nn.init.kaiming_normal_(module.weight)",
        "nn.init.normal_(module.weight)",
        "nn.init.normal_(module.weight)",
    ),
    # A whole batch is read as one wave with many channels.
    (
        "missing_channel_dim",
        "waves_focal",
        "torch.tensor(np.concatenate(waves), dtype=torch.float32).unsqueeze(1)",
        "torch.tensor(np.concatenate(waves), dtype=torch.float32)",
        "",
    ),
    (
        "augment_on_test",
        "shapes_trainer",
        "Shapes(400, seed=3, transform=plain)",
        "Shapes(400, seed=3, transform=augment)",
        "test_loader = ",
    ),
    (
        "early_return_in_loop",
        "shapes_trainer",
        "        return loss / count, correct / count\n",
        "            return loss / count, correct / count\n",
        "return loss / count, correct / count",
    ),
    (
        "eval_on_train",
        "shapes_trainer",
        "% trainer.evaluate(test_loader)",
        "% trainer.evaluate(train_loader)",
        "% trainer.evaluate(train_loader)",
    ),
    (
        "dropout_wrong_place",
        "shapes_trainer",
        "nn.Dropout(config.dropout), nn.Linear(config.widths[-1] * 9, 5)",
        "nn.Linear(config.widths[-1] * 9, 5), nn.Dropout(config.dropout)",
        "nn.Dropout(config.dropout)",
    ),
]


def broken_unseen5() -> list[Mutant]:
    """All of them, each with its mistake."""
    return [Mutant(cause, name, old, new, line, UNSEEN5[name]) for cause, name, old, new, line in MISTAKES]
