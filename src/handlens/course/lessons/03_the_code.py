# %% [markdown]
# # 3 · The code, piece by piece
#
# Twenty-five minutes. We take the program of lesson 2 apart: what goes in, what the layers do with it, how the answer is judged, what the
# loop adds to session 1, and how one measures honestly. A few images are enough for all of it.

# %%
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import handlens as hl
from handlens.course.questions import ask, guess, reveal

torch.manual_seed(42)
data = hl.load("mnist", val=0)
raw, labels = data.train.images[:64], data.train.labels[:64]

# %% [markdown]
# ## 1. Preprocessing
#
# On the disk a pixel is a whole number from 0 to 255, one byte. Networks calculate with fractions, and their starting weights are made
# for inputs of about the size 1. So the first step is: make floats, divide by 255. A middle grey, 128, becomes 0.502.

# %% tags=["scaling"]
images = raw.float() / 255

# %%
print("before:", raw.dtype, raw.min().item(), "to", raw.max().item())
print("after: ", images.dtype, images.min().item(), "to", images.max().item(), "  128 becomes", round(128 / 255, 3))

# %% [markdown]
# What if one forgets it? An untrained network that guesses among ten digits should have a loss of ln 10 = 2.30. Guess what it has with
# pixels up to 255.

# %%
guess("guess-unscaled", "?")


# %%
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))


print(f"first loss, pixels 0 to 1:   {cross_entropy(network()(images), labels).item():.2f}")
print(f"first loss, pixels 0 to 255: {cross_entropy(network()(raw.float()), labels).item():.2f}")

# %%
reveal("guess-unscaled")

# %% [markdown]
# One more trap: dividing twice. `ToTensor()` of torchvision already divides, and so do `hl.batches`. Look at `images.max()` once, and you
# know.
#
# ## 2. Layers
#
# A picture is made a row of 784 numbers; each linear layer takes rows of one length and gives rows of another. Follow the shapes:

# %% tags=["shapes"]
x = images
for layer in network():
    before, x = tuple(x.shape), layer(x)
    count = sum(weights.numel() for weights in layer.parameters())
    print(f"{layer.__class__.__name__:<8} {before!s:<17} -> {tuple(x.shape)!s:<10} {count:>7,} weights")

# %% [markdown]
# The 64 in front is the number of images in the batch; no layer touches it. 784 x 128 + 128 = 100,480: nearly all of the 109,386 weights
# stand in the first layer.
#
# ### Why ReLU?
#
# ReLU replaces what is below 0 by 0. It has no weights, and yet the network needs it: without it three linear layers, one after the other,
# can do no more than one. Numbers show it:

# %%
a, b, c = nn.Linear(784, 128), nn.Linear(128, 64), nn.Linear(64, 10)
flat = images.flatten(1)
weight = c.weight @ b.weight @ a.weight
bias = c.weight @ (b.weight @ a.bias + b.bias) + c.bias
difference = (c(b(a(flat))) - (flat @ weight.T + bias)).abs().max().item()
print(f"three layers without ReLU against one matrix {tuple(weight.shape)}: largest difference {difference:.0e}")

# %% [markdown]
# On the full data that costs about five points of accuracy (60,000 images, 5 epochs, 3 seeds; in the project's sources `python
# bench/course_tasks.py session "no relu"` repeats it):
#
# {{numbers 784-128-64-10 without}}

# %%
ask("relu", "?")

# %% [markdown]
# ## 3. The loss: ten scores, one label
#
# For each image the network gives ten raw scores (*logits*), any numbers, also negative. They are **not** probabilities. Softmax makes
# probabilities of them: e to the power of each, divided by the sum. Cross entropy is minus the logarithm of the probability of the true
# digit, and `nn.CrossEntropyLoss` does both steps itself. Three lines by hand:

# %% tags=["cross-entropy"]
logits = network()(images)
probabilities = logits.exp() / logits.exp().sum(dim=1, keepdim=True)
by_hand = -probabilities[torch.arange(len(labels)), labels].log().mean()

# %%
print(f"by hand {by_hand.item():.6f}   PyTorch {cross_entropy(logits, labels).item():.6f}   pure guessing 2.302585")

# %% [markdown]
# **The trap.** One often hears "the model predicts class probabilities", adds a softmax at the end of `forward`, and then uses
# CrossEntropyLoss: softmax twice. Nothing crashes. But the best that can come out is a loss of 1.46, because the second softmax of (1, 0,
# 0, ...) gives the right digit no more than 0.23.

# %%
perfect = torch.eye(10)[labels]  # probabilities of a network that is right and certain each time
print(f"loss of a perfect network, softmax twice: {cross_entropy(perfect, labels).item():.2f}")
print(f"loss of a perfect network, raw scores:    {cross_entropy(100 * perfect, labels).item():.2f}")

# %%
ask("logits", "?")

# %% [markdown]
# ## 4. What the loop adds to session 1
#
# The same five lines. New: the data come in batches, and we count how many are right. The winner is the largest score,
# `logits.argmax(1)`; dim 1 are the classes. Softmax would not change which one is largest, so nobody needs it here.
#
# **The trap.** In older code you find `outputs.data` before the argmax. It is not needed: argmax has no gradient anyway. And the habit is
# dangerous, since the same `.data` inside `forward` cuts the layers before it off from learning, silently:


# %%
def gradient_of_first_layer(cut):
    first, last = nn.Linear(784, 32), nn.Linear(32, 10)
    hidden = first(images.flatten(1)).relu()
    cross_entropy(last(hidden.data if cut else hidden), labels).backward()
    return first.weight.grad


print("with .data in the middle:", gradient_of_first_layer(cut=True))
print("without it, a gradient of shape", tuple(gradient_of_first_layer(cut=False).shape))

# %% [markdown]
# ## 5. Evaluation
#
# Two different switches, which are often taken for one:
#
# | | does | without it |
# | --- | --- | --- |
# | `model.eval()` | switches dropout off, and batch norm to its stored means and variances | other results, worse ones |
# | `torch.no_grad()` | records nothing for gradients | the same results, slower, more memory |
#
# So eval() does *not* switch gradients off, though one reads it often. See for yourself:

# %% tags=["eval"]
model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(784, 10))
model.eval()
print("eval: is a gradient recorded?", model(images).requires_grad)
with torch.no_grad():
    print("no_grad: is a gradient recorded?", model(images).requires_grad)
print("eval: twice the same?", torch.equal(model(images), model(images)))
model.train()
print("train: twice the same?", torch.equal(model(images), model(images)))

# %% [markdown]
# **The trap.** `model.train()` before all epochs and `model.eval()` in the test function: test after each epoch, and from the second
# epoch on you train with dropout switched off. So `model.train()` belongs at the beginning of *each* epoch, as in lesson 2.

# %%
ask("eval-or-no-grad", "?")

# %% [markdown]
# ## Discussion
#
# <details id="discuss-difference"><summary>What is the difference between this network and the linear model of session 1?</summary>
#
# There: one number in, one number out, two weights, a straight line, squared error. Here: 784 numbers in, ten scores out, 109,386
# weights, three layers with bends (ReLU) between them, cross entropy. The same: parameters, loss, backward, step. The loop did not
# change.
# </details>
#
# <details id="discuss-relu"><summary>Why do we need ReLU?</summary>
#
# Without a bend between them, linear layers melt into one, whatever their number (see the proof above). With ReLU each neuron is off for
# some images and on for others, and so different images are calculated with different parts of the network.
# </details>
#
# <details id="discuss-output"><summary>What does each number of the output layer stand for?</summary>
#
# Number k is the score for "this is a k": the larger it is, the surer the network is of that digit. It is no probability until softmax
# makes one of it. Only differences count: add 5 to all ten, and nothing changes.
# </details>
#
# <details id="discuss-loss"><summary>How is CrossEntropyLoss different from MSELoss?</summary>
#
# MSE measures a distance between numbers: to say 8 for a 3 would be worse than to say 4. But digits are names, not quantities; a 4 is no
# "nearly 3". Cross entropy asks only: how much probability did the right name get? And a certain, wrong answer costs far more than an
# uncertain one.
# </details>
#
# <details id="discuss-flatten"><summary>Why do we flatten the 28 x 28 image?</summary>
#
# `nn.Linear` multiplies rows of numbers with a matrix; it knows no rows and columns of pixels. Flattening writes the 28 lines one after
# the other. What is lost: which pixels are neighbours. Shuffle all pixels of all images in the same way, and this network learns exactly
# as well. The CNN of lesson 9 keeps the square.
# </details>
#
# <details id="discuss-scale"><summary>What happens when pixels are brought from 0..255 to 0..1?</summary>
#
# The picture stays the same; only its unit changes. But starting weights and learning rate are made for inputs around 1: with 255 times
# as much the first scores are huge, the first loss is far above 2.30, and the first steps are too wild. The scale also has to be the same
# for the test images.
# </details>
#
# ## Your turn
#
# Now, five minutes: exercise `scaling`. Open `exercises/02_scaling.py`, write its one line in place of `pass`, save, and type in a
# terminal: `handlens course check scaling`. What a check says, and what to do next, is the same in all exercises.
#
# At home: `mlp-forward`, `training-loop` and `evaluation`, from memory.
#
# Next: [4 · task 1, another architecture](04_architecture.ipynb)
