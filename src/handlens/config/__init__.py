"""Every knob of a training, once, with its reason, and where its value comes from.

knobs    `Config`: a field for each knob; to add one, add a field there
sources  defaults, a preset, a file, options: the later before the earlier
"""

from handlens.config.knobs import FIELDS, GROUPS, OWN, Config, grouped
from handlens.config.sources import check_given, make_config, read_toml, resolve

__all__ = ["FIELDS", "GROUPS", "OWN", "Config", "check_given", "grouped", "make_config", "read_toml", "resolve"]
