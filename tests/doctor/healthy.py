"""Right programs in unusual styles: the doctor must say nothing of them. Each is what follows `IMPORTS`."""

from __future__ import annotations

IMPORTS = """\
import copy
import torch
from torch import nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, IterableDataset, RandomSampler, Subset, TensorDataset
from handlens import data

torch.manual_seed(0)
mnist = data.load("mnist")
X, Y = mnist.train.images[:2000].float() / 255, mnist.train.labels[:2000]
X_test, Y_test = mnist.test.images[:500].float() / 255, mnist.test.labels[:500]
train_loader = DataLoader(TensorDataset(X, Y), batch_size=50, shuffle=True)
test_loader = DataLoader(TensorDataset(X_test, Y_test), batch_size=100)


def mlp(hidden=64):
    return nn.Sequential(nn.Flatten(), nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, 10))


def accuracy(model, loader):
    model.eval()
    hits = 0
    with torch.no_grad():
        for images, labels in loader:
            hits += (model(images).argmax(1) == labels).sum().item()
    return hits / len(loader.dataset)


"""

# The loop that most of them share, where something else is what is unusual: of a `model`, a `loss_fn` and an `optimizer`.
LOOP = """
for epoch in range(2):
    model.train()
    for images, labels in train_loader:
        optimizer.zero_grad()
        loss = loss_fn(model(images), labels)
        loss.backward()
        optimizer.step()
    print("test accuracy", accuracy(model, test_loader))
"""

HEALTHY = {
    "accumulation": """
model = mlp()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(2):
    model.train()
    for i, (images, labels) in enumerate(train_loader):
        loss = F.cross_entropy(model(images), labels) / 4
        loss.backward()
        if (i + 1) % 4 == 0:
            optimizer.step()
            optimizer.zero_grad()
    print("test accuracy", accuracy(model, test_loader))
""",
    "lbfgs": """
model = mlp(16)
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=5)
for step in range(5):
    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(X[:500]), Y[:500])
        loss.backward()
        return loss
    print(step, optimizer.step(closure).item())
print("test accuracy", accuracy(model, test_loader))
""",
    "raw tensors": """
w1 = (torch.randn(784, 50) / 28).requires_grad_()
b1 = torch.zeros(50, requires_grad=True)
w2 = (torch.randn(50, 10) / 7).requires_grad_()
b2 = torch.zeros(10, requires_grad=True)
def net(x):
    return (x.flatten(1) @ w1 + b1).relu() @ w2 + b2
for epoch in range(3):
    for images, labels in train_loader:
        loss = F.cross_entropy(net(images), labels)
        loss.backward()
        with torch.no_grad():
            for p in (w1, b1, w2, b2):
                p -= 0.1 * p.grad
                p.grad.zero_()
    with torch.no_grad():
        print("test accuracy", (net(X_test).argmax(1) == Y_test).float().mean().item())
""",
    "autograd.grad": """
model = mlp()
for epoch in range(2):
    for images, labels in train_loader:
        loss = F.cross_entropy(model(images), labels)
        grads = torch.autograd.grad(loss, list(model.parameters()))
        with torch.no_grad():
            for p, g in zip(model.parameters(), grads):
                p.sub_(0.1 * g)
    print("test accuracy", accuracy(model, test_loader))
""",
    "sampler": """
dataset = TensorDataset(X, Y)
train_loader = DataLoader(dataset, batch_size=50, sampler=RandomSampler(dataset))
model, loss_fn = mlp(), nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
"""
    + LOOP,
    "bce one-hot": """
model, bce = mlp(), nn.BCEWithLogitsLoss()
loss_fn = lambda scores, labels: bce(scores, F.one_hot(labels, 10).float())
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
"""
    + LOOP,
    "mse one-hot": """
model = mlp()
loss_fn = lambda scores, labels: F.mse_loss(scores, F.one_hot(labels, 10).float())
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
"""
    + LOOP,
    "log_softmax + nll": """
model = nn.Sequential(mlp(), nn.LogSoftmax(dim=1))
loss_fn = nn.NLLLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
"""
    + LOOP,
    "softmax in eval": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = mlp()
    def forward(self, x):
        scores = self.body(x)
        return scores if self.training else scores.softmax(1)
model, loss_fn = Net(), nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
"""
    + LOOP
    + "print('it is sure by', model(X_test[:1]).max().item())\n",
    "raw pixels, batch norm first": """
train_loader = DataLoader(TensorDataset(X * 255, Y), batch_size=50, shuffle=True)
test_loader = DataLoader(TensorDataset(X_test * 255, Y_test), batch_size=100)
model, loss_fn = nn.Sequential(nn.BatchNorm2d(1), mlp()), nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
"""
    + LOOP,
    "raw pixels, scaled in forward": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = mlp()
    def forward(self, x):
        return self.body(x.float() / 255)
train_loader = DataLoader(TensorDataset(mnist.train.images[:2000], Y), batch_size=50, shuffle=True)
test_loader = DataLoader(TensorDataset(mnist.test.images[:500], Y_test), batch_size=100)
model, loss_fn = Net(), nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
"""
    + LOOP,
    "full batch": """
model = mlp()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for step in range(60):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(X), Y)
    loss.backward()
    optimizer.step()
print("test accuracy", (model(X_test).argmax(1) == Y_test).float().mean().item())
""",
    "one cycle": """
model = mlp()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.3, total_steps=80)
for epoch in range(2):
    model.train()
    for images, labels in train_loader:
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
        schedule.step()
    print("test accuracy", accuracy(model, test_loader))
""",
    "cosine per batch": """
model = mlp()
optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2 * len(train_loader))
for epoch in range(2):
    model.train()
    for images, labels in train_loader:
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
        schedule.step()
    print("test accuracy", accuracy(model, test_loader))
""",
    "bf16": """
model = mlp()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(2):
    model.train()
    for images, labels in train_loader:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
    print("test accuracy", accuracy(model, test_loader))
""",
    "compiled": """
model, loss_fn = torch.compile(mlp()), nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
"""
    + LOOP,
    "averaged weights": """
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
model = mlp()
slow = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(2):
    for images, labels in train_loader:
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
        slow.update_parameters(model)
    print("test accuracy", accuracy(slow, test_loader))
""",
    "best state": """
model = mlp()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
val = DataLoader(TensorDataset(X[1500:], Y[1500:]), 100)
train_loader = DataLoader(TensorDataset(X[:1500], Y[:1500]), 50, shuffle=True)
best, best_state = 0, None
for epoch in range(3):
    model.train()
    for images, labels in train_loader:
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
    now = accuracy(model, val)
    if now > best:
        best, best_state = now, copy.deepcopy(model.state_dict())
model.load_state_dict(best_state)
print("test accuracy", accuracy(model, test_loader))
""",
    "k-fold": """
scores = []
for fold in range(4):
    held = torch.arange(len(X)) % 4 == fold
    train = DataLoader(TensorDataset(X[~held], Y[~held]), 50, shuffle=True)
    model = mlp()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for images, labels in train:
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
    scores.append(accuracy(model, DataLoader(TensorDataset(X[held], Y[held]), 100)))
    print("fold", fold, "validation accuracy", scores[-1])
""",
    "seeds": """
for seed in range(3):
    torch.manual_seed(seed)
    model = mlp()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(2):
        model.train()
        for images, labels in train_loader:
            optimizer.zero_grad()
            F.cross_entropy(model(images), labels).backward()
            optimizer.step()
    print("seed", seed, "test accuracy", accuracy(model, test_loader))
""",
    "grid on validation": """
train = DataLoader(TensorDataset(X[:1500], Y[:1500]), 50, shuffle=True)
val = DataLoader(TensorDataset(X[1500:], Y[1500:]), 100)
best_score, best_model = 0, None
for hidden in (16, 64):
    for lr in (1e-3, 3e-3):
        model = mlp(hidden)
        optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        for images, labels in train:
            optimizer.zero_grad()
            F.cross_entropy(model(images), labels).backward()
            optimizer.step()
        val_score = accuracy(model, val)
        if val_score > best_score:
            best_score, best_model = val_score, model
print("test accuracy", accuracy(best_model, test_loader))
""",
    "overfit one batch": """
images, labels = next(iter(train_loader))
model = mlp()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for step in range(100):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
print("loss of one batch", loss.item(), "its accuracy", (model(images).argmax(1) == labels).float().mean().item())
""",
    "frozen backbone": """
old = mlp()
optimizer = torch.optim.Adam(old.parameters(), lr=3e-3)
for images, labels in train_loader:
    optimizer.zero_grad()
    F.cross_entropy(old(images), labels).backward()
    optimizer.step()
model, loss_fn = mlp(), nn.CrossEntropyLoss()
model.load_state_dict(old.state_dict())
for p in model[:-1].parameters():
    p.requires_grad = False
model[-1] = nn.Linear(64, 10)
optimizer = torch.optim.Adam(model[-1].parameters(), lr=1e-2)
"""
    + LOOP,
    "softmax regression": """
model, loss_fn = nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
"""
    + LOOP,
    "autoencoder": """
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 784), nn.Sigmoid())
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(2):
    for images, _ in train_loader:
        optimizer.zero_grad()
        loss = nn.MSELoss()(model(images), images.flatten(1))
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        print("test loss", F.mse_loss(model(X_test), X_test.flatten(1)).item())
""",
    "regression": """
x = torch.rand(800, 3) * 4 - 2
y = x[:, :1] ** 2 + torch.sin(x[:, 1:2]) + 0.1 * torch.randn(800, 1)
model = nn.Sequential(nn.Linear(3, 32), nn.Tanh(), nn.Linear(32, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(80):
    optimizer.zero_grad()
    loss = F.mse_loss(model(x[:600]), y[:600])
    loss.backward()
    optimizer.step()
print("test loss", F.mse_loss(model(x[600:]), y[600:]).item())
""",
    "distillation": """
teacher, student = mlp(128), mlp(16)
for model in (teacher, student):
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(2):
        model.train()
        for images, labels in train_loader:
            loss = F.cross_entropy(model(images), labels)
            if model is student:
                with torch.no_grad():
                    soft = F.softmax(teacher(images) / 2, dim=1)
                loss = loss + F.kl_div(F.log_softmax(model(images) / 2, dim=1), soft, reduction="batchmean")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    print("test accuracy", accuracy(model, test_loader))
""",
    "gan": """
G = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 784), nn.Sigmoid())
D = nn.Sequential(nn.Linear(784, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
g_opt = torch.optim.Adam(G.parameters(), lr=2e-4, betas=(0.5, 0.999))
d_opt = torch.optim.Adam(D.parameters(), lr=2e-4, betas=(0.5, 0.999))
bce = nn.BCEWithLogitsLoss()
for epoch in range(2):
    for images, _ in train_loader:
        real, fake = images.flatten(1), G(torch.randn(len(images), 16))
        d_loss = bce(D(real), torch.ones(len(real), 1)) + bce(D(fake.detach()), torch.zeros(len(real), 1))
        d_opt.zero_grad()
        d_loss.backward()
        d_opt.step()
        g_loss = bce(D(fake), torch.ones(len(real), 1))
        g_opt.zero_grad()
        g_loss.backward()
        g_opt.step()
    print(epoch, d_loss.item(), g_loss.item())
""",
    "argparse": """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.1)
parser.add_argument("--epochs", type=int, default=2)
args = parser.parse_args()
model, loss_fn = mlp(), nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=args.lr)
"""
    + LOOP,
    "writes files": """
import os, json
import matplotlib.pyplot as plt
model, loss_fn = mlp(), nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
"""
    + LOOP
    + """
os.makedirs("checkpoints", exist_ok=True)
torch.save(model.state_dict(), "checkpoints/model.pt")
model.load_state_dict(torch.load("checkpoints/model.pt"))
with open("results.json", "w") as file:
    json.dump({"accuracy": accuracy(model, test_loader)}, file)
plt.plot([1, 2, 3])
plt.savefig("curve.png")
plt.show()
""",
    "iterable": """
class Stream(IterableDataset):
    def __iter__(self):
        for i in torch.randperm(len(X)).tolist():
            yield X[i], Y[i]
train_loader = DataLoader(Stream(), batch_size=50)
model, loss_fn = mlp(), nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
"""
    + LOOP,
    "workers": """
if __name__ == "__main__":
    train_loader = DataLoader(TensorDataset(X, Y), batch_size=50, shuffle=True, num_workers=2)
    model, loss_fn = mlp(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
"""
    + LOOP.replace("\n", "\n    "),
    "steps in a class": """
class Module(nn.Module):
    def __init__(self):
        super().__init__()
        self.net, self.drop = mlp(), nn.Dropout(0.1)
        self.optimizer = torch.optim.Adam(self.parameters(), lr=2e-3)
    def forward(self, x):
        return self.net(self.drop(x))
    def train_step(self, batch):
        images, labels = batch
        loss = F.cross_entropy(self(images), labels)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()
    @torch.inference_mode()
    def validation_step(self, batch):
        images, labels = batch
        return (self(images).argmax(1) == labels).float().sum().item()
model = Module()
for epoch in range(2):
    model.train()
    losses = [model.train_step(batch) for batch in train_loader]
    model.eval()
    print(sum(losses) / len(losses), sum(model.validation_step(batch) for batch in test_loader) / len(X_test))
""",
    "accuracy of training": """
model = mlp()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(2):
    model.train()
    for images, labels in train_loader:
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimizer.step()
    print("train accuracy", accuracy(model, train_loader))
    print("test accuracy", accuracy(model, test_loader))
""",
    "no no_grad": """
model, loss_fn = mlp(), nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
def accuracy(model, loader):
    model.eval()
    return sum((model(images).argmax(1) == labels).sum().item() for images, labels in loader) / len(loader.dataset)
"""
    + LOOP,
    "functional dropout": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(784, 64), nn.Linear(64, 10)
    def forward(self, x):
        return self.b(F.dropout(F.relu(self.a(x.flatten(1))), 0.2, training=self.training))
model, loss_fn = Net(), nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
"""
    + LOOP,
    "mc dropout": """
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 10))
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
"""
    + LOOP
    + """
def mc_dropout(images, times=20):
    model.train()  # on purpose: the spread of the answers is what we want
    with torch.no_grad():
        return torch.stack([model(images).softmax(1) for _ in range(times)])
print("uncertainty", mc_dropout(X_test[:50]).std(0).mean().item())
""",
    "label smoothing and class weights": """
model = mlp()
loss_fn = nn.CrossEntropyLoss(weight=torch.linspace(0.8, 1.2, 10), label_smoothing=0.1)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
"""
    + LOOP,
    "clipping": """
model = mlp()
optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
for epoch in range(2):
    model.train()
    for images, labels in train_loader:
        optimizer.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    print("test accuracy", accuracy(model, test_loader))
""",
    "endless iterator": """
def forever(loader):
    while True:
        yield from loader
iterator = forever(train_loader)
model = mlp()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for i in range(150):
    xb, yb = next(iterator)
    optimizer.zero_grad()
    loss = F.cross_entropy(model(xb), yb)
    loss.backward()
    optimizer.step()
    if i % 50 == 49:
        print(i, loss.item(), "test accuracy", accuracy(model, test_loader))
        model.train()
""",
    "scikit-learn's digits": """
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
x, xt, y, yt = train_test_split(*load_digits(return_X_y=True), random_state=0)
x, xt = (torch.tensor(one, dtype=torch.float32) / 16 for one in (x, xt))
y, yt = torch.tensor(y), torch.tensor(yt)
model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(5):
    for rows in torch.randperm(len(x)).split(64):
        optimizer.zero_grad()
        F.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
print("test accuracy", (model(xt).argmax(1) == yt).float().mean().item())
""",
}


def program(name: str) -> str:
    """The text of one of them."""
    return IMPORTS + HEALTHY[name]
