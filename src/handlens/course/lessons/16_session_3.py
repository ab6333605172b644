# %% [markdown]
# # 16 · The road to session 3: colour, depth, borrowed weights
#
# Three ideas that bring you from digits to photographs. Each as small as possible; next time we take our time for them.

# %%
import os

import torch
from torch import nn
from torch.nn.functional import cross_entropy

import handlens as hl
from handlens.course.questions import ask, guess, reveal

EPOCHS = int(os.environ.get("HANDLENS_COURSE_EPOCHS", "10"))

# %% [markdown]
# ## 1. Colour is two more channels
#
# A colour picture of CIFAR-10 has 3 x 32 x 32 numbers: red, green, blue. A convolution adds up over all channels that come in, so only
# its first number changes. Nothing else does.

# %% tags=["colour"]
colour = torch.rand(8, 3, 32, 32)
layer = nn.Conv2d(3, 16, 3, padding=1)
print(tuple(colour.shape), "->", tuple(layer(colour).shape), f"  one filter has {layer.weight[0].numel()} weights: 3 x 3 x 3")

# %% [markdown]
# CIFAR-10 itself (ten classes of small photographs; 170 MB) is not part of the course pack. `handlens data fetch cifar-10` brings it;
# then this cell shows it, and until then it says so. More grey pictures of 28 x 28 are in EMNIST, letters as well as digits (562
# MB): `handlens data fetch emnist-letters`. The loop stays as it is; the last layer gets 26 outputs, one for each letter.

# %%
try:
    print(hl.load("cifar-10", offline=True))
except hl.HandlensError as error:
    print(error)

# %% [markdown]
# ## 2. Residual networks: a way around
#
# Plain networks with many layers train badly. One reason shows below: with PyTorch's starting weights and without batch norm, the gradient
# shrinks at each layer on its way back. A start that is made for depth, and batch norm, repair that. But it is not the whole reason: the
# authors of the ResNet (He and others, 2015) saw deep plain networks train worse *with* batch norm too, and hold vanishing gradients
# unlikely there. Their idea fits in one line: `x + block(x)`. A block only has to learn what is to be *changed*, and the gradient has a
# straight way home.


# %% tags=["residual"]
class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.block = nn.Sequential(nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1))

    def forward(self, x):
        return (x + self.block(x)).relu()


# %%
guess("guess-residual", "?")


# %%
def gradient_at_the_first_layer(make_block, depth=4):
    torch.manual_seed(0)
    first = nn.Conv2d(1, 8, 3, padding=1)
    model = nn.Sequential(first, *(make_block() for _ in range(depth)), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10))
    cross_entropy(model(torch.rand(32, 1, 14, 14)), torch.arange(32) % 10).backward()
    return first.weight.grad.norm().item()


plain = gradient_at_the_first_layer(lambda: nn.Sequential(Residual(8).block, nn.ReLU()))
around = gradient_at_the_first_layer(lambda: Residual(8))
print(f"gradient that arrives at the first of ten layers: plain {plain:.1e}, with ways around {around:.1e}")

# %%
reveal("guess-residual")

# %% [markdown]
# ## 3. Transfer: begin with what another network knows
#
# You have 100 pictures of clothes with labels. A CNN that starts at random sees strokes and edges for the first time; one that has read
# digits already knows them. Keep its layers, give it a new last one, train.

# %% tags=["transfer"]
digits, fashion = hl.load("mnist", val=0), hl.load("fashion-mnist", val=0)
hundred, judged = fashion.train.subset(torch.arange(100)), fashion.test.subset(torch.arange(2000))


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 49, 10),
    )


def train(model, split, epochs):
    optimizer = torch.optim.Adam([weights for weights in model.parameters() if weights.requires_grad], lr=0.002)
    loader = hl.batches(split, 50, seed=0)
    for _ in range(epochs):
        for images, labels in loader:
            loss = cross_entropy(model(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return model


def accuracy(model):
    with torch.no_grad():
        return f"{(model.eval()(judged.images / 255).argmax(1) == judged.labels).float().mean().item():.1%}"


torch.manual_seed(0)
reader = train(cnn(), digits.train.subset(torch.arange(1000 * EPOCHS)), 2)
borrowed, random = cnn(), cnn()
borrowed.load_state_dict(reader.state_dict())
borrowed[-1] = nn.Linear(16 * 49, 10)  # clothes are not digits: a new last layer
print("random start:  ", accuracy(train(random, hundred, 2 * EPOCHS)))
print("from digits:   ", accuracy(train(borrowed, hundred, 2 * EPOCHS)))

# %% [markdown]
# On the full test set, over three seeds, with the preset `cnn` and 100 pictures: 67.5 % from a random start, 69.6 % from digits when all
# layers go on learning, 58.0 % when only the last layer learns (`handlens transfer digits --data fashion-mnist --examples 100`; the table
# stands in the project's sources, in `bench/records.md`). So digits help clothes a little; their features are not rich enough to be
# used as they are. Weights that have seen a million photographs help photographs a lot: on 100 pictures of CIFAR-10, 50.5 % against 25.5 %
# for a CNN from random weights.

# %%
ask("freeze", "?")

# %% [markdown]
# <details id="reflect-deep"><summary>What makes a network "deep"?</summary>
#
# More than one layer of weights between input and answer, with something bent between them, so that later layers work with what earlier
# ones have found: strokes first, then corners and loops, then digits. Three layers, as tonight, are modest; a ResNet has from eighteen to
# a hundred and more.
# </details>
#
# <details id="reflect-activation"><summary>Why are activation functions necessary?</summary>
#
# Because linear after linear is linear again. All that depth buys comes from the bends between the layers. Lesson 3 shows it with a
# matrix.
# </details>
#
# <details id="reflect-regression"><summary>How is image classification different from last time's linear regression?</summary>
#
# The answer is a name from a list, not a quantity, so there are as many scores as names, cross entropy in place of squared error, and
# accuracy beside the loss. The input is hundreds of numbers that mean something only together. And we measure on images that were not
# learned from, since 109,386 weights can learn things by heart, which two cannot.
# </details>
#
# <details id="reflect-curves"><summary>What was to be seen in the training curves?</summary>
#
# Most is learned in the first epoch; then each epoch brings less. The training accuracy goes on rising when that on new images no longer
# does: from there on it is learned by heart. And two runs of the same network never have quite the same curve.
# </details>
#
# That is the end of session 2. What you should be able to do now, without looking: write the loop, say what each of its five lines is
# for, say why the test is made with other images, and build a network whose sizes fit.
