"""The claims of the chapter on five published runs."""

from __future__ import annotations

import numpy as np
import pytest

import gdcourse as gd


@pytest.mark.claim(
    "claim-nearly-newton",
    kind="spectrum",
    holds={"spread": 1.0, "offset": 1.0},
    false=[{"spread": 0.9}, {"offset": 0.9}, {"offset": 0.0}],
)
def test_nearly_newton(spread: float, offset: float, rng: np.random.Generator) -> None:
    """The norm of the step's matrix, and a step from some start, for Hessians on both ends."""
    for d in (1, 3):
        for delta in (0.0, 0.1, 0.7):
            q, _ = np.linalg.qr(rng.standard_normal((d, d)))
            for values in (np.linspace(1 - delta, 1 + delta, d), np.full(d, 1 + delta)):
                H = q * values @ q.T
                for eta in (0.5, 0.999, 1.0, 1.6):
                    bound = offset * abs(1 - eta) + spread * eta * delta
                    assert np.linalg.norm(np.eye(d) - eta * H, 2) <= bound + 1e-12
                    x, minimizer = rng.standard_normal(d), rng.standard_normal(d)
                    rule = gd.GradientDescent(lr=eta)
                    end, _ = rule.update(x, H @ (x - minimizer), ())
                    left = np.linalg.norm(end - minimizer)
                    assert left <= (bound + 1e-12) * np.linalg.norm(x - minimizer)


@pytest.mark.claim(
    "claim-out-of-reach",
    kind="exact",
    holds={"share": 1.0, "most": 1.0, "top": 1.0, "draws": "unbiased"},
    false=[{"share": 0.99}, {"most": 12.0}, {"top": 0.9}, {"draws": "biased"}],
)
def test_out_of_reach(
    share: float, most: float, top: float, draws: str, rng: np.random.Generator
) -> None:
    """The mean error, by the mean over all draws of each step, with sums up to the limit."""
    X = rng.standard_normal((5, 2))
    y = rng.standard_normal(5)
    best = np.linalg.lstsq(X, y, rcond=None)[0]
    chance = np.full(5, 0.2) if draws == "unbiased" else np.array([0.9, 0.0, 0.0, 0.1, 0.0])
    values, q = np.linalg.eigh(X.T @ X / 5)
    for lam, direction in zip([*values, *values], [*q.T, *-q.T], strict=True):
        for rates in (
            [most / lam],  # one step, to the limit
            3 * [most / (3 * lam)],
            [1e-4 / lam],  # a step so small that the bound is nearly the truth
            [most * 0.9 * 0.1**k / lam for k in range(20)],
        ):
            mean, total = 3 * direction, 0.0
            for lr in rates:
                total += lr
                # The mean step, example by example; the residuals at the solution drop out.
                pulls = np.array([(x @ (best + mean) - r) * x for x, r in zip(X, y, strict=True)])
                mean = mean - lr * chance @ pulls
                left = mean @ direction / 3
                assert left >= 1 - share * lam * total - 1e-12
                assert left <= top + 1e-12


@pytest.mark.claim(
    "claim-overflow",
    kind="instances",
    holds={"first": 59, "last": 66, "bits": 32, "rate": 5.0},
    false=[
        {"first": 60},
        {"last": 65},
        {"bits": 64},
        {"rate": 1.4},
    ],
)
def test_when_32_bits_run_out(first: int, last: int, bits: int, rate: float) -> None:
    """All twenty runs, in both kinds of number."""

    def ends(seed: int, dtype: type[np.floating]) -> int | None:
        X, y, _ = gd.normal_regression(seed=seed)
        design, targets = gd.add_intercept(X).astype(dtype), y.astype(dtype)
        weights = np.random.default_rng([seed, 1]).standard_normal(2)
        theta = np.append(weights, 0.0).astype(dtype)
        order, t = np.random.default_rng([seed, 2]), 0
        while t < 200:
            for x, target in gd.minibatches(design, targets, 10, order):
                theta = theta - dtype(rate) * ((x @ theta - target) @ x / dtype(10))
                t += 1
                assert theta.dtype == dtype
                if not np.isfinite(theta).all():
                    return t
        return None

    with np.errstate(over="ignore", invalid="ignore"):
        for seed in range(20):
            short = ends(seed, np.float32 if bits == 32 else np.float64)
            assert short is not None
            assert first <= short <= last
            assert ends(seed, np.float64) is None


@pytest.mark.claim(
    "claim-float-index",
    kind="exact",
    holds={"power": 24, "type": "float32"},
    false=[{"power": 25}, {"power": 23}, {"type": "float64"}],
)
def test_indices_as_floats(power: int, type: str) -> None:
    """All whole numbers up to the power of two, and the one after it."""
    top = 2**power
    kind = np.dtype(type).type
    below = np.arange(top + 1)
    assert np.array_equal(below.astype(kind).astype(np.int64), below)
    assert int(kind(top + 1)) == top


@pytest.mark.claim(
    "claim-recorded",
    kind="exact",
    holds={"first": 1, "missing": 1, "counts": "batches from 0"},
    false=[{"first": 0}, {"missing": 0}, {"counts": "batches from 1"}],
)
def test_what_is_recorded(first: int, missing: int, counts: str) -> None:
    """The tutorial's condition, run over an epoch for many sizes."""
    for n, batch, period in (
        (1000, 1, 10),
        (1000, 10, 10),
        (1000, 1000, 1000),
        (60, 3, 12),
        (24, 2, 24),
    ):
        records, seen = [], 0
        for number in range(n // batch):
            seen += batch
            counter = number if counts == "batches from 0" else number + 1
            if counter * batch % period == 0:
                records.append((number + 1, seen))
        stated = [first + k * period // batch for k in range(n // period)]
        assert [update for update, _ in records] == stated
        assert n - records[-1][1] == period - missing * batch
