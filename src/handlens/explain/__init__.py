"""What a network has learned and what its answers hang on: numbers that any network gives, ours or a learner's, each with its picture.

Each function takes a run or any `nn.Module` first; what it returns holds arrays, and draws itself with `show()`.
"""

from handlens.explain.activations import Activations, activations
from handlens.explain.arithmetic import Arithmetic, arithmetic, switched_off
from handlens.explain.attribution import Attribution, gradcam, integrated_gradients, last_maps, occlusion, saliency
from handlens.explain.embedding import METHODS, Embedding, embedding, features, pca, tsne
from handlens.explain.graph import Block, Box, Graph, graph
from handlens.explain.health import DeadUnits, Health, LayerHealth, health
from handlens.explain.picture import read_picture
from handlens.explain.subject import float_images, network
from handlens.explain.trace import Step, trace
from handlens.explain.weights import Weights, filters, weights

__all__ = [
    "METHODS",
    "Activations",
    "Arithmetic",
    "Attribution",
    "Block",
    "Box",
    "DeadUnits",
    "Embedding",
    "Graph",
    "Health",
    "LayerHealth",
    "Step",
    "Weights",
    "activations",
    "arithmetic",
    "embedding",
    "features",
    "filters",
    "float_images",
    "gradcam",
    "graph",
    "health",
    "integrated_gradients",
    "last_maps",
    "network",
    "occlusion",
    "pca",
    "read_picture",
    "saliency",
    "switched_off",
    "trace",
    "tsne",
    "weights",
]
