"""A learner's own network, from their own file."""

from __future__ import annotations

import importlib.util
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

from torch import nn

from handlens import files
from handlens.errors import ModelError, nearest
from handlens.models.places import line_in, line_that_says


def from_file(reference: str) -> nn.Module:
    """A learner's own network, from `FILE.py:Class`. The file is run as what it is: their code, named by them.

    Raises:
        FileError: we may not look at the file.
        ModelError: no such file or class, or it cannot be made without arguments.
    """
    path_text, _, class_name = reference.rpartition(":")
    path = Path(path_text)
    if not files.is_file(path):
        raise ModelError(f"There is no file '{path_text}'.", where=reference, hint="Write --model FILE.py:Class.")
    spec = importlib.util.spec_from_file_location(f"handlens_own_{path.stem}_{zlib.crc32(str(path.absolute()).encode()):08x}", path)
    if spec is None or spec.loader is None:
        raise ModelError(f"'{path_text}' is no Python file.", where=reference, hint="Write --model FILE.py:Class.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.absolute().parent))  # as `python FILE.py` does, so that it finds the files beside it
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ModelError(f"'{path_text}' stops with {type(error).__name__}: {error}.", where=line_in(path, error)) from error
    finally:
        sys.path.remove(str(path.absolute().parent))
    found = getattr(module, class_name, None)
    if not callable(found):
        own = [name for name, value in vars(module).items() if isinstance(value, type) and issubclass(value, nn.Module)]
        raise ModelError(f"'{path_text}' has no class '{class_name}'.", where=reference, hint=nearest(class_name, own))
    return call_maker(found, reference, path)


def call_maker(maker: Callable[[], object], where: str, path: Path | None = None) -> nn.Module:
    """The network that a class or function makes when called without arguments.

    Raises:
        ModelError: it needs arguments, fails, or makes something else.
    """
    try:
        model = maker()
    except (Exception, SystemExit) as error:
        place = line_in(path, error) if path else where
        if "Module.__init__() call" in str(error):  # PyTorch's own words when a layer or weight is set too early
            raise _not_begun(maker, place) from error
        raise ModelError(
            f"It cannot be made: {type(error).__name__}: {error}.", where=place, hint="It is called without arguments."
        ) from error
    if not isinstance(model, nn.Module):
        raise ModelError(f"It makes a {type(model).__name__}, not an nn.Module.", where=where)
    if "_modules" not in vars(model):  # a class that sets no layer gets this far
        raise _not_begun(type(model), line_that_says(type(model), r"def __init__") or where)
    return model


def _not_begun(maker: object, where: str) -> ModelError:
    return ModelError(
        f"{getattr(maker, '__name__', 'It')} does not begin with super().__init__().",
        where=where,
        hint="Write super().__init__() as the first line of its __init__: it makes the place where PyTorch keeps layers.",
    )
