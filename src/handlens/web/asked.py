"""A request as a route's function sees it: past the guard, with its body read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from handlens.errors import UsageError
from handlens.files import printable
from handlens.web.keys import Keys


@dataclass(frozen=True)
class Lab:
    """What one running lab knows; all else is on the disk.

    Attributes:
        port: where it listens.
        keys: who may come in.
        run: the run that its user named; empty for the default.
        tell: shows a line in the terminal.
    """

    port: int
    keys: Keys
    run: str
    tell: Callable[[str], None]

    @property
    def address(self) -> str:
        """Where the lab is."""
        return f"http://127.0.0.1:{self.port}"

    def link(self) -> str:
        """A new address that lets a browser in, once."""
        return f"{self.address}/start?key={self.keys.new_link()}"


class Body(BaseModel):
    """The JSON that a route takes: these fields and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


B = TypeVar("B", bound=Body)


@dataclass(frozen=True)
class Asked:
    """One request.

    Attributes:
        lab: the lab that was asked.
        role: who asks.
        path: the parts of the address that a route leaves open.
        query: what stands behind its question mark.
        body: the bytes that came.
    """

    lab: Lab
    role: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes

    def read(self, kind: type[B]) -> B:
        """The body as what a route takes.

        Raises:
            UsageError: it is something else; says where.
        """
        try:
            return kind.model_validate_json(self.body)
        except ValidationError as error:
            raise UsageError(f"The lab does not understand this request: {_first(error)}.") from error


def _first(error: ValidationError) -> str:
    problem: Any = error.errors(include_url=False, include_input=False, include_context=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    return printable(f"{place}: {problem['msg']}" if place else str(problem["msg"]))
