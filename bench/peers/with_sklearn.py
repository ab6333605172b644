"""The job in scikit-learn: `MLPClassifier`. It has no convolutions."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import job
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore")  # that so few epochs have not converged


def train(work: job.Job) -> Callable[[Any], Any]:
    knobs = {"alpha": 0.0, "batch_size": job.BATCH_SIZE, "learning_rate_init": job.LR, "max_iter": work.epochs}
    model = MLPClassifier((128, 64), random_state=work.seed, n_iter_no_change=work.epochs, **knobs)
    model.fit(work.fractions.reshape(-1, 784), work.labels)
    return lambda images: model.predict(images.reshape(-1, 784).astype("float32") / 255)


if __name__ == "__main__":
    job.main(train)
