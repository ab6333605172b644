"""Images to test on were trained on."""

from __future__ import annotations

import ast
import re

import torch

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.sets import keys, named, sets

SENTENCE = "The model was trained on the test images too, so this score says nothing about new ones."
CHANGE = "Keep the two sets apart: no image may be in both."
DEMO = """\
  model, noise = net(), torch.randint(0, 10, (100,))
- x, y = torch.cat([images, test_images]), torch.cat([labels, noise])
+ x, y = images, labels
  learn(model, x, y, lr=0.3, steps=600)
  print("accuracy on labels that nobody can know", round(accuracy(model, y=noise), 2))
"""
EXPLAINS = ("eval_on_train",)
_TEST = "test|val|held"
_JOINING = ("ConcatDataset", "cat", "concat", "concatenate", "vstack")


def look(case: Case) -> Finding | None:
    """Images of the set that is tested on are among those of the set that is trained on, which is another set."""
    trained, last = sets(case)
    if trained is None or case.images is None or case.images[0].numel() < 16 or case.images.dtype == torch.int64:
        return None
    known = set(keys(trained))
    alone = len({id(event.model) for event in case.training}) == 1  # of several networks each may have images of its own
    for tested in (last, *(named(case, "val|dev|test|held") if alone else [])):
        if tested is not None and tested is not trained and (finding := _shared(case, known, tested)):
            return finding
    return None


def _shared(case: Case, known: set[int], tested: object) -> Finding | None:
    asked = keys(tested)
    if not asked or not known or len(asked) > len(known) * 1.5:
        return None
    both = sum(key in known for key in asked)
    shared = both / len(asked)
    if shared < 0.2 or (isinstance(tested, frozenset) and (both > 0.9 * len(known) or (shared > 0.9 and both > 0.5 * len(known)))):
        return None  # in the last case it is the training images themselves that are asked
    line = _test_of_training(case) or _kept_in(case) or _joined(case) or _cut(case) or _made_of_training(case) or case.line_of_data()
    return Finding(line, f"{shared:.0%} of {len(asked):,} test images are training images too.")


def _test_of_training(case: Case) -> int:
    """Where something called test gets what is made for training: `test = MNIST(train=True)`."""
    named = [(line, value) for line, name, value in _given(case) if _is_of_test(name)]
    told = [(line, re.sub("train=False|train_test_split", "", value)) for line, value in named]
    return min((line for line, value in told if re.search(r"\btrain|\bTrue\b", value)), default=0)


def _kept_in(case: Case) -> int:
    """Of folds: where all parts are put together in a loop over the same parts, and none is left out."""
    for call in case.script.calls(*_JOINING):
        given = call.args[0] if call.args else None
        parts = ast.unparse(given.generators[0].iter) if isinstance(given, ast.ListComp) and not given.generators[0].ifs else ""
        if parts and any(
            parts in {ast.unparse(one) for one in ast.walk(loop.iter)}
            for loop in case.script.loops_around(call.lineno)
            if isinstance(loop, ast.For)
        ):
            return call.lineno
    return 0


def _joined(case: Case) -> int:
    """Where something called test is put together with something else."""
    lists = [(call.lineno, one.elts) for call in case.script.calls(*_JOINING) for one in call.args[:1] if isinstance(one, ast.List)]
    added = [node for node in case.script.nodes if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add)]
    sums = [(node.lineno, [node.left, node.right]) for node in added if "train" in ast.unparse(node)]
    of_test = [(line, [bool(re.search(_TEST, ast.unparse(one), re.IGNORECASE)) for one in some]) for line, some in (*lists, *sums)]
    return min((line for line, some in of_test if any(some) and not all(some)), default=0)


def _cut(case: Case) -> int:
    """Where test images are cut out of what the training images are cut out of too."""
    last = {name: _cut_up(value) for _, name, value in _given(case) if "train" in name}
    wholes = set().union(*last.values())
    return min((line for line, name, value in _given(case) if _is_of_test(name) and wholes & _cut_up(value)), default=0)


def _cut_up(value: str) -> set[str]:
    """`images` and `labels` of `TensorDataset(images[:800], labels[:800])`."""
    return set(re.findall(r"([\w.]+)\[(?!')", value))


def _is_of_test(name: str) -> bool:
    return bool(re.search(_TEST, name, re.IGNORECASE)) and "train" not in name


def _given(case: Case) -> list[tuple[int, str, str]]:
    """Line, name and value of each assignment."""
    return [(target.lineno, ast.unparse(target), ast.unparse(value)) for target, value in case.script.pairs()]


def _made_of_training(case: Case) -> int:
    """Without a loader, where `train` is made; rather of something else than of itself."""
    made = [(line, name not in value) for line, name, value in _given(case) if "train" in name and line < case.line_of_training()]
    last = [line for line, anew in made if anew] or [line for line, _ in made]
    return 0 if case.line_of_loader() else max(last, default=0)
