"""Session 2 in one file: a network that learns to read handwritten digits, in plain PyTorch.

    python session_2_example_code.py                  MNIST from handlens
    python session_2_example_code.py FOLDER           MNIST from its four files (train-images-idx3-ubyte.gz, ...) in FOLDER
    python session_2_example_code.py --plots FOLDER   the figures as files, in place of windows

With --epochs and --examples it is quicker. Lesson 2 runs the same program step by step, lesson 3 explains it.
"""

import argparse
import gzip
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


# ---------------------------------------------------------------------------------------------------------------- data
def read_idx(path):
    """One file of MNIST: two zeros, the type, the number of dimensions, each dimension in four bytes, then the values."""
    content = bytearray(gzip.decompress(path.read_bytes()))
    shape = [int.from_bytes(content[4 + 4 * place : 8 + 4 * place]) for place in range(content[3])]
    return torch.frombuffer(content, dtype=torch.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def load_files(folder):
    """Images and labels for training, then for the test."""
    for part in ("train", "t10k"):
        images, labels = (read_idx(Path(folder, f"{part}-{kind}-ubyte.gz")) for kind in ("images-idx3", "labels-idx1"))
        yield images.unsqueeze(1), labels.long()


def load_from_handlens():
    import handlens as hl

    data = hl.load("mnist", val=0)
    return (data.train.images, data.train.labels), (data.test.images, data.test.labels)


def to_fractions(images):
    """Pixels from 0..255 to 0..1."""
    return images.float() / 255


# ------------------------------------------------------------------------------------------------------------- network
class MNISTNet(nn.Module):
    """784 pixels, 128 neurons, 64 neurons, ten scores."""

    def __init__(self):
        super().__init__()
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(28 * 28, 128)
        self.fc2 = nn.Linear(128, 64)
        self.fc3 = nn.Linear(64, 10)
        self.relu = nn.ReLU()

    def forward(self, images):
        x = self.flatten(images)
        x = self.relu(self.fc1(x))
        x = self.relu(self.fc2(x))
        return self.fc3(x)  # raw scores: the softmax is in the loss


# ---------------------------------------------------------------------------------------------------- training and test
def train_one_epoch(model, loader, loss_function, optimizer):
    """Mean loss, and the share that was right, over one pass."""
    model.train()  # here, not only once: test() below switches it off
    loss_sum, right, seen = 0.0, 0, 0
    for images, labels in loader:
        logits = model(images)
        loss = loss_function(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(labels)
        right += (logits.argmax(1) == labels).sum().item()
        seen += len(labels)
    return loss_sum / seen, right / seen


def test(model, loader):
    """The share of images that is read correctly."""
    model.eval()  # dropout and batch norm, if there are any, as they are for use
    right, seen = 0, 0
    with torch.no_grad():  # nothing to learn from here: saves time and memory
        for images, labels in loader:
            right += (model(images).argmax(1) == labels).sum().item()
            seen += len(labels)
    return right / seen


# -------------------------------------------------------------------------------------------------------------- figures
def draw_digits(images, titles, colours):
    figure, places = plt.subplots(2, 4, figsize=(8, 4.6))
    for place, image, title, colour in zip(places.flat, images, titles, colours, strict=False):
        place.imshow(image.squeeze(), cmap="gray")
        place.set_title(title, color=colour)
        place.axis("off")
    figure.tight_layout()


def draw_curves(history):
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
    epochs = range(1, len(history) + 1)
    for place, values, name in (
        (left, [row[0] for row in history], "training loss"),
        (right, [row[1] for row in history], "training accuracy"),
    ):
        place.plot(epochs, values, marker="o")
        place.set(xlabel="epoch", ylabel=name)
        place.grid(visible=True)
    figure.tight_layout()


def show(name, folder):
    """A window; or a file, where a folder was named."""
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        plt.savefig(Path(folder, f"{name}.png"))
        plt.close()
    else:
        plt.show()


# ----------------------------------------------------------------------------------------------------------------- main
def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", help="where MNIST's files are")
    parser.add_argument("--plots", help="a folder for the figures")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--examples", type=int, default=60_000)
    asked = parser.parse_args()

    torch.manual_seed(42)
    (images, labels), (test_images, test_labels) = load_files(asked.folder) if asked.folder else load_from_handlens()
    images, labels = to_fractions(images[: asked.examples]), labels[: asked.examples]
    test_images = to_fractions(test_images)
    train_loader = DataLoader(TensorDataset(images, labels), batch_size=64, shuffle=True)
    test_loader = DataLoader(TensorDataset(test_images, test_labels), batch_size=1000)
    draw_digits(images, [f"a {label}" for label in labels[:8].tolist()], ["black"] * 8)
    show("samples", asked.plots)

    model = MNISTNet()
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    print(model)
    history = []
    for epoch in range(asked.epochs):
        history.append(train_one_epoch(model, train_loader, loss_function, optimizer))
        print(f"epoch {epoch + 1}/{asked.epochs}  loss {history[-1][0]:.4f}  training accuracy {history[-1][1]:.2%}")
    print(f"test accuracy {test(model, test_loader):.2%}")
    draw_curves(history)
    show("curves", asked.plots)

    with torch.no_grad():
        answers = model(test_images[:8]).argmax(1).tolist()
    hits = [answer == label for answer, label in zip(answers, test_labels.tolist(), strict=False)]
    titles = [
        f"{'✓' if hit else '✗'} {answer}, is a {label}" for hit, answer, label in zip(hits, answers, test_labels.tolist(), strict=False)
    ]
    draw_digits(test_images, titles, ["#0072B2" if hit else "#B84A00" for hit in hits])
    show("predictions", asked.plots)


if __name__ == "__main__":
    main()
