"""Is this computer ready for the class? One file, for any Python 3, that needs nothing but Python: `python preflight.py`.

One line of result; then for each problem one line of what it is, and one of what to do. Exit code 0: ready, 1: not yet.
Where install.py of a course pack has made an environment, that one is looked at.
"""

import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile

PYTHONS = (3, 11), (3, 14)
TORCH = (2, 10)
FREE_GB = 1.0
WAIT_S = 120
HERE = os.path.dirname(os.path.abspath(__file__))
CLASS = os.path.join("handlens-class", "handlens-env", *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))
SHADOWS = ("handlens", "matplotlib", "numpy", "random", "torch", "torchvision")

_TORCH = "import torch; assert float(torch.ones(2).sum()) == 2; print(torch.__version__)"
_PLOT = "import io, matplotlib; matplotlib.use('Agg'); import matplotlib.pyplot as p; p.plot([1, 2]); p.savefig(io.BytesIO()); print('ok')"
_DATA = "from handlens.data import status; print(*[one.name for one in status() if one.on_disk])"


def ask(code: str) -> "tuple[str, str]":
    """Run a line of Python in a process of its own, so that even a crash is only an answer: what it printed, and its last complaint."""
    calm = dict(os.environ, PYTHONWARNINGS="ignore")
    try:
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=calm)
    except OSError as error:
        return "", str(error)
    try:
        out, complaint = process.communicate(timeout=WAIT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return "", "no answer in %d s" % WAIT_S
    lines = complaint.decode("utf-8", "replace").strip().splitlines() or ["it ended with %d" % process.returncode]
    return ("", lines[-1][:160]) if process.returncode else (out.decode("utf-8", "replace").strip() or "ok", "")


def python(windows: bool = os.name == "nt") -> str:
    """This Python as it is typed in a terminal; PowerShell starts a program in quotes only after `&`."""
    if os.path.normcase(shutil.which("python") or "") == os.path.normcase(sys.executable):
        return "python"
    return '& "%s"' % sys.executable if windows else shlex.quote(sys.executable)


def look_at_python() -> "list[tuple[str, str]]":
    """Its version, and whether it is one of 64 bits."""
    found = []
    if not PYTHONS[0] <= tuple(sys.version_info[:2]) <= PYTHONS[1]:
        text = "This is Python %d.%d; the course needs 3.11 to 3.14." % tuple(sys.version_info[:2])
        found.append((text, "Install Python 3.12 from https://www.python.org, and start this again with it."))
    if sys.maxsize < 2**32:
        found.append(("This Python is one of 32 bits, and PyTorch needs 64.", "Install the 64-bit Python from https://www.python.org."))
    return found


def look_at_names() -> "list[tuple[str, str]]":
    """Files here that would be taken for a library."""
    here = [name + ".py" for name in SHADOWS if os.path.exists(name + ".py")]
    return [("A file here is called %s: Python takes it for the library." % name, "Give %s another name." % name) for name in here]


def look_at_torch() -> "list[tuple[str, str]]":
    """Whether it is there, works, and is new enough; and the torchvision beside it, if there is one."""
    said, complaint = ask(_TORCH)
    install = '%s -m pip install "torch>=%d.%d"' % (python(), TORCH[0], TORCH[1])
    if not said:
        missing = "No module named 'torch'" in complaint
        return [
            (
                "PyTorch is not installed." if missing else "PyTorch does not start: " + complaint,
                install + ("" if missing else " --force-reinstall"),
            )
        ]
    numbers = tuple(int("".join(one for one in part if one.isdigit()) or 0) for part in said.split("+")[0].split(".")[:2])
    if numbers < TORCH:
        return [("PyTorch is version %s; the course needs %d.%d." % (said, TORCH[0], TORCH[1]), install + " --upgrade")]
    said, complaint = ask("import torchvision")
    if not said and "No module named 'torchvision'" not in complaint:
        text = "torchvision does not fit to this PyTorch: " + complaint
        return [(text, python() + " -m pip uninstall torchvision     (the course does not need it)")]
    return []


def look_at_handlens() -> "list[tuple[str, str]]":
    """Whether it is there, with the data of the course; and whether pictures can be drawn."""
    found = []
    said, complaint = ask(_PLOT)
    if not said:
        found.append(("Pictures cannot be drawn: " + complaint, python() + " -m pip install --force-reinstall matplotlib numpy"))
    said, complaint = ask("import handlens; print(handlens.__version__)")
    if not said:
        fix = "Start install.py of the course pack; or, from the project's sources: README.md, 'Without make'"
        found.append(("handlens is not installed: " + complaint, fix))
    elif not found:
        said, complaint = ask(_DATA)
        if "mnist" not in said.split():
            fix = python() + " -m handlens data fetch mnist     (or install.py of the course pack)"
            found.append(("MNIST is not on this computer. " + complaint, fix))
    return found


def look_at_jupyter() -> "list[tuple[str, str]]":
    """Whether the lessons can be opened."""
    said, complaint = ask("import ipykernel, jupyterlab")
    return [] if said else [("Jupyter, which opens the lessons, does not start: " + complaint, python() + " -m pip install jupyterlab")]


def look_at_system() -> "list[tuple[str, str]]":
    """Whether files can be written where we stand, there is room on the disk, and a page can be served to this computer's browser."""
    found = []
    try:
        with tempfile.TemporaryFile(dir="."):
            pass
    except OSError as error:
        found.append(
            ("Nothing can be written in this folder: %s" % error, "Go to a folder of your own, such as Documents, and start this there.")
        )
    free = shutil.disk_usage(".").free / 1e9
    if not found and free < FREE_GB:
        found.append(("Only %.1f GB are free on this disk." % free, "Make room: %.0f GB at least." % FREE_GB))
    try:
        with socket.socket() as server:
            server.bind(("127.0.0.1", 0))
    except OSError as error:
        found.append(
            (
                "No page can be served to this computer's own browser: %s" % error,
                "Allow Python in the firewall, for this computer (127.0.0.1).",
            )
        )
    return found


def look() -> "list[tuple[str, str]]":
    """Everything that stands in the way, with its fix; what follows from another problem is left out."""
    found = look_at_python() + look_at_names()
    if not found:
        found = look_at_torch() + look_at_handlens() + look_at_jupyter()
        if found and os.path.isdir(os.path.join(HERE, "wheels")):  # a course pack has all of it, and needs no internet
            found = [(" ".join(what for what, _ in found), "install.py again: step 3 of START.html")]
    return found + look_at_system()


def report(problems: "list[tuple[str, str]]") -> str:
    """One line of result, and two for each problem."""
    if not problems:
        return "Ready: Python %d.%d, PyTorch, handlens, Jupyter, MNIST and plots all work here." % tuple(sys.version_info[:2])
    count = "1 thing" if len(problems) == 1 else "%d things" % len(problems)
    return "\n".join(["Not ready yet: %s to mend." % count] + ["\n%s\n  Fix: %s" % problem for problem in problems])


def in_class() -> None:
    """Let the Python of the class look, if there is one and this one belongs to no environment, and end as it does."""
    other = os.path.join(os.path.expanduser("~"), CLASS)
    if sys.prefix == sys.base_prefix and os.path.exists(other):
        print("In the environment of the class, %s:" % other)
        sys.stdout.flush()
        sys.exit(subprocess.call([other, os.path.abspath(__file__)]))


if __name__ == "__main__":
    in_class()
    PROBLEMS = look()
    print(report(PROBLEMS))
    sys.exit(1 if PROBLEMS else 0)
