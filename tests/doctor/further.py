"""Short right programs of habits that the doctor once took for mistakes, in `further/`, and mistakes in them that it once missed."""

from __future__ import annotations

from pathlib import Path

from doctor.programs import Mutant

FURTHER = {path.stem: path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "further").glob("*.txt"))}

# Cause, program, what is replaced, by what, and text of the line that is to be named.
_DIVISION = "correct / (len(test_loader) * BATCH_SIZE)"
_GRADIENTS = "torch.autograd.grad(loss, model.parameters(), retain_graph=True, allow_unused=True)"
MISTAKES: list[tuple[str, str, str, str, str]] = [
    ("missing_eval", "numpy_guesses", "    model.eval()\n", "", "guesses = np.argmax"),
    ("loss_tensor_kept", "step_returns_number", "return loss.item()", "return loss", "running += loss"),
    ("accuracy_wrong_denominator", "shares_of_batches", _DIVISION, "correct / len(test_loader)", "correct / len"),
    ("frozen_by_mistake", "backbone_frozen", "backbone.load_state_dict(torch.load(file))", "pass", "requires_grad = False"),
    ("missing_backward", "gradients_given", _GRADIENTS, "[None] * 4", "loss ="),
]


def broken_further() -> list[Mutant]:
    """All of them, each with its mistake."""
    return [Mutant(cause, name, old, new, line, FURTHER[name]) for cause, name, old, new, line in MISTAKES]
