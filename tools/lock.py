"""Write requirements.lock, requirements-dev.lock and the lock of the course pack from pyproject.toml: `make lock`.

What stands in a lock already stays at its version as long as it fits; delete the three files first to bring everything up to date.
uv resolves once for all systems and all Pythons that pyproject.toml names. docs/decisions.md says why torch has no hash here.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

TORCH = "torch==2.13.0"
# They come with the metadata of a torch that wants them, at exactly the versions it names.
CUDA = re.compile(r"(cuda|nvidia)-|triton==")
HEADER = """\
# Made by `make lock` from pyproject.toml. It is installed in this order:
#   pip install --no-deps {torch}
#   pip install --no-deps --only-binary :all: --require-hashes -r {name}
#   pip install --no-build-isolation -e .
"""
PACK_HEADER = """\
# Made by `make lock` from pyproject.toml: what `handlens course pack` gets beside handlens, with the extra `notebook`.
"""
# Which extras stand in which lock. The first one is the lock of the tests: the others have its versions.
LOCKS = {
    "requirements-dev.lock": ["--extra=dev"],
    "requirements.lock": [],
    "src/handlens/course/packed/class.lock": ["--extra=notebook"],
}


def resolve(sources: list[str], output: Path, constraints: list[Path]) -> None:
    options = [
        "--universal",
        "--python-version",
        "3.11",
        "--generate-hashes",
        "--no-header",
        "--no-annotate",
        "--quiet",
        "--system-certs",
        "--fork-strategy",
        "fewest",
    ]
    limits = [f"--constraint={path}" for path in constraints]
    command = [sys.executable, "-m", "uv", "pip", "compile", *options, *limits, "--output-file", str(output), *sources]
    subprocess.run(command, check=True)


def tidy(name: str, text: str) -> str:
    """The lock as we keep it: a header, torch alone on its line, nothing that only CUDA needs."""
    entries = re.split(r"\n(?=\S)", text.strip())
    kept = [entry for entry in entries if not CUDA.match(entry) and not entry.startswith(("torch==", "#"))]
    header = PACK_HEADER if name.endswith("class.lock") else HEADER.format(torch=TORCH, name=name)
    return header + "\n".join([TORCH, *kept]) + "\n"


def main() -> None:
    root = Path(__file__).resolve().parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        needs = Path(folder) / "build.in"
        needs.write_text("\n".join([TORCH, *project["build-system"]["requires"]]), encoding="utf-8")
        constraints: list[Path] = []
        for name, extra in LOCKS.items():
            found = Path(folder) / Path(name).name
            if (root / name).exists():
                found.write_bytes((root / name).read_bytes())
            resolve([str(needs), str(root / "pyproject.toml"), *extra], found, constraints)
            constraints = constraints or [found]
            (root / name).write_text(tidy(name, found.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
            print(f"wrote {name}")


if __name__ == "__main__":
    main()
