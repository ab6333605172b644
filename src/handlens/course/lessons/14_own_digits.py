# %% [markdown]
# # 14 · Homework 3: your own digits
#
# Write a digit, take a photo, make it 28 x 28, and ask the network: it says 8. Always 8. Nothing is wrong with the network; the picture
# is not what it learned to read. This lesson is about the four steps from a photo to a picture like MNIST's.

# %%
import os

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn.functional import cross_entropy, interpolate, pad

import handlens as hl
from handlens.course.questions import ask, guess, reveal
from handlens.data.drawing import normalize

EXAMPLES = int(os.environ.get("HANDLENS_COURSE_EXAMPLES", "60000"))
data = hl.load("mnist", val=0)
torch.manual_seed(0)
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
for images, labels in hl.batches(data.train.subset(torch.arange(EXAMPLES)), 64):
    loss = cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

# %% [markdown]
# ## Photographs, made from test digits
#
# So that this notebook runs everywhere, 500 test digits take the place of photos: dark ink on light paper, in a corner of a larger sheet.
# The network would read the originals well; how many of these?

# %%
guess("guess-own", "?")

# %% tags=["photos"]
originals, labels = data.test.images[:500].float() / 255, data.test.labels[:500]
ink = interpolate(originals, scale_factor=2)  # 56 x 56
photos = 1 - 0.9 * pad(ink, (60, 12, 44, 16))  # on paper of 116 x 128, down to the right


def read(pictures):
    model.eval()
    with torch.no_grad():
        return f"{(model(pictures).argmax(1) == labels).float().mean().item():.1%}"


def small(pictures):
    return interpolate(pictures, (28, 28), mode="area")


print("the originals:            ", read(originals))
print("photos, only made 28 x 28:", read(small(photos)))

# %%
reveal("guess-own")

# %% [markdown]
# ## Step by step
#
# 1. **Turn it round**: MNIST is white ink on black. 2. **Find the ink** and cut away the paper. 3. **Fit it into 20 x 20**: the box around
# the ink, by its longer side. 4. **Move its centre of mass** into the middle of 28 x 28. (So a digit that is heavy on one side has not
# quite four pixels of margin.) That was done with MNIST's digits, and so it has to be done with yours.


# %% tags=["steps"]
def cut(picture):
    rows, columns = (picture > 0.2).any(1).nonzero().flatten(), (picture > 0.2).any(0).nonzero().flatten()
    return picture[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def fit(picture, size=20):
    scale = size / max(picture.shape)
    shape = [max(1, round(side * scale)) for side in picture.shape]
    return interpolate(picture[None, None], shape, mode="area")[0, 0]


def centre(picture, size=28):
    down, right = torch.meshgrid(*(torch.arange(side) + 0.5 for side in picture.shape), indexing="ij")
    top = round(size / 2 - ((down * picture).sum() / picture.sum()).item())
    left = round(size / 2 - ((right * picture).sum() / picture.sum()).item())
    top, left = min(max(top, 0), size - picture.shape[0]), min(max(left, 0), size - picture.shape[1])
    paper = torch.zeros(size, size)
    paper[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return paper


light = 1 - photos
prepared = torch.stack([centre(fit(cut(picture[0] / picture.max()))) for picture in light])[:, None]
print("turned round:             ", read(small(light)))
print("cut, fitted, centred too: ", read(prepared))
print(
    "handlens' own preparation:",
    read(torch.stack([torch.from_numpy(normalize((picture[0] * 255).byte().numpy()).image).float()[None] / 255 for picture in photos])),
)

# %%
figure, places = plt.subplots(1, 4, figsize=(9, 2.6))
for place, (title, picture) in zip(
    places,
    {"photo": photos[0, 0], "turned round": light[0, 0], "cut out": cut(light[0, 0]), "28 x 28": prepared[0, 0]}.items(),
    strict=True,
):
    place.imshow(picture, cmap="gray", vmin=0, vmax=1)
    place.set_title(title)
    place.axis("off")
plt.show()

# %%
ask("own-picture", "?")

# %% [markdown]
# ## Now yours
#
# `handlens mine template sheet.pdf` makes a page to print, with ten cells for each digit. Write, take a photo, then `handlens mine sheet
# photo.jpg`; or draw in the browser with `handlens draw`. Then `handlens evaluate first --on mine` says how many your network reads
# (`first` is the run of lesson 2), and `handlens mine compare first` says how sure one can be of that with so few digits. A picture that is
# 28 x 28 already must still be light on dark and centred.
#
# <details id="homework-own"><summary>How well does it generalise to your writing, and what limits it?</summary>
#
# Well prepared digits of one's own are usually read somewhat less well than MNIST's test images. What remains after preparation is style:
# MNIST was written by Americans, so a 1 with a long first stroke looks like a 7, and a 7 with a bar through it is rare. With 30 digits your
# measured accuracy is uncertain by some ten points up or down, so write more before you draw conclusions. And adding your own digits to
# the training helps more than a better network.
# </details>
#
# Exercise: `own-data`.
#
# Next: [15 · homework 4, error analysis](15_errors.ipynb)
