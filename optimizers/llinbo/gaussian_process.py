"""A Gaussian process on the unit cube: posterior, upper confidence bound, and the effect of imagined values.

All inputs and outputs are in the units of the values, which are standardized internally.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

DEFAULT_LENGTH = 0.5
DEFAULT_NOISE = 1e-3
"""Kernel hyperparameters with fewer than two values, and the starting point of their optimization."""
JITTER = 1e-10
FEWEST = 2


class GaussianProcess:
    """The posterior of f for a given kernel and observation noise.

    Args:
        points: Shape (n, dimensions); n = 0 gives the prior.
        values: To be maximized, shape (n,). Their mean and standard deviation are the prior's mean and scale.
        kernel: Kernel of scikit-learn, without noise.
        noise: Variance of an observation, in units of the standardized values.
    """

    def __init__(self, points: Array, values: Array, kernel: Any, noise: float) -> None:
        self._points, self._kernel, self._noise = points, kernel, noise
        self._center = float(values.mean()) if len(values) else 0.0
        self._scale = float(values.std()) or 1.0 if len(values) else 1.0
        covariance = kernel(points) if len(points) else np.zeros((0, 0))
        self._factor = np.linalg.cholesky(covariance + (noise + JITTER) * np.eye(len(points)))
        self._residual = np.linalg.solve(self._factor, (values - self._center) / self._scale)

    def posterior(self, points: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of f (not of an observation of it), each of shape (points,)."""
        half = self._half(points)
        variance = np.maximum(self._kernel.diag(points) - (half**2).sum(axis=0), 0.0)
        return self._center + self._scale * (half.T @ self._residual), self._scale * np.sqrt(variance)

    def ucb(self, points: Array, beta: float) -> Array:
        """Upper confidence bound, mean + beta * standard deviation; shape (points,)."""
        mean, deviation = self.posterior(points)
        return mean + beta * deviation

    def imagined(self, points: Array, at: Array, values: Array) -> tuple[Array, Array, Array]:
        """The effect of an imagined observation: the GP refitted with each of ``values``, one at a time.

        The hyperparameters are kept: a refitted mean is linear in the imagined value and its variance does not depend
        on it, so no refit is needed.

        Args:
            points: Shape (points, dimensions).
            at: Point of the imagined values, shape (dimensions,).
            values: Shape (values,), at least one.

        Returns:
            Mean of the refitted means, their sample variance over the values (0 for a single one), and the refitted
            standard deviation; each of shape (points,).
        """
        here = at[None]
        (mean_here,), (deviation_here,) = self.posterior(here)
        mean, deviation = self.posterior(points)
        covariance = self._kernel(points, here)[:, 0] - self._half(points).T @ self._half(here)[:, 0]
        observed = (deviation_here / self._scale) ** 2 + self._noise + JITTER
        gain = covariance / observed
        variance = np.maximum((deviation / self._scale) ** 2 - covariance * gain, 0.0)
        spread = float(np.var(values, ddof=1)) if len(values) > 1 else 0.0
        return mean + gain * (values.mean() - mean_here), gain**2 * spread, self._scale * np.sqrt(variance)

    def _half(self, points: Array) -> Array:
        """The Cholesky factor's solution for the covariances with the observed points, shape (n, points)."""
        if len(self._points) == 0:
            return np.zeros((0, len(points)))
        return np.asarray(np.linalg.solve(self._factor, self._kernel(self._points, points)))


def fitted(points: Array, values: Array) -> GaussianProcess:
    """A Matern 5/2 kernel with one length scale per dimension; these, amplitude and noise by maximum likelihood.

    One ascent from fixed starting values. The bounds are ours and act as a prior, since two values
    fit any length scale.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    lengths = np.full(points.shape[1], DEFAULT_LENGTH)
    kernel = ConstantKernel(1.0, (0.05, 20.0)) * Matern(lengths, (0.05, 20.0), nu=2.5)
    if len(points) < FEWEST:
        return GaussianProcess(points, values, kernel, DEFAULT_NOISE)
    noisy = kernel + WhiteKernel(DEFAULT_NOISE, (1e-6, 1.0))
    regressor = GaussianProcessRegressor(noisy, normalize_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a hyperparameter at its bound is expected
        regressor.fit(points, values)
    learned = regressor.kernel_
    return GaussianProcess(points, values, learned.k1, float(learned.k2.noise_level))
