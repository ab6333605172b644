"""Images to test on were trained on."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.sets import keys, sets

SENTENCE = "The model was trained on the test images too, so this score says nothing about new ones."
CHANGE = "Train on the training images only."
EXPLAINS = ("eval_on_train",)


def look(case: Case) -> Finding | None:
    """Images of the set that is tested on are among those of the set that is trained on, which is another set."""
    trained, tested = sets(case)
    if trained is None or tested is None or trained is tested:
        return None
    known, asked = set(keys(trained)), keys(tested)
    if not asked or not known:
        return None
    if isinstance(tested, frozenset) and len(set(asked) & known) > 0.9 * len(known):
        return None  # then it is the training images themselves that are asked
    shared = sum(key in known for key in asked) / len(asked)
    if shared < 0.2 or len(asked) > len(known) * 1.5:
        return None
    line = case.script.find("ConcatDataset", "torch.cat(", "concatenate(", "vstack(", "+ test") or case.line_of_data()
    return Finding(line, f"{shared:.0%} of {len(asked):,} test images are training images too.")
