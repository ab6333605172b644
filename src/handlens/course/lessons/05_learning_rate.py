# %% [markdown]
# # 5 · Task 2: the learning rate
#
# The knob that matters most. Six minutes: four rates, a thousand times apart.

# %%
import os

import matplotlib.pyplot as plt
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import handlens as hl
from handlens.course.questions import ask, guess, reveal

EXAMPLES = int(os.environ.get("HANDLENS_COURSE_EXAMPLES", "60000"))
data = hl.load("mnist")  # 6,000 of the training images are kept apart to choose by: val
train = data.train.subset(torch.arange(min(EXAMPLES, len(data.train))))

# %%
guess("guess-rate", "?")


# %% [markdown]
# Each rate gets the same start, the same batches, the same order. That is what makes the comparison fair.


# %% tags=["rates"]
def losses_of(lr):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    for images, labels in hl.batches(train, 64, seed=0):
        loss = cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    with torch.no_grad():
        right = sum((model(images).argmax(1) == labels).sum().item() for images, labels in hl.batches(data.val, 1000))
    return losses, right / len(data.val)


found = {lr: losses_of(lr) for lr in (0.0001, 0.001, 0.01, 0.1)}
for lr, (losses, accuracy) in found.items():
    print(f"lr {lr:<7} first loss {losses[0]:.2f}   mean of the last ten {sum(losses[-10:]) / 10:.2f}   accuracy on val {accuracy:.2%}")

# %%
figure, place = plt.subplots(figsize=(8, 3.5))
for style, (lr, (losses, _)) in zip(("-", "--", "-.", ":"), found.items(), strict=True):
    window = max(1, len(losses) // 50)
    smooth = [sum(losses[max(0, end - window) : end]) / min(window, end) for end in range(1, len(losses) + 1)]
    place.plot(smooth, style, label=f"lr {lr}")
place.set(xlabel="step", ylabel="loss (running mean)", ylim=(0, 3))
place.axhline(2.30, color="grey", linewidth=1)
place.text(0, 2.34, "pure guessing: 2.30", fontsize=9)
place.legend()
plt.show()

# %%
reveal("guess-rate")

# %% [markdown]
# How to read the curves: one that falls steeply and lies flat is good; one that is still falling at the end was too slow; one that stays
# at 2.30 has learned nothing, or has unlearned what it knew. No rate is "too high" as a number: 0.1 is far too much for Adam here, and an
# ordinary choice for plain SGD.
#
# `hl.find_lr("mlp")` tries a hundred rates within one short run and draws the picture.

# %%
ask("rate-reading", "?")

# %% [markdown]
# <details id="task-rate"><summary>What do you expect of a very high, and of a very low learning rate?</summary>
#
# Very low: the loss falls, evenly and slowly; with more epochs it would get there. Very high: the steps jump over the good weights; the
# loss jumps about, stays near 2.30 (all digits get the same answer), or becomes nan. So "not learning" has two causes that look alike at
# first sight, and what helps is the opposite. Try a tenth, try ten times as much, and see which one helps.
# </details>
#
# ## Your turn
#
# At home: exercise `learning-rates`. From a terminal: `handlens train session --lr 0.01 --name lr-high`, then `handlens
# compare first lr-high --plot lr.png` (`first` is the run of lesson 2).
#
# Next: [6 · task 3, dropout](06_dropout.ipynb)
