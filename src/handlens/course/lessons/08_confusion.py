# %% [markdown]
# # 8 · Task 5: the confusion matrix
#
# An accuracy says how often the network is wrong. The confusion matrix says *how*: which digit was taken for which. Twelve minutes, five
# of them to write the counting.

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
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
for _ in range(2):
    for images, labels in hl.batches(train, 64):
        loss = cross_entropy(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

# %%
guess("guess-confused", "?")

# %% [markdown]
# ## Write it: count
#
# A matrix of 10 x 10 counters, all 0 at first. For each image one counter grows by 1: the one in the row of its true digit and the column
# of the answer. Stuck? `handlens course hint confusion` in a terminal. Our solution is at the end of this lesson.


# %% tags=["starter"]
def count_confusions(labels, predictions):
    matrix = torch.zeros(10, 10, dtype=torch.int64)
    # TODO: for each pair of a label and a prediction, add 1 at its place in the matrix
    return matrix


# %% [markdown]
# The check says what is missing. Change your function, run its cell and this one again, until it says "passed". The cells below go on
# with yours; as long as it is not done, they take ours, so that you can read on.

# %%
checked = hl.course.check("confusion", count_confusions)
count = count_confusions if checked else hl.course.ours("confusion")
checked

# %% [markdown]
# ## Look at it

# %%
model.eval()
with torch.no_grad():
    predicted = model(data.test.images.float() / 255).argmax(1)
matrix = count(data.test.labels, predicted)
right = matrix.diagonal().sum().item()
print(f"{right:,} of {matrix.sum().item():,} on the diagonal: accuracy {right / matrix.sum().item():.2%}")

# %%
figure, place = plt.subplots(figsize=(6, 5.5))
place.imshow(matrix.float().log1p(), cmap="Blues")  # logarithm: beside 980 right ones, 12 mistakes would be invisible
for row in range(10):
    for column in range(10):
        dark = matrix[row, column] > 60
        place.text(column, row, matrix[row, column].item(), ha="center", va="center", color="white" if dark else "black", fontsize=8)
place.set(xlabel="the network says", ylabel="it is", xticks=range(10), yticks=range(10))
plt.show()

# %% [markdown]
# Read a **row**: what became of all the real fours? Read a **column**: what was there when the network said nine? Which is which depends
# only on the order of the two indices, so say it on the picture. A test: the sums of the rows must be the numbers of test images of each
# digit.

# %%
print("sums of the rows:   ", matrix.sum(1).tolist())
print("labels in the test: ", data.test.labels.bincount().tolist())

# %% [markdown]
# scikit-learn has such a count ready. There too the true labels come first:

# %%
from sklearn.metrics import confusion_matrix

print("the same table:", bool((confusion_matrix(data.test.labels, predicted) == matrix.numpy()).all()))

# %% [markdown]
# ## The pairs that are confused most

# %%
wrong = matrix.clone()
wrong.fill_diagonal_(0)
for place in wrong.flatten().argsort(descending=True)[:5].tolist():
    true, answer = divmod(place, 10)
    print(f"{true} taken for {answer}: {wrong[true, answer].item()} times in {matrix[true].sum().item():,}")

# %%
reveal("guess-confused")

# %%
ask("row-or-column", "?")

# %% [markdown]
# <details id="task-confusion"><summary>Which digits are confused, and why these?</summary>
#
# Those that share most of their strokes: a 4 whose top is closed is a 9, a 7 with a slanted bar looks like a 2 or a 9, a 3 and a 5 differ
# by one corner. The matrix need not be symmetric: fours may be taken for nines far more often than nines for fours, because each network
# draws its borders a little to one side.
# </details>
#
# <details id="task-accuracy-hides"><summary>What does the matrix show that accuracy hides?</summary>
#
# That mistakes are not spread evenly. 97 % may mean 99 % for the ones and 94 % for the eights. If the eights are what you need, the 97 %
# is no answer.
# </details>
#
# ## Your turn
#
# Exercise `confusion` asks for the same function in a file: copy yours to `exercises/10_confusion.py`, then `handlens course check
# confusion`. From a terminal: `handlens errors first`, `handlens report first` (`first` is the run of lesson 2).
#
# ## One solution
#
# <details id="confusion-solution"><summary>Open it when yours is done</summary>
#
# {{solution confusion}}
#
# It is one of many. For millions of images `torch.bincount(10 * labels + predictions, minlength=100).reshape(10, 10)` is quicker.
# </details>
#
# Next: [9 · the challenge, a CNN](09_cnn.ipynb)
