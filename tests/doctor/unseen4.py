"""Programs of students, blog posts and course notebooks, in `unseen4/`, and mistakes in them: written without a look at the doctor."""

from __future__ import annotations

from pathlib import Path

from doctor.programs import Mutant

UNSEEN4 = {path.stem: path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "unseen4").glob("*.txt"))}

# Cause, program, what is replaced, by what, and text of the line that is to be named.
MISTAKES: list[tuple[str, str, str, str, str]] = [
    ("missing_train_mode", "pytorch_example", "    model.train()\n", "", "for batch_idx, (data, target)"),
    ("accuracy_broadcast", "pytorch_example", "pred.eq(target.view_as(pred))", "pred.eq(target)", "pred.eq(target)"),
    ("train_test_leak", "pytorch_example", "Digits(train=False, limit=500)", "Digits(train=True, limit=500)", "test_loader = "),
    (
        "labels_shuffled",
        "blog_post",
        "idx = np.random.permutation(len(x))\nx, y = x[idx], y[idx]\n",
        "np.random.shuffle(x)\nnp.random.shuffle(y)\n",
        "np.random.shuffle(y)",
    ),
    ("softmax_before_ce", "blog_post", "    nn.Linear(64, 10),\n", "    nn.Linear(64, 10),\n    nn.Softmax(dim=1),\n", "nn.Softmax"),
    (
        "stats_reset_in_loop",
        "blog_post",
        "    total, correct, loss_sum = 0, 0, 0.0\n    with torch.no_grad():\n        for xb, yb in dl:\n",
        "    with torch.no_grad():\n        for xb, yb in dl:\n            total, correct, loss_sum = 0, 0, 0.0\n",
        "total, correct, loss_sum = 0, 0, 0.0",
    ),
    ("fresh_model_evaluated", "digit_recognizer", "final.load_state_dict(torch.load(MODEL_FILE))\n", "", "final = DigitNet()"),
    ("missing_eval", "digit_recognizer", "    net.eval()\n", "", "net(images).max(1)"),
    (
        "frozen_by_mistake",
        "digit_recognizer",
        "model = DigitNet()\n",
        (
            "model = DigitNet()\nfor param in model.parameters():\n    param.requires_grad = False\n"
            "model.classifier[1] = nn.Linear(24 * 7 * 7, 10)\n"
        ),
        "param.requires_grad = False",
    ),
    ("tuned_on_test", "hidden_sizes", "acc = accuracy(params, X_val, Y_val)", "acc = accuracy(params, X_test, Y_test)", "acc = accuracy("),
    (
        "model_reset_each_epoch",
        "hidden_sizes",
        "    params = make_params(hidden)\n    opt = torch.optim.SGD(params, lr=lr)\n    for epoch in range(epochs):\n",
        "    for epoch in range(epochs):\n        params = make_params(hidden)\n        opt = torch.optim.SGD(params, lr=lr)\n",
        "params = make_params(hidden)",
    ),
    (
        "state_dict_alias",
        "trainer_early_stop",
        "copy.deepcopy(self.model.state_dict())",
        "copy.copy(self.model.state_dict())",
        "self.best_state = copy.copy",
    ),
    (
        "eval_on_train",
        "trainer_early_stop",
        "self.evaluate(self.test_loader)",
        "self.evaluate(self.train_loader)",
        "self.evaluate(self.train_loader)",
    ),
    ("accuracy_wrong_denominator", "trainer_early_stop", "seen += y.numel()", "seen += 1", "seen += 1"),
    (
        "sigmoid_before_bcewithlogits",
        "one_vs_all",
        "return self.out(x)",
        "return torch.sigmoid(self.out(x))",
        "return torch.sigmoid(self.out(x))",
    ),
    ("inputs_not_scaled", "one_vs_all", "[:n] / 255, dtype", "[:n], dtype", "return torch.tensor(raw.reshape"),
    ("vanishing_sigmoid", "steplr_main", '"activation": nn.ReLU', '"activation": nn.Sigmoid', ""),
    (
        "early_return_in_loop",
        "steplr_main",
        "    return num_correct / num_samples\n",
        "            return num_correct / num_samples\n",
        "return num_correct / num_samples",
    ),
    (
        "scheduler_per_batch",
        "onecycle_resnet",
        "OneCycleLR(opt, max_lr=max_lr, steps_per_epoch=len(trn_dl), epochs=epochs)",
        "StepLR(opt, step_size=1, gamma=0.7)",
        "sched.step()",
    ),
    (
        "unregistered_layers",
        "onecycle_resnet",
        "self.blocks = nn.ModuleList([ResBlock(w) for w in widths])",
        "self.blocks = [ResBlock(w) for w in widths]",
        "self.blocks = ",
    ),
    (
        "optimizer_wrong_params",
        "notebook_confusion",
        "criterion = nn.CrossEntropyLoss()\n",
        "criterion = nn.CrossEntropyLoss()\nmodel = CNN()  # a new one, to be safe\n",
        "optimizer = torch.optim.Adam(model.parameters(), lr=0.003)\ncriterion = nn.CrossEntropyLoss()\nmodel = CNN()",
    ),
    ("confusion_axes_swapped", "notebook_confusion", "matrix[t, p] += 1", "matrix[p, t] += 1", "matrix[p, t] += 1"),
    ("wrong_flatten_size", "notebook_confusion", "nn.Linear(10 * 8 * 8, 10)", "nn.Linear(10 * 12 * 12, 10)", "self.fc = "),
    ("lr_too_high", "line_fit", "lr=0.1)", "lr=1)", "optimizer = torch.optim.SGD"),
    ("missing_zero_grad", "line_fit", "    optimizer.zero_grad()\n", "", "loss.backward()"),
    (
        "same_batch_every_step",
        "by_hand",
        "pick = order[k * batch_size:(k + 1) * batch_size]",
        "pick = torch.arange(0, batch_size)",
        "pick = torch.arange",
    ),
    ("call_without_parentheses", "by_hand", "w.grad.zero_()", "w.grad.zero_", "w.grad.zero_"),
    (
        "no_activation",
        "quickstart",
        (
            "        self.act = nn.ReLU()\n\n    def forward(self, x):\n        x = self.flatten(x)\n"
            "        x = self.act(self.fc1(x))\n        x = self.act(self.fc2(x))\n"
        ),
        "\n    def forward(self, x):\n        x = self.flatten(x)\n        x = self.fc1(x)\n        x = self.fc2(x)\n",
        "x = self.fc1(x)",
    ),
    ("double_scaling", "quickstart", "image = self.images[idx]\n", "image = self.images[idx] / 255\n", "image = self.images[idx] / 255"),
    (
        "zero_grad_after_backward",
        "quickstart",
        "        optimizer.step()\n        optimizer.zero_grad()\n",
        "        optimizer.zero_grad()\n        optimizer.step()\n",
        "optimizer.zero_grad()",
    ),
    ("batch_scramble", "rnn_rows", "x = x.permute(1, 0, 2)", "x = x.reshape(28, -1, 28)", "x = x.reshape(28"),
    ("train_test_preprocess_mismatch", "rnn_rows", "test_x = (test_x - mean) / std\n", "", "test_x = raw_test / 255"),
    (
        "missing_shuffle",
        "picture_files",
        "train_dl = DataLoader(train_ds, batch_size=30, shuffle=True)",
        "train_dl = DataLoader(train_ds, batch_size=30)",
        "train_dl = ",
    ),
    ("relu_on_output", "picture_files", "self.out = nn.Linear(64, 10)", "self.out = dense(64, 10)", "self.out = dense(64, 10)"),
]


def broken_unseen4() -> list[Mutant]:
    """All of them, each with its mistake."""
    return [Mutant(cause, name, old, new, line, UNSEEN4[name]) for cause, name, old, new, line in MISTAKES]
