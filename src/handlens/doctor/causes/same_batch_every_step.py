"""Each step gets the first batch again."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import torch

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.script import covers, name_of, names_in
from handlens.words import counted

SENTENCE = "Each step makes a new iterator, so training sees the same first batch again and again."
CHANGE = "Go through the loader: for images, labels in train_loader."
DEMO = """\
  used = set()
- for step in range(4):
-     x, y = next(iter(loader))
+ for x, y in loader:
      used |= {image.sum().item() for image in x}
  print(len(used), "different images were used")
"""
EXPLAINS = ("train_test_preprocess_mismatch",)
_FEW = 8
_SEEDS = ("default_rng", "manual_seed", "seed", "RandomState")
_DRAWS = ("choice", "choices", "integers", "randint", "randperm", "permutation", "sample", "shuffle", "rand", "randn", "random", "normal")


def look(case: Case) -> Finding | None:
    """The same images at each step, and in its loop a new iterator, a new seed, or places that are chosen without the loop's number."""
    return _new_iterator(case) or _new_seed(case) or _same_places(case)


def _new_iterator(case: Case) -> Finding | None:
    """`next(iter(loader))`, or `next(batches(x))` of a generator of the program's, within the loop that trains."""
    generators = {node.name for node in case.script.nodes if isinstance(node, ast.FunctionDef) and _yields(node)}
    rows = [frozenset(event.rows) for event in case.training if "rows" in event.about]
    for node in case.script.calls("next"):
        inner = node.args[0] if node.args else None
        made = isinstance(inner, ast.Call) and name_of(inner.func) in {"iter", *generators} and case.script.loops_around(node.lineno)
        if made and len(rows) > 3 and _repeated(rows):
            return Finding(node.lineno, f"{len(rows)} steps saw {counted(len(set(rows)), 'different batch', 'different batches')}.")
    return None


def _yields(function: ast.FunctionDef) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))


def _new_seed(case: Case) -> Finding | None:
    """Images are drawn at each step, after the same seed."""
    rows_at: dict[tuple[int, ...], list[frozenset[int]]] = {}
    for event in (event for event in case.training if "rows" in event.about):
        rows_at.setdefault(event.lines, []).append(frozenset(event.rows))
    for lines, rows in rows_at.items():
        loop = next((loop for line in lines for loop in case.script.loops_around(line)), None)
        seeds = list(_seeds(case, loop)) if loop is not None and len(rows) >= _FEW and _repeated(rows) else []
        if seeds:
            return Finding(
                min(seeds),
                f"The network was called {len(rows)} times and saw {counted(len(set(rows)), 'different batch', 'different batches')}.",
                sentence="Random numbers begin again at each step, so training sees the same batch again and again.",
                change="Set the seed once, above the loop.",
            )
    return None


def _repeated(rows: list[frozenset[int]]) -> bool:
    return len(set(rows)) <= max(1, len(rows) // 8)


def _seeds(case: Case, loop: ast.For | ast.While) -> Iterator[int]:
    """Lines that set a fixed seed in each turn of a loop, or in a function that is called there, where something is drawn."""
    called = {name_of(node.func) for node in ast.walk(loop) if isinstance(node, ast.Call)}
    places = [loop, *(node for node in case.script.nodes if isinstance(node, ast.FunctionDef) and node.name in called)]
    if not any(_draws(node) for place in places for node in ast.walk(place)):
        return
    for call in case.script.calls(*_SEEDS):
        if not call.args or not all(isinstance(one, ast.Constant) for one in call.args):
            continue
        around = case.script.enclosing(call.lineno, ast.FunctionDef, ast.For, ast.While)
        if around in places:
            yield call.lineno


def _draws(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and name_of(node.func) in _DRAWS


def _same_places(case: Case) -> Finding | None:
    """The labels of all steps are the same, and the places of the images are chosen in a loop over batches whose number is used nowhere."""
    targets = [step.loss.target for step in case.steps if step.loss is not None and "target" in step.loss.about]
    if len(targets) < _FEW or any(not torch.equal(one, targets[0]) for one in targets):
        return None
    loops = case.script.loops_around(case.line_of_training())
    loop, outer = loops[0] if loops else None, loops[1:]
    if not isinstance(loop, ast.For) or not outer or names_in(loop.target) & {name for node in loop.body for name in names_in(node)}:
        return None
    for node in ast.walk(loop):
        picked = node.slice if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) else None
        if isinstance(picked, ast.Name) and _larger(case, name_of(node.value), len(targets[0])):  # type: ignore[attr-defined]
            made = [one.lineno for one in case.script.assignments(picked.id) if covers(loop, one.lineno)]
            if made:
                return Finding(
                    made[0],
                    f"The labels of the first {len(targets)} steps are the same {len(targets[0])}, in the same order.",
                    sentence="The same places are chosen at each step, so training sees the same batch again and again.",
                    change="Choose by the number of the batch: order[k * size:(k + 1) * size].",
                )
    return None


def _larger(case: Case, name: str, count: int) -> bool:
    """Whether a variable holds more than one batch."""
    held = case.names.get(name)
    return isinstance(held, torch.Tensor) and held.ndim > 0 and len(held) > count
