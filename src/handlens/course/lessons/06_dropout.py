# %% [markdown]
# # 6 · Task 3: dropout
#
# What it does, what it is against, and the one line that everybody forgets. Six minutes.

# %%
import os

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import handlens as hl
from handlens.course.questions import ask, guess, reveal

EPOCHS = int(os.environ.get("HANDLENS_COURSE_EPOCHS", "30"))
data = hl.load("mnist")
few = data.train.subset(torch.arange(1000))  # so few that a network can learn them by heart

# %% [markdown]
# ## What it does
#
# In training, dropout sets each number to 0 with probability p, at random, and multiplies the others by 1/(1-p), so that the sum stays
# about the same. In `eval()` it does nothing.

# %%
torch.manual_seed(0)
dropout = nn.Dropout(0.5)
print("train:", dropout(torch.ones(10)).tolist())
print("train:", dropout(torch.ones(10)).tolist())
print("eval: ", dropout.eval()(torch.ones(10)).tolist())

# %% [markdown]
# ## What it is against
#
# Overfitting: the training images are known by heart, and new ones are read worse than they could be. A thousand images and many epochs
# show it. Guess what dropout does.

# %%
guess("guess-dropout", "?")


# %% tags=["dropout"]
def network(p):
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Dropout(p), nn.Linear(128, 64), nn.ReLU(), nn.Dropout(p), nn.Linear(64, 10)
    )


def accuracy(model, split):
    model.eval()  # dropout off: we want to know what the network can do
    with torch.no_grad():
        return (model(split.images.float() / 255).argmax(1) == split.labels).float().mean().item()


def train(p):
    torch.manual_seed(0)
    model = network(p)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    loader, rows = hl.batches(few, 64, seed=0), []
    for _ in range(EPOCHS):
        model.train()  # each epoch: accuracy() below switches it off
        for images, labels in loader:
            loss = cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        rows.append((accuracy(model, few), accuracy(model, data.val)))
    return model, rows


results = {p: train(p) for p in (0.0, 0.2, 0.5)}
for p, (_, rows) in results.items():
    print(f"dropout {p}: training images {rows[-1][0]:.1%}   new images {rows[-1][1]:.1%}   gap {rows[-1][0] - rows[-1][1]:.1%}")

# %%
figure, place = plt.subplots(figsize=(8, 3.5))
for colour, (p, (_, rows)) in zip(("#0072B2", "#B84A00", "#586069"), results.items(), strict=True):
    place.plot([row[0] for row in rows], "--", color=colour, label=f"p = {p}, images it learned from")
    place.plot([row[1] for row in rows], "-", color=colour, label=f"p = {p}, new images")
place.set(xlabel="epoch", ylabel="accuracy")
place.legend(fontsize=8)
plt.show()

# %%
reveal("guess-dropout")

# %% [markdown]
# ## The line that everybody forgets
#
# The same trained network, the same images, with and without `eval()`:

# %%
model = results[0.5][0]
images, labels = data.val.images.float() / 255, data.val.labels
with torch.no_grad():
    for mode in (model.train, model.train, model.eval, model.eval):
        mode()
        print(f"{mode.__name__:<5} accuracy {(model(images).argmax(1) == labels).float().mean().item():.2%}")

# %% [markdown]
# In training mode the accuracy is lower, and another one each time. Nothing crashes, and no warning comes.
#
# The place matters too: dropout belongs after an activation, never after the last layer, where it would erase the answers themselves.

# %%
ask("dropout-off", "?")

# %% [markdown]
# <details id="task-overfitting"><summary>What does overfitting mean, and why may dropout help against it?</summary>
#
# Overfitting means that the network gets better on the images it learns from and no better, or worse, on others: it learns what is
# special about these thousand images. With dropout no neuron can rely on one certain other neuron, because that one may be missing in the
# next step. So several ways to see a digit are learned, which carry over better to new images. More images, or the same ones moved a
# little (lesson 9), help even more. With all 60,000 images and five epochs there is little to prevent, and dropout changes little.
# </details>
#
# ## Your turn
#
# At home: exercise `dropout`. From a terminal: `handlens train session --dropout 0.2`.
#
# Next: [7 · task 4, what the first layer sees](07_first_layer.ipynb)
