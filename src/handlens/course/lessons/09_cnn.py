# %% [markdown]
# # 9 · The challenge: a convolutional network
#
# Thirty-five minutes, on your own. The network of lesson 2 does not know which pixels are neighbours. A CNN (convolutional neural
# network) does: it slides small filters over the picture and asks the same question everywhere. Your task: write a CNN that reads at least
# 98 % of the test images. First come two pages with all that you need, then an empty place for your network.

# %%
import os
import time

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn.functional import conv2d, cross_entropy

import handlens as hl
from handlens.course.questions import ask, guess, reveal

EXAMPLES = int(os.environ.get("HANDLENS_COURSE_EXAMPLES", "60000"))  # on a slow laptop: 10000
EPOCHS = int(os.environ.get("HANDLENS_COURSE_EPOCHS", "3"))
data = hl.load("mnist", val=0)
train = data.train.subset(torch.arange(EXAMPLES))
test = data.test.subset(torch.arange(min(EXAMPLES, len(data.test))))

# %% [markdown]
# ## One filter
#
# A **filter** is a small window of weights, here 3 x 3. A convolution lays it over each place of the picture, multiplies, adds up, and
# writes the sum at that place of a new picture. Another word for filter is **kernel**; `kernel_size=3` means 3 x 3. This filter answers to
# edges with dark above and light below:

# %% tags=["filter"]
edge = torch.tensor([[-1.0, -1, -1], [0, 0, 0], [1, 1, 1]])
image = data.test.images[:1].float() / 255
answer = conv2d(image, edge.reshape(1, 1, 3, 3), padding=1)

# %%
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(9, 3))
for place, picture, title in ((left, image, "image"), (middle, edge, "filter"), (right, answer, "where it answers")):
    shown = {"cmap": "gray"} if place is left else {"cmap": "PuOr_r", "vmin": -4, "vmax": 4}
    place.imshow(picture.squeeze(), **shown)
    place.set_title(title)
    place.axis("off")
plt.show()

# %% [markdown]
# Nine weights instead of 784, and a stroke is found wherever it is. `nn.Conv2d(1, 32, kernel_size=3, padding=1)` learns 32 such filters:
# one channel in (grey), 32 channels out, which are 32 new pictures. `padding=1` puts a border of one black pixel around the picture, so
# that the new pictures are as large as the old one. `nn.MaxPool2d(2)` then keeps the largest of each 2 x 2 square: half the height, half
# the width.
#
# ## Sizes: the one thing to calculate
#
# A filter of k x k pixels with padding p, moved one pixel at a time (stride 1), turns the side of a picture into `side + 2p - k + 1`;
# pooling by 2 halves it. Everybody gets stuck once at the first linear layer: how many numbers arrive there? Guess it for this chain:
# convolution with padding 1, pooling by 2, and both once more. The second convolution has 64 filters.

# %%
guess("guess-flat-size", "?")

# %% [markdown]
# You need not trust your arithmetic. Send one image through, and look:

# %% tags=["sizes"]
x = image
for layer in (
    nn.Conv2d(1, 32, kernel_size=3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Conv2d(32, 64, kernel_size=3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
):
    x = layer(x)
    print(f"{layer.__class__.__name__:<10} {tuple(x.shape)}")

# %%
reveal("guess-flat-size")

# %% [markdown]
# ## Your network
#
# Write it here, or in the file `exercises/11_cnn.py`, which has the same class; then copy it to the other place. Begin with few filters:
# 8 in the first convolution, 16 in the second. Stuck for five minutes? `handlens course hint cnn` in a terminal says a little; with a `2`
# or a `3` behind it, more. Our solution is at the end of this lesson. Open it when yours passes, or after 25 minutes.


# %% tags=["starter"]
class MNISTCNN(nn.Module):
    def __init__(self):
        super().__init__()
        # TODO 1: two convolutions, and a pooling. In: 1 channel of 28 x 28.
        # TODO 2: after them, the linear layers. How many numbers arrive?

    def forward(self, images):
        # TODO 3: convolution, ReLU, pooling; once more; flatten (keep the batch!); the linear layers. Return ten raw scores.
        ...


# %% [markdown]
# The check says what is missing. Change your class, run its cell and this one again, until nothing is missing. The cells below go on with
# your network; as long as it is not done, they take ours, so that you can read on.

# %%
checked = hl.course.check("cnn", MNISTCNN)  # the network alone; the file 11_cnn.py asks for more
CNN, whose = (MNISTCNN, "your") if checked else (hl.course.ours("cnn"), "our")
checked

# %% [markdown]
# ## Training and test
#
# Nothing is new here: the loop and the test are those of lesson 2. What is measured are the test images. (In the
# bonus below others are learned from and measured.)


# %% tags=["cnn-training"]
def train_and_test(model, learned=train, judged=test, epochs=EPOCHS, change=None):
    began = time.perf_counter()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    loader = hl.batches(learned, 64, seed=0)
    for _ in range(epochs):
        model.train()
        for images, labels in loader:
            loss = cross_entropy(model(change(images) if change else images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        right = sum((model(images).argmax(1) == labels).sum().item() for images, labels in hl.batches(judged, 1000))
    return right / len(judged), time.perf_counter() - began


def report(name, model, **knobs):
    accuracy, seconds = train_and_test(model, **knobs)
    weights = sum(weight.numel() for weight in model.parameters())
    print(f"{name:<28} {weights:>8,} weights   accuracy {accuracy:.2%}   {seconds:.1f} s")


# %%
guess("guess-cnn", "?")

# %%
torch.manual_seed(0)
connected = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
report("fully connected", connected)
model = CNN()
report(f"{whose} CNN", model)

# %%
reveal("guess-cnn")

# %% [markdown]
# Our network has 16 and 32 filters. With all 60,000 images, as here, it reads 98.0 to 98.4 % of the test images after two epochs and 98.5
# to 98.6 % after three (three seeds). The file `11_cnn.py` keeps 6,000 images apart and learns from the other 54,000. With 8 and 16
# filters it is 97.4 to 98.2 % after two epochs, with 32 and 64 filters 99.3 % after five (preset `cnn`, 54,000 images, five seeds). Start
# small, and make it larger when it works. (In the project's sources: `python bench/course_tasks.py challenge --epochs 3`, `python
# bench/course_tasks.py "cnn 8-16" --epochs 2`, `python bench/records.py cnn`.)
#
# ## The filters it learned

# %% tags=["filters"]
convolution = next(layer for layer in model.modules() if isinstance(layer, nn.Conv2d))
filters = convolution.weight.detach()[:16]  # at most 16 of them
limit = filters.abs().max().item()
figure, places = plt.subplots(2, 8, figsize=(9, 2.6))
for place in places.flat:
    place.axis("off")
for place, one in zip(places.flat, filters, strict=False):
    drawn = place.imshow(one[0], cmap="PuOr_r", vmin=-limit, vmax=limit)
figure.colorbar(drawn, ax=list(places.flat))
plt.show()

# %% [markdown]
# Orange weights want ink at their place, purple weights want none. A filter with orange on one side and purple on the other answers to an
# edge.

# %%
ask("shared-weights", "?")

# %% [markdown]
# ## Bonus: other filters, batch norm
#
# How large should a filter be, and how many should there be? To see it well we take a network with one convolution only, and train it for
# one epoch. An odd size k with `padding=k // 2` keeps the picture as large as it was. Settings are compared on images that are neither
# learned from nor the test's (`val`, as in lesson 5): the test is for the network that was chosen, once.
#
# **Batch norm** (`nn.BatchNorm2d` between convolution and ReLU) brings each channel to mean 0 and spread 1 over the batch, so training is
# steadier. It behaves differently in `train()` and `eval()`: forget one of the two lines, and the test shows it.


# %% tags=["kernels"]
def one_convolution(filters=8, kernel_size=3, norm=False):
    return nn.Sequential(
        nn.Conv2d(1, filters, kernel_size, padding=kernel_size // 2),
        nn.BatchNorm2d(filters) if norm else nn.Identity(),
        nn.ReLU(),
        nn.MaxPool2d(4),
        nn.Flatten(),
        nn.Linear(filters * 7 * 7, 10),
    )


# %%
guess("guess-kernel", "?")

# %%
apart = hl.load("mnist")  # 54,000 images to learn from, 6,000 to compare by
rest = apart.train.subset(torch.arange(min(EXAMPLES, len(apart.train))))
val = apart.val.subset(torch.arange(min(EXAMPLES, len(apart.val))))
VARIANTS = {
    "8 filters of 1 x 1": {"kernel_size": 1},
    "8 filters of 3 x 3": {},
    "8 filters of 5 x 5": {"kernel_size": 5},
    "8 filters of 7 x 7": {"kernel_size": 7},
    "16 filters of 3 x 3": {"filters": 16},
    "8 of 3 x 3 and batch norm": {"norm": True},
}
for name, knobs in VARIANTS.items():
    torch.manual_seed(0)
    report(name, one_convolution(**knobs), learned=rest, judged=val, epochs=1)

# %%
reveal("guess-kernel")

# %% [markdown]
# With all the images a filter of 1 x 1 reads far worse than the others, and 3 x 3 somewhat worse than 5 x 5; between 5 x 5 and 7 x 7 there
# is hardly a difference. Twice as many filters, or batch norm, help about as much as larger ones. (One seed, one epoch: half a point is
# luck here.) Most CNNs take 3 x 3 and more layers: two filters of 3 x 3, one after the other, see 5 x 5 pixels with 18 weights, not 25.
#
# ## Bonus: augmentation
#
# Move each training image by up to two pixels, at random. A 3 is still a 3. Its mirror image is not: no flips for digits. And the test
# images stay as they are. To wait less, both networks learn from 10,000 images only.


# %% tags=["augmentation"]
def move(images, most=2):
    padded = nn.functional.pad(images, (most, most, most, most))
    corners = torch.randint(0, 2 * most + 1, (len(images), 2)).tolist()  # each image its own
    return torch.stack([one[:, top : top + 28, left : left + 28] for one, (top, left) in zip(padded, corners, strict=True)])


few = apart.train.subset(torch.arange(min(EXAMPLES, 10_000)))
for name, change in (("as they are", None), ("moved", move)):
    torch.manual_seed(0)
    report(f"{whose} CNN, images {name}", CNN(), learned=few, judged=val, change=change)

# %% [markdown]
# Few images are where it helps: our network read 95.2 % of `val` after three epochs with 10,000 images as they are, and 96.7 % with moved
# ones (one seed each). Try it with more images, and with digits of your own that are not centred like MNIST's (lesson 14). If you have
# torchvision, `torchvision.transforms` has such changes ready, for one image at a time: `RandomAffine(degrees=10, translate=(0.07, 0.07))`.
#
# ## Talk about it
#
# <details id="cnn-better"><summary>Why is the CNN better?</summary>
#
# Not because it has more weights: ours has 105,866, the fully connected network 109,386. It is told two things about pictures that the
# other network would have to learn from examples: neighbours belong together, and a stroke is a stroke wherever it is. The filters are
# shared by all places, so each of them learns from all places of all images.
# </details>
#
# <details id="cnn-time"><summary>Why is it slower, then?</summary>
#
# Weights are not work. A filter of nine weights is applied at 28 x 28 places: about 7,000 multiplications for one channel. The linear
# layer uses each of its weights once.
# </details>
#
# ## Your turn
#
# Exercise `cnn`, in class: put your network into `exercises/11_cnn.py`, write the last line that is missing there, and run it: `python
# 11_cnn.py` trains the network and keeps it. Then `handlens course check cnn` measures what it reads. At home: `batch-norm` and
# `augmentation`.
#
# The same from a terminal: `handlens train cnn-small --name cnn`, then `handlens compare first cnn` (`first` is the run of lesson 2).
#
# ## One solution
#
# <details id="cnn-solution"><summary>Open it when yours passes, or after 25 minutes</summary>
#
# {{solution cnn}}
#
# Many others are as good: other sizes, `nn.Sequential`, strides in place of pooling, an average over the last pictures in place of the
# hidden layer.
# </details>
#
# Next: [10 · the worst mistakes, one minute each](10_mistakes_in_training.ipynb)
