"""The line of the first session is learned."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from handlens.errors import TrainingError, UsageError
from handlens.regression import fit_line, make_points


@pytest.mark.parametrize("weights, bias", [((2.0,), 10.0), ((1.5, -2.0, 0.5), -3.0)])
@pytest.mark.parametrize("batch_size", [10, 100])
def test_it_ends_near_the_line_of_least_squares(weights: tuple[float, ...], bias: float, batch_size: int) -> None:
    points = make_points(weights, bias)
    *_, last = fit_line(points, epochs=2000, lr=0.01 if batch_size == 100 else 0.002, batch_size=batch_size)
    oracle = LinearRegression().fit(points.features.numpy(), points.targets[:, 0].numpy())
    np.testing.assert_allclose(last.weights, oracle.coef_, atol=0.05)
    assert last.bias == pytest.approx(oracle.intercept_, abs=0.3)
    assert last.loss < 1.2


def test_without_noise_the_very_line_is_found() -> None:
    *_, last = fit_line(make_points(noise=0.0), epochs=500)
    assert last.weights[0] == pytest.approx(2, abs=0.01)
    assert last.bias == pytest.approx(10, abs=0.05)


def test_there_is_a_line_before_the_first_step_and_the_loss_falls() -> None:
    fits = list(fit_line(make_points(), epochs=5))
    assert [fit.epoch for fit in fits] == [0, 1, 2, 3, 4, 5]
    assert fits[-1].loss < fits[0].loss / 5
    assert fits == list(fit_line(make_points(), epochs=5))
    assert fits != list(fit_line(make_points(), epochs=5, seed=1))


def test_steps_that_are_too_large_are_said_to_be_so() -> None:
    with pytest.raises(TrainingError, match=r"try an lr of 0\.1"):
        list(fit_line(make_points(), lr=1.0))


def test_what_is_no_line_is_refused() -> None:
    with pytest.raises(UsageError):
        make_points(())
    with pytest.raises(UsageError):
        next(fit_line(make_points(), batch_size=0))
