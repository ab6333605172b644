"""Where the arithmetic is done, and what this machine has for it."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from handlens.errors import UsageError
from handlens.words import counted

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3): what may lie free; from what size on a block is asked for apart
CUDA_WHEELS = "https://download.pytorch.org/whl/cu130"


def choose(name: str = "auto") -> torch.device:
    """The device of that name; `auto` is the NVIDIA card if this torch can use it, else the processor.

    Apple's GPU is not chosen by itself: for networks this small the processor is faster (pytorch/pytorch#122973).

    Raises:
        UsageError: no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if not re.fullmatch(r"cpu|mps|cuda(:\d+)?", name):
        raise UsageError(f"There is no device '{name}'.", hint="Known: auto, cpu, cuda, cuda:0, cuda:1, ..., mps.")
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UsageError(f"'{name}' cannot be used here.", hint=problem() or "This machine has no such card: use --device cpu.")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise UsageError("'mps' cannot be used here.", hint="It is Apple's GPU: use --device cpu.")
    return device


def choose_precision(name: str, device: torch.device) -> str:
    """The precision of that name; `auto` is `bfloat16` where the processor or card has instructions for it, else `float32`.

    Emulated, bfloat16 would be many times slower. Processors other than Intel's and AMD's were not measured, so they keep to `float32`.
    """
    if name != "auto":
        return name
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    here = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return "bfloat16" if here.get("avx512_bf16") or here.get("amx_bf16") else "float32"


@contextlib.contextmanager
def settled(device: torch.device, threads: int) -> Iterator[None]:
    """Compute with so many threads, and on a card only with algorithms that give the same bits each time; afterwards as before.

    What memory was freed stays with this process, see `_keep_freed_memory`.
    """
    _keep_freed_memory()
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with _same_bits_on_a_card() if device.type == "cuda" else contextlib.nullcontext():
            yield
    finally:
        torch.set_num_threads(before)


@functools.cache
def _keep_freed_memory() -> None:
    """Keep for the next step what a step has freed: Linux' C library gives it back, and gets the same pages anew, each to be cleared.

    A convolutional network would spend a sixth of its time on that. It holds for this process to its end.
    """
    if sys.platform == "linux" and hasattr(c_library := ctypes.CDLL(None), "mallopt"):
        c_library.mallopt(_MMAP_THRESHOLD, 1 << 25)  # what is larger still goes back: among many such, memory would be lost in gaps
        c_library.mallopt(_TRIM_THRESHOLD, 1 << 30)


@contextlib.contextmanager
def _same_bits_on_a_card() -> Iterator[None]:
    """A processor's algorithms do so anyway, and to ask for it imports torch's compiler, which takes a second and a half."""
    before, only_warned = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # what cuBLAS needs for it; read when it is first used
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=only_warned)


def title(device: torch.device, threads: int = 0, *settings: str) -> str:
    """What the device is called, for people; with how many threads (0: as many as torch uses now), and other settings in words."""
    if device.type == "cuda":
        return f"{device} ({', '.join((torch.cuda.get_device_name(device), *settings))})"
    threads = threads or torch.get_num_threads()
    return f"{device} ({', '.join((processor(), counted(threads, 'thread'), *settings))})"


def processor() -> str:
    """The name of the processor, as the system gives it."""
    if sys.platform == "linux":
        names = re.findall(r"^model name\s*: (.+)$", _read(Path("/proc/cpuinfo")), re.MULTILINE)
        if names:
            return str(names[0])
    return platform.processor() or platform.machine()


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def nvidia_driver() -> str:
    """The version of the NVIDIA driver of this machine; empty if there is none."""
    version = re.search(r"Kernel Module\D+([\d.]+)", _read(Path("/proc/driver/nvidia/version")))
    if version:
        return version[1]
    program = shutil.which("nvidia-smi")
    if not program:
        return ""
    try:
        command = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip().split("\n")[0] if answer.returncode == 0 else ""


def problem() -> str:
    """What keeps this torch from using the machine's NVIDIA card, and the way to change it; empty if nothing does."""
    if torch.cuda.is_available():
        return ""
    driver = nvidia_driver()
    if not driver:
        return ""
    if torch.version.cuda is None:
        version = torch.__version__.split("+")[0]
        return (
            f"An NVIDIA card is here (driver {driver}) but this torch {torch.__version__} is a CPU build. "
            f"To use the card: pip install --force-reinstall torch=={version} --index-url {CUDA_WHEELS}"
        )
    return f"An NVIDIA card is here but CUDA {torch.version.cuda} of this torch does not run with driver {driver}: update the driver."


def environment() -> dict[str, str | int]:
    """What a result may depend on besides the config: kept with each run."""
    import numpy

    import handlens

    return {
        "handlens": handlens.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "cuda": torch.version.cuda or "",
        "system": platform.platform(),
        "processor": processor(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "cpu_count": os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
    }


def commit() -> str:
    """The commit of the folder where the user stands, if that is a git checkout."""
    try:
        answer = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""  # without a commit it repeats what it was asked
