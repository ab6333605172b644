"""The nursery of children."""

from crash.conftest import no_child_left, nursery

__all__ = ["no_child_left", "nursery"]
