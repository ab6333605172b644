"""Names that people can say and remember, beside ids that sort by time."""

from __future__ import annotations

import secrets
import time

_ADJECTIVES = """
able amber bold brave bright brisk calm clever cosy crisp daring deft eager early fair fast fine fond free fresh gentle glad golden good
grand happy honest keen kind light lively lucky merry mild neat nimble noble patient polite proud quick quiet rapid ready rosy round sharp
shiny silver sleek smart snowy soft solid spry steady sunny sure swift tidy true vivid warm wise witty young zesty
"""
_ANIMALS = """
ant badger bat bear beaver bee bison boar bunny camel cat cheetah crab crane crow deer dingo dolphin donkey dove duck eagle elk emu falcon
ferret finch fox frog gecko goat goose hare hawk hedgehog heron horse ibex ibis jackal jay koala lark lemur lion llama lynx magpie marten
mole moose mouse newt otter owl panda parrot penguin pony puffin quail rabbit raven robin salmon seal shrew sloth sparrow squid stork swan
tapir tiger toad trout turtle viper vole walrus weasel whale wolf wombat wren yak zebra
"""


def new_name(kind: str) -> str:
    """A name such as `mlp-brave-otter`, for a run of a network of that kind."""
    return f"{kind}-{secrets.choice(_ADJECTIVES.split())}-{secrets.choice(_ANIMALS.split())}"


def new_id() -> str:
    """An id that sorts by the time at which it was made, to the microsecond: `20261123-141500-123456`."""
    seconds, microseconds = divmod(time.time_ns() // 1000, 1_000_000)
    return time.strftime("%Y%m%d-%H%M%S", time.localtime(seconds)) + f"-{microseconds:06d}"
