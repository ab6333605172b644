"""What a network scored: its logits on a split, computed once; every number and every view reads them."""

from handlens.evaluation.measured import ConfusedPair, Evaluation
from handlens.evaluation.selection import Selection

__all__ = ["ConfusedPair", "Evaluation", "Selection"]
