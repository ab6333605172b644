"""Right programs in the styles of tutorials, books and libraries of others, and mistakes in them: what the doctor was not made with."""

from __future__ import annotations

from doctor.programs import Mutant

DATA = """\
import torch
from torch import nn
import torch.nn.functional as F
from handlens import data as handlens_data

mnist = handlens_data.load("mnist")
"""

LOADERS = (
    DATA
    + """\
from torch.utils.data import DataLoader, TensorDataset

train_ds = TensorDataset(mnist.train.images[:3000].float() / 255, mnist.train.labels[:3000])
test_ds = TensorDataset(mnist.test.images[:600].float() / 255, mnist.test.labels[:600])
train_dl = DataLoader(train_ds, batch_size=64, shuffle=True)
test_dl = DataLoader(test_ds, batch_size=128)

"""
)

OUTSIDE = {
    "first example of the library": """\
from __future__ import print_function
import argparse
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.utils.data import DataLoader, Dataset
from torch.optim.lr_scheduler import StepLR
from handlens import data as handlens_data


class Digits(Dataset):
    def __init__(self, split, transform=None):
        self.split, self.transform = split, transform

    def __len__(self):
        return len(self.split.labels)

    def __getitem__(self, index):
        image = self.split.images[index]
        if self.transform is not None:
            image = self.transform(image)
        return image, int(self.split.labels[index])


def to_tensor_and_normalize(image):
    return (image.float() / 255.0 - 0.1307) / 0.3081


class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, 1)
        self.conv2 = nn.Conv2d(8, 16, 3, 1)
        self.dropout1 = nn.Dropout(0.25)
        self.dropout2 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(16 * 12 * 12, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x))
        x = F.max_pool2d(x, 2)
        x = self.dropout1(x)
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = self.dropout2(x)
        x = self.fc2(x)
        output = F.log_softmax(x, dim=1)
        return output


def train(args, model, device, train_loader, optimizer, epoch):
    model.train()
    for batch_idx, (data, target) in enumerate(train_loader):
        data, target = data.to(device), target.to(device)
        optimizer.zero_grad()
        output = model(data)
        loss = F.nll_loss(output, target)
        loss.backward()
        optimizer.step()
        if batch_idx % args.log_interval == 0:
            done = batch_idx * len(data)
            print("Train Epoch: {} [{}/{}]\\tLoss: {:.6f}".format(epoch, done, len(train_loader.dataset), loss.item()))
            if args.dry_run:
                break


def test(model, device, test_loader):
    model.eval()
    test_loss = 0
    correct = 0
    with torch.no_grad():
        for data, target in test_loader:
            data, target = data.to(device), target.to(device)
            output = model(data)
            test_loss += F.nll_loss(output, target, reduction="sum").item()
            pred = output.argmax(dim=1, keepdim=True)
            correct += pred.eq(target.view_as(pred)).sum().item()

    test_loss /= len(test_loader.dataset)
    print("\\nTest set: Average loss: {:.4f}, Accuracy: {}/{}\\n".format(test_loss, correct, len(test_loader.dataset)))


def main():
    parser = argparse.ArgumentParser(description="MNIST Example")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--test-batch-size", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--lr", type=float, default=1.0)
    parser.add_argument("--gamma", type=float, default=0.7)
    parser.add_argument("--no-accel", action="store_true")
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log-interval", type=int, default=10)
    parser.add_argument("--save-model", action="store_true")
    args = parser.parse_args()
    use_accel = not args.no_accel and torch.cuda.is_available()
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if use_accel else "cpu")
    train_kwargs = {"batch_size": args.batch_size}
    test_kwargs = {"batch_size": args.test_batch_size}
    train_kwargs.update({"num_workers": 0, "shuffle": True})
    mnist = handlens_data.load("mnist")
    dataset1 = Digits(mnist.train, transform=to_tensor_and_normalize)
    dataset2 = Digits(mnist.test, transform=to_tensor_and_normalize)
    train_loader = DataLoader(dataset1, **train_kwargs)
    test_loader = DataLoader(dataset2, **test_kwargs)

    model = Net().to(device)
    optimizer = optim.Adadelta(model.parameters(), lr=args.lr)

    scheduler = StepLR(optimizer, step_size=1, gamma=args.gamma)
    for epoch in range(1, args.epochs + 1):
        train(args, model, device, train_loader, optimizer, epoch)
        test(model, device, test_loader)
        scheduler.step()

    if args.save_model:
        torch.save(model.state_dict(), "mnist_cnn.pt")


if __name__ == "__main__":
    main()
""",
    "quickstart": """\
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from handlens import data as handlens_data

fashion = handlens_data.load("fashion-mnist")
training_data = TensorDataset(fashion.train.images.float() / 255, fashion.train.labels)
test_data = TensorDataset(fashion.test.images.float() / 255, fashion.test.labels)
batch_size = 64
train_dataloader = DataLoader(training_data, batch_size=batch_size)
test_dataloader = DataLoader(test_data, batch_size=batch_size)

for X, y in test_dataloader:
    print(f"Shape of X [N, C, H, W]: {X.shape}")
    print(f"Shape of y: {y.shape} {y.dtype}")
    break

device = "cuda" if torch.cuda.is_available() else "cpu"
print(f"Using {device} device")


class NeuralNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.flatten = nn.Flatten()
        self.linear_relu_stack = nn.Sequential(
            nn.Linear(28 * 28, 512),
            nn.ReLU(),
            nn.Linear(512, 512),
            nn.ReLU(),
            nn.Linear(512, 10),
        )

    def forward(self, x):
        x = self.flatten(x)
        logits = self.linear_relu_stack(x)
        return logits


model = NeuralNetwork().to(device)
print(model)
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)


def train(dataloader, model, loss_fn, optimizer):
    size = len(dataloader.dataset)
    model.train()
    for batch, (X, y) in enumerate(dataloader):
        X, y = X.to(device), y.to(device)
        pred = model(X)
        loss = loss_fn(pred, y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if batch % 100 == 0:
            loss, current = loss.item(), (batch + 1) * len(X)
            print(f"loss: {loss:>7f}  [{current:>5d}/{size:>5d}]")


def test(dataloader, model, loss_fn):
    size = len(dataloader.dataset)
    num_batches = len(dataloader)
    model.eval()
    test_loss, correct = 0, 0
    with torch.no_grad():
        for X, y in dataloader:
            X, y = X.to(device), y.to(device)
            pred = model(X)
            test_loss += loss_fn(pred, y).item()
            correct += (pred.argmax(1) == y).type(torch.float).sum().item()
    test_loss /= num_batches
    correct /= size
    print(f"Test Error: Accuracy: {(100 * correct):>0.1f}%, Avg loss: {test_loss:>8f}")


epochs = 5
for t in range(epochs):
    print(f"Epoch {t + 1}")
    train(train_dataloader, model, loss_fn, optimizer)
    test(test_dataloader, model, loss_fn)
print("Done!")
torch.save(model.state_dict(), "model.pth")
model = NeuralNetwork().to(device)
model.load_state_dict(torch.load("model.pth", weights_only=True))
classes = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"]
model.eval()
x, y = test_data[0][0], test_data[0][1]
with torch.no_grad():
    x = x.to(device)
    pred = model(x)
    predicted, actual = classes[pred[0].argmax(0)], classes[y]
    print(f'Predicted: "{predicted}", Actual: "{actual}"')
""",
    "training a classifier": DATA
    + """\
import torch.optim as optim

batch_size = 4
normalized = lambda images: (images.float() / 255 - 0.5) / 0.5
trainset = torch.utils.data.TensorDataset(normalized(mnist.train.images[:8000]), mnist.train.labels[:8000])
trainloader = torch.utils.data.DataLoader(trainset, batch_size=batch_size, shuffle=True, num_workers=0)
testset = torch.utils.data.TensorDataset(normalized(mnist.test.images[:800]), mnist.test.labels[:800])
testloader = torch.utils.data.DataLoader(testset, batch_size=batch_size, shuffle=False, num_workers=0)
classes = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 4 * 4, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        x = self.fc3(x)
        return x


net = Net()
criterion = nn.CrossEntropyLoss()
optimizer = optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
for epoch in range(2):
    running_loss = 0.0
    for i, data in enumerate(trainloader, 0):
        inputs, labels = data
        optimizer.zero_grad()
        outputs = net(inputs)
        loss = criterion(outputs, labels)
        loss.backward()
        optimizer.step()
        running_loss += loss.item()
        if i % 500 == 499:
            print(f"[{epoch + 1}, {i + 1:5d}] loss: {running_loss / 500:.3f}")
            running_loss = 0.0
print("Finished Training")

PATH = "./net.pth"
torch.save(net.state_dict(), PATH)
dataiter = iter(testloader)
images, labels = next(dataiter)
net = Net()
net.load_state_dict(torch.load(PATH, weights_only=True))
outputs = net(images)
_, predicted = torch.max(outputs, 1)
print("Predicted: ", " ".join(f"{classes[predicted[j]]:5s}" for j in range(4)))

correct = 0
total = 0
with torch.no_grad():
    for data in testloader:
        images, labels = data
        outputs = net(images)
        _, predicted = torch.max(outputs, 1)
        total += labels.size(0)
        correct += (predicted == labels).sum().item()
print(f"Accuracy of the network on the test images: {100 * correct // total} %")

correct_pred = {classname: 0 for classname in classes}
total_pred = {classname: 0 for classname in classes}
with torch.no_grad():
    for data in testloader:
        images, labels = data
        outputs = net(images)
        _, predictions = torch.max(outputs, 1)
        for label, prediction in zip(labels, predictions):
            if label == prediction:
                correct_pred[classes[label]] += 1
            total_pred[classes[label]] += 1
for classname, correct_count in correct_pred.items():
    accuracy = 100 * float(correct_count) / total_pred[classname]
    print(f"Accuracy for class: {classname:5s} is {accuracy:.1f} %")
""",
    "bare parameters, batch norm by hand": DATA
    + """\
Xtr, Ytr = mnist.train.images[:4000].view(4000, -1).float() / 255, mnist.train.labels[:4000]
Xte, Yte = mnist.test.images[:500].view(500, -1).float() / 255, mnist.test.labels[:500]
g = torch.Generator().manual_seed(2147483647)
n_hidden = 100
W1 = torch.randn((784, n_hidden), generator=g) * (5 / 3) / 784**0.5
W2 = torch.randn((n_hidden, 10), generator=g) * 0.01
b2 = torch.zeros(10)
bngain, bnbias = torch.ones((1, n_hidden)), torch.zeros((1, n_hidden))
bnmean_running, bnstd_running = torch.zeros((1, n_hidden)), torch.ones((1, n_hidden))
parameters = [W1, W2, b2, bngain, bnbias]
print(sum(p.nelement() for p in parameters))
for p in parameters:
    p.requires_grad = True

lossi = []
for i in range(400):
    ix = torch.randint(0, Xtr.shape[0], (32,), generator=g)
    Xb, Yb = Xtr[ix], Ytr[ix]
    hpreact = Xb @ W1
    bnmeani, bnstdi = hpreact.mean(0, keepdim=True), hpreact.std(0, keepdim=True) + 1e-5
    hpreact = bngain * (hpreact - bnmeani) / bnstdi + bnbias
    with torch.no_grad():
        bnmean_running = 0.99 * bnmean_running + 0.01 * bnmeani
        bnstd_running = 0.99 * bnstd_running + 0.01 * bnstdi
    h = torch.tanh(hpreact)
    logits = h @ W2 + b2
    loss = F.cross_entropy(logits, Yb)
    for p in parameters:
        p.grad = None
    loss.backward()
    lr = 0.1 if i < 300 else 0.01
    for p in parameters:
        p.data += -lr * p.grad
    lossi.append(loss.log10().item())


@torch.no_grad()
def split_loss(split):
    x, y = {"train": (Xtr, Ytr), "test": (Xte, Yte)}[split]
    hpreact = bngain * (x @ W1 - bnmean_running) / bnstd_running + bnbias
    logits = torch.tanh(hpreact) @ W2 + b2
    print(split, F.cross_entropy(logits, y).item())


split_loss("train")
split_loss("test")
""",
    "loss inside the network": DATA
    + """\
import math
from dataclasses import dataclass


@dataclass
class Config:
    n_embd: int = 96
    dropout: float = 0.1
    bias: bool = True


class Net(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.trunk = nn.ModuleDict(
            dict(
                embed=nn.Linear(784, config.n_embd, bias=config.bias),
                drop=nn.Dropout(config.dropout),
                ln_f=nn.LayerNorm(config.n_embd),
            )
        )
        self.head = nn.Linear(config.n_embd, 10, bias=False)
        self.apply(self._init_weights)

    def _init_weights(self, module):
        if isinstance(module, nn.Linear):
            torch.nn.init.normal_(module.weight, mean=0.0, std=0.02)
            if module.bias is not None:
                torch.nn.init.zeros_(module.bias)

    def forward(self, x, targets=None):
        h = self.trunk.drop(F.gelu(self.trunk.embed(x.flatten(1))))
        logits = self.head(self.trunk.ln_f(h))
        loss = None if targets is None else F.cross_entropy(logits, targets)
        return logits, loss

    def configure_optimizers(self, weight_decay, learning_rate):
        decay = [p for p in self.parameters() if p.dim() >= 2]
        nodecay = [p for p in self.parameters() if p.dim() < 2]
        groups = [{"params": decay, "weight_decay": weight_decay}, {"params": nodecay, "weight_decay": 0.0}]
        return torch.optim.AdamW(groups, lr=learning_rate, betas=(0.9, 0.95))


def get_batch(split):
    data = mnist.train if split == "train" else mnist.test
    ix = torch.randint(len(data.labels), (64,))
    return data.images[ix].float() / 255, data.labels[ix]


@torch.no_grad()
def estimate_loss():
    out = {}
    model.eval()
    for split in ["train", "val"]:
        losses = torch.zeros(5)
        for k in range(5):
            X, Y = get_batch(split)
            logits, loss = model(X, Y)
            losses[k] = loss.item()
        out[split] = losses.mean()
    model.train()
    return out


def get_lr(it):
    if it < 20:
        return 1e-3 * (it + 1) / 20
    ratio = (it - 20) / 200
    return 1e-4 + 0.5 * (1.0 + math.cos(math.pi * min(1, ratio))) * (1e-3 - 1e-4)


model = Net(Config())
optimizer = model.configure_optimizers(weight_decay=0.1, learning_rate=1e-3)
X, Y = get_batch("train")
iter_num = 0
while True:
    for param_group in optimizer.param_groups:
        param_group["lr"] = get_lr(iter_num)
    if iter_num % 50 == 0:
        losses = estimate_loss()
        print(f"step {iter_num}: train loss {losses['train']:.4f}, val loss {losses['val']:.4f}")
    for micro_step in range(2):
        logits, loss = model(X, Y)
        loss = loss / 2
        X, Y = get_batch("train")
        loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    iter_num += 1
    if iter_num > 200:
        break
""",
    "module with hooks and a trainer": LOADERS
    + """\
class LitModule(nn.Module):
    def __init__(self):
        super().__init__()
        self.logged = {}

    def log(self, name, value, prog_bar=False):
        self.logged.setdefault(name, []).append(float(value))

    def configure_optimizers(self):
        raise NotImplementedError


class LitDigits(LitModule):
    def __init__(self, hidden=64, lr=2e-3):
        super().__init__()
        self.lr = lr
        self.l1 = nn.Linear(28 * 28, hidden)
        self.drop = nn.Dropout(0.1)
        self.l2 = nn.Linear(hidden, 10)

    def forward(self, x):
        return self.l2(self.drop(torch.relu(self.l1(x.view(x.size(0), -1)))))

    def training_step(self, batch, batch_idx):
        x, y = batch
        loss = F.cross_entropy(self(x), y)
        self.log("train_loss", loss, prog_bar=True)
        return loss

    def validation_step(self, batch, batch_idx):
        x, y = batch
        logits = self(x)
        self.log("val_loss", F.cross_entropy(logits, y))
        self.log("val_acc", (logits.argmax(-1) == y).float().mean())

    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), lr=self.lr)
        return {"optimizer": optimizer, "lr_scheduler": torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=3)}


class Trainer:
    def __init__(self, max_epochs):
        self.max_epochs = max_epochs

    def fit(self, module, train_dataloaders, val_dataloaders=None):
        configured = module.configure_optimizers()
        optimizer, scheduler = configured["optimizer"], configured["lr_scheduler"]
        self.validate(module, val_dataloaders, limit=2)
        for self.current_epoch in range(self.max_epochs):
            module.train()
            for batch_idx, batch in enumerate(train_dataloaders):
                def closure():
                    loss = module.training_step(batch, batch_idx)
                    optimizer.zero_grad()
                    loss.backward()
                    return loss
                optimizer.step(closure)
            scheduler.step()
            self.validate(module, val_dataloaders)
            print({name: round(values[-1], 3) for name, values in module.logged.items()})

    def validate(self, module, loader, limit=None):
        module.eval()
        with torch.inference_mode():
            for batch_idx, batch in enumerate(loader):
                if limit is not None and batch_idx >= limit:
                    break
                module.validation_step(batch, batch_idx)


model = LitDigits()
Trainer(max_epochs=3).fit(model, train_dl, test_dl)
""",
    "compile, fit, evaluate": DATA
    + """\
class Dense(nn.Module):
    def __init__(self, units, activation=None):
        super().__init__()
        self.linear = nn.LazyLinear(units)
        self.activation = {"relu": F.relu, "softmax": lambda x: F.softmax(x, dim=-1), None: lambda x: x}[activation]

    def forward(self, x):
        return self.activation(self.linear(x))


class Sequential(nn.Sequential):
    def compile(self, optimizer, loss, metrics=()):
        self.loss = {"sparse_categorical_crossentropy": F.cross_entropy}[loss]
        self.kind, self.metrics = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}[optimizer], metrics

    def fit(self, x, y, batch_size=32, epochs=1, validation_split=0.0):
        self(x[:1])
        optimizer = self.kind(self.parameters(), lr=1e-3)
        held = int(len(x) * validation_split)
        x, y, x_val, y_val = x[held:], y[held:], x[:held], y[:held]
        history = {"loss": [], "val_accuracy": []}
        for epoch in range(1, epochs + 1):
            self.train()
            total = 0.0
            for rows in torch.randperm(len(x)).split(batch_size):
                optimizer.zero_grad()
                loss = self.loss(self(x[rows]), y[rows])
                loss.backward()
                optimizer.step()
                total += loss.item() * len(rows)
            history["loss"].append(total / len(x))
            history["val_accuracy"].append(self.evaluate(x_val, y_val)[1])
            print(f"Epoch {epoch}/{epochs} - loss: {history['loss'][-1]:.4f} - val_accuracy: {history['val_accuracy'][-1]:.4f}")
        return history

    @torch.no_grad()
    def evaluate(self, x, y):
        self.eval()
        scores = self(x)
        return self.loss(scores, y).item(), (scores.argmax(1) == y).float().mean().item()

    @torch.no_grad()
    def predict(self, x):
        self.eval()
        return F.softmax(self(x), dim=1).numpy()


x_train, y_train = mnist.train.images[:4000].float() / 255.0, mnist.train.labels[:4000]
x_test, y_test = mnist.test.images[:800].float() / 255.0, mnist.test.labels[:800]
model = Sequential(nn.Flatten(), Dense(128, activation="relu"), nn.Dropout(0.2), Dense(10))
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
history = model.fit(x_train, y_train, batch_size=64, epochs=3, validation_split=0.1)
print("test accuracy", model.evaluate(x_test, y_test)[1])
print(model.predict(x_test[:3]).round(2))
""",
    "learner with callbacks": LOADERS
    + """\
import types


class CancelBatch(Exception):
    pass


class Callback:
    order = 0


class DataLoaders:
    def __init__(self, train, valid):
        self.train, self.valid = train, valid


class Metrics(Callback):
    def before_epoch(self, learn):
        self.right, self.n = 0, 0

    def after_batch(self, learn):
        if not learn.training:
            self.right += (learn.preds.argmax(1) == learn.batch[1]).sum().item()
            self.n += len(learn.batch[1])

    def after_epoch(self, learn):
        if not learn.training:
            print("valid accuracy", self.right / self.n)


class OneCycle(Callback):
    def __init__(self, lr_max):
        self.lr_max = lr_max

    def before_fit(self, learn):
        total = learn.n_epochs * len(learn.dls.train)
        self.sched = torch.optim.lr_scheduler.OneCycleLR(learn.opt, self.lr_max, total_steps=total)

    def after_batch(self, learn):
        if learn.training:
            self.sched.step()


class Learner:
    def __init__(self, model, dls, loss_func, lr=0.1, cbs=(), opt_func=torch.optim.SGD):
        self.model, self.dls, self.loss_func, self.lr, self.opt_func = model, dls, loss_func, lr, opt_func
        self.cbs = sorted(cbs, key=lambda cb: cb.order)

    def __call__(self, name):
        for cb in self.cbs:
            getattr(cb, name, lambda learn: None)(self)

    def one_batch(self):
        self.preds = self.model(self.batch[0])
        self.loss = self.loss_func(self.preds, self.batch[1])
        if self.training:
            self.loss.backward()
            self.opt.step()
            self.opt.zero_grad()

    def one_epoch(self, training):
        self.training = training
        self.model.train(training)
        self("before_epoch")
        for self.num, self.batch in enumerate(self.dls.train if training else self.dls.valid):
            try:
                self("before_batch")
                self.one_batch()
                self("after_batch")
            except CancelBatch:
                pass
        self("after_epoch")

    def fit(self, n_epochs):
        self.n_epochs, self.opt = n_epochs, self.opt_func(self.model.parameters(), self.lr)
        self("before_fit")
        for self.epoch in range(n_epochs):
            self.one_epoch(True)
            with torch.no_grad():
                self.one_epoch(False)


def conv(ni, nf, ks=3, stride=2, act=True):
    layer = nn.Conv2d(ni, nf, kernel_size=ks, stride=stride, padding=ks // 2)
    return nn.Sequential(layer, nn.BatchNorm2d(nf), nn.ReLU()) if act else layer


simple_cnn = nn.Sequential(conv(1, 8), conv(8, 16), conv(16, 32), conv(32, 32), conv(32, 10, act=False), nn.Flatten())
learn = Learner(simple_cnn, DataLoaders(train_dl, test_dl), F.cross_entropy, lr=0.02, cbs=[Metrics(), OneCycle(0.1)])
learn.fit(2)
""",
    "estimator": DATA
    + """\
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics import accuracy_score


class Module(nn.Module):
    def __init__(self, num_units=50, nonlin=nn.ReLU()):
        super().__init__()
        self.dense0 = nn.Linear(784, num_units)
        self.nonlin = nonlin
        self.dropout = nn.Dropout(0.1)
        self.output = nn.Linear(num_units, 10)

    def forward(self, X):
        return self.output(self.dropout(self.nonlin(self.dense0(X))))


class NetClassifier(ClassifierMixin, BaseEstimator):
    def __init__(self, module, max_epochs=3, lr=0.01, batch_size=128, criterion=nn.CrossEntropyLoss, optimizer=torch.optim.SGD):
        self.module, self.max_epochs, self.lr, self.batch_size = module, max_epochs, lr, batch_size
        self.criterion, self.optimizer = criterion, optimizer

    def initialize(self):
        self.module_ = self.module()
        self.criterion_ = self.criterion()
        self.optimizer_ = self.optimizer(self.module_.parameters(), lr=self.lr, momentum=0.9)
        return self

    def train_step(self, Xi, yi):
        self.module_.train()
        self.optimizer_.zero_grad()
        loss = self.criterion_(self.module_(Xi), yi)
        loss.backward()
        self.optimizer_.step()
        return loss.item()

    def partial_fit(self, X, y):
        for epoch in range(self.max_epochs):
            order = np.random.permutation(len(X))
            losses = []
            for start in range(0, len(X), self.batch_size):
                rows = order[start : start + self.batch_size]
                losses.append(self.train_step(torch.from_numpy(X[rows]), torch.from_numpy(y[rows])))
            print(epoch + 1, np.mean(losses))
        return self

    def fit(self, X, y):
        return self.initialize().partial_fit(X, y)

    @torch.no_grad()
    def predict_proba(self, X):
        self.module_.eval()
        return torch.softmax(self.module_(torch.from_numpy(X)), dim=-1).numpy()

    def predict(self, X):
        return self.predict_proba(X).argmax(axis=1)


X = mnist.train.images[:4000].reshape(4000, -1).numpy().astype("float32") / 255
y = mnist.train.labels[:4000].numpy().astype("int64")
X_test = mnist.test.images[:800].reshape(800, -1).numpy().astype("float32") / 255
y_test = mnist.test.labels[:800].numpy()
net = NetClassifier(Module, max_epochs=3, lr=0.05)
net.fit(X, y)
print("accuracy on test data", accuracy_score(y_test, net.predict(X_test)))
""",
    "accelerator": LOADERS
    + """\
import contextlib


class Accelerator:
    def __init__(self, gradient_accumulation_steps=1):
        self.every, self.count, self.sync_gradients = gradient_accumulation_steps, 0, True
        self.device = torch.device("cpu")

    def prepare(self, *things):
        return things

    @contextlib.contextmanager
    def accumulate(self, model):
        self.count += 1
        self.sync_gradients = self.count % self.every == 0
        yield

    def backward(self, loss):
        (loss / self.every).backward()

    def clip_grad_norm_(self, parameters, norm):
        if self.sync_gradients:
            nn.utils.clip_grad_norm_(parameters, norm)

    def gather_for_metrics(self, pair):
        return pair

    def print(self, *words):
        print(*words)


class Synced:
    def __init__(self, inner, accelerator):
        self.inner, self.accelerator = inner, accelerator

    def step(self):
        if self.accelerator.sync_gradients:
            self.inner.step()

    def zero_grad(self):
        if self.accelerator.sync_gradients:
            self.inner.zero_grad()


accelerator = Accelerator(gradient_accumulation_steps=2)
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.Tanh(), nn.Dropout(0.1), nn.Linear(64, 10))
inner = torch.optim.AdamW(params=model.parameters(), lr=3e-3)
optimizer = Synced(inner, accelerator)
schedule = torch.optim.lr_scheduler.LambdaLR(inner, lambda step: min(1.0, (step + 1) / 10))
lr_scheduler = Synced(schedule, accelerator)
model, optimizer, train_dl, test_dl, lr_scheduler = accelerator.prepare(model, optimizer, train_dl, test_dl, lr_scheduler)
for epoch in range(3):
    model.train()
    for step, batch in enumerate(train_dl):
        with accelerator.accumulate(model):
            inputs, targets = batch
            loss = F.cross_entropy(model(inputs), targets)
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            lr_scheduler.step()
            optimizer.zero_grad()
    model.eval()
    accurate, num_elems = 0, 0
    for step, batch in enumerate(test_dl):
        with torch.no_grad():
            outputs = model(batch[0])
        predictions, references = accelerator.gather_for_metrics((outputs.argmax(dim=-1), batch[1]))
        accurate_preds = predictions == references
        num_elems += accurate_preds.shape[0]
        accurate += accurate_preds.long().sum()
    accelerator.print(f"epoch {epoch}: {100 * accurate.item() / num_elems:.2f}")
""",
    "engine with events": LOADERS
    + """\
from collections import defaultdict
from enum import Enum, auto


class Events(Enum):
    EPOCH_COMPLETED = auto()
    COMPLETED = auto()


class Engine:
    def __init__(self, process):
        self.process, self.handlers = process, defaultdict(list)

    def on(self, event):
        def register(handler):
            self.handlers[event].append(handler)
            return handler
        return register

    def fire(self, event):
        for handler in self.handlers[event]:
            handler(self)

    def run(self, loader, max_epochs=1):
        for self.epoch in range(1, max_epochs + 1):
            self.outputs = [self.process(self, batch) for batch in loader]
            self.fire(Events.EPOCH_COMPLETED)
        self.fire(Events.COMPLETED)
        return self


def create_supervised_trainer(model, optimizer, loss_fn):
    def update(engine, batch):
        model.train()
        optimizer.zero_grad()
        x, y = batch
        loss = loss_fn(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()
    return Engine(update)


def create_supervised_evaluator(model):
    @torch.no_grad()
    def inference(engine, batch):
        model.eval()
        x, y = batch
        return model(x), y
    return Engine(inference)


model = nn.Sequential(nn.Flatten(), nn.Linear(784, 100), nn.BatchNorm1d(100), nn.LeakyReLU(), nn.Linear(100, 10))
criterion = nn.CrossEntropyLoss()
trainer = create_supervised_trainer(model, torch.optim.RMSprop(model.parameters(), lr=1e-3), criterion)
evaluator = create_supervised_evaluator(model)


@trainer.on(Events.EPOCH_COMPLETED)
def log_validation(engine):
    state = evaluator.run(test_dl)
    scores, labels = (torch.cat(parts) for parts in zip(*state.outputs))
    print(f"epoch {engine.epoch} loss {sum(engine.outputs) / len(engine.outputs):.3f}")
    print(f"test accuracy {(scores.argmax(1) == labels).float().mean():.3f}")


trainer.run(train_dl, max_epochs=3)
""",
    "transformed functions": LOADERS
    + """\
from torch.func import functional_call, grad_and_value

model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
params = {name: p.detach() for name, p in model.named_parameters()}


def compute_loss(params, images, labels):
    return F.cross_entropy(functional_call(model, params, (images,)), labels)


step = grad_and_value(compute_loss)
for epoch in range(2):
    for images, labels in train_dl:
        grads, loss = step(params, images, labels)
        params = {name: p - 0.1 * grads[name] for name, p in params.items()}
    hits = sum((functional_call(model, params, (x,)).argmax(1) == y).sum().item() for x, y in test_dl)
    print("loss", loss.item(), "test accuracy", hits / len(test_ds))
""",
    "book with an accumulator": LOADERS
    + """\
class Accumulator:
    def __init__(self, n):
        self.data = [0.0] * n

    def add(self, *args):
        self.data = [a + float(b) for a, b in zip(self.data, args)]

    def __getitem__(self, idx):
        return self.data[idx]


def accuracy(y_hat, y):
    if len(y_hat.shape) > 1 and y_hat.shape[1] > 1:
        y_hat = y_hat.argmax(axis=1)
    cmp = y_hat.type(y.dtype) == y
    return float(cmp.type(y.dtype).sum())


def evaluate_accuracy(net, data_iter):
    if isinstance(net, torch.nn.Module):
        net.eval()
    metric = Accumulator(2)
    with torch.no_grad():
        for X, y in data_iter:
            metric.add(accuracy(net(X), y), y.numel())
    return metric[0] / metric[1]


def train_epoch_ch3(net, train_iter, loss, updater):
    if isinstance(net, torch.nn.Module):
        net.train()
    metric = Accumulator(3)
    for X, y in train_iter:
        y_hat = net(X)
        l = loss(y_hat, y)
        if isinstance(updater, torch.optim.Optimizer):
            updater.zero_grad()
            l.mean().backward()
            updater.step()
        else:
            l.sum().backward()
            updater(X.shape[0])
        metric.add(float(l.sum()), accuracy(y_hat, y), y.numel())
    return metric[0] / metric[2], metric[1] / metric[2]


def init_weights(m):
    if type(m) == nn.Linear:
        nn.init.normal_(m.weight, std=0.01)


net = nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
net.apply(init_weights)
loss = nn.CrossEntropyLoss(reduction="none")
trainer = torch.optim.SGD(net.parameters(), lr=0.1)
num_epochs = 3
for epoch in range(num_epochs):
    train_loss, train_acc = train_epoch_ch3(net, train_dl, loss, trainer)
    test_acc = evaluate_accuracy(net, test_dl)
    print(f"epoch {epoch + 1}, loss {train_loss:.3f}, train acc {train_acc:.3f}, test acc {test_acc:.3f}")
""",
    "two heads": LOADERS
    + """\
class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU())
        self.digit = nn.Linear(64, 10)
        self.parity = nn.Linear(64, 1)

    def forward(self, x):
        h = self.body(x)
        return {"digit": self.digit(h), "parity": self.parity(h).squeeze(1)}


model = TwoHeads()
optimizer = torch.optim.Adam(model.parameters(), 2e-3)
for epoch in range(3):
    model.train()
    for images, labels in train_dl:
        out = model(images)
        loss = F.cross_entropy(out["digit"], labels) + 0.5 * F.binary_cross_entropy_with_logits(out["parity"], (labels % 2).float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    right = even = 0
    with torch.no_grad():
        for images, labels in test_dl:
            out = model(images)
            right += (out["digit"].argmax(1) == labels).sum().item()
            even += ((out["parity"] > 0) == (labels % 2 == 1)).sum().item()
    print(f"test: digit {right / len(test_ds):.3f} parity {even / len(test_ds):.3f}")
""",
    "triplets": LOADERS
    + """\
encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 16))
criterion = nn.TripletMarginLoss(margin=1.0)
optimizer = torch.optim.Adam(encoder.parameters(), lr=1e-3)
images, labels = train_ds.tensors
by_class = [torch.nonzero(labels == digit).squeeze(1) for digit in range(10)]
for step in range(150):
    anchors, positives, negatives = [], [], []
    for _ in range(32):
        digit, other = torch.randperm(10)[:2].tolist()
        pair = by_class[digit][torch.randint(len(by_class[digit]), (2,))]
        anchors.append(images[pair[0]])
        positives.append(images[pair[1]])
        negatives.append(images[by_class[other][torch.randint(len(by_class[other]), (1,))[0]]])
    loss = criterion(encoder(torch.stack(anchors)), encoder(torch.stack(positives)), encoder(torch.stack(negatives)))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print("triplet loss", loss.item())
with torch.no_grad():
    known, asked = encoder(images), encoder(test_ds.tensors[0])
    nearest = torch.cdist(asked, known).argmin(1)
print("nearest neighbour accuracy", (labels[nearest] == test_ds.tensors[1]).float().mean().item())
""",
    "which way is it turned": LOADERS
    + """\
def rotated(images):
    turns = torch.randint(0, 4, (len(images),))
    return torch.stack([torch.rot90(image, int(k), dims=(-2, -1)) for image, k in zip(images, turns)]), turns


model = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.LazyLinear(4))
model(torch.zeros(1, 1, 28, 28))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(2):
    for images, _ in train_dl:
        x, y = rotated(images)
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    hits = 0
    with torch.no_grad():
        for images, _ in test_dl:
            x, y = rotated(images)
            hits += (model(x).argmax(1) == y).sum().item()
    print("rotation accuracy on test images", hits / len(test_ds))
""",
    "mixup": LOADERS
    + """\
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
beta = torch.distributions.Beta(0.4, 0.4)


def mixup_data(x, y):
    lam = beta.sample().item()
    index = torch.randperm(x.size(0))
    return lam * x + (1 - lam) * x[index], y, y[index], lam


for epoch in range(3):
    model.train()
    for x, y in train_dl:
        mixed, y_a, y_b, lam = mixup_data(x, y)
        pred = model(mixed)
        loss = lam * criterion(pred, y_a) + (1 - lam) * criterion(pred, y_b)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        acc = sum((model(x).argmax(1) == y).sum().item() for x, y in test_dl) / len(test_ds)
    print(f"epoch {epoch}: test acc {acc:.3f}")
""",
    "adversarial": LOADERS
    + """\
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)


def fgsm(model, x, y, eps=0.1):
    x = x.clone().requires_grad_(True)
    F.cross_entropy(model(x), y).backward()
    return (x + eps * x.grad.sign()).clamp(0, 1).detach()


for epoch in range(2):
    for x, y in train_dl:
        x_adv = fgsm(model, x, y)
        optimizer.zero_grad()
        loss = 0.5 * F.cross_entropy(model(x), y) + 0.5 * F.cross_entropy(model(x_adv), y)
        loss.backward()
        optimizer.step()
clean = sum((model(x).argmax(1) == y).sum().item() for x, y in test_dl) / len(test_ds)
robust = sum((model(fgsm(model, x, y)).argmax(1) == y).sum().item() for x, y in test_dl) / len(test_ds)
print(f"test accuracy: clean {clean:.3f}, attacked {robust:.3f}")
""",
    "rows as a sequence": LOADERS
    + """\
class RNN(nn.Module):
    def __init__(self, input_size=28, hidden_size=48, num_layers=1, num_classes=10):
        super(RNN, self).__init__()
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.lstm = nn.LSTM(input_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, num_classes)

    def forward(self, x):
        h0 = torch.zeros(self.num_layers, x.size(0), self.hidden_size)
        c0 = torch.zeros(self.num_layers, x.size(0), self.hidden_size)
        out, _ = self.lstm(x, (h0, c0))
        return self.fc(out[:, -1, :])


model = RNN()
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
total_step = len(train_dl)
for epoch in range(2):
    for i, (images, labels) in enumerate(train_dl):
        images = images.reshape(-1, 28, 28)
        outputs = model(images)
        loss = criterion(outputs, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (i + 1) % 20 == 0:
            print("Epoch [{}/{}], Step [{}/{}], Loss: {:.4f}".format(epoch + 1, 2, i + 1, total_step, loss.item()))
model.eval()
with torch.no_grad():
    correct = 0
    total = 0
    for images, labels in test_dl:
        outputs = model(images.reshape(-1, 28, 28))
        _, predicted = torch.max(outputs.data, 1)
        total += labels.size(0)
        correct += (predicted == labels).sum().item()
    print("Test Accuracy of the model: {} %".format(100 * correct / total))
""",
    "patches and attention": LOADERS
    + """\
class ViT(nn.Module):
    def __init__(self, dim=48, depth=2, heads=4, patch=7):
        super().__init__()
        self.patch = nn.Unfold(patch, stride=patch)
        self.embed = nn.Linear(patch * patch, dim)
        self.cls = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos = nn.Parameter(torch.randn(1, 17, dim) * 0.02)
        layer = nn.TransformerEncoderLayer(dim, heads, dim * 2, dropout=0.1, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, depth, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 10))

    def forward(self, x):
        x = self.embed(self.patch(x).transpose(1, 2))
        x = torch.cat([self.cls.expand(len(x), -1, -1), x], dim=1) + self.pos
        return self.head(self.encoder(x)[:, 0])


vit = ViT()
opt = torch.optim.AdamW(vit.parameters(), lr=1e-3, weight_decay=0.05)
warmup = torch.optim.lr_scheduler.LinearLR(opt, start_factor=0.1, total_iters=20)
for epoch in range(2):
    vit.train()
    for xb, yb in train_dl:
        loss = F.cross_entropy(vit(xb), yb, label_smoothing=0.1)
        opt.zero_grad()
        loss.backward()
        opt.step()
        warmup.step()
    vit.eval()
    with torch.no_grad():
        print("val acc", sum((vit(xb).argmax(-1) == yb).sum() for xb, yb in test_dl).item() / len(test_ds))
""",
    "margins": LOADERS
    + """\
class SVM(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(784, 10))
        self.b = nn.Parameter(torch.zeros(10))

    def forward(self, x):
        return x.flatten(1) @ self.w + self.b


svm = SVM()
hinge = nn.MultiMarginLoss()
optimizer = torch.optim.SGD(svm.parameters(), lr=0.1)
for epoch in range(3):
    for x, y in train_dl:
        loss = hinge(svm(x), y) + 1e-4 * svm.w.square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        print("test accuracy", (svm(test_ds.tensors[0]).argmax(1) == test_ds.tensors[1]).float().mean().item())
""",
    "focal loss, weighted sampler, collate": DATA
    + """\
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

labels = mnist.train.labels[:3000]
dataset = TensorDataset(mnist.train.images[:3000], labels)
weights = 1.0 / torch.bincount(labels).float()
sampler = WeightedRandomSampler(weights[labels], num_samples=len(labels), replacement=True)


def collate(samples):
    images = torch.stack([image for image, _ in samples]).float() / 255
    shift = torch.randint(-2, 3, (2,)).tolist()
    images = torch.roll(images, shift, dims=(-2, -1)) + 0.05 * torch.randn_like(images)
    return images, torch.stack([label for _, label in samples])


train_loader = DataLoader(dataset, batch_size=64, sampler=sampler, collate_fn=collate, drop_last=True)


def focal_loss(scores, target, gamma=2.0):
    logp = F.log_softmax(scores, dim=1).gather(1, target[:, None]).squeeze(1)
    return (-((1 - logp.exp()) ** gamma) * logp).mean()


net = nn.Sequential(
    nn.Conv2d(1, 16, 3, padding=1, groups=1, bias=False),
    nn.GroupNorm(4, 16),
    nn.SiLU(),
    nn.Conv2d(16, 16, 3, padding=1, stride=2, groups=16),
    nn.Conv2d(16, 32, 1),
    nn.SiLU(),
    nn.AdaptiveAvgPool2d(4),
    nn.Flatten(),
    nn.Linear(32 * 16, 10),
)
optim = torch.optim.NAdam(net.parameters(), lr=4e-3)
for epoch in range(2):
    net.train()
    for images, target in train_loader:
        optim.zero_grad()
        loss = focal_loss(net(images), target)
        loss.backward()
        optim.step()
    net.eval()
    with torch.inference_mode():
        scores = torch.cat([net(part.float() / 255) for part in mnist.test.images[:800].split(200)])
    print("loss", loss.item(), "test accuracy", (scores.argmax(1) == mnist.test.labels[:800]).double().mean().item())
""",
    "early stopping": LOADERS
    + """\
import os
from torch.utils.data import random_split

torch.manual_seed(42)
fit_ds, val_ds = random_split(train_ds, [2500, 500])
fit_dl, val_dl = DataLoader(fit_ds, 50, shuffle=True), DataLoader(val_ds, 250)
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1, factor=0.5)


class EarlyStopping:
    def __init__(self, patience=3, path="best.pt"):
        self.patience, self.path, self.best, self.bad = patience, path, float("inf"), 0

    def __call__(self, val_loss, model):
        if val_loss < self.best:
            self.best, self.bad = val_loss, 0
            torch.save(model.state_dict(), self.path)
        else:
            self.bad += 1
        return self.bad >= self.patience


def run_epoch(loader, train):
    model.train(train)
    total, right, seen = 0.0, 0, 0
    with torch.set_grad_enabled(train):
        for x, y in loader:
            out = model(x)
            loss = loss_fn(out, y)
            if train:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            total += loss.item() * len(y)
            right += (out.argmax(1) == y).sum().item()
            seen += len(y)
    return total / seen, right / seen


stopper = EarlyStopping()
for epoch in range(1, 30):
    train_loss, train_acc = run_epoch(fit_dl, True)
    val_loss, val_acc = run_epoch(val_dl, False)
    scheduler.step(val_loss)
    print(f"{epoch:2d} train {train_loss:.3f}/{train_acc:.3f} val {val_loss:.3f}/{val_acc:.3f}")
    if stopper(val_loss, model):
        print("stopped early")
        break
model.load_state_dict(torch.load("best.pt"))
print("test", run_epoch(test_dl, False))
os.remove("best.pt")
""",
    "gradients by hand": DATA
    + """\
X = mnist.train.images[:3000].reshape(3000, -1).double() / 255
y = mnist.train.labels[:3000]
Xt, yt = mnist.test.images[:500].reshape(500, -1).double() / 255, mnist.test.labels[:500]
onehot = torch.zeros(len(y), 10, dtype=torch.double)
onehot[torch.arange(len(y)), y] = 1
W = torch.zeros(784, 10, dtype=torch.double)
b = torch.zeros(10, dtype=torch.double)
for epoch in range(40):
    scores = X @ W + b
    p = torch.exp(scores - scores.max(1, keepdim=True).values)
    p = p / p.sum(1, keepdim=True)
    loss = -(onehot * p.clamp_min(1e-12).log()).sum(1).mean()
    g = (p - onehot) / len(X)
    W -= 0.5 * X.T @ g
    b -= 0.5 * g.sum(0)
    if epoch % 10 == 0:
        print(epoch, loss.item(), "test accuracy", ((Xt @ W + b).argmax(1) == yt).double().mean().item())
""",
    "letters of a text": """\
import torch
import torch.nn as nn
from torch.nn import functional as F

torch.manual_seed(1337)
text = "the quick brown fox jumps over the lazy dog and then the dog sleeps while the fox runs away from here " * 40
chars = sorted(set(text))
stoi = {ch: i for i, ch in enumerate(chars)}
data = torch.tensor([stoi[c] for c in text], dtype=torch.long)
n = int(0.9 * len(data))
train_data, val_data = data[:n], data[n:]
block_size, batch_size, vocab_size = 8, 32, len(chars)


def get_batch(split):
    source = train_data if split == "train" else val_data
    ix = torch.randint(len(source) - block_size, (batch_size,))
    x = torch.stack([source[i : i + block_size] for i in ix])
    y = torch.stack([source[i + 1 : i + block_size + 1] for i in ix])
    return x, y


class LanguageModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.token_embedding_table = nn.Embedding(vocab_size, 32)
        self.gru = nn.GRU(32, 64, batch_first=True)
        self.lm_head = nn.Linear(64, vocab_size)

    def forward(self, idx, targets=None):
        x, _ = self.gru(self.token_embedding_table(idx))
        logits = self.lm_head(x)
        if targets is None:
            return logits, None
        B, T, C = logits.shape
        loss = F.cross_entropy(logits.view(B * T, C), targets.view(B * T))
        return logits, loss

    @torch.no_grad()
    def generate(self, idx, max_new_tokens):
        for _ in range(max_new_tokens):
            logits, _ = self(idx[:, -block_size:])
            probs = F.softmax(logits[:, -1, :], dim=-1)
            idx = torch.cat((idx, torch.multinomial(probs, num_samples=1)), dim=1)
        return idx


m = LanguageModel()
optimizer = torch.optim.AdamW(m.parameters(), lr=1e-2)
for steps in range(150):
    xb, yb = get_batch("train")
    logits, loss = m(xb, yb)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
print(loss.item())
print("".join(chars[i] for i in m.generate(torch.zeros((1, 1), dtype=torch.long), 40)[0].tolist()))
""",
    "which rate": LOADERS
    + """\
# A range test: the rate grows until the loss explodes, which is what we want to see.
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=1e-5)
lrs, losses, best, lr = [], [], float("inf"), 1e-5
batches = iter(train_dl)
for step in range(45):
    images, labels = next(batches)
    for group in optimizer.param_groups:
        group["lr"] = lr
    optimizer.zero_grad()
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    optimizer.step()
    lrs.append(lr)
    losses.append(loss.item())
    best = min(best, loss.item())
    if step > 5 and loss.item() > 4 * best:
        break
    lr *= 1.45
print("lowest loss at lr", lrs[losses.index(min(losses))])
""",
    "one against the rest": LOADERS
    + """\
class OneVsRest(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(784, 64)
        self.out = nn.Linear(64, 10)
        self.act = nn.ELU()

    def forward(self, x):
        return torch.sigmoid(self.out(self.act(self.hidden(x.reshape(x.shape[0], -1)))))


clf = OneVsRest()
bce = nn.BCELoss()
optimizer = torch.optim.Adagrad(clf.parameters(), lr=0.02)
for epoch in range(3):
    epoch_loss = []
    for x, y in train_dl:
        target = torch.zeros(len(y), 10).scatter_(1, y.unsqueeze(1), 1.0)
        loss = bce(clf(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        epoch_loss.append(loss.detach())
    with torch.no_grad():
        hits = sum(int((clf(x).argmax(1) == y).sum()) for x, y in test_dl)
    print(torch.stack(epoch_loss).mean().item(), f"test accuracy {hits}/{len(test_ds)}")
""",
    "ensemble": LOADERS
    + """\
members = [nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 10)) for _ in range(3)]
for number, member in enumerate(members):
    optimizer = torch.optim.Adam(member.parameters(), lr=3e-3)
    member.train()
    for images, labels in train_dl:
        loss = F.cross_entropy(member(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print("member", number, "loss", loss.item())
for member in members:
    member.eval()
correct = 0
with torch.no_grad():
    for images, labels in test_dl:
        probabilities = torch.stack([member(images).softmax(dim=1) for member in members]).mean(dim=0)
        correct += (probabilities.argmax(dim=1) == labels).sum().item()
print("ensemble test accuracy", correct / len(test_ds))
""",
    "steps as a generator": LOADERS
    + """\
from itertools import cycle, islice


def training_steps(model, batches, lr):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, nesterov=True, weight_decay=5e-4)
    for images, labels in batches:
        model.train()
        scores = model(images)
        loss = F.nll_loss(F.log_softmax(scores, -1), labels)
        loss.backward()
        optimizer.step()
        model.zero_grad()
        yield loss.item()


def score(model, batches):
    was = model.training
    model.eval()
    with torch.no_grad():
        pairs = [(model(images).topk(1).indices.squeeze(1), labels) for images, labels in batches]
    model.train(was)
    return torch.cat([guess == label for guess, label in pairs]).float().mean().item()


class Scale(nn.Module):
    def __init__(self, mean, std):
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("std", torch.tensor(std))

    def forward(self, x):
        return (x - self.mean) / self.std


net = nn.Sequential(Scale(0.1307, 0.3081), nn.Flatten(), nn.Linear(784, 80), nn.PReLU(), nn.Dropout(0.1), nn.Linear(80, 10))
for number, loss in enumerate(islice(training_steps(net, cycle(train_dl), 0.05), 120)):
    if number % 40 == 39:
        print(number + 1, f"{loss:.3f}", "test accuracy", f"{score(net, test_dl):.3f}")
""",
    "pruned and trained again": LOADERS
    + """\
import copy
from torch.nn.utils import prune

net = nn.Sequential(nn.Flatten(), nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10))
first = copy.deepcopy(net.state_dict())


def fit(net, epochs=2):
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    for _ in range(epochs):
        for x, y in train_dl:
            optimizer.zero_grad()
            F.cross_entropy(net(x), y).backward()
            optimizer.step()


@torch.no_grad()
def accuracy(net):
    return sum((net(x).argmax(1) == y).sum().item() for x, y in test_dl) / len(test_ds)


fit(net)
print("dense: test accuracy", accuracy(net))
masks = {}
for index in (1, 3):
    prune.l1_unstructured(net[index], "weight", amount=0.8)
    masks[index] = net[index].weight_mask.clone()
    prune.remove(net[index], "weight")
net.load_state_dict(first)
for index, mask in masks.items():
    prune.custom_from_mask(net[index], "weight", mask)
fit(net)
print("sparse: test accuracy", accuracy(net))
""",
    "how many bright pixels": DATA
    + """\
images = mnist.train.images[:2000].float() / 255
counts = (images.flatten(1) > 0.5).sum(1, keepdim=True).float() / 100
test_images = mnist.test.images[:400].float() / 255
test_counts = (test_images.flatten(1) > 0.5).sum(1, keepdim=True).float() / 100
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
loss_fn = nn.HuberLoss()
for epoch in range(5):
    for rows in torch.randperm(len(images)).split(100):
        optimizer.zero_grad()
        loss = loss_fn(model(images[rows]), counts[rows])
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        off = (model(test_images) - test_counts).abs().mean().item()
    print(f"epoch {epoch}: off by {100 * off:.1f} pixels on the test images")
""",
}

# Cause, style: what is replaced, by what, and text of the line that is to be named.
MISTAKES: dict[tuple[str, str], tuple[str, ...]] = {
    ("missing_zero_grad", "training a classifier"): ("        optimizer.zero_grad()\n", "", "loss.backward()"),
    ("missing_zero_grad", "bare parameters, batch norm by hand"): (
        "    for p in parameters:\n        p.grad = None\n",
        "",
        "loss.backward()",
    ),
    ("zero_grad_after_backward", "engine with events"): (
        "        loss.backward()\n",
        "        loss.backward()\n        model.zero_grad()\n",
        "model.zero_grad()",
    ),
    ("softmax_before_ce", "compile, fit, evaluate"): ("Dense(10))", 'Dense(10, activation="softmax"))'),
    ("softmax_before_ce", "learner with callbacks"): ("nn.Flatten())\n", "nn.Flatten(), nn.Softmax(dim=1))\n"),
    ("softmax_before_ce", "rows as a sequence"): (
        "return self.fc(out[:, -1, :])",
        "return torch.softmax(self.fc(out[:, -1, :]), dim=1)",
        "torch.softmax",
    ),
    ("missing_eval", "first example of the library"): ("    model.eval()\n", "", "output = model(data)\n            test"),
    ("missing_eval", "accelerator"): ("    model.eval()\n", "", "outputs = model(batch[0])"),
    ("missing_eval", "estimator"): ("        self.module_.eval()\n", "", "return torch.softmax"),
    ("missing_train_mode", "module with hooks and a trainer"): ("            module.train()\n", ""),
    ("missing_train_mode", "loss inside the network"): ("    model.train()\n", ""),
    ("inputs_not_scaled", "estimator"): ('astype("float32") / 255', 'astype("float32")', "X = mnist"),
    ("lr_too_high", "early stopping"): ("lr=3e-3", "lr=3", "torch.optim.Adam"),
    ("lr_too_high", "two heads"): ("2e-3", "1.0", "torch.optim.Adam"),
    ("lr_too_low", "one against the rest"): ("lr=0.02", "lr=1e-8", "torch.optim.Adagrad"),
    ("optimizer_wrong_params", "module with hooks and a trainer"): (
        "Adam(self.parameters()",
        "Adam(self.l2.parameters()",
        "torch.optim.Adam",
    ),
    ("optimizer_wrong_params", "engine with events"): ("RMSprop(model.parameters()", "RMSprop(model[-1].parameters()", "RMSprop"),
    ("unregistered_layers", "two heads"): (
        "        self.digit = nn.Linear(64, 10)\n        self.parity = nn.Linear(64, 1)\n",
        '        self.heads = {"digit": nn.Linear(64, 10), "parity": nn.Linear(64, 1)}\n',
        "self.heads =",
    ),
    ("broken_graph", "patches and attention"): ("self.encoder(x)", "self.encoder(x.detach())", "x.detach()"),
    ("broken_graph", "two heads"): ("h = self.body(x)", "h = self.body(x).data", ".data"),
    ("no_activation", "compile, fit, evaluate"): ('Dense(128, activation="relu")', "Dense(128)"),
    ("labels_shuffled", "compile, fit, evaluate"): (
        "loss = self.loss(self(x[rows]), y[rows])",
        "loss = self.loss(self(x[rows]), y[torch.randperm(len(y))[: len(rows)]])",
        "torch.randperm(len(y))",
    ),
    ("batch_scramble", "rows as a sequence"): ("reshape(-1, 28, 28)", "reshape(28, -1, 28).transpose(0, 1)", "reshape(28"),
    ("train_test_leak", "early stopping"): ("DataLoader(fit_ds, 50", "DataLoader(train_ds, 50", "fit_dl, val_dl ="),
    ("eval_on_train", "engine with events"): ("evaluator.run(test_dl)", "evaluator.run(train_dl)", "evaluator.run(train_dl)"),
    ("accuracy_wrong_denominator", "mixup"): ("/ len(test_ds)", "/ len(test_dl)", "/ len(test_dl)"),
    ("early_return_in_loop", "book with an accumulator"): (
        "    return metric[0] / metric[1]\n",
        "            return metric[0] / metric[1]\n",
        "return metric[0] / metric[1]",
    ),
    ("argmax_wrong_dim", "focal loss, weighted sampler, collate"): ("scores.argmax(1)", "scores.argmax(0)", "scores.argmax(0)"),
    ("accuracy_broadcast", "one against the rest"): ("clf(x).argmax(1) == y", "clf(x).argmax(1, keepdim=True) == y", "keepdim"),
    ("constant_init", "book with an accumulator"): ("normal_(m.weight, std=0.01)", "constant_(m.weight, 0.01)", "constant_"),
    ("scheduler_per_batch", "accelerator"): (
        "LambdaLR(inner, lambda step: min(1.0, (step + 1) / 10))",
        "ExponentialLR(inner, 0.8)",
        "lr_scheduler.step()",
    ),
    ("state_dict_alias", "pruned and trained again"): ("copy.deepcopy(net.state_dict())", "net.state_dict()", "first ="),
    ("loss_tensor_kept", "training a classifier"): ("running_loss += loss.item()", "running_loss += loss", "running_loss += loss"),
    ("forward_returns_none", "quickstart"): ("        return logits\n", "", "logits = self.linear"),
    ("wrong_flatten_size", "training a classifier"): ("nn.Linear(16 * 4 * 4", "nn.Linear(16 * 5 * 5", "nn.Linear(16 * 5"),
    ("missing_flatten", "quickstart"): ("        x = self.flatten(x)\n", "", "self.linear_relu_stack(x)"),
    ("wrong_in_channels", "training a classifier"): ("nn.Conv2d(1, 6", "nn.Conv2d(3, 6", "nn.Conv2d(3"),
    ("too_few_classes", "rows as a sequence"): ("num_classes=10", "num_classes=9"),
    ("softmax_wrong_dim", "first example of the library"): ("log_softmax(x, dim=1)", "log_softmax(x, dim=0)", "log_softmax"),
    ("logits_into_nll", "steps as a generator"): (
        "F.nll_loss(F.log_softmax(scores, -1), labels)",
        "F.nll_loss(scores, labels)",
        "F.nll_loss",
    ),
    ("missing_step", "learner with callbacks"): ("            self.opt.step()\n", "", "self.loss.backward()"),
    ("missing_backward", "book with an accumulator"): ("            l.mean().backward()\n", "", "l = loss("),
    ("call_without_parentheses", "accelerator"): (
        "            optimizer.zero_grad()\n    model.eval",
        "            optimizer.zero_grad\n    model.eval",
        "optimizer.zero_grad\n",
    ),
    ("dropout_wrong_place", "steps as a generator"): ("nn.Linear(80, 10))", "nn.Linear(80, 10), nn.Dropout(0.5))"),
    ("frozen_by_mistake", "learner with callbacks"): (
        "learn = Learner(",
        "simple_cnn[0].requires_grad_(False)\nlearn = Learner(",
        "requires_grad_(False)",
    ),
    ("train_test_preprocess_mismatch", "estimator"): (
        'mnist.test.images[:800].reshape(800, -1).numpy().astype("float32") / 255',
        'mnist.test.images[:800].reshape(800, -1).numpy().astype("float32")',
        "X_test =",
    ),
    ("double_scaling", "focal loss, weighted sampler, collate"): (".float() / 255", ".float() / 255 / 255", "images = torch.stack"),
    ("weight_decay_too_high", "steps as a generator"): ("weight_decay=5e-4", "weight_decay=2.0", "torch.optim.SGD"),
    ("missing_super_init", "loss inside the network"): ("        super().__init__()\n", "", "def __init__(self, config)"),
    ("fresh_model_evaluated", "training a classifier"): (
        "net.load_state_dict(torch.load(PATH, weights_only=True))\n",
        "",
        "net = Net()\noutputs",
    ),
    ("target_wrong_type", "two heads"): ("(labels % 2).float()", "(labels % 2)", "binary_cross_entropy_with_logits"),
    ("missing_shuffle", "compile, fit, evaluate"): ("torch.randperm(len(x)).split", "y.argsort().split", "y.argsort()"),
    ("relu_on_output", "patches and attention"): ("nn.Linear(dim, 10))", "nn.Linear(dim, 10), nn.ReLU())"),
    ("init_too_large", "loss inside the network"): ("std=0.02", "std=2.0", "normal_"),
    ("no_grad_in_training", "early stopping"): (
        "torch.set_grad_enabled(train)",
        "torch.set_grad_enabled(False)",
        "set_grad_enabled(False)",
    ),
    ("stats_reset_in_loop", "rows as a sequence"): (
        "    for images, labels in test_dl:\n",
        "    for images, labels in test_dl:\n        correct = 0\n",
        "        correct = 0\n        outputs",
    ),
}


def broken() -> list[Mutant]:
    """All of them, each with its mistake."""
    return [Mutant(cause, style, change[0], change[1], "".join(change[2:]), OUTSIDE[style]) for (cause, style), change in MISTAKES.items()]
