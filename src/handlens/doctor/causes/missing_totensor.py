"""Pictures cannot be put into a batch."""

from __future__ import annotations

from handlens.doctor.case import Case
from handlens.doctor.cause import Finding

SENTENCE = "The data set gives pictures, and a batch is made of numbers."
CHANGE = "Give the data set transform=transforms.ToTensor()."
DEMO = """\
  from PIL import Image
  pictures = [(Image.new("L", (28, 28)), 3)] * 4
+ pictures = [(torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8) / 255, label) for image, label in pictures]
  print(next(iter(DataLoader(pictures, 4)))[0].shape)
"""


def look(case: Case) -> Finding | None:
    """The loader says what it found."""
    if case.failure is None or not case.raised(r"default_collate: batch must contain tensors.*PIL"):
        return None
    asked = [event.loader for event in case.seen.of("loader")][-1:]
    made = (event.line for event in case.seen.of("made") if any(event.loader is one for one in asked))
    return Finding(next(made, 0) or case.failure.line, "The loader found PIL images.")
