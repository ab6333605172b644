"""The way back for the gradients is cut inside the network."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import NOT_LEARNING, Finding
from handlens.doctor.evaluations import arguments, to_learn
from handlens.doctor.probes import called

SENTENCE = "This line cuts the connection that gradients go back through, so the layers before it never learn."
CHANGE = "Take .data, .detach(), .item(), torch.tensor(...) or no_grad out of this line."
DEMO = """\
  first, last = nn.Linear(784, 32), nn.Linear(32, 10)
- scores = last(first(images.flatten(1)).relu().detach())
+ scores = last(first(images.flatten(1)).relu())
  loss_fn(scores, labels).backward()
  print("the first layer has a gradient:", first.weight.grad is not None)
"""
EXPLAINS = (*NOT_LEARNING, "optimizer_wrong_params")


def look(case: Case) -> Finding | None:
    """Layers that are called and came from nowhere else get no gradient, and a cut stands in the program."""
    if case.model is None or not case.steps or case.images is None:
        return None
    names = called(case.model, *(arguments(case.training, case.model) or [case.images]))
    learns = to_learn(case.training, case.model)
    missed = [
        name
        for key, name in case.parameters.items()
        if key not in case.reached and key not in case.loaded and name.rpartition(".")[0] in names and name in learns
    ]
    if not missed or not case.reached:
        return None
    line = _cut(case)
    return Finding(line, f"{len(missed)} of {len(case.parameters)} weights get no gradient: {', '.join(missed[:3])}.") if line else None


def _cut(case: Case) -> int:
    """The line in a forward, else anywhere between the images and the loss."""
    for owner in case.script.classes():
        method = case.script.method(owner.name, "forward")
        found = method and case.script.find(
            ".data", ".detach()", "no_grad()", ".item()", ".numpy()", "torch.tensor(", "inference_mode", within=method
        )
        if found:
            return int(found)
    return case.script.find(".detach()", ".data", "torch.tensor(", ".numpy()")
