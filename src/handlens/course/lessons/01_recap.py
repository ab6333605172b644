# %% [markdown]
# # 1 · Session 1 once more: a line, learned
#
# Ten minutes. Before we look at pictures, we look again at the smallest network there is: one slope and one height. Every step of it
# comes back tonight with a hundred thousand weights instead of two.
#
# How a lesson works: read, **guess before you run**, run the cell with Shift+Enter, and change something. Nothing here can break. In a cell
# with `guess(...)` or `ask(...)` you put the letter of your answer in place of the `?` and run it again. `reveal(...)` says after the
# experiment what is right, and why.

# %%
import matplotlib.pyplot as plt
import torch
from torch import nn

from handlens.course.questions import ask, guess, reveal

# %% [markdown]
# ## Tensors
#
# A tensor is a box of numbers with a shape, and it can remember how it was computed. Here are a hundred points that lie near the line y =
# 2x + 10. The learner (the program, that is) gets the points, never the 2 and the 10.

# %%
torch.manual_seed(42)
x = 10 * torch.rand(100, 1)
y = 2 * x + 10 + torch.randn(100, 1)  # the last part is noise: real measurements are never exact
print("shape", tuple(x.shape), "  type", x.dtype, "  first point", round(x[0].item(), 2), "->", round(y[0].item(), 2))

# %% [markdown]
# ## Parameters
#
# `nn.Parameter` marks a tensor as *to be learned*. Two things follow from that mark: the module lists the tensor in `.parameters()`, so
# an optimizer can find it; and PyTorch keeps track of every calculation with it, so that it can get a gradient.


# %% tags=["line"]
class Line(nn.Module):
    def __init__(self):
        super().__init__()
        self.slope = nn.Parameter(torch.randn(1))
        self.height = nn.Parameter(torch.randn(1))

    def forward(self, x):
        return self.slope * x + self.height


model = Line()
print({name: round(weight.item(), 2) for name, weight in model.named_parameters()}, "at the start: random")

# %% [markdown]
# ## Loss and optimizer
#
# The **loss** looks at predictions and targets and answers with one number: how wrong, on average. It changes nothing. The **optimizer**
# looks at gradients and moves the parameters a little. It never sees a prediction or a target. Between the two stands `loss.backward()`,
# which turns the one number into a gradient for each parameter.

# %%
loss_function = nn.MSELoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)

# %% [markdown]
# ## The loop
#
# Five lines, always the same, in this order: predict, measure, clear, ask for gradients, step.

# %% tags=["loop"]
losses = []
for _ in range(1000):
    predicted = model(x)  # forward pass
    loss = loss_function(predicted, y)  # how wrong?
    optimizer.zero_grad()  # forget the gradients of the step before
    loss.backward()  # a gradient for each parameter
    optimizer.step()  # move each parameter a little against its gradient
    losses.append(loss.item())

# %%
print(f"learned y = {model.slope.item():.2f} x + {model.height.item():.2f}   loss {losses[0]:.1f} -> {losses[-1]:.2f}")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.5))
left.scatter(x, y, s=10, label="points")
left.plot(x, model(x).detach(), color="#B84A00", label="what was learned")
left.set(xlabel="x", ylabel="y")
left.legend()
right.plot(losses)
right.set(xlabel="step", ylabel="loss", yscale="log")
plt.show()

# %% [markdown]
# The loss stops well above 0: the points lie beside a line, not on one, and no line can follow noise.
#
# ## The learning rate: guess, then run
#
# The same line, 100 steps, four learning rates. Which of them has the smallest loss at the end?

# %%
guess("guess-line-rate", "?")


# %%
def train_line(lr, steps=100):
    torch.manual_seed(42)
    model = Line()
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    for _ in range(steps):
        loss = loss_function(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return loss.item()


for lr in (0.0001, 0.001, 0.01, 0.1):
    print(f"lr {lr:<7} loss after 100 steps: {train_line(lr):.3g}")

# %%
reveal("guess-line-rate")

# %% [markdown]
# ## Check yourself

# %%
ask("parameter", "?")

# %%
ask("loss-or-optimizer", "?")

# %% [markdown]
# ## Questions of the recap
#
# Say your own answer aloud first, then open ours.
#
# <details id="recap-parameter"><summary>What does <code>nn.Parameter</code> do in the linear model?</summary>
#
# It says "this tensor is to be learned". The module then hands it out in `model.parameters()`, so the optimizer knows it, and its
# `requires_grad` is on, so that `backward()` computes a gradient for it. A plain tensor in its place would be used in the forward pass
# and would stay as it is for ever.
# </details>
#
# <details id="recap-loop"><summary>What are the steps of the training loop, in your own words?</summary>
#
# Predict with the weights as they are. Measure how wrong that is: one number. Clear the old gradients. Ask for each weight which way, and
# how strongly, the number would change with it. Move each weight a small step so that the number falls. Again.
# </details>
#
# <details id="recap-loss-optimizer"><summary>The loss function and the optimizer: who does what?</summary>
#
# The loss judges predictions and changes nothing. The optimizer changes parameters and judges nothing: all it ever reads are the
# gradients. You can exchange one without touching the other.
# </details>
#
# <details id="recap-rate"><summary>What did the learning rate change?</summary>
#
# The length of each step. Too small: the direction is right, and after all the steps we have hardly moved. Too large: each step jumps
# over the valley and lands higher on the other side, until the loss is infinite. Between the two lies a range in which it works, and one
# finds it by trying.
# </details>
#
# <details id="recap-homework"><summary>How did the homework go: several features, batches?</summary>
#
# With three features there are three slopes and still one height; the loop stays as it is, and `nn.Linear(3, 1)` holds all four numbers.
# With batches of 10 instead of all 100 points, there are ten steps in each pass over the data: each one is rougher, and together they get
# further in the same time. `handlens line --slopes 2,-1,0.5` and `handlens line --batch-size 100` show both.
# </details>
#
# ## Your turn
#
# At home: exercise `linear-fit`, the loop from memory. Open `exercises/01_linear_fit.py` and write it where the TODOs are;
# `handlens course check linear-fit` in a terminal says whether it learns.
#
# Next: [2 · the full example](02_full_example.ipynb)
