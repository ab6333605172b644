"""Batches: which loader gave which images."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.utils.data import dataloader

from handlens.doctor.seen import rows
from handlens.doctor.watch.recorder import Recorder


class Batches:
    """Looks at loaders."""

    def __init__(self, record: Recorder) -> None:
        self.record = record

    def watch(self) -> None:
        """Begin."""
        watcher = self

        def following(original: Callable[..., Any]) -> Callable[..., Any]:
            def following_batch(iterator: Any) -> Any:
                batch = original(iterator)
                watcher.record.quiet(watcher._batch, iterator, batch)
                return batch

            return following_batch

        def begun(original: Callable[..., Any]) -> Callable[..., Any]:
            def begin(loader: Any) -> Any:
                iterator = original(loader)
                with contextlib.suppress(AttributeError):
                    iterator.handlens_loader = loader
                watcher.record.quiet(lambda: watcher.record.add("loader", loader=loader))
                return iterator

            return begin

        self.record.patch(dataloader._BaseDataLoaderIter, "__next__", following)

        def made(original: Callable[..., Any]) -> Callable[..., Any]:
            def make(loader: Any, *args: Any, **knobs: Any) -> None:
                original(loader, *args, **knobs)
                watcher.record.quiet(lambda: watcher.record.add("made", loader=loader))

            return make

        self.record.patch(dataloader.DataLoader, "__init__", made)
        self.record.patch(dataloader.DataLoader, "__iter__", begun)

    def _batch(self, iterator: Any, batch: Any) -> None:
        loader = getattr(iterator, "handlens_loader", None)
        batch = list(batch.values()) if isinstance(batch, dict) else batch
        if (
            not isinstance(batch, list | tuple)
            or len(batch) < 2
            or not isinstance(batch[0], Tensor)
            or not self.record.few(f"batch {id(loader)}", 400)
        ):
            return
        images, labels = batch[0], batch[1]
        event = self.record.add(
            "batch", loader=loader, rows=rows(images), labels=labels.detach().clone() if isinstance(labels, Tensor) else None
        )
        if self.record.few(f"images {id(loader)}", 4):
            event.about["images"] = images.detach().clone()
