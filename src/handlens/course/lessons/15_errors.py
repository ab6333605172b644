# %% [markdown]
# # 15 · Homework 4: look at the mistakes
#
# The most useful quarter of an hour of any project: look at what goes wrong, picture by picture, before you change anything.

# %%
import os

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import handlens as hl
from handlens.course.questions import ask, guess, reveal

EXAMPLES = int(os.environ.get("HANDLENS_COURSE_EXAMPLES", "60000"))
data = hl.load("mnist", val=0)
test = data.test


# %% tags=["three"]
def trained(seed):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    for _ in range(2):
        for images, labels in hl.batches(data.train.subset(torch.arange(EXAMPLES)), 64, seed=seed):
            loss = cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model.eval()


networks = [trained(seed) for seed in range(3)]
with torch.no_grad():
    all_logits = torch.stack([model(test.images / 255) for model in networks])
logits = all_logits[0]
predicted, losses = logits.argmax(1), cross_entropy(logits, test.labels, reduction="none")
print(f"{(predicted != test.labels).sum().item()} of {len(test):,} are wrong")

# %% [markdown]
# ## The worst sixteen
#
# Not the wrong ones in the order of the file, but those with the largest loss: where the network was certain, and wrong.

# %%
guess("guess-worst", "?")

# %% tags=["worst"]
worst = losses.argsort(descending=True)[:16]
figure, places = plt.subplots(2, 8, figsize=(10, 3.4))
for place, at in zip(places.flat, worst.tolist(), strict=True):
    sure = logits[at].softmax(0).max().item()
    place.imshow(test.images[at, 0], cmap="gray")
    place.set_title(f"{test.labels[at]} → {predicted[at]}\n{sure:.0%} sure", fontsize=8)
    place.axis("off")
plt.show()

# %%
reveal("guess-worst")

# %% [markdown]
# ## Always wrong, or sometimes?
#
# Three networks that differ only in their seed. Which images does each of them get wrong?

# %%
times_wrong = (all_logits.argmax(2) != test.labels).sum(0)
for times in range(4):
    print(f"wrong in {times} of 3 networks: {(times_wrong == times).sum().item():>6,} images")

# %% [markdown]
# What all of them get wrong is hard, or its label is doubtful: another network of this kind will not help, other data or another kind of
# network may. What only one of them gets wrong is luck; the mean of the three networks' answers repairs part of it:

# %%
together = all_logits.softmax(2).mean(0).argmax(1)
print("one by one:", "  ".join(f"{(one.argmax(1) == test.labels).float().mean().item():.2%}" for one in all_logits))
print(f"together:   {(together == test.labels).float().mean().item():.2%}")

# %%
ask("certain", "?")

# %% [markdown]
# <details id="homework-errors"><summary>Are certain digits confused again and again? What patterns do the mistakes have?</summary>
#
# Yes: 4 and 9, 7 and 2, 3 and 5, 8 with nearly everything. The patterns: strokes that are cut off or doubled, very thick or very slanted
# writing, digits that touch their own other end (a 6 that looks like a 0), and some pictures whose label one may doubt.
# `handlens errors first` sorts them into groups and says how accuracy depends on slant and thickness.
# </details>
#
# <details id="homework-why"><summary>Why does the model make these mistakes?</summary>
#
# It weighs ink by its place. A stroke at an unusual place tells it something else, though we would see the shape at once.
# `handlens explain first --what saliency` shows which pixels decided an answer.
# </details>
#
# Homework 5 is lesson 9, finished and compared. Exercise: `errors`.
#
# Next: [16 · the road to session 3](16_session_3.ipynb)
