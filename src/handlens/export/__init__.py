"""A trained network leaves: as ONNX, a program of PyTorch, safetensors, or a page that draws and answers by itself; and comes back."""

from handlens.export.card import make_card
from handlens.export.exporting import FORMATS, Exported, export, verify
from handlens.export.importing import import_run
from handlens.export.quantized import Quantized, quantize

__all__ = ["FORMATS", "Exported", "Quantized", "export", "import_run", "make_card", "quantize", "verify"]
