"""The last programs that the doctor was not made with, in `unseen3/`, and mistakes in them: written after it was repaired by `unseen2`."""

from __future__ import annotations

from pathlib import Path

from doctor.programs import Mutant

UNSEEN3 = {path.stem: path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "unseen3").glob("*.txt"))}

# Cause, program, what is replaced, by what, and text of the line that is to be named.
MISTAKES: list[tuple[str, str, str, str, str]] = [
    ("missing_eval", "phases", "                model.eval()\n", "                model.train()\n", ""),
    (
        "state_dict_alias",
        "phases",
        "                best_model_wts = copy.deepcopy(model.state_dict())\n    print",
        "                best_model_wts = model.state_dict()\n    print",
        "                best_model_wts = model.state_dict()",
    ),
    (
        "scheduler_per_batch",
        "phases",
        "                        optimizer.step()\n",
        "                        optimizer.step()\n                        scheduler.step()\n",
        "                        scheduler.step()",
    ),
    ("missing_zero_grad", "letters_style", "    for p in parameters:\n        p.grad = None\n", "", "loss.backward()"),
    (
        "init_too_large",
        "letters_style",
        "torch.randn((n_hidden, 10), generator=g) * 0.01",
        "torch.randn((n_hidden, 10), generator=g)",
        "W2 = ",
    ),
    ("lr_too_high", "letters_style", "lr = 0.3 if i < 300", "lr = 90 if i < 300", "lr = 90"),
    (
        "zero_grad_after_backward",
        "lightning_like",
        "                opt.zero_grad()\n                loss.backward()\n",
        "                loss.backward()\n                opt.zero_grad()\n",
        "opt.zero_grad()",
    ),
    ("missing_train_mode", "lightning_like", "            module.train()\n", "", ""),
    (
        "eval_on_train",
        "lightning_like",
        "return DataLoader(self.test, 100)",
        "return DataLoader(self.train, 100)",
        "return DataLoader(self.train, 100)",
    ),
    ("softmax_before_ce", "registry_json", '["linear", 1176, 10]],', '["linear", 1176, 10], ["softmax"]],', ""),
    ("lr_too_low", "registry_json", '"lr": 1.0', '"lr": 1e-7', ""),
    ("labels_shuffled", "prefetch_thread", "labels[pick].astype", "labels[rng.permutation(pick)].astype", "rng.permutation(pick)"),
    ("inputs_not_scaled", "prefetch_thread", ".astype(np.float32) / 255.0", ".astype(np.float32)", "images[pick]"),
    (
        "unregistered_layers",
        "experts",
        "nn.ModuleList(nn.Sequential(nn.Linear(784, width), nn.ReLU(), nn.Linear(width, 10)) for _ in range(n))",
        "[nn.Sequential(nn.Linear(784, width), nn.ReLU(), nn.Linear(width, 10)) for _ in range(n)]",
        "self.experts =",
    ),
    ("softmax_wrong_dim", "experts", "self.gate(x).softmax(dim=1)", "self.gate(x).softmax(dim=0)", "softmax(dim=0)"),
    (
        "optimizer_wrong_params",
        "arcface",
        '[{"params": embed.parameters()}, {"params": margin.parameters(), "lr": 5e-3}]',
        "margin.parameters()",
        "opt =",
    ),
    (
        "train_test_preprocess_mismatch",
        "arcface",
        "mnist.test.images[:500].float().sub(127.5).div(127.5)",
        "mnist.test.images[:500].float().div(255)",
        "mnist.test.images[:500]",
    ),
    (
        "broken_graph",
        "checkpointed",
        "return self.head(nn.functional.adaptive_max_pool2d(x, 4).flatten(1))",
        "return self.head(torch.tensor(nn.functional.adaptive_max_pool2d(x, 4).flatten(1).tolist()))",
        "torch.tensor(",
    ),
    ("wrong_flatten_size", "checkpointed", "nn.Linear(width * 16, 10)", "nn.Linear(width * 49, 10)", "width * 49"),
    ("tuned_on_test", "several_seeds", "rate(fit(width, seed), V, W)", "rate(fit(width, seed), test_x, test_y)", ""),
    ("missing_shuffle", "scikit_like", "torch.randperm(len(X)).split", "torch.argsort(y).split", "torch.argsort(y)"),
    (
        "relu_on_output",
        "scikit_like",
        "nn.Linear(self.hidden, len(self.classes_)))",
        "nn.Linear(self.hidden, len(self.classes_)), nn.ReLU())",
        "nn.ReLU())",
    ),
    (
        "frozen_by_mistake",
        "espanol",
        "red = Red()\n",
        "red = Red()\nfor p in red.conv.parameters():\n    p.requires_grad = False\n",
        "p.requires_grad = False",
    ),
    (
        "early_return_in_loop",
        "raw_conv_norm",
        "            hits += int((net(x).argmax(1) == y).sum())\n",
        "            hits += int((net(x).argmax(1) == y).sum())\n            break\n",
        "break",
    ),
    ("missing_step", "unet_pair", "    opt.step()\n", "", "loss.backward()"),
    ("accuracy_broadcast", "several_seeds", "(net(x).argmax(1) == y)", "(net(x).argmax(1, keepdim=True) == y)", "keepdim=True"),
]
EXTRA = {
    ("softmax_before_ce", "registry_json"): (
        '@register("flatten")',
        '@register("softmax")\ndef softmax():\n    return nn.Softmax(1)\n\n\n@register("flatten")',
    ),
    ("tuned_on_test", "several_seeds"): ("T, U = mnist", "test_x, test_y = T, U = mnist"),
}


def _base(cause: str, name: str) -> str:
    return UNSEEN3[name].replace(*EXTRA.get((cause, name), ("", "")))


def broken_unseen3() -> list[Mutant]:
    """All of them, each with its mistake."""
    return [Mutant(cause, name, old, new, line, _base(cause, name)) for cause, name, old, new, line in MISTAKES]
