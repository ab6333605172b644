"""The accuracy is a mean of those of the batches, and the last batch is smaller."""

from __future__ import annotations

import ast
import contextlib

from torch.utils.data import DataLoader

from handlens.doctor.case import Case
from handlens.doctor.cause import NOTE, Finding
from handlens.doctor.script import name_of
from handlens.words import counted

SENTENCE = "The last batch is smaller than the others, and counts as much as they do."
CHANGE = "Count the hits, and divide once by the number of images."
DEMO = """\
  hits = [torch.ones(64), torch.ones(64), torch.ones(64), torch.zeros(8)]  # batches of 64, 64, 64 and 8 images
- accuracy = sum(batch.mean() for batch in hits) / len(hits)
+ accuracy = sum(batch.sum() for batch in hits) / sum(len(batch) for batch in hits)
  print(f"accuracy {accuracy:.2f}")
"""


def look(case: Case) -> Finding | None:
    """Shares of hits, one a batch, are added up and divided by the number of batches. It is a remark: it changes little."""
    summed = {name_of(node.target) for node in case.script.nodes if isinstance(node, ast.AugAssign) and _is_share(node.value)}
    for node in case.script.nodes:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and name_of(node.left) in summed - {""}:
            for last, size in _uneven(case) if _is_length(node.right) else []:
                return Finding(node.lineno, f"The last batch has {counted(last, 'image')}, the others {size}.", NOTE)
    return None


def _is_share(value: ast.expr) -> bool:
    """Whether it is the mean of a comparison: `(guess == y).float().mean()`."""
    text = ast.unparse(value)
    return "mean(" in text and ("==" in text or ".eq(" in text) and not isinstance(value, ast.BinOp)


def _is_length(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and name_of(value.func) == "len"


def _uneven(case: Case) -> list[tuple[int, int]]:
    """How many images are in the last batch and in the others, of each loader of test images of which these differ."""
    found = []
    for event in case.seen.of("batch"):
        loader = event.loader
        if isinstance(loader, DataLoader) and loader.batch_size and not loader.drop_last and not set(event.rows) & case.trained_rows:
            with contextlib.suppress(TypeError):  # of a stream that has no end
                last = len(loader.dataset) % loader.batch_size  # type: ignore[arg-type]
                found += [(last, loader.batch_size)] if last and len(loader) > 1 else []
    return found
