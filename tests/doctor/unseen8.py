"""Programs of two more writers who saw only the catalogue of mistakes, in `unseen8/`, and mistakes in them."""

from __future__ import annotations

from pathlib import Path

from doctor.programs import Mutant

UNSEEN8 = {path.stem: path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "unseen8").glob("*.txt"))}

# Cause, program, what is replaced, by what, and text of the line that is to be named.
MISTAKES: list[tuple[str, str, str, str, str]] = [
    ("missing_zero_grad", "accumulate_bf16", "        self.optimizer.zero_grad(set_to_none=True)\n", "", "self.optimizer.step()"),
    ("scheduler_per_batch", "argparse_schedule", "    scheduler.step()\n", "        scheduler.step()\n", "scheduler.step()"),
    (
        "broken_graph",
        "binary_code",
        "        return soft + (hard - soft).detach()\n",
        "        return (soft + (hard - soft)).detach()\n",
        "return (soft + (hard - soft)).detach()",
    ),
    ("softmax_before_ce", "config_mlp", '    "output": "none",\n', '    "output": "softmax",\n', '"output": "softmax",'),
    (
        "labels_shuffled",
        "curriculum",
        "        self.images, self.labels = self.images[order], self.labels[order]\n",
        "        self.images = self.images[order]\n",
        "self.images = self.images[order]",
    ),
    (
        "train_test_preprocess_mismatch",
        "dataset_with_transform",
        "test_tf = Compose([ToFloat(), Standardize(0.1307, 0.3081)])\n",
        "test_tf = Compose([ToFloat()])\n",
        "test_tf = Compose([ToFloat()])",
    ),
    (
        "frozen_by_mistake",
        "denoise_then_tune",
        "        parameter.requires_grad = flag\n",
        "        parameter.require_grad = flag\n",
        "parameter.require_grad = flag",
    ),
    (
        "softmax_wrong_dim",
        "distil",
        "        log_student = F.log_softmax(student_scores / self.t, dim=1)\n",
        "        log_student = F.log_softmax(student_scores / self.t, dim=0)\n",
        "log_student = F.log_softmax(student_scores / self.t, dim=0)",
    ),
    (
        "optimizer_wrong_params",
        "encoder_head",
        "opt = optim.Adam(list(encoder.parameters()) + list(head.parameters()), lr=2e-3)\n",
        "opt = optim.Adam(head.parameters(), lr=2e-3)\n",
        "opt = optim.Adam(head.parameters(), lr=2e-3)",
    ),
    (
        "constant_init",
        "functional_clip",
        "    weight = torch.randn(fan_in, fan_out) * (2 / fan_in) ** 0.5\n",
        "    weight = torch.full((fan_in, fan_out), (2 / fan_in) ** 0.5 / 4)\n",
        "weight = torch.full((fan_in, fan_out), (2 / fan_in) ** 0.5 / 4)",
    ),
    ("call_without_parentheses", "functional_lenet", "    optimizer.zero_grad()\n", "    optimizer.zero_grad\n", "optimizer.zero_grad"),
    (
        "train_test_leak",
        "kaggle_split",
        "train_dl = DataLoader(train_ds, batch_size=32, shuffle=True)\n",
        "train_dl = DataLoader(full_ds, batch_size=32, shuffle=True)\n",
        "train_dl = DataLoader(full_ds, batch_size=32, shuffle=True)",
    ),
    (
        "broken_graph",
        "keep_features",
        "        feats = self.to_features(x.flatten(1))\n",
        "        feats = self.to_features(x.flatten(1)).detach()\n",
        "feats = self.to_features(x.flatten(1)).detach()",
    ),
    (
        "train_test_leak",
        "kfold_study",
        "        fit = np.concatenate([p for j, p in enumerate(parts) if j != i])\n",
        "        fit = np.concatenate([p for p in parts])\n",
        "fit = np.concatenate([p for p in parts])",
    ),
    (
        "batch_scramble",
        "lstm_rows_later",
        "        seq = img.permute(1, 0, 2)\n",
        "        seq = img.reshape(SEQ_LEN, -1, INPUT_SIZE)\n",
        "seq = img.reshape(SEQ_LEN, -1, INPUT_SIZE)",
    ),
    (
        "sigmoid_before_bcewithlogits",
        "mixer_attributes",
        "        return self.linear(x.mean(dim=1))\n",
        "        return self.linear(x.mean(dim=1)).sigmoid()\n",
        "return self.linear(x.mean(dim=1)).sigmoid()",
    ),
    (
        "unregistered_layers",
        "multi_scale",
        "        self.branches = nn.ModuleList()\n",
        "        self.branches = []\n",
        "self.branches = []",
    ),
    (
        "state_dict_alias",
        "noisy_early_stop",
        "            self.weights = {k: v.detach().clone() for k, v in self.model.state_dict().items()}\n",
        "            self.weights = {k: v.detach() for k, v in self.model.state_dict().items()}\n",
        "self.weights = {k: v.detach() for k, v in self.model.state_dict().items()}",
    ),
    ("labels_shuffled", "numpy_pipeline", "np.random.seed(7)\nnp.random.shuffle(y)\n", "np.random.shuffle(y)\n", "np.random.shuffle(y)"),
    ("missing_eval", "one_by_one", "reseau.eval()\nbons = 0\n", "bons = 0\n", "scores = reseau(x_test"),
    ("missing_eval", "own_layers", "    model.eval()\n", "", "right += (model(xb)"),
    (
        "batch_scramble",
        "patch_transformer_later",
        "        return tokens.permute(1, 0, 2) + self.position\n",
        "        return tokens.reshape(count, batch, dim) + self.position\n",
        "return tokens.reshape(count, batch, dim) + self.position",
    ),
    (
        "backward_twice",
        "prototypes_later",
        "        mean = member.T @ embeddings.detach() / count.clamp(min=1)\n",
        "        mean = member.T @ embeddings / count.clamp(min=1)\n",
        "self.centres = F.normalize(torch.where",
    ),
    (
        "optimizer_wrong_params",
        "registry_transfer",
        '    model.reset_head(target["classes"])\n    optimizer = build(CONFIG["optimizer"], model.groups(target["lr"]))\n',
        '    optimizer = build(CONFIG["optimizer"], model.groups(target["lr"]))\n    model.reset_head(target["classes"])\n',
        'optimizer = build(CONFIG["optimizer"], model.groups(target["lr"]))',
    ),
    (
        "missing_shuffle",
        "shapes_synthetic",
        "train_dl = DataLoader(train_data, batch_size=25, shuffle=True)\n",
        "train_dl = DataLoader(train_data, batch_size=25)\n",
        "train_dl = DataLoader(train_data, batch_size=25)",
    ),
    ("missing_train_mode", "trainer_class", "        self.model.train()\n        total = 0.0\n", "        total = 0.0\n", "total = 0.0"),
    (
        "missing_train_mode",
        "trainer_hooks",
        "    def on_epoch_start(self, trainer):\n        trainer.model.train()\n",
        "    def on_fit_start(self, trainer):\n        trainer.model.train()\n",
        "for x, y in batches:",
    ),
    (
        "state_dict_alias",
        "ziffern_early_stop",
        "        bester_zustand = {k: v.clone() for k, v in netz.state_dict().items()}\n",
        "        bester_zustand = netz.state_dict()\n",
        "bester_zustand = netz.state_dict()",
    ),
]


def broken_unseen8() -> list[Mutant]:
    """All of them, each with its mistake."""
    return [Mutant(cause, name, old, new, line, UNSEEN8[name]) for cause, name, old, new, line in MISTAKES]
