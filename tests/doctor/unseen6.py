"""Programs in further styles, in `unseen6/`, and mistakes in them: written without a look at the doctor."""

from __future__ import annotations

from pathlib import Path

from doctor.programs import Mutant

UNSEEN6 = {path.stem: path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "unseen6").glob("*.txt"))}

# Cause, program, what is replaced, by what, and text of the line that is to be named.
MISTAKES: list[tuple[str, str, str, str, str]] = [
    (
        "state_dict_alias",
        "callbacks_protocol",
        "{k: v.detach().clone() for k, v in trainer.model.state_dict().items()}",
        "{k: v for k, v in trainer.model.state_dict().items()}",
        "{k: v for k, v in trainer.model.state_dict().items()}",
    ),
    (
        "eval_on_train",
        "callbacks_protocol",
        "trainer.evaluate(DataLoader(test, 250))",
        "trainer.evaluate(DataLoader(train, 250))",
        "trainer.evaluate(DataLoader(train, 250))",
    ),
    # The second network, and the optimizer of the first. The line of the first optimizer would be as good.
    (
        "optimizer_wrong_params",
        "notebook_cells",
        "    nn.Linear(16 * 49, 10),\n)\noptimizer = torch.optim.Adam(model.parameters(), lr=2e-3)\n",
        "    nn.Linear(16 * 49, 10),\n)\n",
        "optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)",
    ),
    ("missing_eval", "notebook_cells", "model.eval()\n", "", "guesses = model(x_valid).argmax(1)"),
    ("missing_eval", "ema_weights", "    net.eval()\n", "", "guess = torch.cat([net(part).argmax(1)"),
    (
        "train_test_preprocess_mismatch",
        "ema_weights",
        "test_x, test_y = prepare(mnist.test, 600)",
        "test_x, test_y = mnist.test.images[:600] / 255, mnist.test.labels[:600]",
        "test_x, test_y =",
    ),
    (
        "inputs_not_scaled",
        "softmax_autograd_grad",
        "images.reshape(-1, 784) / 255",
        "images.reshape(-1, 784).float()",
        "images.reshape(-1, 784).float()",
    ),
    (
        "softmax_wrong_dim",
        "softmax_autograd_grad",
        "e / e.sum(1, keepdim=True)",
        "e / e.sum(0, keepdim=True)",
        "e / e.sum(0, keepdim=True)",
    ),
    # A schedule for epochs, asked at each step.
    (
        "scheduler_per_batch",
        "cosine_per_step",
        "    [LinearLR(optimizer, 0.05, total_iters=WARMUP), CosineAnnealingLR(optimizer, total - WARMUP)],\n    milestones=[WARMUP],",
        "    [LinearLR(optimizer, 0.05, total_iters=1), torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.7)],\n    milestones=[1],",
        "scheduler.step()",
    ),
    ("missing_train_mode", "mixup_beta", "    model.train()\n", "", "    for i in range(0, len(X_tr), 50):"),
    (
        "softmax_before_ce",
        "mixup_beta",
        "return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))",
        "return F.softmax(self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1)), -1)",
        "return F.softmax(",
    ),
    ("missing_zero_grad", "growing_curriculum", "        optimizer.zero_grad()\n", "", "lossf(model(x), y).backward()"),
    (
        "train_test_leak",
        "growing_curriculum",
        "TensorDataset(images[1300:], labels[1300:])",
        "TensorDataset(images[1000:1300], labels[1000:1300])",
        "test_set =",
    ),
    ("missing_step", "two_rates", "        opt_backbone.step()\n", "", "loss.backward()"),
    (
        "accuracy_wrong_denominator",
        "two_rates",
        "100 * correct / total)",
        "100 * correct / len(test_loader))",
        "100 * correct / len(test_loader)",
    ),
    (
        "batch_scramble",
        "einsum_only",
        "x.reshape(n, side, PATCH, side, PATCH).permute(0, 1, 3, 2, 4)",
        "x.reshape(side, PATCH, side, PATCH, n).permute(4, 0, 2, 1, 3)",
        "x.reshape(side, PATCH",
    ),
    (
        "constant_init",
        "einsum_only",
        "(torch.randn(*shape, generator=rng) / shape[0] ** 0.5)",
        "(torch.ones(*shape) / shape[0] ** 0.5)",
        "torch.ones(*shape)",
    ),
    # Each step begins a new stream from the same random numbers.
    (
        "same_batch_every_step",
        "generator_pipeline",
        "    for x, y in source:\n        loss = nn.functional.cross_entropy(model(x), y)",
        (
            "    while True:\n        xb, yb = next(batches(x, y, 30, np.random.default_rng(0)))\n"
            "        loss = nn.functional.cross_entropy(model(xb), yb)"
        ),
        "xb, yb = next(batches(",
    ),
    (
        "missing_step",
        "func_grad_update",
        "        params, velocity = update(params, velocity, grads)\n",
        "        update(params, velocity, grads)\n",
        "        update(params, velocity, grads)",
    ),
    ("lr_too_high", "func_grad_update", "lr=0.1, mu=0.8", "lr=30, mu=0.8", "lr=30, mu=0.8"),
    (
        "softmax_wrong_dim",
        "target_distribution",
        "torch.log_softmax(scores, dim=1)",
        "torch.log_softmax(scores, dim=0)",
        "torch.log_softmax(scores, dim=0)",
    ),
    (
        "early_return_in_loop",
        "target_distribution",
        "labels).sum().item()\n        print",
        "labels).sum().item()\n                break\n        print",
        "break",
    ),
]


def broken_unseen6() -> list[Mutant]:
    """All of them, each with its mistake."""
    return [Mutant(cause, name, old, new, line, UNSEEN6[name]) for cause, name, old, new, line in MISTAKES]
