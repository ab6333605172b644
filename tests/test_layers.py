"""A module imports only from lower layers; what could run foreign code, or write a file behind files/, is nowhere in the package."""

from __future__ import annotations

import ast
import functools
import graphlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "handlens"

# From the ground up; CONTRIBUTING.md draws it. A package stands where its name stands, with all that is in it.
LAYERS = (
    ("errors", "lazy", "words"),
    ("files", "limits", "seeds"),
    ("metrics", "plots", "device", "named"),
    ("optim", "schedules", "regression"),
    ("models", "data", "presets"),
    ("config", "train"),
    ("loaders", "memory", "ranks"),
    ("evaluation", "prediction"),
    ("plan",),
    ("runs",),
    ("training",),
    ("transfer",),
    ("analysis",),
    ("fit", "compare", "explain"),
    ("report", "lr_find", "doctor", "sweep", "bench"),
    ("course", "export", "own_network"),
    ("web", "widgets"),
    ("cli",),
    ("__init__", "__main__"),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}

# Each of these can run code that stands in a file that somebody sent.
FOREIGN_CODE = set(
    "pickle _pickle marshal shelve dill cloudpickle joblib runpy eval exec compile __import__ allow_pickle "
    "torch.load torch.jit.load torch.hub torch.package".split()
)
# Each of these writes, deletes or makes folders. `open` is looked at by its mode.
WRITING = set(
    "os.open os.rename os.replace os.unlink os.remove os.mkdir os.makedirs os.rmdir os.link os.symlink os.truncate "
    "shutil.rmtree shutil.move shutil.copy shutil.copy2 shutil.copyfile shutil.copytree tempfile.mkstemp tempfile.mkdtemp "
    "torch.save np.save np.savez np.savetxt safetensors.torch.save_file".split()
)
WRITING_METHODS = set("write_text write_bytes tofile touch mkdir rmdir unlink rename symlink_to hardlink_to savefig".split())
# The one place each that may, and why.
ALLOWED = {
    ("cli/runs.py", "rename"),  # a run's, not a path's
    ("web/runs_page.py", "rename"),
    ("course/child.py", "compile"),  # the learner's own program, which they asked to be checked
    ("course/child.py", "exec"),
    ("cli/pipes.py", "os.open"),  # of the null device, when nobody reads the output any more
    ("models/pretrained.py", "torch.load"),  # of one file whose sha256 is known, and weights only
    ("doctor/child.py", "exec"),  # the learner's own program, which they asked to be run
    ("doctor/modules.py", "compile"),  # the same, and what it imports from its own folder
    ("doctor/modules.py", "exec_module"),
    ("doctor/demo.py", "compile"),  # lines that stand in our own causes
    ("doctor/demo.py", "exec"),
    ("doctor/overlay.py", "shutil.copyfile"),  # into a temporary folder, for what that program writes
    ("doctor/sandbox.py", "shutil.copytree"),  # the same, where it moves a folder
    ("doctor/sandbox.py", "shutil.rmtree"),
    ("models/own.py", "exec_module"),  # a learner's own network, in a file that they named
    ("plots/style.py", "savefig"),  # into memory
}

Found = Iterator[tuple[str, int]]


@functools.cache
def sources() -> dict[str, ast.Module]:
    """Every file of the package, by its path in it; what the course lays out for learners is none of its modules."""
    paths = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
    return {
        name: ast.parse(path.read_text(encoding="utf-8"))
        for name, path in paths.items()
        if not name.startswith(("course/exercises/", "course/lessons/", "course/packed/"))
    }


def imports(file: str, tree: ast.AST) -> Found:
    """What is imported anywhere in a file, and in which line; of `from a import b` both `a` and `a.b`."""
    package = ["handlens", *file.split("/")[:-1]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            yield source, node.lineno
            yield from ((f"{source}.{alias.name}", node.lineno) for alias in node.names)


def wrong_imports(file: str, tree: ast.AST) -> list[str]:
    """The imports that lead upwards, or sideways to another name in the same layer."""
    here = file.split("/")[0].removesuffix(".py")
    wrong = set()
    for name, line in imports(file, tree):
        there = name.split(".")[1] if name.startswith("handlens.") else here
        if there not in (here, "__version__") and LEVEL.get(there, len(LAYERS)) >= LEVEL[here]:
            wrong.add(f"{file}:{line}: {here} imports {there}")
    return sorted(wrong)


def dotted(node: ast.AST) -> str:
    """`a.b.c` of an expression that is just that."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def mentions(file: str, tree: ast.AST) -> Found:
    """All names that a file uses: imported, read, called, or passed as a keyword."""
    yield from imports(file, tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            yield dotted(node), node.lineno
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg, node.lineno


def foreign_code(file: str, tree: ast.AST) -> list[str]:
    """Where a file mentions what could run code that it has read."""
    wrong = [f"{file}:{line}: {name}" for name, line in imports(file, tree) if name.split(".")[0] == "torchvision"]
    for name, line in mentions(file, tree):
        starts = {".".join(name.split(".")[:length]) for length in range(1, 4)}
        if (starts & FOREIGN_CODE and (file, name) not in ALLOWED) or (
            name.endswith(".exec_module") and (file, "exec_module") not in ALLOWED
        ):
            wrong.append(f"{file}:{line}: {name}")
    return wrong


def writes(file: str, tree: ast.AST) -> list[str]:
    """Where a file writes by itself, or deletes, or makes folders."""
    calls = [(kind_of_write(node), node.lineno) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [f"{file}:{line}: {kind}" for kind, line in calls if kind and (file, kind) not in ALLOWED]


def kind_of_write(call: ast.Call) -> str:
    """The name by which a call writes; empty if it does not."""
    name = dotted(call.func)
    method = name.split(".")[-1] if "." in name else ""
    if name in WRITING:
        return name
    if method in WRITING_METHODS:
        return method
    modes = [keyword.value for keyword in call.keywords if keyword.arg == "mode"]
    if name == "open":
        modes += call.args[1:2]
        return "open" if any(not isinstance(mode, ast.Constant) or set("wax+") & set(str(mode.value)) for mode in modes) else ""
    texts = [str(mode.value) for mode in [*modes, *call.args] if isinstance(mode, ast.Constant)]
    return "open" if method == "open" and any(re.fullmatch(r"[rwaxbt+]*[wax+][rwaxbt+]*", text) for text in texts) else ""


def graph() -> dict[str, set[str]]:
    """Which file imports which other ones, also inside functions; a package's own face counts only where a name of it is taken."""
    trees = sources()
    names = {"handlens." + file.removesuffix(".py").replace("/", ".").removesuffix(".__init__"): file for file in trees}
    edges: dict[str, set[str]] = {file: set() for file in trees}
    for file, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module in names:
                parts = {names.get(f"{node.module}.{alias.name}", names[node.module]) for alias in node.names}
                edges[file] |= parts - {file}
    return edges


def test_every_module_has_a_layer() -> None:
    found = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert found == set(LEVEL)


@pytest.mark.parametrize("file", sources())
def test_a_module_imports_only_from_lower_layers(file: str) -> None:
    assert wrong_imports(file, sources()[file]) == []


def test_no_import_goes_in_a_circle() -> None:
    edges = graph()
    del edges["__init__.py"]
    graphlib.TopologicalSorter(edges).prepare()


@pytest.mark.parametrize("file", sources())
def test_no_file_we_read_can_run_code(file: str) -> None:
    assert foreign_code(file, sources()[file]) == []


@pytest.mark.parametrize("file", [file for file in sources() if not file.startswith("files/")])
def test_only_files_writes_files(file: str) -> None:
    assert writes(file, sources()[file]) == []


def test_exceptions_are_still_needed() -> None:
    trees = sources()
    for file, what in ALLOWED:
        assert any(name.split(".")[-1] == what.split(".")[-1] for name, _line in mentions(file, trees[file])), (file, what)


@pytest.mark.parametrize(
    "code",
    [
        "from handlens.runs import Run",
        "from handlens import runs",
        "import handlens.runs",
        "from .runs import Run",
        "if late:\n    from handlens import runs",
    ],
)
def test_an_import_upwards_is_seen(code: str) -> None:
    assert wrong_imports("train.py", ast.parse(code))
    assert not wrong_imports("cli/runs.py", ast.parse(code))


def test_an_import_sideways_is_seen() -> None:
    assert wrong_imports("metrics/scores.py", ast.parse("from handlens import plots"))
    assert wrong_imports("data/cache.py", ast.parse("from handlens.models import MLP"))
    assert not wrong_imports("data/cache.py", ast.parse("from handlens.data import formats"))


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from pickle import loads",
        "import torch\ntorch.load(path)",
        "from torch import load",
        "eval(text)",
        "np.load(path, allow_pickle=True)",
        "run = exec",
        "import torchvision.datasets",
        "spec.loader.exec_module(module)",
    ],
)
def test_foreign_code_is_seen(code: str) -> None:
    assert foreign_code("runs/run.py", ast.parse(code))


@pytest.mark.parametrize("code", ["model.eval()", "safetensors.torch.load(data)", "re.compile('x')", "import tomllib"])
def test_what_only_sounds_like_it_is_not(code: str) -> None:
    assert not foreign_code("runs/run.py", ast.parse(code))


@pytest.mark.parametrize(
    "code",
    [
        "open(p, 'w')",
        "open(p, mode='ab')",
        "p.open('x')",
        "open(p, mode)",
        "p.write_text(t)",
        "os.replace(a, b)",
        "torch.save(x, p)",
        "p.unlink()",
        "archive.open(name, 'w')",
    ],
)
def test_writing_is_seen(code: str) -> None:
    assert writes("report.py", ast.parse(code))


@pytest.mark.parametrize(
    "code", ["open(p)", "open(p, 'rb')", "p.open('rb')", "p.read_text()", "text.replace('a', 'b')", "archive.open(member)"]
)
def test_reading_is_not_writing(code: str) -> None:
    assert not writes("report.py", ast.parse(code))
