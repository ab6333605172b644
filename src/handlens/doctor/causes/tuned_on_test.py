"""The setting is chosen by its score on the test images."""

from __future__ import annotations

import ast
import re

from handlens.doctor.case import Case
from handlens.doctor.cause import LIKELY, Finding
from handlens.doctor.script import covers, name_of, parents

SENTENCE = "The best of several settings is chosen by its test score, so that score is too good."
CHANGE = "Choose by validation images, and look at the test set once, at the end."
DEMO = """\
  guesses = torch.randint(0, 10, (100, 150))  # a hundred settings, each of which guesses
  hits = (guesses == torch.randint(0, 10, (150,))).float()
  validation, test = hits[:, :50].mean(1), hits[:, 50:].mean(1)
- best = test.argmax()
+ best = validation.argmax()
  print(f"test accuracy {test[best]:.2f}, and guessing gives 0.10")
"""
_VALIDATION = "val|valid|validation|dev"
_DATA = {"loader", "dataloader", "set", "dataset", "data", "images", "labels", "dl", "ds", "x", "y"}
_OF_EPOCHS = "The best epoch is chosen by its test score, so that score is too good."


def look(case: Case) -> Finding | None:
    """In a loop over settings, in which networks are made, the largest test score is kept; or they are collected, and one is chosen.

    Of epochs, the one with the best test score is kept, though there are validation images.
    """
    return _kept(case) or _chosen(case) or _best_epoch(case) or _handed_over(case)


def _kept(case: Case) -> Finding | None:
    for node in case.script.nodes:
        if not (isinstance(node, ast.If) and isinstance(node.test, ast.Compare)):
            continue
        compared = {name_of(one) for one in ast.walk(node.test)}
        loop = next(iter(case.script.loops_around(node.lineno)), None)
        if loop is None or not any("best" in name for name in compared):
            continue
        header = ast.unparse(loop).split(":")[0].lower()
        makes = any(
            isinstance(one, ast.Call) and name_of(one.func) in (type(case.model).__name__, "make_model", "build_model", "train")
            for one in ast.walk(loop)
        )
        lines = [line for name in sorted(compared) if (line := _from_test(loop, name, node.lineno))]
        if "epoch" not in header and makes and lines:
            return Finding(lines[0], f"`{case.script.line(lines[0])}`: by this score on test images the best is chosen.", LIKELY)
    return None


def _best_epoch(case: Case) -> Finding | None:
    names = {name_of(node) for node in case.script.nodes} - {"val"}  # which may be any value
    if not _speaks(names, _VALIDATION):
        return None  # who has no others often keeps the epoch by the test images
    for node in case.script.nodes:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Compare) and _keeps_weights(node):
            compared = {name_of(one) for one in ast.walk(node.test)}
            loop = next(iter(case.script.loops_around(node.lineno)), None)
            if loop is None or not any("best" in name for name in compared):
                continue
            for given in (one for one in ast.walk(loop) if isinstance(one, ast.Assign)):
                if {name_of(target) for target in given.targets} & compared and _asks_test(given.value):
                    return Finding(
                        given.lineno,
                        f"`{case.script.line(given.lineno)}` is compared with the best so far, and there are validation images.",
                        LIKELY,
                        sentence=_OF_EPOCHS,
                    )
    return None


def _handed_over(case: Case) -> Finding | None:
    """`fit(train_loader, test_loader)` of `def fit(train, val)`, which keeps the best epoch, and there is a `val_loader`."""
    targets = [target for node in case.script.nodes if isinstance(node, ast.Assign) for target in node.targets]
    made = {name_of(one) for target in targets for one in ast.walk(target)}
    if not any(_speaks({name}, _VALIDATION) and _DATA & set(name.lower().split("_")) for name in made):
        return None
    for function in (node for node in case.script.nodes if isinstance(node, ast.FunctionDef)):
        if not any(isinstance(node, ast.If) and "best" in ast.unparse(node.test) and _keeps_weights(node) for node in ast.walk(function)):
            continue
        parameters = [one.arg for one in function.args.args if one.arg != "self"]
        for call in case.script.calls(function.name):
            handed = [*zip(parameters, call.args, strict=False), *((word.arg or "", word.value) for word in call.keywords)]
            if any(_speaks({name}, _VALIDATION) and _asks_test(value) and not _is_setting(name) for name, value in handed):
                evidence = f"`{case.script.line(call.lineno)}` hands over test images to choose by, and there are validation images."
                return Finding(call.lineno, evidence, LIKELY, sentence=_OF_EPOCHS)
    return None


def _is_setting(name: str) -> bool:
    """Whether it is about images, and none itself: `val_transform`, `val_batch_size`."""
    return bool(re.search("transform|tf$|batch|size|every|fraction|share|aug|workers", name.lower()))


def _keeps_weights(node: ast.If) -> bool:
    return any("state_dict" in ast.unparse(one) for one in node.body)


def _asks_test(value: ast.expr) -> bool:
    used = {name_of(one) for one in ast.walk(value)}
    return _speaks(used, r"test\w*") and not _speaks(used, _VALIDATION)


def _from_test(loop: ast.AST, name: str, line: int) -> int:
    """Where a name gets its value from something called test; the line of the comparison if it is called so itself."""
    if not name or "best" in name:
        return 0
    given = [one for one in ast.walk(loop) if isinstance(one, ast.Assign) and any(name_of(target) == name for target in one.targets)]
    of_test = [one.lineno for one in given if "test" in ast.unparse(one.value).lower()]
    return next(iter(of_test), line if "test" in name else 0)


def _chosen(case: Case) -> Finding | None:
    """`best = max(results, key=results.get)`, after a loop that trains several networks and puts test scores into `results`."""
    for loop in (node for node in case.script.nodes if isinstance(node, ast.For) and _trains_several(case, node)):
        collected = _collected(case, loop)
        for call in case.script.calls("max", "argmax", "sorted"):
            given = {name_of(one) for one in ast.walk(call)}
            if _chooses(case, call) and given & collected and not covers(loop, call.lineno):
                return Finding(call.lineno, f"`{case.script.line(call.lineno)}` chooses by scores on test images.", LIKELY)
    return None


def _chooses(case: Case, call: ast.Call) -> bool:
    """Whether one is taken; of those that are sorted, the first or the last, be it by another name."""
    if name_of(call.func) == "argmax":
        return True
    if not any(word.arg == "key" for word in call.keywords):
        return False
    above = next(parents(call))
    ranked = [name_of(target) for target in above.targets] if isinstance(above, ast.Assign) else []
    taken = [node for node in case.script.nodes if isinstance(node, ast.Subscript) and ast.unparse(node.slice) in ("0", "-1")]
    return name_of(call.func) == "max" or any(node.value is call or name_of(node.value) in ranked for node in taken)


def _trains_several(case: Case, loop: ast.For) -> bool:
    return len({id(event.model) for event in case.training if any(covers(loop, line) for line in event.lines)}) > 1


def _collected(case: Case, loop: ast.For) -> set[str]:
    """The names of lists and dicts that are given test scores in a loop, at once or by way of other names."""
    of_test = {node.name for node in case.script.nodes if isinstance(node, ast.FunctionDef) and _gives_test(node)}
    found: set[str] = set()
    for _ in range(2):  # what is put into a list first, and its mean into a dict
        for node in ast.walk(loop):
            name, value = _given(node)
            used = {name_of(one) for one in ast.walk(value)} if value is not None else set()
            if name and not _speaks(used, _VALIDATION) and (used & (of_test | found) or _speaks(used, "test")):
                found.add(name)
    return found


def _speaks(names: set[str], words: str) -> bool:
    return any(re.fullmatch(rf"(\w+_)?({words})(_\w+)?", name) for name in names)


def _gives_test(function: ast.FunctionDef) -> bool:
    return any("test" in ast.unparse(node) for node in ast.walk(function) if isinstance(node, ast.Return))


def _given(node: ast.AST) -> tuple[str, ast.expr | None]:
    """The name to which a statement gives something, or the list or dict into which it puts it."""
    if isinstance(node, ast.Assign):
        target = node.targets[0]
        return name_of(target.value if isinstance(target, ast.Subscript) else target), node.value
    if isinstance(node, ast.Call) and name_of(node.func) == "append" and isinstance(node.func, ast.Attribute) and node.args:
        return name_of(node.func.value), node.args[0]
    return "", None
