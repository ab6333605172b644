"""The job in PyTorch Lightning, as its manual begins: a `LightningModule`, a `DataLoader` over tensors, a `Trainer`."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from typing import Any

import job
import pytorch_lightning as lightning
import torch
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
warnings.filterwarnings("ignore")


class Classifier(lightning.LightningModule):  # type: ignore[misc]
    """The network, one step, and its optimizer."""

    def __init__(self, network: str) -> None:
        super().__init__()
        self.network = job.torch_network(network)

    def training_step(self, batch: Any, _number: int) -> Any:
        """The loss of a batch; loss and accuracy are counted."""
        images, labels = batch
        logits = self.network(images)
        loss = cross_entropy(logits, labels)
        self.log_dict({"loss": loss, "accuracy": (logits.argmax(1) == labels).float().mean()}, on_step=False, on_epoch=True)
        return loss

    def configure_optimizers(self) -> Any:
        """Adam."""
        return torch.optim.Adam(self.parameters(), lr=job.LR)


def train(work: job.Job) -> Callable[[Any], Any]:
    lightning.seed_everything(work.seed, verbose=False)
    model = Classifier(work.network)
    pairs = TensorDataset(torch.from_numpy(work.fractions), torch.from_numpy(work.labels))
    quiet = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = lightning.Trainer(max_epochs=work.epochs, accelerator="cpu", **quiet)
    trainer.fit(model, DataLoader(pairs, batch_size=job.BATCH_SIZE, shuffle=True))
    return lambda images: model.network(torch.from_numpy(images[:, None]).float() / 255).argmax(1)


if __name__ == "__main__":
    job.main(train)
