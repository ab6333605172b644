"""All about a run in one HTML file, which opens from disk and needs nothing else."""

from handlens.report.page import build, save
from handlens.report.recipe import next_commands, repeat_command

__all__ = ["build", "next_commands", "repeat_command", "save"]
