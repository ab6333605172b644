"""A mistake, and a right program that looks like it: the first is named, of the second nothing is said."""

from __future__ import annotations

import pytest
from test_doctor_looks import TRAINING, visit

FEW = """
PICK
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for rows in torch.arange(600).split(10):
    loss = F.cross_entropy(model(x_train[rows]), y_train[rows])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
SEPARATELY = "x_train = x_train[torch.randperm(600)]\ny_train = y_train[torch.randperm(600)]"
TOGETHER = "order = torch.randperm(600)\nx_train, y_train = x_train[order], y_train[order]"
BEST = """
val_loader = DataLoader(TensorDataset(x_train[500:], y_train[500:]), 50)
best, weights = 0.0, None
for epoch in range(3):
    for x, y in DataLoader(TensorDataset(x_train[:500], y_train[:500]), 50, shuffle=True):
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        score = sum((model(x).argmax(1) == y).sum().item() for x, y in LOADER)
    if score > best:
        best, weights = score, {name: one.clone() for name, one in model.state_dict().items()}
"""
TABLE = """
table = torch.zeros(10, 10, dtype=torch.long)
with torch.no_grad():
    guesses = model(x_test).argmax(1)
for t, p in zip(y_test, guesses):
    table[p, t] += 1
print("TITLE")
print(table)
"""
DRAWN = """
import numpy as np
SHARED
def draw():
    rng = RNG
    rows = torch.from_numpy(rng.choice(600, 50, replace=False))
    return x_train[rows], y_train[rows]

for step in range(40):
    x, y = draw()
    loss = F.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
BARE = """
w = (torch.randn(784, 10) / 28).requires_grad_()
optimizer = torch.optim.SGD([w], lr=0.1)
for epoch in range(3):
    for k in range(12):
        rows = ROWS
        loss = F.cross_entropy(x_train[rows].flatten(1) @ w, y_train[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
REMADE = """
def make():
    return [(torch.randn(784, 10) / 28).requires_grad_()]

weights = make()
for epoch in range(4):
    MAKE
    optimizer = torch.optim.SGD(weights, lr=0.1)
    for rows in torch.randperm(600).split(50):
        loss = F.cross_entropy(x_train[rows].flatten(1) @ weights[0], y_train[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
STATES = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.last = nn.GRU(28, 16, bidirectional=True, batch_first=True), nn.Linear(32, 10)

    def forward(self, x, scale):
        _, h = self.rnn(x[:, 0] * scale[:, None, None])
        return self.last(JOIN)

model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(3):
    for x, y in train_loader:
        loss = F.cross_entropy(model(x, torch.ones(len(x))), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
ROWS_FIRST = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn, self.last = nn.LSTM(28, 16), nn.Linear(16, 10)

    def forward(self, x):
        out, _ = self.rnn(TURN)
        return self.last(out[-1])

model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
"""
GRAPH = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(784, 32), nn.Linear(32, 10)

    def forward(self, x, near):
        return self.last(near @ self.first(x.flatten(1)).relu())

near = (y_train[:100, None] == y_train[:100]).float()
near, model = near / near.sum(1, keepdim=True), Net()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for step in range(30):
    loss = F.cross_entropy(model(x_train[:100], near), y_train[:100])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
ONE_BATCH = """
hits = 0
with torch.no_grad():
    for x, y in test_loader:
        hits += (model(x).argmax(1) == y).sum().item()
        break
print("test accuracy", hits / COUNT)
"""
NOISY = """
for epoch in range(2):
    for x, y in train_loader:
        x = (255 * x) / SCALE + 0.05 * torch.randn_like(x)
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
GIVEN = """
from torch.func import functional_call, grad_and_value

def loss_of(weights, x, y):
    return F.cross_entropy(functional_call(model, weights, (x,)), y)

weights = {name: one.detach().clone() for name, one in model.named_parameters()}
for epoch in range(3):
    for x, y in train_loader:
        gradients, loss = grad_and_value(loss_of)(weights, x, y)
        moved = {name: one - RATE * gradients[name] for name, one in weights.items()}
        KEPT = moved
print(loss.item())
"""
TURNED = """
# digits that lie on their side
FIRST
for epoch in range(2):
    for rows in torch.randperm(600).split(50):
        digits = x_train[rows]
        THEN
        loss = F.cross_entropy(model(digits), y_train[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
NOISES = """
class Changed(Dataset):
    def __init__(self, change):
        self.change = change

    def __len__(self):
        return 200

    def __getitem__(self, i):
        return self.change(x_test[i]), y_test[i]

def noise(image):
    return image + 0.2 * torch.randn_like(image)

for x, y in train_loader:
    loss = F.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
test_sets = [SETS]
with torch.no_grad():
    for test_set in test_sets:
        print("test accuracy", sum((model(x).argmax(1) == y).sum().item() for x, y in DataLoader(test_set, 50)) / 200)
"""
ANEW = """
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
FIRST
model = build()
SECOND
"""
FILLED = """
place = (0.1 * torch.randn(28, 16)).requires_grad_()
first, last = [(torch.MAKE(size) / size[0] ** 0.5).requires_grad_() for size in ((28, 16), (16, 10))]
optimizer = torch.optim.Adam([place, first, last], lr=1e-2)
for epoch in range(3):
    for x, y in train_loader:
        loss = F.cross_entropy((x[:, 0] @ first + place).relu().mean(1) @ last, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
CHAIN = """
parts = [torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=3), torch.optim.lr_scheduler.ExponentialLR(optimizer, SHARE)]
scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, parts, milestones=[3])
for epoch in range(3):
    for x, y in train_loader:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
"""
SEVERAL = """
first, second = torch.optim.SGD(model[1].parameters(), lr=0.1), torch.optim.Adam(model[3].parameters(), lr=1e-3)
scheduler = torch.optim.lr_scheduler.ExponentialLR(first, 0.8)
for epoch in range(3):
    for x, y in train_loader:
        loss = F.cross_entropy(model(x), y)
        for one in (first, second):
            one.zero_grad()
        loss.backward()
        for one in (first, second):
            one.step()
SPACE    scheduler.step()
"""
CUT = """
images, labels = x_train, y_train
train_set = TensorDataset(images[:400], labels[:400])
print(len(train_set))
test_set = TensorDataset(images[FROM:], labels[FROM:])
for x, y in DataLoader(train_set, 50, shuffle=True):
    loss = F.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
with torch.no_grad():
    right = [model(x).argmax(1) == y for x, y in DataLoader(test_set, 50)]
print("test accuracy", torch.cat(right).float().mean().item())
"""
RESHAPED = """
test_pixels = x_test.flatten(1)
test_pixels = SCALED
for epoch in range(2):
    for x, y in train_loader:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
hits = 0
with torch.no_grad():
    for rows in torch.arange(200).split(50):
        pixels = test_pixels[rows]
        pixels = pixels.reshape(-1, 1, 28, 28)
        hits += (model(pixels).argmax(1) == y_test[rows]).sum().item()
print("test accuracy", hits / 200)
"""
# A mistake, its cause, text of its line, and the right program.
BY_FUNC = """
from torch.func import functional_call, grad
weights = {name: one.detach() for name, one in model.named_parameters()}
def scores(weights, x):
    return functional_call(model, weights, (x,))SOFTMAX

for epoch in range(3):
    for x, y in train_loader:
        slopes = grad(lambda weights: F.cross_entropy(scores(weights, x), y))(weights)
        weights = {name: one - 0.1 * slopes[name] for name, one in weights.items()}
"""
HANDED = """
def fit(train, val, val_transform):
    best, kept = 0.0, None
    for epoch in range(3):
        for x, y in train:
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            score = sum((model(val_transform(x)).argmax(1) == y).sum().item() for x, y in val)
        if score > best:
            best, kept = score, {name: one.clone() for name, one in model.state_dict().items()}

test_transform = nn.Identity()
learning, val_loader = (DataLoader(TensorDataset(x_train[some], y_train[some]), 50) for some in (slice(500), slice(500, 600)))
fit(learning, CHOSEN_BY, test_transform)
"""
PAIRS = {
    "softmax within a functional gradient": (
        BY_FUNC.replace("SOFTMAX", ".softmax(1)"),
        "softmax_before_ce",
        "return functional_call(model, weights, (x,)).softmax(1)",
        BY_FUNC.replace("SOFTMAX", ""),
    ),
    "test images handed over as validation images": (
        HANDED.replace("CHOSEN_BY", "test_loader"),
        "tuned_on_test",
        "fit(learning, test_loader, test_transform)",
        HANDED.replace("CHOSEN_BY", "val_loader"),
    ),
    "few images, mixed separately": (
        FEW.replace("PICK", SEPARATELY),
        "labels_shuffled",
        "y_train = y_train[torch.randperm(600)]",
        FEW.replace("PICK", TOGETHER),
    ),
    "the best epoch": (
        BEST.replace("LOADER", "test_loader"),
        "tuned_on_test",
        "score = sum((model(x).argmax(1) == y).sum().item() for x, y in test_loader)",
        BEST.replace("LOADER", "val_loader"),
    ),
    "a table with guesses in its rows": (
        TRAINING + TABLE.replace("TITLE", "rows: true digit"),
        "confusion_axes_swapped",
        "table[p, t] += 1",
        TRAINING + TABLE.replace("TITLE", "rows: guesses, columns: true digit"),
    ),
    "a seed at each step": (
        DRAWN.replace("SHARED", "").replace("RNG", "np.random.default_rng(0)"),
        "same_batch_every_step",
        "rng = np.random.default_rng(0)",
        DRAWN.replace("SHARED", "shared = np.random.default_rng(0)").replace("RNG", "shared"),
    ),
    "the same places at each step": (
        BARE.replace("ROWS", "torch.arange(0, 50)"),
        "same_batch_every_step",
        "rows = torch.arange(0, 50)",
        BARE.replace("ROWS", "torch.arange(600)"),
    ),
    "bare weights in each epoch": (
        REMADE.replace("MAKE", "weights = make()"),
        "model_reset_each_epoch",
        "weights = make()",
        REMADE.replace("    MAKE\n", ""),
    ),
    "states of two directions": (
        STATES.replace("JOIN", "h.reshape(len(x), -1)"),
        "batch_scramble",
        "return self.last(h.reshape(len(x), -1))",
        STATES.replace("JOIN", "torch.cat([h[0], h[1]], dim=1)"),
    ),
    "rows of a picture as a sequence": (
        ROWS_FIRST.replace("TURN", "x.reshape(28, -1, 28)") + TRAINING,
        "batch_scramble",
        "out, _ = self.rnn(x.reshape(28, -1, 28))",
        ROWS_FIRST.replace("TURN", "x[:, 0].permute(1, 0, 2)") + TRAINING,
    ),
    "a break after the first batch": (
        TRAINING + ONE_BATCH.replace("COUNT", "len(test_loader.dataset)"),
        "early_return_in_loop",
        "break",
        TRAINING + ONE_BATCH.replace("COUNT", "len(y)"),
    ),
    "divided twice, under noise": (
        NOISY.replace("SCALE", "255 / 255"),
        "double_scaling",
        "x = (255 * x) / 255 / 255 + 0.05 * torch.randn_like(x)",
        NOISY.replace("SCALE", "255"),
    ),
    "weights of a function, never kept": (
        GIVEN.replace("RATE", "0.1").replace("KEPT", "new"),
        "missing_step",
        "gradients, loss = grad_and_value(loss_of)(weights, x, y)",
        GIVEN.replace("RATE", "0.1").replace("KEPT", "weights"),
    ),
    "weights of a function, moved too far": (
        GIVEN.replace("RATE", "300").replace("KEPT", "weights"),
        "lr_too_high",
        "gradients, loss = grad_and_value(loss_of)(weights, x, y)",
        GIVEN.replace("RATE", "0.3").replace("KEPT", "weights"),
    ),
    "some digits are turned, or all": (
        TURNED.replace("FIRST", "").replace(
            "THEN", "digits = torch.where(torch.rand(len(rows), 1, 1, 1) < 0.5, digits, digits.rot90(1, (2, 3)))"
        ),
        "bad_augmentation",
        "digits = torch.where(torch.rand(len(rows), 1, 1, 1) < 0.5, digits, digits.rot90(1, (2, 3)))",
        TURNED.replace("FIRST", "x_train, x_test = x_train.rot90(1, (2, 3)), x_test.rot90(1, (2, 3))").replace("THEN", ""),
    ),
    "noise on the test images, or with and without it": (
        NOISES.replace("SETS", "Changed(noise)"),
        "augment_on_test",
        "test_sets = [Changed(noise)]",
        NOISES.replace("SETS", "Changed(torch.clone), Changed(noise)"),
    ),
    "a second network, and the optimizer of the first": (
        ANEW.replace("FIRST", TRAINING).replace("SECOND", TRAINING),
        "optimizer_wrong_params",
        "optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)",
        ANEW.replace("FIRST", TRAINING).replace("SECOND", f"optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)\n{TRAINING}"),
    ),
    "bare weights that are filled": (
        FILLED.replace("MAKE", "ones"),
        "constant_init",
        "first, last = [(torch.ones(size) / size[0] ** 0.5).requires_grad_() for size in ((28, 16), (16, 10))]",
        FILLED.replace("MAKE", "randn"),
    ),
    "schedules in a chain": (
        CHAIN.replace("SHARE", "0.7"),
        "scheduler_per_batch",
        "scheduler.step()",
        CHAIN.replace("SHARE", "0.93"),
    ),
    "several optimizers in a row": (
        SEVERAL.replace("SPACE", "    "),
        "scheduler_per_batch",
        "scheduler.step()",
        SEVERAL.replace("SPACE", ""),
    ),
    "two sets cut out of one": (
        CUT.replace("FROM", "300"),
        "train_test_leak",
        "test_set = TensorDataset(images[300:], labels[300:])",
        CUT.replace("FROM", "400"),
    ),
    "test images with another scale, and reshaped": (
        RESHAPED.replace("SCALED", "test_pixels * 20 - 3"),
        "train_test_preprocess_mismatch",
        "test_pixels = test_pixels * 20 - 3",
        RESHAPED.replace("SCALED", "test_pixels * 1"),
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_mistake_is_named_and_its_double_is_not(name: str) -> None:
    mistake, cause, line, right = PAIRS[name]
    found = visit(mistake)
    assert (found.causes[:1], found.code, found.failure) == ((cause,), line, "")
    silent = visit(right)
    assert (silent.causes, silent.failure) == ((), "")


BACK = """
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 784))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
for epoch in range(3):
    for x, _ in train_loader:
        GIVEN
        loss = LOSS
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
with torch.no_grad():
    print("test error", F.mse_loss(net(x_test).view_as(x_test), x_test).item())
"""
MASKED = BACK.replace("GIVEN", "hidden = torch.rand_like(x) < 0.9; given = net(x.masked_fill(hidden, 0)).view_as(x)")
ON_PURPOSE = {
    "masked": MASKED.replace("LOSS", "F.mse_loss(given[hidden], x[hidden])"),
    "masked, with a loss of its own": MASKED.replace("LOSS", "(given - x)[hidden].square().mean()"),
    "noisy": BACK.replace("GIVEN", "given = net((x + 0.6 * torch.randn_like(x)).clamp(0, 1)).view_as(x)").replace(
        "LOSS", "F.mse_loss(given, x)"
    ),
    "scaled by ones": """
w1 = (torch.randn(784, 64) / 28).requires_grad_()
w2 = (torch.randn(64, 10) / 8).requires_grad_()
first, second = torch.ones(8, 98, requires_grad=True), torch.ones(8, 8, requires_grad=True)
optimizer = torch.optim.Adam([w1, w2, first, second], lr=1e-3)
for epoch in range(3):
    for x, y in train_loader:
        units = ((x.view(-1, 8, 98) * first).flatten(1) @ w1).relu()
        loss = F.cross_entropy((units.view(-1, 8, 8) * second).flatten(1) @ w2, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
""",
}


@pytest.mark.parametrize("name", ON_PURPOSE)
def test_what_is_changed_on_purpose_is_no_mistake(name: str) -> None:
    found = visit(ON_PURPOSE[name])
    assert (found.causes, found.failure) == ((), "")


def test_images_that_are_bound_together_on_purpose_are_no_scramble() -> None:
    found = visit(GRAPH)
    assert (found.causes, found.failure) == ((), "")
