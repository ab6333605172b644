"""The lines behind "show code": each does what its panel shows. `RUN` stands for the chosen run, `KNOBS` for what is chosen on Train.

A test runs them all.
"""

from __future__ import annotations

from handlens.web import code_course, code_errors, code_runs

SNIPPETS = {
    "answer": """\
import handlens as hl

run = hl.load_run("RUN")
strokes = [[(60, 60), (200, 60), (120, 220)]]   # or "photo.png", or an array
prediction = run.predict(strokes)
prediction.label, prediction.probability, prediction.second, prediction.doubt
hl.mine.add(strokes, 7)                         # "this is a 7": on the disk when it returns
""",
    "sees": """\
from handlens.data.drawing import normalize, shrunk

strokes = [[(60, 60), (200, 60), (120, 220)]]
seen = normalize(strokes)
seen.image                                        # 28x28, as MNIST has its digits
[(stage.name, stage.said) for stage in seen.stages]
shrunk(strokes, paper=280, pen=22)                # with centring off
""",
    "layers": """\
import handlens as hl
from handlens.data.drawing import normalize

run = hl.load_run("RUN")
image = normalize([[(60, 60), (200, 60), (120, 220)]]).image
for name, values in hl.explain.activations(run, image).layers.items():
    print(name, values.shape)                     # N,C,H,W: C tiles
""",
    "why": """\
import handlens as hl
from handlens.data.drawing import normalize

run = hl.load_run("RUN")
image = normalize([[(60, 60), (200, 60), (120, 220)]]).image
try:
    found = hl.explain.gradcam(run, image)        # Selvaraju et al. 2017
except hl.HandlensError:                          # a network without convolutions
    found = hl.explain.saliency(run, image)       # Simonyan et al. 2014
found.maps[0]                                     # one number for each pixel
""",
    "train": """\
import handlens as hl

run = hl.fit(KNOBS)
run.history["val_accuracy"][-1]
""",
    "loop": """\
import torch
import torch.nn.functional as F

import handlens as hl

data = hl.load("mnist")
model = hl.models.MLP(hidden_sizes=(32,))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for images, labels in hl.batches(data.train, batch_size=64, seed=42):
    loss = F.cross_entropy(model(images), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    "first": """\
import handlens as hl

run = hl.load_run("RUN")
try:
    pictures = hl.explain.filters(run)            # of the first convolution
except hl.HandlensError:
    pictures = hl.explain.weights(run)            # of the first linear layer, as images
pictures.show()
""",
    "meanwhile": """\
import torch

import handlens as hl

run = hl.load_run("RUN")
val = hl.load(run.config.data).val
with torch.no_grad():
    shares = run.model()(val.images[:10]).softmax(1)
shares.argmax(1), val.labels[:10]
""",
    "own": """\
import handlens as hl

digit = hl.mine.add([[(60, 60), (200, 60), (120, 220)]], 1)   # or "photo.png", or an array
hl.mine.relabel(digit.id, 7)
hl.mine.show()                                    # what was drawn, what the network sees
hl.mine.export("digits.csv")                      # or a folder, .zip, kind="idx"
""",
    "set": """\
import handlens as hl
from handlens.data.inspection import mean_images

data = hl.load("mnist")
print(data.describe())                            # how many images each class has
mean_images(data).shape                           # K,C,H,W
data.show(32)
""",
    "augment": """\
import handlens as hl
from handlens import seeds
from handlens.data import Augmentation

data = hl.load("mnist")
change = Augmentation(angle=15, shift=0.1, shear=15, bend=0.05)
images = data.train.images[:8].float() / 255
seen = change(images, seeds.generator("augment", 42, 0))      # other forms in each epoch
""",
    **code_course.SNIPPETS,
    **code_runs.SNIPPETS,
    **code_errors.SNIPPETS,
}
