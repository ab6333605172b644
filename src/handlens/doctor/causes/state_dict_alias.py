"""The best weights are a link, not a copy."""

from __future__ import annotations

import ast

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding
from handlens.doctor.script import covers, name_of, parents
from handlens.doctor.seen import Event
from handlens.words import counted

SENTENCE = "state_dict() gives a link to the weights, not a copy: the best ones become the last ones."
CHANGE = "Keep a copy: copy.deepcopy(model.state_dict())."
DEMO = """\
  model = net()
- best = model.state_dict()
+ best = copy.deepcopy(model.state_dict())
  learn(model)
  print("what was kept has changed:", torch.equal(best["1.weight"], model[1].weight))
"""


def look(case: Case) -> Finding | None:
    """A state is taken, steps are made, and the very same state is loaded; or one is put into a name in a loop, and used after it."""
    return _loaded_again(case) or _kept_in_loop(case)


def _loaded_again(case: Case) -> Finding | None:
    """The network's own weights are loaded into it, as they have become."""
    taken: dict[int, int] = {}
    steps = 0
    for event in case.seen.events:
        steps += event.kind == "step"
        if event.kind == "state_dict":
            taken.setdefault(id(event.state), steps)
        if event.kind == "load" and steps > 0 and _same(event):
            line = next((one.line for one in case.seen.of("state_dict") if one.state is event.state), 0)
            line = line or case.script.find("copy.copy(", ".state_dict()")  # another dict of the same tensors
            made = steps - taken.get(id(event.state), steps)
            said = f"{counted(made, 'step was', 'steps were')} made before this state was loaded again: it had changed too."
            return Finding(line, said if made else "This state was loaded again, and it was the network itself.")
    return None


def _same(event: Event) -> bool:
    known = [(weights, event.state[name]) for name, weights in event.model.named_parameters() if name in event.state]
    return any(one.data_ptr() == other.data_ptr() for one, other in known)


def _kept_in_loop(case: Case) -> Finding | None:
    for node in case.script.nodes:
        if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and name_of(node.value.func) == "state_dict"):
            continue
        names = {name_of(target) for target in node.targets}
        loop = next(iter(case.script.loops_around(node.lineno)), None)
        used = [call for call in case.script.calls("load_state_dict", "save") if _speaks(case, call, node, names)]
        if loop is None or not any(isinstance(above, ast.If) and covers(loop, above.lineno) for above in parents(node)):
            continue  # of what is kept at each turn, the last one is wanted
        if any(not covers(loop, call.lineno) for call in used):
            return Finding(node.lineno, f"`{case.script.line(node.lineno)}` keeps a link; training went on after it.")
    return None


def _speaks(case: Case, call: ast.Call, node: ast.Assign, names: set[str]) -> bool:
    """Whether a call is given what was kept: a name stands for that in its own function only, an attribute everywhere."""
    given = [one for one in ast.walk(call) if isinstance(one, ast.Name | ast.Attribute) and name_of(one) in names]
    same = case.script.enclosing(call.lineno, ast.FunctionDef) is case.script.enclosing(node.lineno, ast.FunctionDef)
    return any(same or isinstance(one, ast.Attribute) for one in given)
