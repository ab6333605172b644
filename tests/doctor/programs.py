"""Programs that learners could have written, in several styles, and mistakes that are put into them: one change each to a right program."""

from __future__ import annotations

from dataclasses import dataclass

HEAD = """\
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset
from handlens import data as handlens_data

SEED = 0
torch.manual_seed(SEED)
digits = handlens_data.load("mnist")
"""

MLP = (
    HEAD
    + """\
train_images = digits.train.images[:4000].float() / 255
train_labels = digits.train.labels[:4000]
test_images = digits.test.images[:1000].float() / 255
test_labels = digits.test.labels[:1000]
train_loader = DataLoader(TensorDataset(train_images, train_labels), batch_size=64, shuffle=True)
test_loader = DataLoader(TensorDataset(test_images, test_labels), batch_size=200)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 128)
        self.fc2 = nn.Linear(128, 64)
        self.fc3 = nn.Linear(64, 10)
        self.dropout = nn.Dropout(0.2)

    def forward(self, x):
        x = x.view(x.size(0), -1)
        x = F.relu(self.fc1(x))
        x = self.dropout(x)
        x = F.relu(self.fc2(x))
        x = self.fc3(x)
        return x


model = Net()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)


def train_one_epoch():
    model.train()
    running_loss = 0.0
    for images, labels in train_loader:
        optimizer.zero_grad()
        outputs = model(images)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
    return running_loss / len(train_loader)


def test_model():
    model.eval()
    correct = 0
    total = 0
    with torch.no_grad():
        for images, labels in test_loader:
            outputs = model(images)
            predicted = outputs.argmax(dim=1)
            total += labels.size(0)
            correct += (predicted == labels).sum().item()
    return correct / total


for epoch in range(3):
    loss = train_one_epoch()
    accuracy = test_model()
    print(f"Epoch {epoch + 1}: loss {loss:.4f}, test accuracy {accuracy:.2%}")
"""
)

CNN = (
    HEAD
    + """\
train_x = digits.train.images[:3000].float() / 255
train_y = digits.train.labels[:3000]
test_x = digits.test.images[:600].float() / 255
test_y = digits.test.labels[:600]
train_loader = DataLoader(TensorDataset(train_x, train_y), batch_size=50, shuffle=True)
test_loader = DataLoader(TensorDataset(test_x, test_y), batch_size=100)


class ConvNet(nn.Module):
    def __init__(self):
        super(ConvNet, self).__init__()
        self.conv1 = nn.Conv2d(1, 8, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(8, 16, kernel_size=3, padding=1)
        self.bn = nn.BatchNorm2d(16)
        self.pool = nn.MaxPool2d(2)
        self.drop = nn.Dropout(0.25)
        self.fc = nn.Linear(16 * 7 * 7, 10)

    def forward(self, x):
        x = self.pool(torch.relu(self.conv1(x)))
        x = self.pool(torch.relu(self.bn(self.conv2(x))))
        x = torch.flatten(x, 1)
        x = self.drop(x)
        return self.fc(x)


def main():
    net = ConvNet()
    loss_fn = nn.CrossEntropyLoss()
    opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    for epoch in range(2):
        net.train()
        for i, (xb, yb) in enumerate(train_loader):
            pred = net(xb)
            loss = loss_fn(pred, yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
            if i % 20 == 0:
                print(f"epoch {epoch} batch {i} loss {loss.item():.3f}")
        net.eval()
        hits = 0
        with torch.no_grad():
            for xb, yb in test_loader:
                guess = net(xb).argmax(1)
                hits += (guess == yb).sum().item()
        print("test accuracy:", hits / len(test_loader.dataset))


if __name__ == "__main__":
    main()
"""
)

SEQUENTIAL = (
    HEAD
    + """\
BATCH = 100
X = digits.train.images[:5000].reshape(5000, 784).float() / 255.0
Y = digits.train.labels[:5000]
X_test = digits.test.images[:1000].reshape(1000, 784).float() / 255.0
Y_test = digits.test.labels[:1000]

model = nn.Sequential(
    nn.Linear(784, 100),
    nn.ReLU(),
    nn.Dropout(0.1),
    nn.Linear(100, 10),
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

for epoch in range(3):
    model.train()
    order = torch.randperm(len(X))
    for start in range(0, len(X), BATCH):
        rows = order[start : start + BATCH]
        x, y = X[rows], Y[rows]
        optimizer.zero_grad()
        scores = model(x)
        loss = F.cross_entropy(scores, y)
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        test_scores = model(X_test)
        accuracy = (test_scores.argmax(1) == Y_test).float().mean().item()
    print("epoch", epoch, "loss", loss.item(), "test accuracy", accuracy)
"""
)

NLL = (
    HEAD
    + """\
class Classifier(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.layer1 = nn.Linear(28 * 28, hidden)
        self.norm = nn.BatchNorm1d(hidden)
        self.layer2 = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, 10)

    def forward(self, images):
        h = images.flatten(1)
        h = F.relu(self.norm(self.layer1(h)))
        h = F.relu(self.layer2(h))
        return F.log_softmax(self.out(h), dim=1)


def make_loaders(batch_size):
    train = TensorDataset(digits.train.images[:4000].float().div(255), digits.train.labels[:4000])
    test = TensorDataset(digits.test.images[:1000].float().div(255), digits.test.labels[:1000])
    return DataLoader(train, batch_size, shuffle=True), DataLoader(test, 250)


def train(model, loader, optimizer):
    model.train()
    for batch, (data, target) in enumerate(loader):
        optimizer.zero_grad()
        output = model(data)
        loss = F.nll_loss(output, target)
        loss.backward()
        optimizer.step()
        if batch % 25 == 0:
            print("train loss", round(loss.item(), 4))


def test(model, loader):
    model.eval()
    test_loss, correct = 0.0, 0
    with torch.no_grad():
        for data, target in loader:
            output = model(data)
            test_loss += F.nll_loss(output, target, reduction="sum").item()
            pred = output.max(1)[1]
            correct += pred.eq(target).sum().item()
    print("Test loss", test_loss / len(loader.dataset), "accuracy", 100.0 * correct / len(loader.dataset))


train_loader, test_loader = make_loaders(64)
network = Classifier()
optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.7)
for epoch in range(1, 4):
    train(network, train_loader, optimizer)
    test(network, test_loader)
    scheduler.step()
"""
)

TRAINER = (
    HEAD
    + """\
class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(self.linear(x))


class Digits(nn.Module):
    def __init__(self, sizes=(784, 120, 84)):
        super().__init__()
        self.blocks = nn.ModuleList([Block(a, b) for a, b in zip(sizes, sizes[1:])])
        self.dropout = nn.Dropout(0.15)
        self.head = nn.Linear(sizes[-1], 10)

    def forward(self, x):
        x = torch.flatten(x, start_dim=1)
        for block in self.blocks:
            x = block(x)
        x = self.dropout(x)
        return self.head(x)


class Trainer:
    def __init__(self, model, train_data, test_data, lr):
        self.model = model
        self.train_loader = DataLoader(train_data, batch_size=32, shuffle=True)
        self.test_loader = DataLoader(test_data, batch_size=128, shuffle=False)
        self.loss = nn.CrossEntropyLoss()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=lr)
        self.history = []

    def step(self, inputs, targets):
        self.optimizer.zero_grad()
        logits = self.model(inputs)
        loss = self.loss(logits, targets)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def fit(self, epochs):
        for epoch in range(epochs):
            self.model.train()
            losses = [0.0]
            for inputs, targets in self.train_loader:
                losses.append(self.step(inputs, targets))
            self.history.append(sum(losses) / len(losses))
            print("epoch", epoch + 1, self.history[-1], "validation accuracy", self.evaluate())

    @torch.no_grad()
    def evaluate(self):
        self.model.eval()
        right, seen = 0, 0
        for inputs, targets in self.test_loader:
            guesses = self.model(inputs).argmax(-1)
            right += int((guesses == targets).sum())
            seen += len(targets)
        return right / seen


train_data = TensorDataset(digits.train.images[:3200] / 255, digits.train.labels[:3200])
test_data = TensorDataset(digits.test.images[:640] / 255, digits.test.labels[:640])
Trainer(Digits(), train_data, test_data, lr=1e-3).fit(3)
"""
)

BASES = {"mlp": MLP, "cnn": CNN, "sequential": SEQUENTIAL, "nll": NLL, "trainer": TRAINER}


@dataclass(frozen=True)
class Mutant:
    """A mistake: its cause, the style, what is replaced by what, text of the line that is to be named, and the right program."""

    cause: str
    style: str
    old: str
    new: str
    line: str = ""
    base: str = ""

    @property
    def right(self) -> str:
        """The program without the mistake."""
        return self.base or BASES[self.style]

    @property
    def text(self) -> str:
        """The program with the mistake."""
        if self.old not in self.right:
            raise ValueError(f"{self.cause} in {self.style}: {self.old!r} is not there")
        text = self.right.replace(self.old, self.new)
        for old, new in EXTRA.get((self.cause, self.style), []):
            if old not in text:
                raise ValueError(f"{self.name}: {old!r} is not there")
            text = text.replace(old, new)
        return text

    @property
    def name(self) -> str:
        """For messages."""
        return f"{self.cause}-{self.style}"


def mutants() -> list[Mutant]:
    """All of them."""
    return [Mutant(cause, style, *change) for cause, changes in CHANGES.items() for style, change in changes.items()]


CHANGES: dict[str, dict[str, tuple[str, ...]]] = {
    "missing_zero_grad": {
        "mlp": ("        optimizer.zero_grad()\n", "", "loss.backward()"),
        "cnn": ("            opt.zero_grad()\n", "", "loss.backward()"),
        "sequential": ("        optimizer.zero_grad()\n", "", "loss.backward()"),
        "nll": ("        optimizer.zero_grad()\n", "", "loss.backward()"),
        "trainer": ("        self.optimizer.zero_grad()\n", "", "loss.backward()"),
    },
    "zero_grad_per_epoch": {
        "mlp": (
            "    running_loss = 0.0\n    for images, labels in train_loader:\n        optimizer.zero_grad()\n",
            "    running_loss = 0.0\n    optimizer.zero_grad()\n    for images, labels in train_loader:\n",
            "optimizer.zero_grad()",
        ),
        "sequential": ("    order = torch", "    optimizer.zero_grad()\n    order = torch", "optimizer.zero_grad()"),
        "nll": (
            "    model.train()\n    for batch, (data, target) in enumerate(loader):\n        optimizer.zero_grad()\n",
            "    model.train()\n    optimizer.zero_grad()\n    for batch, (data, target) in enumerate(loader):\n",
            "optimizer.zero_grad()",
        ),
    },
    "zero_grad_after_backward": {
        "mlp": (
            (
                "        optimizer.zero_grad()\n"
                "        outputs = model(images)\n"
                "        loss = criterion(outputs, labels)\n"
                "        loss.backward()\n"
            ),
            (
                "        outputs = model(images)\n"
                "        loss = criterion(outputs, labels)\n"
                "        loss.backward()\n"
                "        optimizer.zero_grad()\n"
            ),
            "optimizer.zero_grad()",
        ),
        "cnn": (
            "            opt.zero_grad()\n            loss.backward()\n",
            "            loss.backward()\n            opt.zero_grad()\n",
            "opt.zero_grad()",
        ),
        "nll": ("        loss.backward()\n", "        loss.backward()\n        network.zero_grad()\n", "network.zero_grad()"),
        "trainer": ("        loss.backward()\n", "        loss.backward()\n        self.model.zero_grad()\n", "self.model.zero_grad()"),
    },
    "call_without_parentheses": {
        "mlp": ("        optimizer.zero_grad()\n", "        optimizer.zero_grad\n", "optimizer.zero_grad"),
        "cnn": ("        net.eval()\n", "        net.eval\n", "net.eval"),
        "sequential": ("        optimizer.step()\n", "        optimizer.step\n", "optimizer.step"),
        "nll": ("        loss.backward()\n", "        loss.backward\n", "loss.backward"),
        "trainer": ("            self.model.train()\n", "            self.model.train\n", "self.model.train"),
    },
    "missing_step": {
        "mlp": ("        optimizer.step()\n", "", "loss.backward()"),
        "cnn": ("            opt.step()\n", "", "loss.backward()"),
        "sequential": ("        optimizer.step()\n", "", "loss.backward()"),
        "nll": ("        optimizer.step()\n", "", "loss.backward()"),
        "trainer": ("        self.optimizer.step()\n", "", "loss.backward()"),
    },
    "missing_backward": {
        "mlp": ("        loss.backward()\n", "", "loss = criterion"),
        "cnn": ("            loss.backward()\n", "", "loss = loss_fn"),
        "sequential": ("        loss.backward()\n", "", "loss = F.cross"),
        "nll": ("        loss.backward()\n", "", "loss = F.nll"),
        "trainer": ("        loss.backward()\n", "", "loss = self.loss"),
    },
    "optimizer_wrong_params": {
        "mlp": ("Adam(model.parameters()", "Adam(model.fc3.parameters()", "torch.optim.Adam"),
        "cnn": ("SGD(net.parameters()", "SGD(net.fc.parameters()", "torch.optim.SGD"),
        "sequential": (
            "\nfor epoch in range(3):",
            "model = nn.Sequential(nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10))\n\nfor epoch in range(3):",
            "torch.optim.SGD",
        ),
        "nll": ("scheduler = ", "network = Classifier()\nscheduler = ", "torch.optim.AdamW"),
        "trainer": ("Adam(self.model.parameters()", "Adam(Digits().parameters()", "torch.optim.Adam"),
    },
    "model_reset_each_epoch": {
        "mlp": (
            "for epoch in range(3):\n",
            "for epoch in range(3):\n    model = Net()\n    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)\n",
            "model = Net()",
        ),
        "cnn": (
            (
                "    net = ConvNet()\n"
                "    loss_fn = nn.CrossEntropyLoss()\n"
                "    opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)\n"
                "    for epoch in range(2):\n"
            ),
            (
                "    loss_fn = nn.CrossEntropyLoss()\n"
                "    for epoch in range(2):\n"
                "        net = ConvNet()\n"
                "        opt = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)\n"
            ),
            "net = ConvNet()",
        ),
        "nll": (
            "for epoch in range(1, 4):\n",
            "for epoch in range(1, 4):\n    network = Classifier()\n    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)\n",
            "    network = Classifier()",
        ),
    },
    "lr_too_high": {
        "mlp": ("lr=0.001", "lr=0.5", "torch.optim.Adam"),
        "cnn": ("lr=0.05", "lr=20", "torch.optim.SGD"),
        "sequential": ("lr=0.1", "lr=30", "torch.optim.SGD"),
        "nll": ("lr=2e-3", "lr=3.0", "torch.optim.AdamW"),
        "trainer": ("lr=1e-3", "lr=1", "torch.optim.Adam"),
    },
    "lr_too_low": {
        "mlp": ("lr=0.001", "lr=1e-8", "torch.optim.Adam"),
        "cnn": ("lr=0.05", "lr=1e-7", "torch.optim.SGD"),
        "sequential": ("lr=0.1", "lr=1e-7", "torch.optim.SGD"),
        "nll": ("lr=2e-3", "lr=1e-8", "torch.optim.AdamW"),
        "trainer": ("lr=1e-3", "lr=1e-8", "torch.optim.Adam"),
    },
    "weight_decay_too_high": {
        "mlp": ("lr=0.001)", "lr=0.001, weight_decay=2.0)", "torch.optim.Adam"),
        "cnn": ("momentum=0.9)", "momentum=0.9, weight_decay=1.0)", "torch.optim.SGD"),
        "sequential": ("lr=0.1)", "lr=0.1, weight_decay=1.5)", "torch.optim.SGD"),
        "trainer": ("lr=lr)", "lr=lr, weight_decay=3)", "torch.optim.Adam"),
    },
    "missing_train_mode": {
        "mlp": ("def train_one_epoch():\n    model.train()\n", "def train_one_epoch():\n"),
        "cnn": ("    for epoch in range(2):\n        net.train()\n", "    net.train()\n    for epoch in range(2):\n"),
        "sequential": ("    model.train()\n", ""),
        "nll": ("    model.train()\n", ""),
        "trainer": ("            self.model.train()\n", ""),
    },
    "scheduler_per_batch": {
        "nll": ("        optimizer.step()\n", "        optimizer.step()\n        scheduler.step()\n", "        scheduler.step()"),
        "mlp": ("        optimizer.step()\n", "        optimizer.step()\n        scheduler.step()\n", "scheduler.step()"),
        "cnn": ("            opt.step()\n", "            opt.step()\n            sched.step()\n", "sched.step()"),
    },
    "loss_tensor_kept": {
        "mlp": ("running_loss += loss.item()", "running_loss += loss", "running_loss += loss"),
        "cnn": ("            opt.step()\n", "            opt.step()\n            history.append(loss)\n", "history.append(loss)"),
        "sequential": ("        optimizer.step()\n", "        optimizer.step()\n        losses.append(loss)\n", "losses.append(loss)"),
    },
    "softmax_before_ce": {
        "mlp": ("        x = self.fc3(x)\n", "        x = F.softmax(self.fc3(x), dim=1)\n", "softmax"),
        "cnn": ("        return self.fc(x)", "        return torch.softmax(self.fc(x), dim=1)", "softmax"),
        "sequential": ("    nn.Linear(100, 10),\n", "    nn.Linear(100, 10),\n    nn.Softmax(dim=1),\n", "nn.Softmax"),
        "nll": ("        loss = F.nll_loss(output, target)", "        loss = F.cross_entropy(output.exp(), target)"),
        "trainer": ("        loss = self.loss(logits, targets)", "        loss = self.loss(logits.softmax(1), targets)", "softmax"),
    },
    "logits_into_nll": {
        "mlp": ("nn.CrossEntropyLoss()", "nn.NLLLoss()", "nn.NLLLoss()"),
        "cnn": ("nn.CrossEntropyLoss()", "nn.NLLLoss()", "nn.NLLLoss()"),
        "sequential": ("F.cross_entropy(", "F.nll_loss(", "F.nll_loss("),
        "nll": ("F.log_softmax(self.out(h), dim=1)", "self.out(h)", "loss = F.nll_loss("),
        "trainer": ("nn.CrossEntropyLoss()", "nn.NLLLoss()", "nn.NLLLoss()"),
    },
    "softmax_wrong_dim": {
        "nll": ("F.log_softmax(self.out(h), dim=1)", "F.log_softmax(self.out(h), dim=0)", "log_softmax"),
        "mlp": (
            "        loss = criterion(outputs, labels)",
            "        loss = F.nll_loss(F.log_softmax(outputs, dim=0), labels)",
            "log_softmax",
        ),
        "sequential": ("loss = F.cross_entropy(scores, y)", "loss = F.nll_loss(scores.log_softmax(0), y)", "log_softmax"),
    },
    "regression_loss_for_classes": {
        "mlp": ("self.fc3 = nn.Linear(64, 10)", "self.fc3 = nn.Linear(64, 1)"),
    },
    "inputs_not_scaled": {
        "mlp": (
            "train_images = digits.train.images[:4000].float() / 255",
            "train_images = digits.train.images[:4000].float()",
            "train_images =",
        ),
        "cnn": (".float() / 255", ".float()", "train_x ="),
        "sequential": (".float() / 255.0", ".float()", "X = "),
        "trainer": (" / 255, digits", ".float(), digits", "train_data ="),
    },
    "double_scaling": {
        "mlp": ("        x = x.view(x.size(0), -1)\n", "        x = x.view(x.size(0), -1) / 255\n", "/ 255\n"),
        "cnn": (".float() / 255", ".float() / 255 / 255", "train_x ="),
        "sequential": ("        x, y = X[rows], Y[rows]\n", "        x, y = X[rows] / 255, Y[rows]\n", "x, y = X[rows]"),
        "trainer": (" / 255, digits", " / 255 / 255, digits", "train_data ="),
    },
    "wrong_norm_stats": {
        "mlp": ("        x = x.view(x.size(0), -1)\n", "        x = (x.view(x.size(0), -1) - 33.3) / 78.6  # mean and std\n", "33.3"),
        "cnn": (".float() / 255", ".float().div(255).sub(33.3).div(78.6)", "train_x ="),
    },
    "train_test_preprocess_mismatch": {
        "mlp": ("train_labels = ", "train_images = (train_images - 0.1307) / 0.3081\ntrain_labels = "),
        "cnn": ("train_y = ", "train_x = (train_x - 0.5) / 0.5\ntrain_y = "),
        "sequential": (
            "X_test = digits.test.images[:1000].reshape(1000, 784).float() / 255.0",
            "X_test = digits.test.images[:1000].reshape(1000, 784).float()",
            "X_test =",
        ),
        "nll": ("digits.test.images[:1000].float().div(255)", "digits.test.images[:1000].float()", "test = TensorDataset"),
        "trainer": ("digits.test.images[:640] / 255", "1 - digits.test.images[:640] / 255", "test_data ="),
    },
    "labels_shuffled": {
        "mlp": (
            "train_loader = Data",
            "train_images = train_images[torch.randperm(4000)]\ntrain_labels = train_labels[torch.randperm(4000)]\ntrain_loader = Data",
            "train_labels[torch.randperm",
        ),
        "cnn": ("train_loader = Data", "train_y = train_y[torch.randperm(len(train_y))]\ntrain_loader = Data", "train_y[torch.randperm"),
        "sequential": ("x, y = X[rows], Y[rows]", "x, y = X[rows], Y[torch.randperm(len(Y))[:BATCH]]", "x, y ="),
    },
    "missing_shuffle": {
        "mlp": (
            "train_loader = DataLoader(TensorDataset(train_images, train_labels), batch_size=64, shuffle=True)",
            (
                "order = train_labels.argsort()\n"
                "train_loader = DataLoader(TensorDataset(train_images[order], train_labels[order]), batch_size=64)"
            ),
            "train_loader =",
        ),
        "cnn": (
            "train_loader = DataLoader(TensorDataset(train_x, train_y), batch_size=50, shuffle=True)",
            "by = train_y.argsort()\ntrain_loader = DataLoader(TensorDataset(train_x[by], train_y[by]), batch_size=50)",
            "train_loader =",
        ),
        "sequential": ("order = torch.randperm(len(X))", "order = Y.argsort()", "order ="),
    },
    "same_batch_every_step": {
        "mlp": (
            "    for images, labels in train_loader:\n        optimizer",
            (
                "    for _ in range(len(train_loader)):\n"
                "        images, labels = next(iter(DataLoader(train_loader.dataset, 64)))\n"
                "        optimizer"
            ),
            "next(iter",
        ),
    },
    "train_test_leak": {
        "mlp": (
            "train_loader = DataLoader(TensorDataset(train_images, train_labels)",
            "train_loader = DataLoader(TensorDataset(torch.cat([train_images, test_images]), torch.cat([train_labels, test_labels]))",
            "train_loader =",
        ),
        "cnn": (
            "train_loader = DataLoader(TensorDataset(train_x, train_y)",
            "train_loader = DataLoader(torch.utils.data.ConcatDataset([TensorDataset(train_x, train_y), TensorDataset(test_x, test_y)])",
            "train_loader =",
        ),
        "trainer": (
            "digits.test.images[:640] / 255, digits.test.labels[:640]",
            "digits.train.images[:640] / 255, digits.train.labels[:640]",
            "test_data =",
        ),
    },
    "batch_scramble": {
        "mlp": ("        x = x.view(x.size(0), -1)\n", "        x = x.view(784, -1).t()\n", ".t()"),
        "nll": ("        h = images.flatten(1)\n", "        h = images.reshape(28 * 28, len(images)).T\n", ".T"),
    },
    "no_activation": {
        "mlp": (
            "F.relu(self.fc1(x))\n        x = self.dropout(x)\n        x = F.relu(self.fc2(x))",
            "self.fc1(x)\n        x = self.dropout(x)\n        x = self.fc2(x)",
            "x = self.fc1(x)",
        ),
        "sequential": ("    nn.ReLU(),\n", "", "nn.Sequential("),
        "trainer": ("        return self.act(self.linear(x))", "        return self.linear(x)", "def forward(self, x):\n        x = torch"),
    },
    "relu_on_output": {
        "mlp": ("        x = self.fc3(x)\n", "        x = F.relu(self.fc3(x))\n", "F.relu(self.fc3"),
        "cnn": ("        return self.fc(x)", "        return torch.relu(self.fc(x))", "torch.relu(self.fc("),
        "sequential": ("    nn.Linear(100, 10),\n", "    nn.Linear(100, 10),\n    nn.ReLU(),\n"),
        "trainer": ("        return self.head(x)", "        return self.head(x).relu()", "self.head(x).relu()"),
    },
    "constant_init": {
        "mlp": (
            "model = Net()\n",
            "model = Net()\nfor parameter in model.parameters():\n    nn.init.constant_(parameter, 0.01)\n",
            "nn.init.constant_",
        ),
        "cnn": (
            "    net = ConvNet()\n",
            "    net = ConvNet()\n    for p in net.parameters():\n        nn.init.zeros_(p)\n",
            "nn.init.zeros_",
        ),
        "sequential": (
            "optimizer = ",
            "for layer in model:\n    if isinstance(layer, nn.Linear):\n        layer.weight.data.fill_(0.05)\noptimizer = ",
            "fill_",
        ),
    },
    "init_too_large": {
        "mlp": (
            "model = Net()\n",
            "model = Net()\nfor parameter in model.parameters():\n    nn.init.normal_(parameter, 0, 1)\n",
            "nn.init.normal_",
        ),
        "sequential": ("optimizer = ", "for p in model.parameters():\n    p.data = torch.randn_like(p)\noptimizer = ", "randn_like"),
        "trainer": (
            "        self.act = nn.ReLU()\n",
            "        self.act = nn.ReLU()\n        nn.init.uniform_(self.linear.weight, -2, 2)\n",
            "nn.init.uniform_",
        ),
    },
    "vanishing_sigmoid": {
        "trainer": ("sizes=(784, 120, 84)", "sizes=(784, 60, 60, 60, 60, 60)"),
    },
    "unregistered_layers": {
        "trainer": (
            "nn.ModuleList([Block(a, b) for a, b in zip(sizes, sizes[1:])])",
            "[Block(a, b) for a, b in zip(sizes, sizes[1:])]",
            "self.blocks =",
        ),
        "mlp": ("        self.fc2 = nn.Linear(128, 64)\n", "        self.hidden = [nn.Linear(128, 64)]\n", "self.hidden ="),
    },
    "layers_in_forward": {
        "mlp": ("        x = F.relu(self.fc2(x))\n", "        x = F.relu(nn.Linear(128, 64)(x))\n", "nn.Linear(128, 64)(x)"),
        "cnn": ("        return self.fc(x)", "        return nn.Linear(16 * 7 * 7, 10)(x)", "return nn.Linear"),
    },
    "broken_graph": {
        "mlp": ("        x = F.relu(self.fc2(x))\n", "        x = F.relu(self.fc2(x.data))\n", "x.data"),
        "cnn": ("        x = torch.flatten(x, 1)\n", "        x = torch.flatten(x, 1).detach()\n", "detach"),
        "nll": ("        h = F.relu(self.layer2(h))\n", "        h = F.relu(self.layer2(torch.tensor(h.tolist())))\n", "torch.tensor"),
        "trainer": ("            x = block(x)\n", "            with torch.no_grad():\n                x = block(x)\n", "no_grad"),
    },
    "defined_but_unused": {
        "mlp": ("        x = self.dropout(x)\n", "", "self.dropout = "),
        "cnn": ("torch.relu(self.bn(self.conv2(x)))", "torch.relu(self.conv2(x))", "self.bn = "),
        "nll": ("        h = F.relu(self.layer2(h))\n", "", "self.layer2 = "),
        "trainer": ("        x = self.dropout(x)\n", "", "self.dropout = "),
    },
    "dropout_wrong_place": {
        "mlp": (
            "        x = self.fc3(x)\n        return x",
            "        x = self.dropout(self.fc3(x))\n        return x",
            "self.dropout(self.fc3",
        ),
        "cnn": ("        return self.fc(x)", "        return self.drop(self.fc(x))", "self.drop(self.fc"),
        "sequential": ("    nn.Linear(100, 10),\n", "    nn.Linear(100, 10),\n    nn.Dropout(0.5),\n"),
        "trainer": ("nn.Dropout(0.15)", "nn.Dropout(0.95)", "nn.Dropout(0.95)"),
    },
    "missing_eval": {
        "mlp": ("    model.eval()\n", "", "outputs = model(images)\n            pred"),
        "cnn": ("        net.eval()\n", "", "guess = net(xb)"),
        "sequential": ("    model.eval()\n", "", "test_scores = "),
        "nll": ("    model.eval()\n", "", "output = model(data)\n            test"),
        "trainer": ("        self.model.eval()\n", "", "guesses ="),
    },
    "eval_on_train": {
        "mlp": (
            "        for images, labels in test_loader:",
            "        for images, labels in train_loader:",
            "    with torch.no_grad():\n        for images, labels in train_loader",
        ),
        "cnn": (
            "            for xb, yb in test_loader:",
            "            for xb, yb in train_loader:",
            "            for xb, yb in train_loader",
        ),
        "sequential": (
            "        test_scores = model(X_test)\n        accuracy = (test_scores.argmax(1) == Y_test)",
            "        test_scores = model(X)\n        accuracy = (test_scores.argmax(1) == Y)",
            "test_scores =",
        ),
        "nll": ("    test(network, test_loader)", "    test(network, train_loader)", "test(network, train_loader)"),
        "trainer": (
            "for inputs, targets in self.test_loader:",
            "for inputs, targets in self.train_loader:",
            "self.train_loader:\n            guesses",
        ),
    },
    "early_return_in_loop": {
        "mlp": (
            "            correct += (predicted == labels).sum().item()\n    return correct / total",
            "            correct += (predicted == labels).sum().item()\n            return correct / total",
            "return correct / total",
        ),
        "trainer": (
            "            seen += len(targets)\n        return",
            "            seen += len(targets)\n            return",
            "return right / seen",
        ),
    },
    "stats_reset_in_loop": {
        "mlp": (
            "            outputs = model(images)\n            pred",
            "            correct = 0\n            total = 0\n            outputs = model(images)\n            pred",
            "            correct = 0",
        ),
        "trainer": ("            guesses =", "            right, seen = 0, 0\n            guesses =", "            right, seen = 0, 0"),
    },
    "accuracy_wrong_denominator": {
        "mlp": ("return correct / total", "return correct / len(test_loader)", "len(test_loader)\n"),
        "cnn": ("hits / len(test_loader.dataset)", "hits / len(test_loader)", "hits / len(test_loader)"),
        "nll": ("100.0 * correct / len(loader.dataset)", "100.0 * correct / len(loader)", "100.0 * correct"),
        "trainer": ("return right / seen", "return right / len(self.test_loader)", "return right"),
    },
    "accuracy_broadcast": {
        "mlp": ("(predicted == labels)", "(predicted == labels.unsqueeze(1))", "labels.unsqueeze(1)"),
        "sequential": ("== Y_test)", "== Y_test.view(-1, 1))", "accuracy ="),
        "trainer": ("(guesses == targets)", "(guesses[:, None] == targets)", "guesses[:, None]"),
    },
    "argmax_wrong_dim": {
        "mlp": ("outputs.argmax(dim=1)", "outputs.argmax(dim=0)", "argmax(dim=0)"),
        "cnn": ("net(xb).argmax(1)", "net(xb).argmax(0)", "argmax(0)"),
        "nll": ("output.max(1)[1]", "output.max(0)[1]", "output.max(0)"),
    },
    "fresh_model_evaluated": {
        "nll": ("    test(network, test_loader)", "    test(Classifier(), test_loader)", "test(Classifier()"),
        "mlp": ("def test_model():\n    model.eval()", "def test_model():\n    model = Net()\n    model.eval()", "    model = Net()"),
    },
    "frozen_by_mistake": {
        "mlp": (
            "criterion = ",
            "for parameter in model.fc1.parameters():\n    parameter.requires_grad = False\ncriterion = ",
            "requires_grad = False",
        ),
        "cnn": ("    loss_fn = ", "    net.conv1.requires_grad_(False)\n    loss_fn = ", "requires_grad_(False)"),
    },
    # What raises
    "wrong_flatten_size": {
        "cnn": ("nn.Linear(16 * 7 * 7, 10)", "nn.Linear(16 * 14 * 14, 10)", "nn.Linear(16 * 14"),
        "mlp": ("nn.Linear(128, 64)", "nn.Linear(100, 64)", "nn.Linear(100, 64)"),
    },
    "missing_flatten": {
        "mlp": ("        x = x.view(x.size(0), -1)\n", "", "self.fc1(x)"),
        "nll": ("        h = images.flatten(1)\n", "        h = images\n", "self.layer1(h)"),
        "trainer": ("        x = torch.flatten(x, start_dim=1)\n", ""),
    },
    "flatten_whole_batch": {
        "mlp": ("x.view(x.size(0), -1)", "x.view(-1)", "x.view(-1)"),
        "cnn": ("torch.flatten(x, 1)", "torch.flatten(x)", "torch.flatten(x)"),
        "nll": ("images.flatten(1)", "images.flatten()", "images.flatten()"),
        "trainer": ("torch.flatten(x, start_dim=1)", "torch.flatten(x)", "torch.flatten(x)"),
    },
    "wrong_in_channels": {"cnn": ("nn.Conv2d(1, 8", "nn.Conv2d(3, 8", "nn.Conv2d(3, 8")},
    "missing_channel_dim": {"cnn": ("            pred = net(xb)\n", "            pred = net(xb.squeeze(1))\n")},
    "too_few_classes": {
        "mlp": ("nn.Linear(64, 10)", "nn.Linear(64, 9)", "nn.Linear(64, 9)"),
        "nll": ("nn.Linear(hidden, 10)", "nn.Linear(hidden, 5)", "nn.Linear(hidden, 5)"),
        "sequential": ("nn.Linear(100, 10)", "nn.Linear(100, 9)", "nn.Linear(100, 9)"),
    },
    "missing_super_init": {
        "mlp": ("        super().__init__()\n", "", "def __init__"),
        "cnn": ("        super(ConvNet, self).__init__()\n", "", "def __init__"),
        "nll": ("        super().__init__()\n", "", "def __init__"),
    },
    "forward_returns_none": {
        "mlp": ("        x = self.fc3(x)\n        return x\n", "        x = self.fc3(x)\n", "x = self.fc3(x)"),
        "cnn": ("        return self.fc(x)", "        x = self.fc(x)", "x = self.fc(x)"),
        "nll": ("        return F.log_softmax(", "        h = F.log_softmax(", "h = F.log_softmax("),
        "trainer": ("        return self.head(x)", "        x = self.head(x)", "x = self.head(x)"),
    },
    "forward_typo": {
        "mlp": ("def forward(", "def foward(", "def foward"),
        "cnn": ("def forward(", "def forwards(", "def forwards"),
        "nll": ("def forward(", "def fwd(", "def fwd"),
        "trainer": ("    def forward(self, x):\n        x = torch", "    def foward(self, x):\n        x = torch", "def foward"),
    },
    "class_not_instance": {
        "mlp": ("model = Net()", "model = Net", "model = Net"),
        "nll": ("network = Classifier()", "network = Classifier", "network = Classifier"),
        "cnn": ("net = ConvNet()", "net = ConvNet", "net = ConvNet"),
        "trainer": ("Trainer(Digits(), ", "Trainer(Digits, ", "Trainer(Digits, "),
    },
    "pooled_away": {"cnn": ("self.pool = nn.MaxPool2d(2)", "self.pool = nn.MaxPool2d(8)")},
    "loss_args_swapped": {
        "mlp": ("criterion(outputs, labels)", "criterion(labels, outputs)", "criterion(labels"),
        "cnn": ("loss_fn(pred, yb)", "loss_fn(yb, pred)", "loss_fn(yb"),
        "nll": ("        loss = F.nll_loss(output, target)\n", "        loss = F.nll_loss(target, output)\n", "F.nll_loss(target"),
        "trainer": ("self.loss(logits, targets)", "self.loss(targets, logits)", "self.loss(targets"),
    },
    "label_off_by_one": {
        "mlp": ("train_labels = digits.train.labels[:4000]", "train_labels = digits.train.labels[:4000] + 1", "train_labels ="),
        "cnn": ("train_y = digits.train.labels[:3000]", "train_y = digits.train.labels[:3000] + 1", "train_y ="),
        "sequential": ("Y = digits.train.labels[:5000]", "Y = digits.train.labels[:5000] + 1", "Y ="),
        "nll": ("digits.train.labels[:4000]", "digits.train.labels[:4000] + 1", "train = TensorDataset"),
        "trainer": ("digits.train.labels[:3200]", "digits.train.labels[:3200] + 1", "train_data ="),
    },
    "target_wrong_type": {
        "mlp": ("criterion(outputs, labels)", "criterion(outputs, labels.float())", "labels.float()"),
        "cnn": ("loss_fn(pred, yb)", "loss_fn(pred, yb.unsqueeze(1))", "yb.unsqueeze"),
        "sequential": ("F.cross_entropy(scores, y)", "F.cross_entropy(scores, F.one_hot(y, 10))", "one_hot"),
    },
    "loss_ctor_called_with_tensors": {
        "mlp": ("loss = criterion(outputs, labels)", "loss = nn.CrossEntropyLoss(outputs, labels)", "nn.CrossEntropyLoss(outputs"),
        "sequential": ("F.cross_entropy(scores, y)", "nn.CrossEntropyLoss(scores, y)", "nn.CrossEntropyLoss(scores"),
        "cnn": ("loss = loss_fn(pred, yb)", "loss = nn.CrossEntropyLoss(pred, yb)", "nn.CrossEntropyLoss(pred"),
        "nll": ("        loss = F.nll_loss(output, target)\n", "        loss = nn.NLLLoss(output, target)\n", "nn.NLLLoss(output"),
        "trainer": ("self.loss(logits, targets)", "nn.CrossEntropyLoss(logits, targets)", "nn.CrossEntropyLoss(logits"),
    },
    "loss_on_argmax": {
        "mlp": ("loss = criterion(outputs, labels)", "loss = F.mse_loss(outputs.argmax(1).float(), labels.float())", "F.mse_loss"),
        "cnn": ("loss = loss_fn(pred, yb)", "loss = F.mse_loss(pred.argmax(1).float(), yb.float())", "F.mse_loss"),
        "sequential": ("loss = F.cross_entropy(scores, y)", "loss = F.l1_loss(scores.argmax(1).float(), y.float())", "F.l1_loss"),
        "nll": (
            "        loss = F.nll_loss(output, target)\n",
            "        loss = F.mse_loss(output.argmax(1).float(), target.float())\n",
            "F.mse_loss",
        ),
        "trainer": ("self.loss(logits, targets)", "F.mse_loss(logits.argmax(1).float(), targets.float())", "F.mse_loss"),
    },
    "no_grad_in_training": {
        "mlp": ("def train_one_epoch():", "@torch.no_grad()\ndef train_one_epoch():", "@torch.no_grad()\ndef train"),
        "nll": (
            "    train(network, train_loader, optimizer)\n",
            "    with torch.no_grad():\n        train(network, train_loader, optimizer)\n",
            "    with torch.no_grad():\n        train(",
        ),
        "cnn": ("def main():", "@torch.no_grad()\ndef main():", "@torch.no_grad()\ndef main"),
        "trainer": ("    def fit(self", "    @torch.no_grad()\n    def fit(self", "    @torch.no_grad()\n    def fit"),
    },
    "backward_twice": {
        "mlp": (
            "        loss = criterion(outputs, labels)\n        loss.backward()\n",
            "        total = total + criterion(outputs, labels)\n        total.backward()\n        loss = total\n",
            "total.backward()",
        ),
        "cnn": ("            loss.backward()\n", "            loss.backward()\n            loss.backward()\n", "loss.backward()"),
        "sequential": ("        loss.backward()\n", "        loss.backward()\n        loss.backward()\n", "loss.backward()"),
        "nll": ("        loss.backward()\n", "        loss.backward()\n        loss.backward()\n", "loss.backward()"),
        "trainer": ("        loss.backward()\n", "        loss.backward()\n        loss.backward()\n", "loss.backward()"),
    },
    "max_not_unpacked": {
        "mlp": ("outputs.argmax(dim=1)", "torch.max(outputs, 1)", "torch.max(outputs, 1)"),
        "cnn": ("net(xb).argmax(1)", "net(xb).max(1)", "net(xb).max(1)"),
        "sequential": ("(test_scores.argmax(1) == Y_test)", "(test_scores.max(1) == Y_test)", "test_scores.max(1)"),
        "nll": ("output.max(1)[1]", "output.max(1)", "output.max(1)"),
        "trainer": (".argmax(-1)", ".max(-1)", ".max(-1)"),
    },
    "uint8_input": {
        "mlp": ("digits.train.images[:4000].float() / 255", "digits.train.images[:4000]"),
        "nll": ("digits.train.images[:4000].float().div(255)", "digits.train.images[:4000]"),
        "cnn": ("digits.train.images[:3000].float() / 255", "digits.train.images[:3000]"),
        "sequential": (
            "X = digits.train.images[:5000].reshape(5000, 784).float() / 255.0",
            "X = digits.train.images[:5000].reshape(5000, 784)",
        ),
        "trainer": ("digits.train.images[:3200] / 255", "digits.train.images[:3200]"),
    },
    "plot_grad_tensor": {
        "mlp": (
            "for epoch in range(3):\n",
            (
                "import numpy\n"
                "import numpy as np\n"
                "np.array(criterion(model(train_images[:9]), train_labels[:9]).numpy())\n"
                "for epoch in range(3):\n"
            ),
            "np.array(",
        ),
        "cnn": ("{loss.item():.3f}", "{loss.numpy():.3f}", "loss.numpy()"),
        "sequential": ("loss.item()", "loss.numpy()", "loss.numpy()"),
        "nll": ("round(loss.item(), 4)", "round(float(loss.numpy()), 4)", "loss.numpy()"),
        "trainer": ("return loss.item()", "return loss.numpy()", "loss.numpy()"),
    },
    "load_result_assigned": {
        "mlp": (
            "for epoch in range(3):\n",
            "model = model.load_state_dict(model.state_dict())\nfor epoch in range(3):\n",
            "model = model.load_state_dict",
        ),
        "cnn": (
            "        net.eval()\n",
            "        net = net.load_state_dict(net.state_dict())\n        net.eval()\n",
            "net = net.load_state_dict",
        ),
        "sequential": (
            "    model.eval()\n",
            "    model = model.load_state_dict(model.state_dict())\n    model.eval()\n",
            "model = model.load_state_dict",
        ),
        "nll": (
            "scheduler = ",
            "network = network.load_state_dict(network.state_dict())\nscheduler = ",
            "network = network.load_state_dict",
        ),
        "trainer": (
            "        self.history = []\n",
            "        self.history = []\n        self.model = self.model.load_state_dict(self.model.state_dict())\n",
            "self.model = self.model.load_state_dict",
        ),
    },
    "state_dict_mismatch": {
        "mlp": (
            "for epoch in range(3):\n",
            "model.load_state_dict(nn.Linear(3, 4).state_dict())\nfor epoch in range(3):\n",
            "model.load_state_dict",
        ),
        "cnn": ("    loss_fn = nn", "    net.load_state_dict(nn.Linear(3, 4).state_dict())\n    loss_fn = nn", "net.load_state_dict"),
        "sequential": (
            "optimizer = ",
            "model.load_state_dict(nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10)).state_dict())\noptimizer = ",
            "model.load_state_dict",
        ),
        "nll": ("scheduler = ", "network.load_state_dict(Classifier(32).state_dict())\nscheduler = ", "network.load_state_dict"),
        "trainer": (
            "        self.history = []\n",
            "        self.history = []\n        model.load_state_dict(Digits((784, 100, 84)).state_dict())\n",
            "model.load_state_dict",
        ),
    },
    "full_model_pickle": {
        "mlp": (
            "for epoch in range(3):\n",
            "torch.save(model, 'net.pt')\nmodel = torch.load('net.pt')\nfor epoch in range(3):\n",
            "torch.save(model",
        ),
        "cnn": (
            "        net.eval()\n",
            "        torch.save(net, 'net.pt')\n        net = torch.load('net.pt')\n        net.eval()\n",
            "torch.save(net",
        ),
        "sequential": (
            "    model.eval()\n",
            "    torch.save(model, 'model.pt')\n    model = torch.load('model.pt')\n    model.eval()\n",
            "torch.save(model",
        ),
        "nll": (
            "scheduler = ",
            "torch.save(network, 'network.pt')\nnetwork = torch.load('network.pt')\nscheduler = ",
            "torch.save(network",
        ),
        "trainer": (
            "        self.history = []\n",
            "        self.history = []\n        torch.save(model, 'digits.pt')\n        self.model = torch.load('digits.pt')\n",
            "torch.save(model",
        ),
    },
    "batchnorm_single": {"nll": ("[:4000]", "[:1025]", "DataLoader(train, batch_size")},
    "cuda_unavailable": {"mlp": ("model = Net()\n", "model = Net().cuda()\n", ".cuda()")},
}
# Mutations that need a second change to be a program at all, or that would change two things otherwise.
EXTRA: dict[tuple[str, str], list[tuple[str, str]]] = {
    ("zero_grad_per_epoch", "sequential"): [("        optimizer.zero_grad()\n", "")],
    ("zero_grad_after_backward", "nll"): [("        optimizer.zero_grad()\n", "")],
    ("zero_grad_after_backward", "trainer"): [("        self.optimizer.zero_grad()\n", "")],
    ("scheduler_per_batch", "nll"): [("    test(network, test_loader)\n    scheduler.step()\n", "    test(network, test_loader)\n")],
    ("scheduler_per_batch", "mlp"): [("lr=0.001)\n", "lr=0.001)\nscheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)\n")],
    ("scheduler_per_batch", "cnn"): [
        ("momentum=0.9)\n", "momentum=0.9)\n    sched = torch.optim.lr_scheduler.StepLR(opt, step_size=5, gamma=0.1)\n")
    ],
    ("loss_tensor_kept", "cnn"): [("    for epoch in range(2):\n", "    history = []\n    for epoch in range(2):\n")],
    ("loss_tensor_kept", "sequential"): [("for epoch in range(3):\n", "losses = []\nfor epoch in range(3):\n")],
    ("regression_loss_for_classes", "mlp"): [
        ("nn.CrossEntropyLoss()", "nn.MSELoss()"),
        ("criterion(outputs, labels)", "criterion(outputs, labels.float())"),
        ("outputs.argmax(dim=1)", "outputs.round().squeeze()"),
    ],
    ("unregistered_layers", "mlp"): [("self.fc2(x)", "self.hidden[0](x)")],
    ("backward_twice", "mlp"): [("    running_loss = 0.0\n", "    running_loss = 0.0\n    total = 0\n")],
    ("vanishing_sigmoid", "trainer"): [("nn.ReLU()", "nn.Sigmoid()")],
}
