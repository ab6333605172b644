"""Networks: ours from the simplest up, and what is done with any network.

Each of ours takes images N,C,H,W, as `float32` in [0, 1] or as `uint8`, and returns logits N,K: one score a class, before any softmax.
What the pixels are shifted and scaled by lives inside the network, so that nobody who uses it can forget it.
"""

from handlens.models.cnn import CNN, PADDINGS, POOLINGS
from handlens.models.cost import count_multiplications
from handlens.models.efficientnet import EfficientNetLite0
from handlens.models.last import before_last, features, last_layer
from handlens.models.layers import Layer, check_fits, summary
from handlens.models.networks import ACTIVATIONS, MLP, Classifier, SoftmaxRegression, Task
from handlens.models.own import call_maker, from_file
from handlens.models.places import line_of
from handlens.models.pretrained import load_imagenet_weights
from handlens.models.registry import KNOBS, MODELS, build, check_knobs, idle_knobs
from handlens.models.resnet import ResidualBlock, ResNet
from handlens.models.use import (
    copied,
    count_parameters,
    device_of,
    evaluating,
    needs_company,
    predict_logits,
    set_learning,
    to_float,
    training_mode,
)

__all__ = [
    "ACTIVATIONS",
    "CNN",
    "KNOBS",
    "MLP",
    "MODELS",
    "PADDINGS",
    "POOLINGS",
    "Classifier",
    "EfficientNetLite0",
    "Layer",
    "ResNet",
    "ResidualBlock",
    "SoftmaxRegression",
    "Task",
    "before_last",
    "build",
    "call_maker",
    "check_fits",
    "check_knobs",
    "copied",
    "count_multiplications",
    "count_parameters",
    "device_of",
    "evaluating",
    "features",
    "from_file",
    "idle_knobs",
    "last_layer",
    "line_of",
    "load_imagenet_weights",
    "needs_company",
    "predict_logits",
    "set_learning",
    "summary",
    "to_float",
    "training_mode",
]
