"""The lines behind "show code" on Errors. `RUN` stands for the chosen run."""

from __future__ import annotations

SNIPPETS = {
    "confusion": """\
import handlens as hl

ev = hl.load_run("RUN").evaluate("test")          # or "val", or "mine"
ev.accuracy, ev.interval
ev.confusion_matrix                               # rows: what they are, columns: what they were taken for
ev.most_confused(5), ev.per_class[4].recall
""",
    "mistakes": """\
import handlens as hl
from handlens.runs import load_doubts

run = hl.load_run("RUN")
ev = run.evaluate("test")
ev.mistakes(25).show()                            # worst first
ev.uncertain(25)                                  # least certain, right or wrong
ev.confused("4", "9")                             # a cell of the matrix
load_doubts(run)                                  # labels that were marked as looking wrong
""",
    "explained": """\
import handlens as hl

run = hl.load_run("RUN")
image = run.split("test").images[0]
try:
    found = hl.explain.gradcam(run, image)        # Selvaraju et al. 2017
except hl.HandlensError:                          # a network without convolutions
    found = hl.explain.saliency(run, image)       # Simonyan et al. 2014
hl.explain.integrated_gradients(run, image), hl.explain.occlusion(run, image)
""",
    "calibration": """\
import handlens as hl

ev = hl.load_run("RUN").evaluate("test")
ev.ece                                            # expected calibration error, Guo et al. 2017
ev.calibration.confidence, ev.calibration.accuracy, ev.calibration.count
""",
    "map": """\
import handlens as hl

run = hl.load_run("RUN")
found = hl.explain.embedding(run, run.split("test"), "pca", count=1000)   # or "tsne"
found.points, found.mistakes
found.show()
""",
    "changed": """\
import handlens as hl

run = hl.load_run("RUN")
split = run.split("test")
turned = hl.analysis.changed(run.model(), split, {"rotate": 20, "blur": 1.0}, examples=1000)
turned.accuracy, turned.interval
hl.analysis.robustness(run.model(), split, examples=200).plot()   # each change at five strengths
""",
}
