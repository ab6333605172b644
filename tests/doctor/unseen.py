"""Programs that the doctor was not made with, in `unseen/`, and mistakes in them. They read files that `ground` writes into `data/`.

All were written, and scored for the first time, without a look at the doctor's code; docs/doctor.md tells that first score.
"""

from __future__ import annotations

from pathlib import Path

from doctor.programs import Mutant

UNSEEN = {path.stem: path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "unseen").glob("*.txt"))}

# Cause, program: what is replaced, by what, and text of the line that is to be named.
MISTAKES: dict[tuple[str, str], tuple[str, ...]] = {
    ("softmax_before_ce", "kaggle_notebook"): ("return self.fc(out)", "return F.softmax(self.fc(out), dim=1)", "F.softmax(self.fc"),
    ("softmax_before_ce", "lightning_by_hand"): ("logits = self(x)", "logits = self(x).softmax(-1)", "softmax(-1)"),
    ("softmax_before_ce", "ema_shadow"): ("nn.Linear(8 * 49, 10)\n", "nn.Linear(8 * 49, 10), nn.Softmax(dim=1)\n", "nn.Softmax"),
    ("softmax_before_ce", "fashion_flips"): ("nn.Linear(32 * 49, 10),\n", "nn.Linear(32 * 49, 10), nn.Softmax(-1),\n", "nn.Softmax"),
    ("softmax_before_ce", "sanity_first"): (
        "logits = self.l2(torch.tanh(self.l1(x.view(len(x), -1))))",
        "logits = self.l2(torch.tanh(self.l1(x.view(len(x), -1)))).log_softmax(1).exp()",
        "log_softmax(1).exp()",
    ),
    ("missing_zero_grad", "patience"): ("                optimizer.zero_grad()\n", "", "loss.backward()"),
    ("missing_zero_grad", "kurz_und_deutsch"): ("                p.grad.zero_()\n", "", "l.backward()"),
    ("missing_zero_grad", "colours"): ("        optimizer.zero_grad()\n", "", "loss.backward()"),
    ("missing_zero_grad", "distill"): ("            opt.zero_grad()\n", "", "backward()"),
    ("missing_zero_grad", "cycle_steps"): ("    opt.zero_grad()\n", "", "loss.backward()"),
    ("zero_grad_per_epoch", "stratified_folds"): (
        "        for xb, yb in loader:\n            optimizer.zero_grad()\n",
        "        optimizer.zero_grad()\n        for xb, yb in loader:\n",
        "optimizer.zero_grad()",
    ),
    ("zero_grad_after_backward", "zhongwen"): (
        "        optimizer.zero_grad()\n        loss.backward()\n",
        "        loss.backward()\n        optimizer.zero_grad()\n",
        "optimizer.zero_grad()",
    ),
    ("zero_grad_after_backward", "amp_accumulate"): (
        "                scaler.unscale_(optimizer)\n",
        "                optimizer.zero_grad()\n                scaler.unscale_(optimizer)\n",
        "optimizer.zero_grad()\n                scaler",
    ),
    ("missing_eval", "idx_reader"): ("    model.eval()\n    right", "    right", "guess = model(x)"),
    ("missing_eval", "cutmix"): ("    net.eval()\n", "", "net(vx)"),
    ("missing_eval", "active_learning"): ("    model.eval()\n", "", "model(test_x)"),
    ("missing_eval", "keras_style"): (
        "        self.eval()\n        total, hits",
        "        total, hits",
        "out = self(x[i : i + batch_size])",
    ),
    ("missing_train_mode", "resume_checkpoint"): ("        net.train()\n", "", "for i in torch.randperm(len(X))"),
    ("missing_train_mode", "swa_bn"): ("    model.train()\n", "", "for x, y in train_loader:"),
    ("missing_train_mode", "workers_generator"): ("        net.train()\n", "", "for img, cls in train_loader"),
    ("inputs_not_scaled", "keras_style"): (
        "/ 255, dtype=torch.float32)\nx_test = torch.tensor(x_test.reshape(-1, 784) / 255",
        ", dtype=torch.float32)\nx_test = torch.tensor(x_test.reshape(-1, 784)",
        "x_train = torch.tensor",
    ),
    ("inputs_not_scaled", "balanced_sampler"): ('.astype("float32") / 255.0)', '.astype("float32"))', '"pixels": torch.from_numpy'),
    ("inputs_not_scaled", "vmap_ensemble"): ("X / 16.0", "X * 16.0", "X = torch.tensor"),
    ("inputs_not_scaled", "functional_dict"): ('d["x_train"][:2500] / 255.0', 'd["x_train"][:2500]', "xtr, ytr ="),
    ("double_scaling", "kaggle_notebook"): (
        "torch.from_numpy(X_train).reshape(-1, 1, 28, 28), ",
        "torch.from_numpy(X_train).reshape(-1, 1, 28, 28) / 255, ",
        "train_set =",
    ),
    ("lr_too_high", "patience"): ("rate: float = 1e-3", "rate: float = 0.5", "RMSprop"),
    ("lr_too_high", "zhongwen"): ("LR = 0.003", "LR = 0.5", "torch.optim.Adam"),
    ("lr_too_high", "cutmix"): ("lr=2e-3", "lr=1.0", "torch.optim.AdamW"),
    ("lr_too_high", "smoothing_by_hand"): ("lr=0.1, momentum=0.5", "lr=20, momentum=0.5", "torch.optim.SGD"),
    ("lr_too_low", "colours"): ("lr=2e-3", "lr=2e-8", "torch.optim.Adam"),
    ("lr_too_low", "torchvision_or_not"): ("lr=0.03, momentum", "lr=3e-7, momentum", "optim.SGD"),
    ("lr_too_low", "kurz_und_deutsch"): ("r = 0.2\n", "r = 0.0000002\n", "r = 0.0000002"),
    ("missing_step", "autoencoder_probe"): (
        "loss = F.cross_entropy(probe(h), Y[rows])\n        opt.zero_grad()\n        loss.backward()\n        opt.step()\n",
        "loss = F.cross_entropy(probe(h), Y[rows])\n        opt.zero_grad()\n        loss.backward()\n",
        "loss.backward()",
    ),
    ("missing_step", "pixel_gru"): ("        optimizer.step()\n", "", "loss.backward()"),
    ("missing_backward", "binary_three_eight"): ("        loss.backward()\n", "", "loss = loss_function"),
    ("missing_backward", "workers_generator"): ("            loss.backward()\n", "", "loss = torch.nn"),
    ("eval_on_train", "idx_reader"): ("evaluate(model, test_loader)", "evaluate(model, train_loader)", "evaluate(model, train_loader)"),
    ("eval_on_train", "own_digit"): (
        "(net(X_test).argmax(1) == Y_test).float()",
        "(net(X).argmax(1) == Y).float()",
        '"test accuracy"',
    ),
    ("eval_on_train", "colours"): (
        "for p, k in test_loader) / len(test_loader",
        "for p, k in train_loader) / len(train_loader",
        "accuracy = ",
    ),
    ("unregistered_layers", "colours"): (
        "nn.ModuleList([nn.Conv2d(a, b, 3, padding=1) for a, b in zip(chans, chans[1:])])",
        "[nn.Conv2d(a, b, 3, padding=1) for a, b in zip(chans, chans[1:])]",
        "self.convs =",
    ),
    ("unregistered_layers", "cycle_steps"): (
        "self.dw = torch.nn.ModuleList(torch.nn.Conv2d(d, d, 3, padding=1, groups=d) for _ in range(2))",
        "self.dw = tuple(torch.nn.Conv2d(d, d, 3, padding=1, groups=d) for _ in range(2))",
        "self.dw =",
    ),
    ("optimizer_wrong_params", "uncertainty_weights"): (
        '{"params": m.shared.parameters(), "lr": 1e-3}, ',
        "",
        "o = optim.Adam",
    ),
    ("optimizer_wrong_params", "resume_checkpoint"): (
        "torch.optim.Adam(net.parameters(), lr=1e-3)",
        "torch.optim.Adam(net[-1].parameters(), lr=1e-3)",
        "torch.optim.Adam",
    ),
    ("optimizer_wrong_params", "own_digit"): (
        "for epoch in range(3):\n",
        "net = nn.Sequential(nn.Flatten(), nn.Linear(784, 50), nn.ReLU(), nn.Linear(50, 10))\nfor epoch in range(3):\n",
        "torch.optim.SGD",
    ),
    ("broken_graph", "distill"): ("torch.relu(self.a(x.flatten(1)))", "torch.relu(self.a(x.flatten(1)).detach())", ".detach()"),
    ("broken_graph", "test_time_augmentation"): (
        "        x = self.pool(self.conv(x))\n",
        "        x = torch.tensor(self.pool(self.conv(x)).tolist())\n",
        ".tolist()",
    ),
    ("broken_graph", "patience"): ("return self.scores(self.body(x))", "return self.scores(self.body(x).data)", ".data"),
    ("layers_in_forward", "zhongwen"): (
        "        output = self.out(x)\n",
        "        output = nn.Linear(32 * 7 * 7, 10)(x)\n",
        "nn.Linear(32 * 7 * 7, 10)(x)",
    ),
    ("train_test_leak", "stratified_folds"): (
        "Subset(dataset, train_ids)",
        "dataset",
        "loader = DataLoader",
    ),
    ("train_test_leak", "torchvision_or_not"): ("FakeMNIST(True), FakeMNIST(False)", "FakeMNIST(True), FakeMNIST(True)", "FakeMNIST(True)"),
    ("train_test_leak", "hinge_svm"): ("svm = torch", "train = idx\nsvm = torch", "train = idx\n"),
    ("train_test_preprocess_mismatch", "idx_reader"): (
        "test_tf = Compose(ToTensor(), Normalize(0.1307, 0.3081))",
        "test_tf = Compose(ToTensor())",
        "test_tf =",
    ),
    ("train_test_preprocess_mismatch", "lion"): (
        'tx, ty = (f["x_test"][:500].reshape(-1, 784) / 255)',
        'tx, ty = (f["x_test"][:500].reshape(-1, 784))',
        "tx, ty =",
    ),
    ("missing_shuffle", "balanced_sampler"): (
        "batch_sampler=ClassBalanced(train_set.y, 8)",
        "batch_size=80",
        "train_loader =",
    ),
    ("missing_shuffle", "workers_generator"): ("32, shuffle=True, num_workers", "32, shuffle=False, num_workers", "train_loader ="),
    ("accuracy_wrong_denominator", "kaggle_notebook"): ("hits / len(val_set)", "hits / len(val_loader)", "len(val_loader)"),
    ("accuracy_wrong_denominator", "resume_checkpoint"): ("correct / len(YT)", "correct / 10", "correct / 10"),
    ("early_return_in_loop", "idx_reader"): ("    return right / total\n", "        return right / total\n", "return right / total"),
    ("early_return_in_loop", "patience"): (
        "    return loss_sum / seen, hits / seen\n",
        "            if not training:\n                return loss_sum / seen, hits / seen\n    return loss_sum / seen, hits / seen\n",
        "                return loss_sum / seen",
    ),
    ("stats_reset_in_loop", "pixel_gru"): (
        "        for rows, lengths, labels in test:\n",
        "        for rows, lengths, labels in test:\n            right = 0\n",
        "            right = 0",
    ),
    ("state_dict_alias", "patience"): ("copy.deepcopy(model.state_dict())", "model.state_dict()", "self.state = "),
    ("own_digit_inverted", "own_digit"): ('ImageOps.invert(Image.open(path).convert("L"))', 'Image.open(path).convert("L")', ""),
    ("own_digit_rgb", "own_digit"): (
        '    out = Image.new("L", (28, 28))\n',
        '    img = img.convert("RGB")\n    out = Image.new("RGB", (28, 28))\n',
        "img = img.convert",
    ),
    ("wrong_flatten_size", "idx_reader"): ("nn.Linear(24 * 7 * 7, hidden)", "nn.Linear(24 * 14 * 14, hidden)", "24 * 14 * 14"),
    ("wrong_flatten_size", "zhongwen"): ("self.out = nn.Linear(32 * 7 * 7, 10)", "self.out = nn.Linear(32 * 4 * 4, 10)", "self.out ="),
    ("missing_flatten", "torchvision_or_not"): ("        images = images.view(images.shape[0], -1)\n", "", "output = model(images)"),
    ("no_activation", "keras_style"): ('Dense(784, 128, "relu")', "Dense(784, 128)", "model = Sequential"),
    ("relu_on_output", "sine_and_spiral"): ("torch.nn.Linear(64, 3))", "torch.nn.Linear(64, 3), torch.nn.ReLU())", "net = torch.nn"),
    ("relu_on_output", "uncertainty_weights"): ("return self.which(h), ", "return self.which(h).relu(), ", "self.which(h).relu()"),
    ("labels_shuffled", "hinge_svm"): ("idx = torch", "y = y[torch.randperm(len(y))]\nidx = torch", "y = y["),
    ("labels_shuffled", "lion"): ("torch.from_numpy(y[take])", "torch.from_numpy(y[rng.permutation(take)])", "rng.permutation(take)"),
    ("label_off_by_one", "torchvision_or_not"): (
        "if labels.numpy()[i] == pred_label:",
        "if labels.numpy()[i] == pred_label + 1:",
        "pred_label + 1",
    ),
    ("batch_scramble", "keras_style"): (
        "y_train, y_test = torch.tensor(y_train",
        "x_train = x_train.reshape(784, -1).T.contiguous()\ny_train, y_test = torch.tensor(y_train",
        "x_train.reshape(784, -1).T",
    ),
    ("batch_scramble", "test_time_augmentation"): (
        "self.fc(x.flatten(start_dim=1))",
        "self.fc(x.reshape(720, -1).t())",
        "x.reshape(720, -1).t()",
    ),
    ("scheduler_per_batch", "idx_reader"): (
        "            running += loss.item()\n",
        "            scheduler.step()\n            running += loss.item()\n",
        "scheduler.step()",
    ),
    ("scheduler_per_batch", "resume_checkpoint"): (
        "            opt.step()\n        sch.step()\n",
        "            opt.step()\n            sch.step()\n",
        "sch.step()",
    ),
    ("logits_into_nll", "torchvision_or_not"): ("nn.Linear(64, 10), nn.LogSoftmax(dim=1))", "nn.Linear(64, 10))", "nn.NLLLoss"),
    ("softmax_wrong_dim", "torchvision_or_not"): ("nn.LogSoftmax(dim=1)", "nn.LogSoftmax(dim=0)", "nn.LogSoftmax"),
    ("sigmoid_before_bcewithlogits", "binary_three_eight"): (
        "logits = model(images).squeeze(1)",
        "logits = torch.sigmoid(model(images)).squeeze(1)",
        "logits = torch.sigmoid",
    ),
    ("target_wrong_type", "ema_shadow"): ('to(arrays["y_train"], 3000).long()', 'to(arrays["y_train"], 3000).float()', "loss = criterion"),
    ("too_few_classes", "kaggle_notebook"): ("nn.Linear(7 * 7 * 32, 10)", "nn.Linear(7 * 7 * 32, 9)", "self.fc ="),
    ("vanishing_sigmoid", "keras_style"): (
        'Dense(784, 128, "relu"), nn.Dropout(0.2), Dense(128, 10)',
        'Dense(784, 64, "sigmoid"), *[Dense(64, 64, "sigmoid") for _ in range(8)], Dense(64, 10)',
        "model = Sequential",
    ),
    ("constant_init", "kurz_und_deutsch"): (
        "B = (t.randn(60, 10, generator=g) * (1 / 60) ** 0.5).requires_grad_()",
        "B = t.zeros(60, 10).requires_grad_(); A.data.fill_(0.01)",
        "A.data.fill_",
    ),
    ("init_too_large", "backprop_by_hand"): ("torch.randn(784, 50) / 28", "torch.randn(784, 50) * 5", "W1, b1 ="),
    ("init_too_large", "kurz_und_deutsch"): ("* (2 / 784) ** 0.5)", "* 2)", "A = "),
    ("model_reset_each_epoch", "pixel_gru"): (
        "for epoch in range(3):\n",
        "for epoch in range(3):\n    reader = Reader()\n    optimizer = torch.optim.Adam(reader.parameters(), lr=5e-3)\n",
        "    reader = Reader()\n",
    ),
    ("same_batch_every_step", "cycle_steps"): (
        "    x, y = next(stream)\n",
        "    x, y = next(iter(DataLoader(tr, 64)))\n",
        "next(iter(",
    ),
    ("frozen_by_mistake", "zhongwen"): (
        "print(cnn)\n",
        "for p in cnn.conv2.parameters():\n    p.requires_grad = False\nprint(cnn)\n",
        "p.requires_grad = False",
    ),
    ("dropout_wrong_place", "idx_reader"): (
        "        nn.Dropout(0.25),\n        nn.Linear(hidden, 10),\n",
        "        nn.Linear(hidden, 10),\n        nn.Dropout(0.5),\n",
        "nn.Dropout(0.5)",
    ),
    ("argmax_wrong_dim", "swa_bn"): ("net(x).argmax(1).eq(y)", "net(x).argmax(0).eq(y)", "argmax(0)"),
    ("accuracy_broadcast", "binary_three_eight"): (
        "probability = torch.sigmoid(model(images)).squeeze(1)",
        "probability = torch.sigmoid(model(images))",
        "accuracy = ",
    ),
    ("loss_tensor_kept", "idx_reader"): ("running += loss.item()", "running += loss", "running += loss"),
    ("call_without_parentheses", "colours"): ("        optimizer.step()\n", "        optimizer.step\n", "optimizer.step"),
    ("call_without_parentheses", "cutmix"): ("    net.eval()\n", "    net.eval\n", "net.eval"),
    ("fresh_model_evaluated", "own_digit"): (
        'with torch.no_grad():\n    print("test',
        'net = nn.Sequential(nn.Flatten(), nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10))\nwith torch.no_grad():\n    print("test',
        "net = nn.Sequential",
    ),
    ("regression_loss_for_classes", "hinge_svm"): (
        "svm = torch.nn.Linear(64, 10)\nhinge = torch.nn.MultiMarginLoss(margin=1.0)",
        "svm = torch.nn.Linear(64, 1)\nhinge = lambda out, t: torch.nn.functional.mse_loss(out[:, 0], t.float())",
        "mse_loss",
    ),
    ("defined_but_unused", "kaggle_notebook"): ("        out = self.drop(out)\n", "", "self.drop ="),
    ("bad_augmentation", "idx_reader"): (
        "        return torch.roll(t, (dy, dx), dims=(1, 2))",
        "        t = t.flip(2) if random.random() < 0.5 else t\n        return torch.roll(t, (dy, dx), dims=(1, 2))",
        "t.flip(2)",
    ),
    ("augment_on_test", "idx_reader"): (
        "test_tf = Compose(ToTensor(), Normalize(0.1307, 0.3081))",
        "test_tf = train_tf",
        "test_tf =",
    ),
}


def broken_unseen() -> list[Mutant]:
    """All of them, each with its mistake."""
    return [Mutant(cause, name, change[0], change[1], "".join(change[2:]), UNSEEN[name]) for (cause, name), change in MISTAKES.items()]
