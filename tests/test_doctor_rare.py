"""Mistakes that only an exception, a warning or another system shows: each is named, and what looks like it is not."""

from __future__ import annotations

import pytest
from test_doctor_looks import TRAINING, visit

PICTURES = """
from PIL import Image

class Pictures(Dataset):
    def __len__(self):
        return 60

    def __getitem__(self, i):
        return Image.new("L", (28, 28), 4 * i), i % 10

def as_tensors(pairs):
    images = [torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8) / 255 for image, _ in pairs]
    return torch.stack(images).reshape(-1, 1, 28, 28), torch.tensor([label for _, label in pairs])

print(next(iter(LOADER))[0])
"""
TRANSFORMS = """
from PIL import Image

class ToTensor:
    def __call__(self, image):
        return torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8) / 255

class Normalize:
    def __call__(self, image):
        if not isinstance(image, torch.Tensor):
            raise TypeError(f"img should be Tensor Image. Got {type(image)}")  # as torchvision says it
        return (image - 0.1307) / 0.3081

image = Image.new("L", (28, 28))
for step in [FIRST(), THEN()]:
    image = step(image)
"""
SAVED = "saved = build().state_dict()\n"
RENAMED = 'saved = {f"body.{name}": one for name, one in build().state_dict().items()}\n'
LOADED = "model.load_state_dict(saved, strict=False)\nprint(model(x_test).argmax(1)[:5])\n"
DOWNLOAD = 'import urllib.request\nurllib.request.urlopen("http://127.0.0.1:9/train-images")\n'
DOWNLOAD_OR_NOT = (
    "import urllib.request\ntry:\n"
    '    urllib.request.urlopen("http://127.0.0.1:9/train-images")\nexcept OSError:\n    print("without the network")\n'
)
WORKERS = "loader = DataLoader(train_loader.dataset, 50, num_workers=2)\n"
BOOTSTRAPPING = "An attempt has been made to start a new process before the current process has finished its bootstrapping phase."
WARNED = "import warnings\nwarnings.simplefilter('always')\n"
ON_META = 'model = build().to("meta")\nx = x_train[:50]\n'
# A program with a mistake, its cause, and what stands in its line.
NAMED = {
    "device_mismatch": (f"{ON_META}print(model(x))", "print(model(x))"),
    "to_not_assigned": (f'{ON_META}x.to("meta")\nprint(model(x))', 'x.to("meta")'),
    "download_failed": (DOWNLOAD, DOWNLOAD.splitlines()[1]),
    "missing_totensor": (PICTURES.replace("LOADER", "DataLoader(Pictures(), 20)"), "print(next(iter(DataLoader(Pictures(), 20)))[0])"),
    "softmax_no_dim": (f"{TRAINING}{WARNED}chances = nn.Softmax()(model(x_test))", "chances = nn.Softmax()(model(x_test))"),
    "strict_false": (RENAMED + LOADED, LOADED.splitlines()[0]),
    "torch_torchvision_mismatch": (
        'raise RuntimeError("operator torchvision::nms does not exist")',
        'raise RuntimeError("operator torchvision::nms does not exist")',
    ),
    "transform_order": (TRANSFORMS.replace("FIRST", "Normalize").replace("THEN", "ToTensor"), "for step in [Normalize(), ToTensor()]:"),
    "windows_workers": (f'{WORKERS}raise RuntimeError("{BOOTSTRAPPING}")', WORKERS.strip()),
}
# Right programs that look like those.
SILENT = {
    "shapes are tried on no device": f'print(build().to("meta")(x_train.to("meta")).shape)\n{TRAINING}',
    "a line that moves nothing, where nothing needs to move": f'x_train.to("cpu")\nmodel.to("cpu")\n{TRAINING}',
    "a site that does not answer, and need not": DOWNLOAD_OR_NOT + TRAINING,
    "pictures with a collate of one's own": PICTURES.replace("LOADER", "DataLoader(Pictures(), 20, collate_fn=as_tensors)"),
    "softmax along the classes": f"{TRAINING}chances = nn.Softmax(dim=1)(model(x_test))",
    "a head that is new": f'{SAVED}del saved["3.bias"]\nmodel.load_state_dict(saved, strict=False)\n{TRAINING}',
    "torchvision, if it is there": f"try:\n    import torchvision\nexcept ImportError:\n    torchvision = None\n{TRAINING}",
    "transforms in their order": TRANSFORMS.replace("FIRST", "ToTensor").replace("THEN", "Normalize"),
}


@pytest.mark.parametrize("cause", NAMED)
def test_it_is_named_with_its_line(cause: str) -> None:
    program, line = NAMED[cause]
    found = visit(program)
    assert (found.causes[:1], found.code) == ((cause,), line)


@pytest.mark.parametrize("name", SILENT)
def test_what_looks_like_it_is_not(name: str) -> None:
    found = visit(SILENT[name])
    assert (found.causes, found.failure) == ((), "")


def test_a_worker_that_is_killed_is_another_matter() -> None:
    found = visit(f'{WORKERS}raise RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed.")')
    assert found.causes == ()
    assert found.failure.startswith("RuntimeError: DataLoader worker")


WITHOUT_NO_GRAD = TRAINING.replace("    with torch.no_grad():\n        print", "    print")
SHARES = """
model.eval()
shares = 0.0
with torch.no_grad():
    for x, y in DataLoader(test_loader.dataset, SIZE):
        shares += (model(x).argmax(1) == y).float().mean().item()
print("test accuracy", shares / len(DataLoader(test_loader.dataset, SIZE)))
"""
# Programs in which something is worth a word, and no mistake.
NOTED = {
    "a test with gradients": (WITHOUT_NO_GRAD, ("missing_no_grad",)),
    "a test without them": (TRAINING, ()),
    "a smaller last batch": (TRAINING + SHARES.replace("SIZE", "48"), ("mean_of_batch_means",)),
    "batches alike": (TRAINING + SHARES.replace("SIZE", "50"), ()),
}


@pytest.mark.parametrize("name", NOTED)
def test_a_note_is_no_mistake(name: str) -> None:
    program, notes = NOTED[name]
    found = visit(program)
    assert (found.causes, found.failure, found.notes) == ((), "", notes)
