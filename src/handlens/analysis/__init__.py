"""Where and why a network is wrong: its mistakes in groups, over several runs, by how one writes, under changes, and in the labels."""

from handlens.analysis.agreement import Agreement, agreement
from handlens.analysis.groups import Group, accuracy_by_measure, accuracy_by_stroke, accuracy_by_writer, plot_strokes
from handlens.analysis.labels import LabelIssues, Suspect, find_label_issues
from handlens.analysis.mistakes import Cluster, cluster_mistakes, plot_clusters, plot_confused
from handlens.analysis.own_hand import OwnHand, own_hand
from handlens.analysis.robustness import CHANGES, UNCHANGED, Changed, Condition, Robustness, changed, robustness
from handlens.analysis.temperature import Answering, Calibrated, calibrate

__all__ = [
    "CHANGES",
    "UNCHANGED",
    "Agreement",
    "Answering",
    "Calibrated",
    "Changed",
    "Cluster",
    "Condition",
    "Group",
    "LabelIssues",
    "OwnHand",
    "Robustness",
    "Suspect",
    "accuracy_by_measure",
    "accuracy_by_stroke",
    "accuracy_by_writer",
    "agreement",
    "calibrate",
    "changed",
    "cluster_mistakes",
    "find_label_issues",
    "own_hand",
    "plot_clusters",
    "plot_confused",
    "plot_strokes",
    "robustness",
]
