"""How long a training would take here: `python -m handlens.web.estimate CONFIG` (JSON) takes a few steps with a network of its own."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import Any

from handlens import models
from handlens.config import make_config
from handlens.data.offline import offline
from handlens.errors import HandlensError
from handlens.train import train
from handlens.training import trying
from handlens.transfer import plan_new

_TRIED = 20


def estimate(knobs: dict[str, Any]) -> dict[str, Any]:
    """How long a training would take here, from its first steps."""
    planned = plan_new(make_config(knobs))
    every = min(len(planned.loader), _TRIED)
    with trying(planned):
        row = next(train(planned.state(), planned.loader, epochs=1, every=every))
    seconds = row["time_s"] / every * len(planned.loader)
    return {"epoch_s": seconds, "all_s": seconds * planned.config.epochs, "parameters": models.count_parameters(planned.model)}


def main(config: str) -> None:
    """Print an estimate, or why there is none, as JSON."""
    try:
        with offline(), contextlib.redirect_stdout(sys.stderr):  # a network of the user's own may print
            found = estimate(json.loads(config))
        print(json.dumps(found))
    except HandlensError as error:
        print(json.dumps({"error": error.what, "hint": error.hint}))


if __name__ == "__main__":
    main(sys.argv[1])
