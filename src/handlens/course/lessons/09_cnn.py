# %% [markdown]
# # 9 · The challenge: a convolutional network
#
# Thirty-five minutes, on your own. The network of lesson 2 does not know which pixels are neighbours. A CNN does: it slides small windows
# over the picture and asks everywhere the same question. Your task: build one that reads at least 98 % of the test images. First two
# pages of what you need, then the starter with its TODOs.

# %%
import os
import time

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn.functional import conv2d, cross_entropy

import handlens as hl
from handlens.course.questions import ask, guess, reveal

EXAMPLES = int(os.environ.get("HANDLENS_COURSE_EXAMPLES", "60000"))
EPOCHS = int(os.environ.get("HANDLENS_COURSE_EPOCHS", "3"))
data = hl.load("mnist", val=0)
train = data.train.subset(torch.arange(EXAMPLES))
test = data.test.subset(torch.arange(min(EXAMPLES, len(data.test))))

# %% [markdown]
# ## One window
#
# A convolution lays a 3 x 3 window of weights over each place of the picture, multiplies, adds up, and writes the sum at that place of a
# new picture. This window answers to edges with dark above and light below:

# %% tags=["window"]
window = torch.tensor([[-1.0, -1, -1], [0, 0, 0], [1, 1, 1]])
image = data.test.images[:1].float() / 255
answer = conv2d(image, window.reshape(1, 1, 3, 3), padding=1)

# %%
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(9, 3))
for place, picture, title in ((left, image, "image"), (middle, window, "window"), (right, answer, "where it answers")):
    shown = {"cmap": "gray"} if place is left else {"cmap": "PuOr_r", "vmin": -4, "vmax": 4}
    place.imshow(picture.squeeze(), **shown)
    place.set_title(title)
    place.axis("off")
plt.show()

# %% [markdown]
# Nine weights instead of 784, and a stroke is found wherever it stands. `nn.Conv2d(1, 32, 3, padding=1)` learns 32 such windows: one
# channel in (grey), 32 pictures out. `nn.MaxPool2d(2)` then keeps the largest of each 2 x 2 square: half the height, half the width.
#
# ## Sizes: the one thing to calculate
#
# A window of k pixels with padding p gives `size + 2p - k + 1`; pooling by 2 halves it. Everybody gets stuck once at the first linear
# layer: how many numbers arrive there? Guess: two times (convolution with padding 1, pooling by 2), the second with 64 channels.

# %%
guess("guess-flat-size", "?")

# %% [markdown]
# You need not trust your arithmetic. Send one image through, and look:

# %% tags=["sizes"]
x = image
for layer in (
    nn.Conv2d(1, 32, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(32, 64, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
):
    x = layer(x)
    print(f"{layer.__class__.__name__:<10} {tuple(x.shape)}")

# %%
reveal("guess-flat-size")

# %% [markdown]
# ## The starter
#
# A starter like this one comes with `handlens course start`, and `handlens course check cnn` says after each save how far you are. Hints
# in three levels: `handlens course hint cnn`.
#
# ```python
# class MNISTCNN(nn.Module):
#     def __init__(self):
#         super().__init__()
#         # TODO 1: two blocks of convolution, ReLU, pooling. In: 1 channel of 28 x 28.
#         # TODO 2: after them, the linear layers. How many numbers arrive?
#
#     def forward(self, images):
#         # TODO 3: through the blocks, flatten (keep the batch!), through the linear layers. Return ten raw scores.
#         ...
#
#
# # TODO 4: make the model, the loss, the optimizer, in this order
# # TODO 5: the training loop; print loss and accuracy of each epoch
# # TODO 6: the test, with eval() and no_grad()
# # TODO 7, if there is time: draw the windows of the first layer
# ```
#
# <details id="cnn-solution"><summary>One solution (open it when yours learns, or after 25 minutes)</summary>
#
# The next cells. Many others are as good: other sizes, `nn.Sequential`, strides in place of pooling, an average over the last pictures in
# place of the hidden layer.
# </details>


# %% tags=["cnn"]
class MNISTCNN(nn.Module):
    def __init__(self, first=32, second=64, norm=False):
        super().__init__()
        self.conv1 = nn.Conv2d(1, first, 3, padding=1)
        self.conv2 = nn.Conv2d(first, second, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(first) if norm else nn.Identity()
        self.norm2 = nn.BatchNorm2d(second) if norm else nn.Identity()
        self.pool = nn.MaxPool2d(2)
        self.hidden = nn.Linear(second * 7 * 7, 128)
        self.answers = nn.Linear(128, 10)

    def forward(self, images):
        x = self.pool(self.norm1(self.conv1(images)).relu())  # first x 14 x 14
        x = self.pool(self.norm2(self.conv2(x)).relu())  # second x 7 x 7
        return self.answers(self.hidden(x.flatten(1)).relu())


# %%
hl.course.check("cnn", MNISTCNN)  # the network alone; with train_cnn, test_cnn and conv_filters, all of the exercise


# %% tags=["cnn-training"]
def train_and_test(model, change=None):
    began = time.perf_counter()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    loader = hl.batches(train, 64, seed=0)
    for _ in range(EPOCHS):
        model.train()
        for images, labels in loader:
            loss = cross_entropy(model(change(images) if change else images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        right = sum((model(images).argmax(1) == labels).sum().item() for images, labels in hl.batches(test, 1000))
    return right / len(test), time.perf_counter() - began


# %%
guess("guess-cnn", "?")

# %%
MODELS = {
    "fully connected": lambda: nn.Sequential(
        nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)
    ),
    "CNN 8-16": lambda: MNISTCNN(8, 16),
    "CNN 8-16, batch norm": lambda: MNISTCNN(8, 16, norm=True),
}
for name, make in MODELS.items():
    torch.manual_seed(0)
    model = make()
    accuracy, seconds = train_and_test(model)
    print(f"{name:<21} {sum(w.numel() for w in model.parameters()):>8,} weights   test accuracy {accuracy:.2%}   {seconds:.1f} s")

# %%
reveal("guess-cnn")

# %% [markdown]
# With 8 and 16 windows a laptop needs a quarter of a minute for an epoch or less, and about 98.4 % come out after three epochs; with 32
# and 64 it is 99.3 % after five (full data, means of 3 and 5 seeds, presets `cnn-small` and `cnn`: `python bench/records.py cnn-small
# cnn`). Start small, and make it larger when it works.
#
# ## The windows it learned (TODO 7)

# %% tags=["filters"]
windows = model.conv1.weight.detach()
limit = windows.abs().max().item()
figure, places = plt.subplots(1, len(windows), figsize=(9, 1.6))
for place, one in zip(places, windows, strict=True):
    drawn = place.imshow(one[0], cmap="PuOr_r", vmin=-limit, vmax=limit)
    place.axis("off")
figure.colorbar(drawn, ax=list(places))
plt.show()

# %%
ask("shared-weights", "?")

# %% [markdown]
# ## Bonus
#
# **Batch norm** (`BatchNorm2d` between convolution and ReLU) brings each channel to mean 0 and spread 1 over the batch; training is
# steadier. It behaves differently in `train()` and `eval()`: forget one of the two lines, and the test shows it.
#
# **Augmentation**: move each training image by up to two pixels, by lot. A 3 remains a 3. A mirror image does not remain one: no flips
# for digits. And the test images stay as they are.


# %% tags=["augmentation"]
def move(images, most=2):
    down, right = torch.randint(-most, most + 1, (2,)).tolist()
    padded = nn.functional.pad(images, (most, most, most, most))
    return padded[:, :, most + down : most + down + 28, most + right : most + right + 28]


torch.manual_seed(0)
accuracy, seconds = train_and_test(MNISTCNN(8, 16), change=move)
print(f"CNN 8-16, moved by lot: test accuracy {accuracy:.2%} after {EPOCHS} epochs, {seconds:.1f} s")

# %% [markdown]
# Augmented training often looks *worse* after a few epochs, since its images are harder; its gain comes with more epochs, and on digits
# that are not centred like MNIST's.
#
# **Kernel sizes and numbers of filters**: 5 x 5 with `padding=2`, 4 or 16 windows. **Training time**: the table above has it; count
# multiplications, not weights, to understand it: each window is used at 784 places.
#
# <details id="cnn-better"><summary>Why is the CNN better, with so few weights?</summary>
#
# It is told two things about pictures that the other network would have to learn from examples: neighbours belong together, and a stroke
# is a stroke wherever it stands. The windows are shared by all places, so each of them learns from all places of all images.
# </details>
#
# <details id="cnn-time"><summary>Why is it slower, then?</summary>
#
# Weights are not work. A window of nine weights is applied at 28 x 28 places: about 7,000 multiplications for one channel. The linear
# layer uses each of its weights once.
# </details>
#
# ## Your turn
#
# Exercises `cnn`, then `batch-norm` and `augmentation`.
#
# Next: [10 · the worst mistakes, one minute each](10_mistakes_in_training.ipynb)
