# %% [markdown]
# # 4 · Task 1: wider, smaller, deeper
#
# How many neurons does a digit need? Twelve minutes: write a function that builds networks, guess, run, compare, and find out how much of
# a difference is luck.

# %%
import os

import torch
from torch import nn
from torch.nn.functional import cross_entropy

import handlens as hl
from handlens.course.questions import ask, guess, reveal

EXAMPLES = int(os.environ.get("HANDLENS_COURSE_EXAMPLES", "60000"))
EPOCHS = int(os.environ.get("HANDLENS_COURSE_EPOCHS", "3"))
data = hl.load("mnist")  # 6,000 of the training images are kept apart to compare by: val
train = data.train.subset(torch.arange(min(EXAMPLES, len(data.train))))

# %% [markdown]
# ## Write it: a network of any sizes
#
# In lesson 2 each layer has a line of its own. Now one function is to build any network: `make_net([256, 128])` makes 784 → 256 → 128 →
# 10, `make_net([32])` makes 784 → 32 → 10. What comes out of one layer must go into the next. The beginning and the end are here; the
# lines for the hidden layers are yours. Stuck? `handlens course hint wider` in a terminal. Our solution is at the end of this lesson.


# %% tags=["starter"]
def make_net(hidden_sizes):
    layers, before = [nn.Flatten()], 28 * 28
    for size in hidden_sizes:
        pass  # TODO: add an nn.Linear and an nn.ReLU to layers; what comes before the next layer?
    return nn.Sequential(*layers, nn.Linear(before, 10))


# %% [markdown]
# The check says what is missing. Change your function, run its cell and this one again, until it says "passed". The cells below go on
# with yours; as long as it is not done, they take ours, so that you can read on.

# %%
checked = hl.course.check("wider", make_net)
build = make_net if checked else hl.course.ours("wider")
checked

# %% [markdown]
# ## Train them
#
# `hl.batches` is used like a `DataLoader`, and is several times quicker with images in memory; it divides by 255 as well.
#
# We compare on `val`: images that nothing is learned from, and that are not the test's. Whoever chooses a network by the test images has
# none left for an honest test; lesson 13 shows why.


# %%
def train_and_measure(make, seed=0, lr=0.001):
    torch.manual_seed(seed)
    model = make()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    loader = hl.batches(train, 64, seed=seed)
    for _ in range(EPOCHS):
        model.train()
        for images, labels in loader:
            loss = cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        right = sum((model(images).argmax(1) == labels).sum().item() for images, labels in hl.batches(data.val, 1000))
    return right / len(data.val)


# %%
guess("guess-width", "?")

# %%
SHAPES = {"session": (128, 64), "wider": (256, 128), "small": (32,), "deeper": (128, 64, 32)}
for name, sizes in SHAPES.items():
    weights = sum(weight.numel() for weight in build(sizes).parameters())
    print(f"{name:<8} {sizes!s:<15} {weights:>8,} weights   accuracy on val {train_and_measure(lambda sizes=sizes: build(sizes)):.2%}")

# %%
reveal("guess-width")

# %% [markdown]
# ## Is that a difference, or luck?
#
# Train the *same* network with three seeds: other starting weights, another order of images. Nothing else changes.

# %%
same = [train_and_measure(lambda: build((128, 64)), seed) for seed in range(3)]
print("the same network, three seeds:", "  ".join(f"{accuracy:.2%}" for accuracy in same), f"  spread {max(same) - min(same):.2%}")

# %% [markdown]
# A difference between two settings that is no larger than this spread says nothing. That is why the course states three seeds wherever it
# states a number, and why "256 is better than 128, I tried it once" is not yet a result.
#
# The same with all 60,000 images, 5 epochs and 3 seeds, measured on the test images (in the project's sources `python
# bench/course_tasks.py` repeats it; nothing was chosen by it):
#
# {{numbers 784-128-64-10 256-128 32 128-64-32}}

# %%
ask("luck", "?")

# %% [markdown]
# <details id="task-width"><summary>How does the size of the hidden layers change what the network can learn?</summary>
#
# More neurons can keep more different strokes apart, so a wider network reaches a lower training loss. On new images the gain is small,
# because even 32 neurons are enough for most digits, and it costs time and memory: twice the width of both layers is more than twice the
# weights. With *very* few neurons (try 4) there is no room for ten digits.
# </details>
#
# <details id="task-depth"><summary>Is a deeper network always better?</summary>
#
# No. One more layer of this kind brings hardly anything on MNIST, and very deep plain networks even train badly. What helped images was
# another *kind* of layer: lesson 9.
# </details>
#
# ## Your turn
#
# Exercise `wider` asks for the same function in a file: copy yours to `exercises/06_wider.py`, then `handlens course check wider`. The
# same trainings from a terminal: `handlens train session --hidden-sizes 256,128`.
#
# ## One solution
#
# <details id="wider-solution"><summary>Open it when yours is done</summary>
#
# {{solution wider}}
#
# It is one of many. The variable `before` remembers how many numbers come out of the layer before; that is all one needs.
# </details>
#
# Next: [5 · task 2, the learning rate](05_learning_rate.ipynb)
