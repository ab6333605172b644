"""A network as a list of plain steps with their weights, for a program that has no PyTorch."""

from __future__ import annotations

import base64
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.fx import Node

from handlens.errors import ModelError
from handlens.models import to_float

_PAIRS = ("stride", "dilation", "kernel_size")
_SAME = "to dropout feature_dropout clone contiguous detach alias expand_as".split()
_NOTHING = "_assert_tensor_metadata _assert_scalar sym_size".split()
_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "conv2d": ("stride", "padding", "dilation", "groups"),
    "linear": (),
    "batch_norm": ("eps",),
    "max_pool2d": ("kernel_size", "stride", "padding", "dilation"),
    "avg_pool2d": ("kernel_size", "stride", "padding", "count_include_pad"),
    "pad": ("pad", "value"),
    "leaky_relu": ("negative_slope",),
    "hardtanh": ("min_val", "max_val"),
    "gelu": ("approximate",),
    **dict.fromkeys("relu silu tanh sigmoid softmax log_softmax cat expand reshape enlarge channel_means add sub mul div".split(), ()),
}
"""Every step that the page knows, and what each needs to be told; `forward.js` has the same names."""

_OTHER_NAMES = {
    **dict.fromkeys(("flatten", "view", "unflatten", "squeeze", "unsqueeze", "_unsafe_view"), "reshape"),
    **dict.fromkeys(("_upsample_bilinear2d_aa", "upsample_bilinear2d"), "enlarge"),
    **dict.fromkeys(("adaptive_avg_pool2d", "mean"), "channel_means"),
    "constant_pad_nd": "pad",
    "relu6": "hardtanh",
}
_WEIGHTS = {"conv2d": ("weight", "bias"), "linear": ("weight", "bias"), "batch_norm": ("running_mean", "running_var", "weight", "bias")}


def describe(network: nn.Module, image: Tensor) -> dict[str, Any]:
    """The steps from one image to its logits, as JSON: `steps`, `tensors` (shapes, and where each begins), `weights` (base64).

    Args:
        network: in the mode of use.
        image: `uint8` 1,C,H,W.

    Raises:
        ModelError: it does something that a step cannot.
    """
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            program = torch.export.export(network, (to_float(image),))
    except Exception as error:  # it raises whatever it stumbles over in a learner's forward
        raise _cannot(network, (str(error).splitlines() or [""])[0]) from error
    return _Steps(network, program).to_json()


class _Steps:
    """Follows the graph of `torch.export`, node by node."""

    def __init__(self, network: nn.Module, program: torch.export.ExportedProgram) -> None:
        self.network = network
        signature = program.graph_signature
        names = {**signature.inputs_to_parameters, **signature.inputs_to_buffers, **signature.inputs_to_lifted_tensor_constants}
        kept = {**program.state_dict, **program.constants}
        self.tensors: dict[str, Tensor] = {}
        self.given = {place: (name, cast("Tensor", kept[name])) for place, name in names.items()}
        self.places: dict[Node, int] = {}
        self.steps: list[dict[str, Any]] = []
        for node in program.graph.nodes:
            self._follow(node)

    def _follow(self, node: Node) -> None:
        if node.op == "placeholder" and node.name not in self.given:
            self.places[node] = 0
        elif node.op == "call_function":
            name = cast("Any", node.target)._schema.name.partition("::")[2].rstrip("_")
            if name not in _NOTHING:
                self._step(node, name)

    def _step(self, node: Node, name: str) -> None:
        arguments = _bound(node)
        if name in _SAME:
            self.places[node] = self.places[node.all_input_nodes[0]]
            return
        op = _OTHER_NAMES.get(name, name)
        if op not in _ARGUMENTS:
            raise _cannot(self.network, f"it uses '{name}'")
        if _is_odd(op, arguments, len(node.meta["val"].shape)):
            raise _cannot(self.network, f"it uses '{name}' in a way")
        shape = [int(side) for side in node.meta["val"].shape[1:]]
        told = {key: arguments[key] for key in _ARGUMENTS[op] if key in arguments}
        inputs = [each for each in node.all_input_nodes if each in self.places]
        step = {"op": op, **_named(node), "from": [self.places[each] for each in inputs], "shape": shape, **told}
        step |= {"tensors": self._tensors(op, arguments)} | _numbers(op, arguments)
        if op == "conv2d":
            step["kernel"] = list(self.given[arguments["weight"].name][1].shape[2:])
        self._check(step, name, inputs)
        self.steps.append(_plain(step))
        self.places[node] = len(self.steps)

    def _tensors(self, op: str, arguments: dict[str, Any]) -> list[int]:
        """The places of the weights that a step uses, in the order in which it takes them."""
        wanted = [arguments.get(name) for name in _WEIGHTS[op]] if op in _WEIGHTS else list(arguments.values())
        if op in _WEIGHTS and any(isinstance(node, Node) and node.name not in self.given for node in wanted):
            raise _cannot(self.network, "it computes the weights of a layer anew each time")
        names = [self.given[node.name] for node in wanted if isinstance(node, Node) and node.name in self.given]
        self.tensors |= dict(names)
        return [list(self.tensors).index(name) for name, _ in names]

    def _check(self, step: dict[str, Any], name: str, inputs: Sequence[Node]) -> None:
        """Refuse what the step of that name would do otherwise than PyTorch."""
        shapes = [tuple(node.meta["val"].shape) for node in inputs]
        whole = len(shapes) < 2 or step["op"] == "cat" or len(set(shapes)) == 1
        averaged = step["op"] != "channel_means" or all(side == 1 for side in step["shape"][1:])
        if not whole or not averaged or (step["op"] == "enlarge" and step["shape"][-1] < shapes[0][-1]):
            raise _cannot(self.network, f"it uses '{name}' on {shapes}")

    def to_json(self) -> dict[str, Any]:
        """As the page has it."""
        start, tensors = 0, []
        for name, tensor in self.tensors.items():
            tensors.append({"name": name, "shape": list(tensor.shape), "start": start})
            start += tensor.numel()
        content = b"".join(tensor.detach().cpu().numpy().astype("<f4").tobytes() for tensor in self.tensors.values())
        return {"steps": self.steps, "tensors": tensors, "weights": base64.b64encode(content).decode()}


def _bound(node: Node) -> dict[str, Any]:
    """The arguments of a node by their names, those that were left out at their defaults."""
    arguments = cast("Any", node.target)._schema.arguments
    given = dict(zip([each.name for each in arguments], node.args, strict=False)) | dict(node.kwargs)
    return {each.name: given.get(each.name, each.default_value) for each in arguments}


def _numbers(op: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The number that is added, multiplied, ...; a step knows no `alpha`."""
    other = arguments.get("other")
    return {"other": other} if op in ("add", "sub", "mul", "div") and isinstance(other, int | float) else {}


def _plain(step: dict[str, Any]) -> dict[str, Any]:
    """With the arguments as the page takes them: pairs, margins on four sides."""
    found = dict(step)
    if step["op"] in ("max_pool2d", "avg_pool2d"):
        found["stride"] = step["stride"] or step["kernel_size"]
        found["padding"] = _pair(step["padding"])
        found.setdefault("dilation", 1)
    if step["op"] == "conv2d":
        found["padding"] = _margins(step)
    if step["op"] == "hardtanh" and "min_val" not in step:
        found |= {"min_val": 0, "max_val": 6}
    if step["op"] == "pad":
        found |= {"pad": [*step["pad"], 0, 0, 0, 0][:4], "value": step["value"] or 0}
    return found | {name: _pair(found[name]) for name in _PAIRS if name in found}


def _margins(step: dict[str, Any]) -> list[int]:
    """Left, right, top, bottom; `same` has the odd pixel on the right and below."""
    padding = step["padding"]
    if isinstance(padding, str):
        return [0] * 4 if padding == "valid" else _same(step)
    down, across = _pair(padding)
    return [across, across, down, down]


def _same(step: dict[str, Any]) -> list[int]:
    sides = []
    for size, dilation in zip(step["kernel"], _pair(step["dilation"]), strict=True):
        whole = dilation * (size - 1)
        sides.append((whole // 2, whole - whole // 2))
    (top, bottom), (left, right) = sides
    return [left, right, top, bottom]


def _pair(value: Any) -> list[int]:
    values = list(value) if isinstance(value, list | tuple) else [value]
    return values * 2 if len(values) == 1 else values


def _named(node: Node) -> dict[str, str]:
    """The layer that a step belongs to, and its class; a function has its own name."""
    modules: Iterator[tuple[str, Any]] = iter((node.meta.get("nn_module_stack") or {}).values())
    path, kind = [("", ""), *modules][-1]
    kind = kind if isinstance(kind, str) else kind.__name__
    return {"name": path or node.name, "kind": kind.rpartition(".")[2] if path else node.name}


def _cannot(network: nn.Module, why: str) -> ModelError:
    return ModelError(
        f"{type(network).__name__} cannot become a page: {why}, which its JavaScript does not know.",
        hint="--format onnx takes nearly every network, --format safetensors every one.",
    )


def _is_odd(op: str, arguments: dict[str, Any], rank: int) -> bool:
    """Whether an operation is asked for something that the page's has not: another factor, rounding, divisor, or side."""
    if arguments.get("alpha", 1) != 1 or arguments.get("rounding_mode") or arguments.get("divisor_override"):
        return True
    if op == "cat":
        return bool(arguments.get("dim", 0) % rank != 1)
    return op in ("softmax", "log_softmax") and (rank != 2 or arguments["dim"] % rank != 1)
