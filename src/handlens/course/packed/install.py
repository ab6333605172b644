"""Install the course on this computer, without internet: `python install.py [FOLDER]`.

It makes FOLDER (handlens-class in your home folder, if you name none) with an environment of its own, and changes nothing else.
"""

import os
import shutil
import subprocess
import sys
import venv

HERE = os.path.dirname(os.path.abspath(__file__))
OLDEST, NEWEST = (3, 11), (3, 14)


def run(*words: str) -> str:
    """Run a command, and give what it printed; end with what it said if it fails."""
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = done.stdout.decode("utf-8", "replace")
    if done.returncode:
        sys.exit(said[-2000:] + "\nThis did not work: " + " ".join(words))
    return said.strip()


def copy_data(python: str) -> None:
    """Put the data sets where handlens looks for them; what is there already stays."""
    place = run(python, "-c", "from handlens.data.cache import root; print(root())")
    for name in sorted(os.listdir(os.path.join(HERE, "data"))):
        if not os.path.exists(os.path.join(place, name)):
            shutil.copytree(os.path.join(HERE, "data", name), os.path.join(place, name))


def main(folder: str) -> int:
    """Everything, step by step."""
    if not OLDEST <= tuple(sys.version_info[:2]) <= NEWEST:
        sys.exit("This is Python %d.%d; the course needs 3.11 to 3.14. Ask for an installer of Python 3.12." % tuple(sys.version_info[:2]))
    environment = os.path.join(folder, "env")
    print("1 of 4: an environment in " + environment)
    venv.create(environment, with_pip=True)
    python = os.path.join(environment, *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))
    print("2 of 4: PyTorch, handlens and what they need; this takes some minutes")
    run(
        python,
        "-m",
        "pip",
        "install",
        "--no-index",
        "--disable-pip-version-check",
        "--find-links",
        os.path.join(HERE, "wheels"),
        "handlens",
    )
    print("3 of 4: MNIST, Fashion-MNIST, and your copy of the course")
    copy_data(python)
    run(python, "-m", "handlens", "course", "start", os.path.join(folder, "course"))
    print("4 of 4: does everything work?")
    ready = subprocess.call([python, os.path.join(HERE, "preflight.py")], cwd=folder)
    command = os.path.join(os.path.dirname(python), "handlens")
    print("\nBegin:  cd %s\n        %s lab" % (os.path.join(folder, "course"), command))
    return ready


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.expanduser("~"), "handlens-class"))))
