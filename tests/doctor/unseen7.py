"""Programs in further styles, in `unseen7/`, and mistakes in them: written without a look at the doctor."""

from __future__ import annotations

from pathlib import Path

from doctor.programs import Mutant

UNSEEN7 = {path.stem: path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "unseen7").glob("*.txt"))}

# Cause, program, what is replaced, by what, and text of the line that is to be named.
MISTAKES: list[tuple[str, str, str, str, str]] = [
    ("broken_graph", "accumulate", "torch.flatten(x, 1)", "torch.flatten(x.data, 1)", "torch.flatten(x.data, 1)"),
    (
        "unregistered_layers",
        "activelearner",
        "nn.ModuleList([nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])])",
        "[nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])]",
        "self.layers = [nn.Linear(a, b) for a, b in zip(sizes, sizes[1:])]",
    ),
    (
        "state_dict_alias",
        "assistant_trainer",
        "                best_weights = copy.deepcopy(self.model.state_dict())\n                continue",
        "                best_weights = self.model.state_dict()\n                continue",
        "best_weights = self.model.state_dict()",
    ),
    (
        "tuned_on_test",
        "assistant_trainer",
        "trainer.fit(train_loader, val_loader)",
        "trainer.fit(train_loader, test_loader)",
        "trainer.fit(train_loader, test_loader)",
    ),
    (
        "missing_train_mode",
        "closures",
        "        net.train()\n        loss_sum, seen = 0.0, 0\n",
        "        loss_sum, seen = 0.0, 0\n",
        "for images, labels in train_loader:",
    ),
    (
        "labels_shuffled",
        "denoise",
        "Y = torch.as_tensor(digits.train.labels[:4000]).long()",
        "Y = torch.as_tensor(digits.train.labels[:4000]).long()[torch.randperm(4000)]",
        "Y = torch.as_tensor(digits.train.labels[:4000]).long()[torch.randperm(4000)]",
    ),
    (
        "optimizer_wrong_params",
        "denoise",
        "optim.Adam(list(encoder.parameters()) + list(decoder.parameters()), lr=1e-3)",
        "optim.Adam(decoder.parameters(), lr=1e-3)",
        "optim.Adam(decoder.parameters(), lr=1e-3)",
    ),
    (
        "optimizer_wrong_params",
        "teacher_student",
        "opt_s = optim.Adam(student.parameters(), lr=0.002)",
        "opt_s = optim.Adam(teacher.parameters(), lr=0.002)",
        "opt_s = optim.Adam(teacher.parameters(), lr=0.002)",
    ),
    ("labels_shuffled", "first_script", "yb = Y[idx]", "yb = Y[i:i + BATCH]", "yb = Y[i:i + BATCH]"),
    ("lr_too_high", "first_script", "lr=0.02", "lr=2.0", "opt = torch.optim.SGD(net.parameters(), lr=2.0"),
    (
        "missing_zero_grad",
        "handarbeit",
        "        netz.zero_grad()\n        verlust.backward()\n",
        "        verlust.backward()\n",
        "verlust.backward()",
    ),
    (
        "scheduler_per_batch",
        "kaggle_cells",
        "    scheduler.step()\n    val_loss",
        "        scheduler.step()\n    val_loss",
        "scheduler.step()",
    ),
    ("missing_eval", "keraslike", "        self.net.eval()\n", "", "return torch.cat([self.net(part) for part in x.split(batch_size)])"),
    ("missing_zero_grad", "keraslike", "                self.optimizer.zero_grad()\n", "", "loss.backward()"),
    (
        "softmax_before_ce",
        "kfold",
        "        nn.Linear(100, 10),\n",
        "        nn.Linear(100, 10),\n        nn.Softmax(dim=1),\n",
        "nn.Softmax(dim=1),",
    ),
    (
        "accuracy_broadcast",
        "ladder",
        "(height.round() == values).sum()",
        "(height.round() == values.unsqueeze(1)).sum()",
        "(height.round() == values.unsqueeze(1)).sum()",
    ),
    (
        "scheduler_per_batch",
        "ladder",
        "            total += error.item() * len(values)\n        scheduler.step()\n",
        "            total += error.item() * len(values)\n            scheduler.step()\n",
        "scheduler.step()",
    ),
    # Where the best is chosen; the writer named the line before, in which test scores are collected, and held this one as good.
    (
        "tuned_on_test",
        "lrsearch",
        "scores.append(accuracy(net, x_val, y_val))",
        "scores.append(accuracy(net, x_test, y_test))",
        "best_lr = max(",
    ),
    (
        "missing_shuffle",
        "lstm_rows",
        "mixed = torch.randperm(len(train_x))",
        "mixed = torch.arange(len(train_x))",
        "mixed = torch.arange(len(train_x))",
    ),
    (
        "softmax_before_ce",
        "lstm_rows",
        "return self.out(states[:, -1])",
        "return torch.softmax(self.out(states[:, -1]), dim=1)",
        "return torch.softmax(self.out(states[:, -1]), dim=1)",
    ),
    ("missing_eval", "one_vs_rest", "model.eval()\nall_scores", "all_scores", "all_scores.append(model(x))"),
    ("dropout_wrong_place", "nearest_means", "nn.Dropout(0.2)", "nn.Dropout(0.9)", "nn.Dropout(0.9)"),
    (
        "state_dict_alias",
        "pseudolabels",
        "best_value, best_state = value, copy.deepcopy(net.state_dict())",
        "best_value, best_state = value, net.state_dict()",
        "best_value, best_state = value, net.state_dict()",
    ),
    (
        "early_return_in_loop",
        "research_train",
        "        total += y.numel()\n    return correct / total",
        "        total += y.numel()\n        return correct / total",
        "return correct / total",
    ),
    (
        "unregistered_layers",
        "research_train",
        "nn.ModuleList([Block(cfg.width) for _ in range(cfg.depth)])",
        "[Block(cfg.width) for _ in range(cfg.depth)]",
        "self.blocks = [Block(cfg.width)",
    ),
    (
        "train_test_preprocess_mismatch",
        "rotation_probe",
        "x_test = prepare(mnist.test.images[:1000])",
        "x_test = torch.as_tensor(mnist.test.images[:1000]).float().div(255)",
        "x_test = torch.as_tensor(mnist.test.images[:1000])",
    ),
    ("missing_shuffle", "shiftstream", "        random.shuffle(order)\n", "", "for i in order:"),
    (
        "train_test_preprocess_mismatch",
        "shiftstream",
        "yield prepare(picture), digit",
        "yield picture.unsqueeze(0), digit",
        "yield picture.unsqueeze(0), digit",
    ),
    (
        "weight_decay_too_high",
        "swa_cnn",
        "weight_decay=5e-4",
        "weight_decay=0.5",
        "opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=0.5)",
    ),
    (
        "batch_scramble",
        "patch_transformer",
        "tiles.reshape(x.size(0), self.n_tokens, PATCH * PATCH)",
        "tiles.reshape(self.n_tokens, x.size(0), PATCH * PATCH).transpose(0, 1)",
        "return tiles.reshape(self.n_tokens, x.size(0)",
    ),
    (
        "sigmoid_before_bcewithlogits",
        "twobranch",
        "nn.ReLU(), nn.Linear(24, 1))",
        "nn.ReLU(), nn.Linear(24, 1), nn.Sigmoid())",
        "nn.Linear(24, 1), nn.Sigmoid())",
    ),
    ("batch_scramble", "vmapensemble", ".reshape(len(images), -1)", ".reshape(784, -1).t()", ".reshape(784, -1).t()"),
]


def broken_unseen7() -> list[Mutant]:
    """All of them, each with its mistake."""
    return [Mutant(cause, name, old, new, line, UNSEEN7[name]) for cause, name, old, new, line in MISTAKES]
