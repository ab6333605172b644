#!/bin/sh
# Make the environment of one peer:   sh bench/peers/venv.sh lightning|keras|skorch|sklearn     (torch as in our own lock, without CUDA)
set -eu
cd "$(dirname "$0")"
torch="filelock fsspec jinja2 networkx sympy typing-extensions" # what torch itself needs; CUDA stays away
case $1 in
    lightning) packages="pytorch-lightning==2.6.6 $torch" ;;
    keras) packages="keras==3.15.1 $torch" ;;
    skorch) packages="skorch==1.4.0 $torch" ;;
    sklearn) packages="scikit-learn==1.9.1" ;;
    *) echo "There is no peer '$1'." >&2 && exit 2 ;;
esac
python3 -m venv ".venv-$1"
[ "$1" = sklearn ] || ".venv-$1/bin/pip" install --quiet --no-deps "$(grep '^torch==' ../../requirements.lock)"
".venv-$1/bin/pip" install --quiet numpy $packages
