# %% [markdown]
# # 2 · The full example: a network that reads digits
#
# Ten minutes. We run the whole program once, from the images to a trained network, before we explain any of it. Read for the shape of it:
# data, network, loop, test. The same program in one file is `session_2_example_code.py`.

# %%
import os

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import handlens as hl
from handlens.course.questions import ask, guess, reveal

torch.manual_seed(42)
EXAMPLES = int(os.environ.get("HANDLENS_COURSE_EXAMPLES", "60000"))  # on a slow laptop: 10000
EPOCHS = int(os.environ.get("HANDLENS_COURSE_EPOCHS", "5"))

# %% [markdown]
# ## The data
#
# MNIST: 60,000 handwritten digits to learn from and 10,000 others for the test. Each is a square of 28 x 28 grey values from 0 (black) to
# 255 (white). `hl.load` finds the files on this computer, or fetches them and checks every byte.

# %% tags=["data"]
data = hl.load("mnist", val=0)
train_images = data.train.images[:EXAMPLES].float() / 255  # from 0..255 to 0..1
train_labels = data.train.labels[:EXAMPLES]
test_images = data.test.images.float() / 255
test_labels = data.test.labels

train_loader = DataLoader(TensorDataset(train_images, train_labels), batch_size=64, shuffle=True)
test_loader = DataLoader(TensorDataset(test_images, test_labels), batch_size=1000)
print(f"{len(train_images):,} images to learn from, {len(test_images):,} for the test, each {tuple(train_images[0].shape)}")

# %%
images, labels = next(iter(train_loader))
figure, places = plt.subplots(2, 4, figsize=(7, 4))
for place, image, label in zip(places.flat, images, labels, strict=False):
    place.imshow(image.squeeze(), cmap="gray")
    place.set_title(f"a {label.item()}")
    place.axis("off")
plt.show()

# %% [markdown]
# ## Is there a GPU?
#
# PyTorch calculates on a **device**: the processor (`cpu`), or a graphics card if there is one (`cuda` for NVIDIA, `mps` on a Mac). Model
# and images must be on the same one. This network is small, so the lessons stay on the CPU, which is there on every computer.

# %% tags=["device"]
device = torch.device("cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu")
on_device = nn.Linear(784, 10).to(device)  # a model is moved once, before its optimizer is made
scores = on_device(images.flatten(1).to(device))  # a tensor is copied: keep what .to() gives back
print(f"the best device here: {device}; the scores are on {scores.device}")

# %% [markdown]
# ## The network
#
# Three layers of weights: 784 pixels in, 128 neurons, 64 neurons, 10 answers out.


# %% tags=["network"]
class MNISTNet(nn.Module):
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
        return self.fc3(x)  # ten raw scores; no softmax here


# %%
model = MNISTNet()
loss_function = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
print(model)
print(f"{sum(weights.numel() for weights in model.parameters()):,} weights")

# %% [markdown]
# ## Guess first
#
# The network has never seen a digit. It will see each training image five times. How many of 10,000 new digits will it read correctly?

# %%
guess("guess-first-accuracy", "?")


# %% [markdown]
# ## The loop
#
# The five lines of session 1, once for each batch of 64 images; around them, what we want to know: the mean loss, and the share that was
# right.


# %% tags=["loop"]
def train_one_epoch():
    model.train()
    loss_sum, right = 0.0, 0
    for images, labels in train_loader:
        logits = model(images)
        loss = loss_function(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum += loss.item() * len(labels)
        right += (logits.argmax(1) == labels).sum().item()
    return loss_sum / len(train_images), right / len(train_images)


def test():
    model.eval()
    right = 0
    with torch.no_grad():
        for images, labels in test_loader:
            right += (model(images).argmax(1) == labels).sum().item()
    return right / len(test_images)


history = []
for epoch in range(EPOCHS):
    loss, accuracy = train_one_epoch()
    history.append((loss, accuracy, test()))
    print(f"epoch {epoch + 1}/{EPOCHS}  loss {loss:.4f}  training accuracy {accuracy:.2%}  test accuracy {history[-1][2]:.2%}")

# %%
reveal("guess-first-accuracy")

# %% [markdown]
# With all 60,000 images and five epochs the test accuracy is 97.5 % (mean of three seeds, 97.4 to 97.7; in the project's sources `python
# bench/course_tasks.py session` repeats it). If yours is far lower, look at `EXAMPLES` above: with few images it should be.
#
# ## The curves
#
# The training accuracy is counted while the weights still move: it is the mean of a network that begins with nothing. So in the first epoch
# it is usually below the test accuracy, which is measured at the epoch's end. (We only look at that: nothing is chosen by the test.)

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3))
epochs = range(1, EPOCHS + 1)
left.plot(epochs, [row[0] for row in history], marker="o")
left.set(xlabel="epoch", ylabel="training loss")
right.plot(epochs, [row[1] for row in history], marker="o", color="#B84A00", label="training images")
right.plot(epochs, [row[2] for row in history], marker="s", linestyle="--", color="#0072B2", label="test images")
right.set(xlabel="epoch", ylabel="accuracy")
right.legend()
plt.tight_layout()
plt.show()

# %% [markdown]
# ## Single predictions

# %%
model.eval()
with torch.no_grad():
    predicted = model(test_images[:8]).argmax(1)
figure, places = plt.subplots(2, 4, figsize=(7, 4.2))
for place, image, label, answer in zip(places.flat, test_images, test_labels, predicted, strict=False):
    place.imshow(image.squeeze(), cmap="gray")
    place.set_title(f"{'✓' if answer == label else '✗'} {answer}, is a {label}", color="#0072B2" if answer == label else "#B84A00")
    place.axis("off")
plt.show()

# %% [markdown]
# Eight out of eight look good, and say little: at 97 % you must look at about thirty digits to meet one mistake. Lesson 15 goes looking
# for them.
#
# ## Check yourself

# %%
ask("unseen", "?")

# %% [markdown]
# The exercises check what you have written, here too. This one asks `MNISTNet` some questions, in a process of its own:

# %%
hl.course.check("mlp-forward", MNISTNet)

# %% [markdown]
# ## Keep a run
#
# handlens trains the same network with one command, and keeps what came of it as a *run*: weights, curves, numbers. Type this in a
# terminal, in your folder `course`. Later lessons look at the run `first`:
#
# `handlens train session --name first`
#
# Next: [3 · the code, piece by piece](03_the_code.ipynb)
