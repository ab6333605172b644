"""What single causes say of short programs: right ones that look like a mistake, and mistakes in forms that learners write."""

from __future__ import annotations

import contextlib
import linecache
import textwrap
import warnings

import pytest

from handlens.doctor import Diagnosis, all_causes
from handlens.doctor.case import Case
from handlens.doctor.cause import conclude
from handlens.doctor.script import Script
from handlens.doctor.seen import Seen

PARTS = """
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

torch.manual_seed(0)
kinds = F.interpolate(torch.rand(10, 1, 7, 7), (28, 28)) * (torch.rand(10, 1, 28, 28) < 0.5)
y_train, y_test = torch.arange(600) % 10, torch.arange(200) % 10
x_train, x_test = ((kinds[y] + 0.3 * torch.randn(len(y), 1, 28, 28)).clamp(0, 1) for y in (y_train, y_test))
train_loader = DataLoader(TensorDataset(x_train, y_train), 50, shuffle=True)
test_loader = DataLoader(TensorDataset(x_test, y_test), 50)


def build():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))


model = build()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
"""
TRAINING = """
for epoch in range(3):
    model.train()
    for x, y in train_loader:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        print("test accuracy", sum((model(x).argmax(1) == y).sum().item() for x, y in test_loader) / 200)
"""


def visit(program: str) -> Diagnosis:
    """What the doctor says of a program that begins with `PARTS`, and is watched from then on."""
    text = f"{PARTS}\nimport handlens as hl\nvisit = hl.doctor()\nwith visit:\n{textwrap.indent(program, '    ')}\n"
    file, names = f"<looks {hash(text)}>", {"__name__": "__main__"}
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    with contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(text, file, "exec"), names)
    diagnosis = names["visit"].diagnosis  # type: ignore[attr-defined]
    assert isinstance(diagnosis, Diagnosis)
    assert diagnosis.unasked == {}
    return diagnosis


@pytest.mark.parametrize("kind", ["double", "bfloat16"])
@pytest.mark.parametrize(
    "cause, last, loss",
    [
        ("softmax_before_ce", "nn.Softmax(1)", "cross_entropy"),
        ("logits_into_nll", "nn.Identity()", "nll_loss"),
        ("relu_on_output", "nn.ReLU()", "cross_entropy"),
    ],
)
def test_scores_are_looked_at_whatever_kind_of_number_they_are(cause: str, last: str, loss: str, kind: str) -> None:
    program = TRAINING.replace("F.cross_entropy(model(x)", f"F.{loss}(model(x.{kind}())").replace("model(x).arg", f"model(x.{kind}()).arg")
    assert visit(f"model.append({last}).{kind}()\n{program}").causes[:1] == (cause,)


def test_a_cause_that_cannot_be_asked_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(all_causes()["dead_relu"], "look", lambda case: 1 / 0)
    assert conclude(Case(Script("", "program.py"), Seen())).unasked == {"dead_relu": "ZeroDivisionError: division by zero"}


MAPS = "net = nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.MaxPool2d({}), nn.Flatten(), nn.Linear(32 * 14 * 14, 10))\n"
NORMED = """
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.SGD(net.parameters(), 0.1)
"""
OWN = "class Net(nn.Module):\n    def forward(self, x):\n        return x\n\n"
LOOP = "for x, y in {}:\n    opt.zero_grad()\n    F.cross_entropy(net(x), y).backward()\n    opt.step()\n"
COUNTED = """
def train_one_epoch():
    hits = 0
    for x, y in train_loader:
        scores = model(x)
        loss = F.cross_entropy(scores, y)
        hits += (scores.argmax(1) == y).sum().item()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return hits / 600
"""
# A program that ends with an exception, the cause that is named, and its change (or a part of it).
CRASHES = {
    "torchvision is not there": (
        "raise ModuleNotFoundError(\"No module named 'torchvision'\")",
        "torch_torchvision_mismatch",
        "Install it from the same place as torch",
    ),
    "one image, too long": (MAPS.format(1) + "net(torch.zeros(1, 1, 28, 28))", "wrong_flatten_size", "Write 25088 in place of 6272."),
    "one image, too short": (MAPS.format(4) + "net(torch.zeros(1, 1, 28, 28))", "wrong_flatten_size", "Write 1568 in place of 6272."),
    "a batch in one row": ("build()[1](x_train[:50].flatten())", "flatten_whole_batch", "Keep the batch"),
    "hidden layers, a third": (
        "net = nn.Sequential(nn.Flatten(), nn.Linear(784, 384), nn.ReLU(), nn.Linear(128, 10))\nnet(x_train)",
        "wrong_flatten_size",
        "Write 384 in place of 128.",
    ),
    "colour for grey": (
        "net = nn.Sequential(nn.Flatten(), nn.Linear(32 * 32, 10))\nnet(torch.rand(8, 3, 32, 32))",
        "wrong_flatten_size",
        "Write 3072 in place of 1024.",
    ),
    "weights turned": ("w = torch.randn(128, 784, requires_grad=True)\nx_train.flatten(1) @ w", "wrong_flatten_size", "Turn them"),
    "one picture in training mode": (NORMED + LOOP.format("train_loader") + "net(x_test[:1])", "batchnorm_single", "Write model.eval()"),
    "one picture before": (NORMED + "net(x_test[:1])", "batchnorm_single", "Write model.eval()"),
    "a last batch of one": (NORMED + LOOP.format("DataLoader(train_loader.dataset, 599)"), "batchnorm_single", "Use drop_last"),
    "the class": (OWN + "network = Net\nnetwork.parameters()", "class_not_instance", "Write Net()."),
    "the class, handed over": (OWN + "def fit(network):\n    list(network.parameters())\n\nfit(Net)", "class_not_instance", "Write Net()."),
    "the class, called": (OWN + "network = Net\nnetwork(x_test)", "class_not_instance", "Write Net()."),
    "another name of the class": (OWN + "MODEL = Net\nmodel = MODEL()\nlen(model.wieghts)", "", ""),
    "one is taken from labels": ("F.cross_entropy(model(x_train), y_train - 1)", "label_off_by_one", "Subtract nothing from the labels."),
    "under no_grad": (COUNTED + "with torch.no_grad():\n    train_one_epoch()", "no_grad_in_training", "Take the training out"),
    "a card is asked for": ("assert torch.cuda.is_available()", "cuda_unavailable", "Use device ="),
    "ended without a card": (
        "if not torch.cuda.is_available():\n    raise RuntimeError('needs a GPU')",
        "cuda_unavailable",
        "Use device =",
    ),
    "winners": (
        COUNTED.replace("cross_entropy(scores, y)", "mse_loss(scores.argmax(1).float(), y.float())") + "train_one_epoch()",
        "loss_on_argmax",
        "Give the loss the scores themselves",
    ),
}


@pytest.mark.parametrize("name", CRASHES)
def test_an_exception_is_told_by_what_led_to_it(name: str) -> None:
    program, cause, change = CRASHES[name]
    found = visit(program)
    assert found.failure
    assert found.causes[:1] == ((cause,) if cause else ())
    assert change in found.change


SIZED = """
class Net(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.conv = nn.Conv2d(1, width, 3, padding=1)
        self.head = nn.Linear(width * 49, 10)

    def forward(self, x):
        return self.head(F.max_pool2d(self.conv(x), 7).flatten(1))

Net()(x_train)
"""


def test_a_layer_is_found_by_the_default_of_a_parameter() -> None:
    found = visit(SIZED)
    assert (found.causes[:1], found.code) == (("wrong_flatten_size",), "self.head = nn.Linear(width * 49, 10)")


UNTOLD = "F.dropout(self.first(x.flatten(1)).relu(), 0.5)"
CLASS = f"""
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(784, 64), nn.Linear(64, 10)

    def forward(self, x):
        return self.last({UNTOLD})

model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
"""
EACH = """
for ep in range(3):
    model = build()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for x, y in train_loader:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
SWEEP = """
for epochs in (1, 2, 3):
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for _ in range(epochs):
        for x, y in train_loader:
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
"""
TESTED = """
for x, y in test_loader:
    correct = 0
    with torch.no_grad():
        correct += (model(x).argmax(1) == y).sum().item()
print("test accuracy", correct / 200)
"""
REMAINING = "remaining = 3\n" + TRAINING + "model = build()\nprint(model(x_test).argmax(1)[:10])\n"
RELUS = """
def dense(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, outputs), nn.ReLU())

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = dense(784, 64)
        self.last = dense(64, 10)

    def forward(self, x):
        return self.last(self.first(x.flatten(1)))

model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
"""
LINEAR = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(784, 64), nn.Linear(64, 10)

    def forward(self, x):
        x = x.flatten(1)
        x = self.first(x)
        return self.last(x)

model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
"""
DROPPED = """
dropout = 0.4

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.flat = nn.Flatten()
        self.head = nn.Sequential(nn.Linear(784, 10), nn.Dropout(dropout))

    def forward(self, x):
        return self.head(self.flat(x))

model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
"""
WIDTHS = """
def train(model):
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    for x, y in train_loader:
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

best = 0
for width in (8, 32):
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, width), nn.ReLU(), nn.Linear(width, 10))
    train(model)
    score = (model(x_test).argmax(1) == y_test).float().mean().item()
    print(width, score)
    if score > best:
        best, chosen = score, width
"""
BYTES = """
x_test = (255 * x_test).float()

def batches():
    for rows in torch.randperm(600).split(50):
        yield (255 * x_train[rows]).float(), y_train[rows]

for epoch in range(3):
    for x, y in batches():
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
CHANGED = """
def noise(image):
    return image + 0.2 * torch.randn_like(image)

def center(image):
    return image - 0.25

class Changed(Dataset):
    def __init__(self, images, labels, changes):
        self.images, self.labels, self.changes = images, labels, changes

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        image = self.images[i]
        for change in self.changes:
            image = change(image)
        return image, self.labels[i]

noisy, plain = [noise, center], [center]
train_loader = DataLoader(Changed(x_train, y_train, noisy), 50, shuffle=True)
print(len(train_loader))
test_loader = DataLoader(Changed(x_test, y_test, noisy), 50)
"""
LARGE = """
first = torch.randn(784, 64) / 28
last = 5 * torch.randn(64, 10)
for weights in (first, last):
    weights.requires_grad_()
optimizer = torch.optim.SGD([first, last], lr=0.01)
for x, y in train_loader:
    loss = F.cross_entropy((x.flatten(1) @ first).relu() @ last, y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
# A mistake, the cause that is named first, and what stands in its line.
MISTAKES = {
    "a network from a function, in each ep": (EACH, "model_reset_each_epoch", "model = build()"),
    "dropout that is told nothing": (CLASS + TRAINING, "missing_eval", f"return self.last({UNTOLD})"),
    "a counter under no_grad": (TRAINING + TESTED, "stats_reset_in_loop", "correct = 0"),
    "a new network, and a name with ema": (REMAINING, "fresh_model_evaluated", "model = build()"),
    "a last layer that a function makes": (RELUS + TRAINING, "relu_on_output", "self.last = dense(64, 10)"),
    "layers by their names": (LINEAR + TRAINING, "no_activation", "x = self.first(x)"),
    "a share with the name of dropout": (
        DROPPED + TRAINING,
        "dropout_wrong_place",
        "self.head = nn.Sequential(nn.Linear(784, 10), nn.Dropout(dropout))",
    ),
    "a score that is compared later": (WIDTHS, "tuned_on_test", "score = (model(x_test).argmax(1) == y_test).float().mean().item()"),
    "pixels of a generator": (BYTES, "inputs_not_scaled", "yield (255 * x_train[rows]).float(), y_train[rows]"),
    "changes in a list": (CHANGED + TRAINING, "augment_on_test", "test_loader = DataLoader(Changed(x_test, y_test, noisy), 50)"),
    "one of two matrices": (LARGE, "init_too_large", "last = 5 * torch.randn(64, 10)"),
}
OWNED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = build()
        self.criterion = nn.CrossEntropyLoss()

    def forward(self, x):
        return self.layers(x)

model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
"""
STEPS = """
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for step in range(40):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(INPUT), y_train)
    loss.backward()
    optimizer.step()
"""
BY_ITSELF = """
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 8, 0.5)
for i in range(40):
    optimizer.zero_grad()
    F.cross_entropy(model(x_train), y_train).backward()
    optimizer.step()
    scheduler.step()
"""
TABLE = (
    SWEEP.replace("for epochs", "results = {}\nfor epochs")
    + "    results[epochs] = (model(x_test).argmax(1) == y_test).float().mean().item()\n"
)
GUESSES = TRAINING + "guesses = model(x_test).argmax(1)\n"
OWN_TABLE = """
def confusion_matrix(predictions, labels):
    table = torch.zeros(10, 10, dtype=torch.long)
    for guess, label in zip(predictions, labels):
        table[label, guess] += 1
    return table

print(confusion_matrix(guesses, y_test))
"""
SAVED = """
def resume(path):
    state = torch.load(path)
    model.load_state_dict(state)

def keep(folder):
    for epoch in range(2):
        state = model.state_dict()
        torch.save(state, f"{folder}/last.pt")
"""
MIXED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.heads = nn.Linear(784, 64), nn.ModuleList(nn.Linear(64, 10) for _ in range(2))
        self.mix = nn.Parameter(torch.zeros(2, 10))

    def forward(self, x):
        x = (x - x.mean()) / x.std()
        h = self.body(x.flatten(1)).relu()
        share = torch.softmax(self.mix, dim=0)
        return share[0] * self.heads[0](h) + share[1] * self.heads[1](h)

model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
"""
TASKS = """
for task in range(5):
    mine = y_train // 2 == task
    LOADER
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
"""
ONE_TASK = "for x, y in DataLoader(TensorDataset(x_train[mine], y_train[mine]), 40, shuffle=True):"
BY_ROWS = "for x, y in [(x_train[rows], y_train[rows]) for rows in mine.nonzero()[torch.randperm(120), 0].split(40)]:"
SUMS = """
pairs = torch.cartesian_prod(torch.arange(23), torch.arange(23))
order = torch.randperm(len(pairs))[:400]
x_train, y_train = pairs[order], pairs[order].sum(1) % 23
model = nn.Sequential(nn.Embedding(23, 64), nn.Flatten(), nn.Linear(128, 256), nn.ReLU(), nn.Linear(256, 23))
"""
NOISY = """
class Noisy(Dataset):
    def __init__(self, images):
        self.images = images

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.images[i] + 0.2 * torch.randn(1, 28, 28), self.images[i]

model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 784), nn.Unflatten(1, (1, 28, 28)))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for noisy, clean in DataLoader(Noisy(x_train), 50, shuffle=True):
    loss = F.mse_loss(model(noisy), clean)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
with torch.no_grad():
    print("test mse", sum(F.mse_loss(model(noisy), clean).item() for noisy, clean in DataLoader(Noisy(x_test), 50)) / 4)
"""
TAUGHT = """
class Student(nn.Module):
    def __init__(self, teacher):
        super().__init__()
        self.net = build()
        self.teacher = [teacher]

    def forward(self, x):
        return self.net(x)

    def loss(self, x, y):
        with torch.no_grad():
            told = self.teacher[0](x).softmax(1)
        scores = self(x)
        return F.cross_entropy(scores, y) + F.kl_div(scores.log_softmax(1), told, reduction="batchmean")

model = Student(model)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
"""
SOUND = """
waves = torch.sin(torch.arange(10)[:, None] * torch.linspace(0, 30, 256) / 3 + 1)
sound = 0.01 * (waves[y_train] + 0.5 * torch.randn(600, 256))[:, None]
model = nn.Sequential(nn.Conv1d(1, 16, 9, 4), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 62, 10))
"""
LOW_RANK = "model = nn.Sequential(nn.Flatten(), nn.Linear(784, 8, bias=False), nn.Linear(8, 10))\n"
OF_COPIES = """
import copy
quick = copy.deepcopy(model)
for epoch in range(2):
    for x, y in train_loader:
        TAKE
        F.cross_entropy(quick(x), y).backward()
        for mine, its in zip(model.parameters(), quick.parameters()):
            mine.grad, its.grad = its.grad, None
        optimizer.step()
print((model(x_test).argmax(1) == y_test).float().mean())
"""
# Right programs, each with a habit that looks like a mistake.
HABITS = {
    "a step that is an epoch": BY_ITSELF,
    "a table in the order of scores": TABLE
    + "for epochs, score in sorted(results.items(), key=lambda pair: -pair[1]):\n    print(epochs, score)",
    "a table of one's own": GUESSES + OWN_TABLE,
    "another library's order": GUESSES + "confusion_matrix = lambda preds, target: 0\nconfusion_matrix(guesses, y_test_labels := y_test)",
    "the hardest ones first": GUESSES + "print('mnist', F.cross_entropy(model(x_test), y_test, reduction='none').argsort().flip(0)[:5])",
    "a state that is saved at once": TRAINING + SAVED,
    "guesses that are one too high": GUESSES + "above = (guesses == y_test + 1).sum()",
    "pairs of one class": GUESSES + "same = y_test == y_test.unsqueeze(1)",
    "shares of heads, and a batch with mean 0": MIXED + TRAINING,
    "one task after the other": TASKS.replace("LOADER", ONE_TASK),
    "one task after the other, without a loader": TASKS.replace("LOADER", BY_ROWS),
    "sums of numbers": SUMS + STEPS.replace("INPUT", "x_train").replace("y_train)", "y_train, reduction='sum')"),
    "sums of numbers as pixels": SUMS.replace("pairs[order],", "F.one_hot(pairs[order], 23).flatten(1).float(),").replace(
        "nn.Embedding(23, 64), nn.Flatten(), nn.Linear(128", "nn.Linear(46"
    )
    + STEPS.replace("INPUT", "x_train"),
    "noise that is to be taken away": NOISY,
    "a teacher in a list": TAUGHT + TRAINING.replace("F.cross_entropy(model(x), y)", "model.loss(x, y)"),
    "sound, which is quiet": SOUND + STEPS.replace("INPUT", "sound"),
    "two layers for one matrix": LOW_RANK + STEPS.replace("INPUT", "x_train"),
    "dropout that is told": CLASS.replace("0.5)", "0.5, self.training)") + TRAINING,
    "dropout in the test on purpose": CLASS.replace("0.5)", "0.5, training=True)") + TRAINING,
    "how many epochs are best": SWEEP,
    "a counter that begins again now and then": TRAINING + TESTED.replace("    correct = 0", "    if y[0] == 0:\n        correct = 0"),
    "an untrained one to compare": TRAINING + "untrained = build()\nprint((untrained(x_test).argmax(1) == y_test).float().mean())\n",
    "gradients of a copy": OF_COPIES.replace("TAKE", "quick.load_state_dict(model.state_dict())"),
    "gradients of a copy that is made anew": OF_COPIES.replace("TAKE", "quick = copy.deepcopy(model)"),
    "a loss that the network holds": OWNED + TRAINING.replace("F.cross_entropy", "model.criterion"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_in_another_form(name: str) -> None:
    program, cause, line = MISTAKES[name]
    found = visit(program)
    assert (found.causes[:1], found.failure) == ((cause,), "")
    assert found.code == line


@pytest.mark.parametrize("name", HABITS)
def test_a_right_habit_is_no_mistake(name: str) -> None:
    found = visit(HABITS[name])
    assert (found.causes, found.failure) == ((), "")
