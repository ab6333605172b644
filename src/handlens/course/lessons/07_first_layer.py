# %% [markdown]
# # 7 · Task 4: what the first layer sees
#
# Each neuron of the first layer has 784 weights, one for each pixel. So its weights are a picture. Six minutes to look at some, and to
# draw them so that they can be compared.

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
train = data.train.subset(torch.arange(EXAMPLES))
torch.manual_seed(0)
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
before = model[1].weight.detach().clone()

# %%
guess("guess-first-layer", "?")

# %%
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
for _ in range(2):
    for images, labels in hl.batches(train, 64):
        loss = cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
after = model[1].weight.detach()

# %% [markdown]
# Orange where ink speaks for the neuron, purple where ink speaks against it, white where it does not matter. **One scale for all
# pictures**, with 0 in the middle.


# %% tags=["weights"]
def show(weights, title, limit):
    figure, places = plt.subplots(2, 8, figsize=(10, 2.8))
    for place, row in zip(places.flat, weights, strict=False):
        drawn = place.imshow(row.reshape(28, 28), cmap="PuOr_r", vmin=-limit, vmax=limit)
        place.axis("off")
    figure.suptitle(title)
    figure.colorbar(drawn, ax=places)
    plt.show()


limit = after.abs().quantile(0.999).item()
show(before, "before training", limit)
show(after, "after two epochs", limit)

# %%
reveal("guess-first-layer")

# %% [markdown]
# **The trap.** `plt.imshow(weights, cmap="gray")` without `vmin` and `vmax` stretches each picture to its own darkest and lightest value.
# Then noise looks as strong as a pattern, and grey means zero in one picture and something else in the next. Fine for a look, wrong for a
# comparison. In numbers:

# %%
sizes = after.abs().amax(1)
print(f"largest weight of a neuron: from {sizes.min().item():.3f} to {sizes.max().item():.3f}; drawn one by one, all would look alike")
border = torch.ones(28, 28, dtype=torch.bool)
border[1:-1, 1:-1] = False  # what is left: the 108 outermost pixels
change = (after - before).abs().reshape(-1, 28, 28)
print(f"changed at the border {change[:, border].mean().item():.4f}, inside {change[:, ~border].mean().item():.4f}")

# %% [markdown]
# At the border there is hardly ever ink: of its 108 pixels 51 are 0 in all 60,000 images, and each of the others in more than 99 %. A
# weight whose pixel is 0 in every image has a gradient of 0 in every step; so it keeps the random value that it began with.

# %%
ask("border", "?")

# %% [markdown]
# <details id="task-first-layer"><summary>What did the first layer learn, and what did it not?</summary>
#
# Places where ink speaks for or against: spots of orange beside purple, about as wide as a stroke, which together ask "is there a stroke
# here and none beside it?". No whole digits: these are put together further behind. And each neuron is bound to its place: the same
# stroke three pixels to the right is another question. A CNN asks one question everywhere.
# </details>
#
# ## Your turn
#
# At home: exercise `first-layer`. From a terminal: `handlens explain first --what weights` (`first` is the run of lesson 2).
#
# Next: [8 · task 5, the confusion matrix](08_confusion.ipynb)
