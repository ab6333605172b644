"""Install the course on this computer, without internet: `python install.py [FOLDER]`.

It makes FOLDER (handlens-class in your home folder, if you name none) with an environment of its own, and puts MNIST and
Fashion-MNIST into the folder where handlens keeps its data. Nothing else is changed. Start it again if it was stopped.
"""

import hashlib
import os
import platform
import re
import shlex
import subprocess
import sys
import sysconfig

HERE = os.path.dirname(os.path.abspath(__file__))
ENVIRONMENT = "handlens-env"
PIECE_BYTES = 1 << 22
SYSTEMS = {"darwin": "macosx", "win32": "win"}

# The shell that it starts reads it as its own start file, after the user's: nothing in that one comes before the environment.
UNIX = """\
#!/bin/bash
# A terminal that is ready for the class.
if [ "$0" = "$BASH_SOURCE" ]; then
    export BASH_SILENCE_DEPRECATION_WARNING=1
    exec bash --rcfile "$(cd "$(dirname "$0")" && pwd)/$(basename "$0")" -i
fi
[ -r ~/.bashrc ] && . ~/.bashrc
. "$(dirname "$BASH_SOURCE")/%s/bin/activate"
cd "$(dirname "$BASH_SOURCE")/course"
echo "This terminal is ready for the class:  handlens course ls    jupyter lab lessons    handlens lab"
"""
WINDOWS = """\
@echo off
rem A terminal that is ready for the class.
call "%%~dp0%s\\Scripts\\activate.bat"
cd /d "%%~dp0course"
echo This terminal is ready for the class:  handlens course ls    jupyter lab lessons    handlens lab
cmd /k
"""


def end(text: str) -> None:
    """End with what is wrong and what to do."""
    sys.exit("\n" + text)


def run(folder: str, *words: str) -> None:
    """Run a command in a folder; end with what it said if it fails."""
    process = subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = process.communicate()[0].decode("utf-8", "replace")
    if process.returncode:
        end(said[-2000:] + "\nThis did not work: " + " ".join(words))


def read_checksums() -> "list[tuple[str, str]]":
    """The files of this folder, each as its checksum and its name."""
    try:
        with open(os.path.join(HERE, "SHA256SUMS")) as file:
            return [tuple(line.split("  ", 1)) for line in file.read().splitlines()]
    except OSError:
        end("SHA256SUMS is missing: this folder is not complete. Copy it again, or ask whoever made it.")


def look_at_python(names: "list[str]") -> None:
    """End where the wheels are for another kind of computer, or for another Python."""
    found = [re.match(r"wheels/torch-.*-cp3(\d+)-\w+-(.+)\.whl", name) for name in names]
    wheels = [one.groups() for one in found if one]
    system = SYSTEMS.get(sys.platform, "linux")
    machine = sysconfig.get_platform().split("-")[-1] if os.name == "nt" else platform.machine()
    if not any(system in place and place.endswith(machine) for _, place in wheels):
        kinds = ", ".join(sorted({place for _, place in wheels})) or "no computer at all"
        end("This folder is not for this computer (%s %s). It is for: %s. Ask for another one." % (sys.platform, machine, kinds))
    version, here = wheels[0][0], sys.version_info[:2]
    if here != (3, int(version)):
        start = ("py -3.%s" if os.name == "nt" else "python3.%s") % version
        text = "This is Python %d.%d, and this folder is for Python 3.%s.\n" % (here[0], here[1], version)
        end(text + "If you have no Python 3.%s: install it from https://www.python.org\nThen: %s install.py" % (version, start))


def look_at_copy(checksums: "list[tuple[str, str]]") -> None:
    """End where a file is not as it was packed: a stick may lose bytes, and a copy may be stopped."""
    bad = [name for wanted, name in checksums if sha256(os.path.join(HERE, *name.split("/"))) != wanted]
    if bad:
        end("These files are not as they should be:\n  " + "\n  ".join(bad) + "\nCopy this folder again, and start this again.")


def sha256(path: str) -> str:
    """The checksum of a file; nothing if it cannot be read."""
    found = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            for piece in iter(lambda: file.read(PIECE_BYTES), b""):
                found.update(piece)
    except OSError:
        return ""
    return found.hexdigest()


def make_environment(folder: str) -> str:
    """A new environment, in place of one that is there; its Python."""
    place = os.path.join(folder, ENVIRONMENT)
    if os.path.realpath(sys.prefix) == os.path.realpath(place):
        end("This is the Python of the class itself. Open a new terminal in this folder, and start install.py there.")
    run(folder, sys.executable, "-m", "venv", "--clear", place)
    return os.path.join(place, *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))


def import_data(python: str, folder: str) -> None:
    """Put the data sets where handlens looks for them; it compares their checksums, and passes over what is there already."""
    for name in sorted(os.listdir(os.path.join(HERE, "data"))):
        run(folder, python, "-m", "handlens", "data", "import", os.path.join(HERE, "data", name), "--name", name)


def write_terminal(folder: str, windows: bool) -> str:
    """A file in the class folder that opens a terminal with the environment, in the folder of the course."""
    name = "class.cmd" if windows else "class.command" if sys.platform == "darwin" else "class.sh"
    path = os.path.join(folder, name)
    with open(path, "w", newline="\r\n" if windows else "\n") as file:
        file.write((WINDOWS if windows else UNIX) % ENVIRONMENT)
    os.chmod(path, 0o755)
    return path


def how_to_begin(folder: str, terminal: str, windows: bool) -> str:
    """What to type, ready to be copied."""
    if windows:  # PowerShell does not run Activate.ps1 unless somebody has allowed it
        return 'Begin with a double click on %s, or type:\n\n  cmd /c "%s"\n' % (terminal, terminal)
    paths = os.path.join(folder, ENVIRONMENT, "bin", "activate"), os.path.join(folder, "course"), terminal
    return "Begin with these two lines:\n\n  source %s\n  cd %s\n\nOr: bash %s\n" % tuple(map(shlex.quote, paths))


def main(folder: str) -> int:
    """Everything, step by step."""
    windows = os.name == "nt"
    checksums = read_checksums()
    look_at_python([name for _, name in checksums])
    print("1 of 5: is this folder whole?")
    look_at_copy(checksums)
    os.makedirs(folder, exist_ok=True)
    print("2 of 5: an environment in " + folder)
    python = make_environment(folder)
    print("3 of 5: PyTorch, handlens, Jupyter and what they need; this takes some minutes")
    pip = python, "-m", "pip", "--isolated", "--disable-pip-version-check"
    run(folder, *pip, "install", "--no-index", "--find-links", os.path.join(HERE, "wheels"), "handlens[notebook]")
    print("4 of 5: MNIST, Fashion-MNIST, and your copy of the course")
    import_data(python, folder)
    run(folder, python, "-m", "handlens", "course", "start", os.path.join(folder, "course"))
    print("5 of 5: does everything work?")
    sys.stdout.flush()
    ready = subprocess.call([python, os.path.join(HERE, "preflight.py")], cwd=folder)
    print("\n" + how_to_begin(folder, write_terminal(folder, windows), windows))
    print("Then:  jupyter lab lessons     the lessons")
    print("       handlens course ls      the exercises")
    print("       handlens lab            the lab")
    return ready


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.expanduser("~"), "handlens-class"))))
