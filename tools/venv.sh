#!/bin/sh
# Make .venv what a lock says, and the package itself with it:   sh tools/venv.sh requirements.lock [cpu|cu130|...]
# Quick when nothing has changed. A call that was killed half-way is noticed by the next one, which starts anew.
set -eu
cd "$(dirname "$0")/.."
lock=$1
torch_build=${2:-}
python=.venv/bin/python
unfinished=.venv/unfinished # there while an installation goes on; holds the number of its process

usable() { # has it a version that we support, and can it make environments? Debian's python3 cannot without python3-venv.
    "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1
}

find_python() {
    for name in python3 python3.11 python3.12 python3.13 python3.14; do
        if usable "$name"; then
            echo "$name"
            return
        fi
    done
    echo "handlens needs Python 3.11 to 3.14 with its venv module, and none of python3 and python3.11 to python3.14 is that" \
        "(python3 here: $(python3 --version 2>/dev/null || echo none); on Debian and Ubuntu: sudo apt install python3 python3-venv)." >&2
    return 1
}

wanted() { # all that decides what belongs into .venv; the folder as well, for the programs in a .venv name it
    cat "$1" pyproject.toml
    pwd
    "$python" --version
}

installed() { [ -x "$python" ] && [ ! -e "$unfinished" ] && wanted "$1" | cmp -s - ".venv/$1.installed"; }

wait_for_others() {
    other=$(cat "$unfinished" 2>/dev/null || true)
    if [ -n "$other" ] && kill -0 "$other" 2>/dev/null; then
        echo "Process $other is making .venv already: waiting for it (if it is something else by now: make clean)."
        while [ -e "$unfinished" ] && kill -0 "$other" 2>/dev/null; do sleep 1; done
    fi
}

say_if_large() {
    [ -z "$torch_build" ] && [ "$(uname -s)" = Linux ] || return 0
    [ ! -e /proc/driver/nvidia/version ] && ! command -v nvidia-smi >/dev/null || return 0
    "$python" -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("torch") is None)' && return 0
    if [ "$lock" = requirements.lock ]; then target=run; else target=test; fi
    echo "There is no NVIDIA driver here. PyPI's torch for Linux brings 2.7 GB, most of it CUDA, which is of no use without one."
    echo "'make $target TORCH=cpu' takes PyTorch's own CPU build instead: 0.2 GB, from https://download.pytorch.org/whl/cpu"
    echo "Going on with what pip finds; Ctrl-C stops it."
}

pip() { "$python" -m pip --disable-pip-version-check "$@"; }

wait_for_others
# What the lock of the tests installs holds all that the other one does, at the same versions.
if installed requirements-dev.lock || installed "$lock"; then
    exit 0
fi
if [ -e "$unfinished" ] || { [ -e .venv ] && ! pip --version >/dev/null 2>&1; }; then
    echo "The environment in .venv is broken or was left half-made: making it anew."
    rm -rf .venv
fi
if [ ! -e .venv ]; then
    base=$(find_python)
    echo "Making .venv with $("$base" --version) ..."
    mkdir .venv
    echo $$ > "$unfinished"
    "$base" -m venv .venv
fi
echo $$ > "$unfinished"
rm -f .venv/*.installed
say_if_large
# torch comes first: it is the one line without a hash, which pip passes over only if it is installed (docs/decisions.md).
pip install --no-deps ${torch_build:+--index-url "https://download.pytorch.org/whl/$torch_build"} "$(grep '^torch==' "$lock")"
echo "Installing what $lock names ..."
pip install --quiet --no-deps --only-binary :all: --require-hashes -r "$lock"
if pip show torch | grep -q nvidia-; then
    echo "Installing handlens, and the CUDA packages that this torch names ..."
    quiet=
else
    quiet=--quiet
fi
pip install $quiet --no-build-isolation --editable .
# The path of the sources, relative: an accent in it would keep a Python with a broken locale from starting at all.
for file in .venv/lib/python3.*/site-packages/__editable__.handlens-*.pth; do
    if [ -e "$file" ]; then echo ../../../../src > "$file"; fi
done
wanted "$lock" > ".venv/$lock.installed"
rm "$unfinished"
