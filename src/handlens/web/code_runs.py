"""The lines behind "show code" on Runs. `RUN` and `OTHER` stand for chosen runs, `SWEEP` for a sweep."""

from __future__ import annotations

SNIPPETS = {
    "runs": """\
import handlens as hl

for run in hl.list_runs():                        # the oldest first
    print(run.name, run.status, run.config.model, run.used_row.get("val_accuracy"))
best = hl.load_run("best:val_accuracy")           # choose by validation; the test images are for the end
""",
    "one": """\
import handlens as hl

run = hl.load_run("RUN")
run.plot()                                        # the curves
run.config.changes()                              # the knobs that are not at their default
run.history["train_loss"], run.about.note, run.about.tags
run.annotate(note="a first try")
run.tag("star")
""",
    "curves": """\
import handlens as hl

hl.compare("RUN", "OTHER").plot()
""",
    "compare": """\
import handlens as hl

found = hl.compare("RUN", "OTHER")
print(found)                                      # what they reached, and only the knobs that differ
found.sentences                                   # which is better, and whether that may be luck
[pair.test for pair in found.paired]              # McNemar's test
""",
    "disagree": """\
import handlens as hl

found = hl.compare("RUN", "OTHER")
for right, places in found.cases:                 # which runs are right, and on which test images
    print(right, len(places), places[:5])
found.plot_disagreements()
""",
    "sweep": """\
import handlens as hl

sweep = hl.load_sweep("SWEEP")
sweep.sorted("val_accuracy")[0]                   # the best point
sweep.sentences
sweep.figures()                                   # heat maps, effects, ranges, lines through the knobs, curves
""",
}
