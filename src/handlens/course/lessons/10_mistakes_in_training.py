# %% [markdown]
# # 10 · The worst mistakes, one minute each: the training
#
# Eleven mistakes that everybody makes, the most harmful first: how often they happen, times how silently. Most of them are *silent*: no
# exception, only a network that learns badly. Each cell runs the lines with the mistake and the same lines without it, on a few made-up
# pictures of ten kinds, so that you see the numbers side by side. Cover the right half, and guess it first.
#
# `net()` makes a small network, `learn(model)` trains it and prints its first and last loss. More about each: `handlens doctor --explain
# softmax_before_ce`. And `handlens doctor my_program.py` looks for all of them in a program of yours; `with hl.doctor():` does it around
# a cell.

# %%
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import handlens as hl
from handlens.course.questions import ask
from handlens.course.side_by_side import mistake

# %% [markdown]
# ## Softmax twice
#
# The most harmful one. The network learns, more slowly, and its loss stops near 1.46; the accuracy looks nearly normal, so
# nobody notices.

# %%
mistake("softmax_before_ce")

# %% [markdown]
# ## Gradients that pile up
#
# PyTorch adds new gradients to the old ones, on purpose. Without `zero_grad()` each step goes where *all* batches so far wanted to go.

# %%
mistake("missing_zero_grad")

# %% [markdown]
# ## Pixels up to 255
#
# The first loss tells it: far above 2.30, which is what pure guessing costs. Print it once.

# %%
mistake("inputs_not_scaled")

# %% [markdown]
# ## How many numbers arrive?
#
# This one crashes, with two shapes that do not fit. The number that you need is in the message: the second of the first pair.

# %%
mistake("wrong_flatten_size")

# %% [markdown]
# ## Steps that are too long
#
# The loss jumps, or sits at 2.30, or becomes nan. Try a tenth.

# %%
mistake("lr_too_high")

# %% [markdown]
# ## Steps that are too short
#
# It looks the same at first sight: a loss that stays. What helps is the opposite, so try both ways.

# %%
mistake("lr_too_low")

# %% [markdown]
# ## Nobody moves the weights
#
# The gradients are there, and nothing uses them. The loss is the same to the last digit.

# %%
mistake("missing_step")

# %% [markdown]
# ## Train mode, only once
#
# The test switches to eval mode, and nobody switches back. Dropout works in the first epoch only. The order of the session's own
# functions invites this.

# %%
mistake("missing_train_mode")

# %% [markdown]
# ## Layers in a plain list
#
# PyTorch finds layers that are attributes, or that stand in an `nn.ModuleList`. A Python list is not looked into: these layers never
# learn, and are not saved either.

# %%
mistake("unregistered_layers")

# %% [markdown]
# ## An optimizer for another network
#
# Made before the network was made anew, as happens when one runs the cells of a notebook twice in another order. It moves weights that
# nobody uses.

# %%
mistake("optimizer_wrong_params")

# %% [markdown]
# ## A cut in the middle
#
# `.data`, `.detach()`, `.item()` or `.numpy()` inside `forward`: everything before it stops learning; what comes behind still learns, and
# so it half works.

# %%
mistake("broken_graph")

# %% [markdown]
# ## The same on MNIST
#
# Five of them once more, with real digits: 2,000 images, two epochs. Compare each line with the first.


# %%
data = hl.load("mnist", val=0)
few = data.train.subset(torch.arange(2000))


def train_and_test(*, scale=1.0, lr=0.001, clear=True, softmax=False):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    losses, loader = [], hl.batches(few, 50, seed=0)
    for _ in range(2):
        for images, labels in loader:
            logits = model(images * scale)
            loss = cross_entropy(logits.softmax(1) if softmax else logits, labels)
            if clear:
                optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    with torch.no_grad():
        right = (model(data.test.images[:2000] / 255 * scale).argmax(1) == data.test.labels[:2000]).float().mean().item()
    return losses[0], losses[-1], right


for name, knobs in {
    "as it should be": {},
    "softmax twice": {"softmax": True},
    "no zero_grad": {"clear": False},
    "pixels up to 255": {"scale": 255.0},
    "learning rate 1": {"lr": 1.0},
    "learning rate 0.000001": {"lr": 1e-6},
}.items():
    first, last, right = train_and_test(**knobs)
    print(f"{name:<24} loss {first:6.2f} -> {last:5.2f}   accuracy {right:.1%}")

# %% [markdown]
# Pixels up to 255 are nearly made good by Adam, which adapts its steps to the size of the gradients; with plain SGD they are not. That is
# why mistakes live so long: something often hides them.

# %%
ask("first-loss", "?")

# %% [markdown]
# <details id="mistakes-silent"><summary>How does one notice a mistake that does not crash?</summary>
#
# Three numbers, each costs one line. The first loss: is it near ln 10 = 2.30? One batch of 64 images, a hundred steps: does its loss go
# to 0? And after one step: did the weights of *every* layer change? If all three are as they should be, the loop is sound, and you may
# look for the cause in the data or the measuring.
# </details>
#
# Next: [11 · the worst mistakes in measuring](11_mistakes_in_measuring.ipynb)
