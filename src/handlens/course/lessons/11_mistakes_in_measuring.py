# %% [markdown]
# # 11 · The worst mistakes, one minute each: data and measuring
#
# These do not hurt the network. They hurt the number that you report about it, or they show only with pictures that are not MNIST's.
# Again: with the mistake, and without it, both run just now.

# %%
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import handlens as hl
from handlens.course.questions import ask
from handlens.course.side_by_side import mistake

# %% [markdown]
# ## No eval() in the test
#
# Dropout still erases at random while you measure: lower accuracy, and another one each time.

# %%
mistake("missing_eval")

# %% [markdown]
# ## Measured on what it practised on
#
# The labels of the twenty images are wrong here, on purpose. Learned by heart, they still give 100 %. A score on training images says how
# well it remembers.

# %%
mistake("eval_on_train")

# %% [markdown]
# ## Test images in the training
#
# The same, by accident: both sets joined, or `train=True` twice. The labels of the test are pure chance here; nobody can know them. A
# score far above chance is a leak.

# %%
mistake("train_test_leak")

# %% [markdown]
# ## Prepared differently
#
# Scaled for the training, forgotten for the test (or the other way round). Good in training, worse in the test, and one looks for the
# reason in the network.

# %%
mistake("train_test_preprocess_mismatch")

# %% [markdown]
# ## Sorted data, not shuffled
#
# Batches of one digit after the other: the network forgets the first while it learns the last. MNIST comes mixed, so it hits you with
# your own data.

# %%
mistake("missing_shuffle")

# %% [markdown]
# ## return, four spaces too far right
#
# Only the first batch is counted. The number looks plausible.

# %%
mistake("early_return_in_loop")

# %% [markdown]
# ## Divided by batches
#
# An accuracy of 50, where 1 is the most there can be? Divide by the number of images.

# %%
mistake("accuracy_wrong_denominator")

# %% [markdown]
# ## The best weights, lost
#
# `state_dict()` hands out the living tensors. What was kept goes on learning, and the 'best' state is the last one.

# %%
mistake("state_dict_alias")

# %% [markdown]
# ## Black on white
#
# MNIST is white on black, centred, with a margin of four pixels. A photo of your own digit is the other way round, and the network, which
# has never seen such a thing, answers anyway.

# %%
mistake("own_digit_inverted")

# %% [markdown]
# ## The same on MNIST: sorted data, dropout, ink
#
# 2,000 real digits, a network with dropout, one epoch.


# %%
data = hl.load("mnist", val=0)
few = data.train.subset(torch.arange(2000))
test_images, test_labels = data.test.images[:2000] / 255, data.test.labels[:2000]


def trained(order):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    for rows in order.split(50):
        loss = cross_entropy(model(few.images[rows] / 255), few.labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


@torch.no_grad()
def accuracy(model, images=test_images):
    return f"{(model(images).argmax(1) == test_labels).float().mean().item():.1%}"


model = trained(torch.randperm(2000, generator=torch.Generator().manual_seed(0)))
print("shuffled:      ", accuracy(model))
print("sorted:        ", accuracy(trained(few.labels.argsort())))
print("black on white:", accuracy(model, 1 - test_images))
print("no eval():     ", accuracy(model.train()), accuracy(model), "  with eval():", accuracy(model.eval()), accuracy(model))

# %%
ask("leak", "?")

# %% [markdown]
# <details id="mistakes-score"><summary>A friend reports 99.9 % on MNIST with a small network after one epoch. What do you ask?</summary>
#
# Which images were measured: were they in the training? How many: all 10,000, or the first batch? Divided by what? Measured once, or was
# the best of many tries taken? A number that is too good is a finding, too.
# </details>
#
# Next, at home: [12 · Fashion-MNIST](12_fashion.ipynb)
