"""Exact moments of SGD: against every way to draw the batches, closed forms, bad input."""

from __future__ import annotations

import itertools
import math
import re

import numpy as np
import pytest

import gdcourse as gd
from gdcourse import LeastSquaresMoments

X = np.array([[1.0, 0.5], [-2.0, 1.0], [0.3, 2.0]])
Y = np.array([1.0, 0.2, -1.5])
START = np.array([1.0, -2.0])


def batches(n, size, replacement):
    """Return every batch that may be drawn, each as likely as any other."""
    if replacement:
        return list(itertools.product(range(n), repeat=size))
    return list(itertools.combinations(range(n), size))


def all_runs(lr, steps, size, replacement):
    """Return the errors of all runs, shape (runs, steps + 1, 2)."""
    best = np.linalg.lstsq(X, Y, rcond=None)[0]
    runs = []
    for drawn in itertools.product(batches(3, size, replacement), repeat=steps):
        theta = START
        errors = [theta - best]
        for batch in map(list, drawn):
            theta = theta - lr * X[batch].T @ (X[batch] @ theta - Y[batch]) / size
            errors.append(theta - best)
        runs.append(errors)
    return np.array(runs)


@pytest.mark.parametrize("lr", [0.0, 0.1, 0.7])
@pytest.mark.parametrize(
    ("size", "replacement"), [(1, True), (2, True), (1, False), (2, False), (3, False)]
)
def test_expected_loss_is_the_mean_over_all_draws(lr, size, replacement):
    moments = LeastSquaresMoments(X, Y, size, replacement)
    errors = all_runs(lr, 3, size, replacement)
    theta = errors + moments.solution
    losses = np.mean((theta @ X.T - Y) ** 2, axis=2) / 2
    np.testing.assert_allclose(moments.expected_loss(START, lr, 3), losses.mean(axis=0), rtol=1e-12)


@pytest.mark.parametrize(("size", "replacement"), [(1, True), (2, True), (2, False), (3, False)])
def test_operator_is_the_mean_of_products(size, replacement):
    """Of I - η H_B with itself, over all batches; and the noise is the mean of g gᵀ."""
    moments, lr, one = LeastSquaresMoments(X, Y, size, replacement), 0.4, np.eye(2)
    drawn = [list(batch) for batch in batches(3, size, replacement)]
    maps = [one - lr * X[batch].T @ X[batch] / size for batch in drawn]
    expected = np.mean([np.kron(A, A) for A in maps], axis=0)
    np.testing.assert_allclose(moments.operator(lr), expected, rtol=1e-12, atol=1e-14)
    residual = X @ moments.solution - Y
    noises = [X[batch].T @ residual[batch] / size for batch in drawn]
    expected = np.mean([np.outer(g, g) for g in noises], axis=0)
    np.testing.assert_allclose(moments.noise, expected, rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("lr", [0.05, 0.3])
def test_stationary_moment_is_left_as_it_is(lr):
    moments = LeastSquaresMoments(X, Y)
    second = moments.stationary(lr)
    again = moments.operator(lr) @ second.ravel() + lr**2 * moments.noise.ravel()
    np.testing.assert_allclose(again, second.ravel(), rtol=1e-11)
    np.testing.assert_allclose(second, second.T, rtol=1e-12)
    floor = np.mean((X @ moments.solution - Y) ** 2) / 2
    later = moments.expected_loss(START, lr, 3000)[-1]
    assert later - floor == pytest.approx(moments.excess_loss(lr), rel=1e-9)
    assert moments.excess_loss(lr) == pytest.approx(np.trace(moments.hessian @ second) / 2)


def test_edge_in_one_dimension_has_a_closed_form():
    """2 E x² / E x⁴, since E (1 - η x²)² = 1 - 2 η E x² + η² E x⁴."""
    for x in ([1.0, 3.0], [0.5], [1.0, -2.0, 2.5, 0.1]):
        x = np.array(x)
        moments = LeastSquaresMoments(x[:, None], 2 * x)
        edge = 2 * np.mean(x**2) / np.mean(x**4)
        assert moments.mean_square_edge() == pytest.approx(edge, rel=1e-12)
        assert moments.radius(0.999 * edge) < 1 < moments.radius(1.001 * edge)


@pytest.mark.parametrize(("size", "replacement"), [(1, True), (2, True), (2, False)])
def test_edge_is_where_the_radius_is_one(size, replacement):
    """On random problems, and on one with columns of very different lengths."""
    rng = np.random.default_rng(size)
    for scale in (1.0, 1e-9):
        data = rng.standard_normal((6, 2)) * [1.0, scale]
        moments = LeastSquaresMoments(
            data / np.max(np.abs(data), axis=0), np.ones(6), size, replacement
        )
        edge = moments.mean_square_edge()
        assert moments.radius(0.999 * edge) < 1 < moments.radius(1.001 * edge)
        assert all(moments.radius(share * edge) < 1 for share in np.linspace(0.01, 0.99, 50))
    # The units of a column change nothing of what decides along the other.
    data = np.array([[1.0, 0.0], [2.0, 0.0], [0.0, 1e-9], [0.0, 2e-9]])
    found = LeastSquaresMoments(data, np.ones(4), size, replacement).mean_square_edge()
    alone = LeastSquaresMoments(data * [1.0, 1e8], np.ones(4), size, replacement)
    assert found == pytest.approx(alone.mean_square_edge(), rel=1e-7)


def test_edge_with_all_examples_is_that_of_gradient_descent():
    moments = LeastSquaresMoments(X, Y, batch_size=3, replacement=False)
    highest = np.linalg.eigvalsh(X.T @ X / 3)[-1]
    assert moments.mean_square_edge() == pytest.approx(2 / highest, rel=1e-12)
    assert moments.noise.tolist() == np.zeros((2, 2)).tolist()


def test_one_example_has_no_noise_and_the_edge_of_a_parabola():
    moments = LeastSquaresMoments(np.array([[2.0]]), np.array([3.0]), replacement=False)
    assert moments.mean_square_edge() == pytest.approx(0.5, rel=1e-12)
    assert moments.excess_loss(0.1) == pytest.approx(0, abs=1e-30)


def test_edge_grows_with_the_batch():
    data, y, _ = gd.normal_regression(seed=1, n=60)
    edges = [
        LeastSquaresMoments(data, y, size, replacement).mean_square_edge()
        for size, replacement in ((1, True), (5, True), (5, False), (60, False))
    ]
    assert edges == sorted(edges)
    assert edges[0] < 0.9 * edges[1]


def test_expected_loss_beyond_the_edge_becomes_infinite_without_a_warning():
    found = LeastSquaresMoments(X, Y).expected_loss(START, 5.0, 2000)
    assert np.isfinite(found[:50]).all()
    assert (np.diff(found[:50]) > 0).all()
    assert found[-1] == math.inf
    assert not np.isnan(found).any()


def test_repr():
    told = "LeastSquaresMoments(3 examples, 2 parameters, batches of 2)"
    assert repr(LeastSquaresMoments(X, Y, 2)) == told


def test_whole_numbers_are_taken():
    moments = LeastSquaresMoments([[1], [3]], [2, 6])
    assert moments.mean_square_edge() == pytest.approx(10 / 41)
    assert moments.X.dtype == moments.y.dtype == np.float64


BAD = [
    (
        {"X": np.ones(3)},
        "LeastSquaresMoments: X must have shape (n, d) and y shape (n,), n > 0, got (3,) and (3,).",
    ),
    (
        {"y": np.ones((3, 1))},
        "LeastSquaresMoments: X must have shape (n, d) and y shape (n,), n > 0, got (3, 2) and "
        "(3, 1).",
    ),
    ({"y": np.array([1.0, math.nan, 2.0])}, "LeastSquaresMoments: X and y must be finite."),
    ({"X": np.full((3, 2), math.inf)}, "LeastSquaresMoments: X and y must be finite."),
    (
        {"X": np.ones((3, 2))},
        "LeastSquaresMoments: the columns of X must be linearly independent; leave out those that "
        "the others make up.",
    ),
    ({"batch_size": 0}, "LeastSquaresMoments: batch_size must be at least 1, got 0."),
    (
        {"batch_size": 4, "replacement": False},
        "LeastSquaresMoments: batch_size must be at most n = 3 without replacement, got 4.",
    ),
]


@pytest.mark.parametrize(("change", "told"), BAD, ids=[told for _, told in BAD])
def test_bad_input(change, told):
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        LeastSquaresMoments(**({"X": X, "y": Y} | change))


@pytest.mark.parametrize("lr", [0, 0.0, 0.9, math.inf])
def test_no_stationary_moment_beyond_the_edge(lr):
    moments = LeastSquaresMoments(X, Y)
    assert 0.3 < moments.mean_square_edge() < 0.9
    with pytest.raises(ValueError, match=r"lr must satisfy 0 <=? lr < "):
        moments.stationary(lr)


def test_no_stationary_moment_a_little_beyond_the_edge():
    moments = LeastSquaresMoments(X, Y)
    edge = moments.mean_square_edge()
    assert 1 < moments.radius(1.01 * edge) < 2
    told = rf"^LeastSquaresMoments: lr must satisfy 0 < lr < {edge:.6g}, the mean-square edge, got "
    with pytest.raises(ValueError, match=told):
        moments.stationary(1.01 * edge)
    assert moments.stationary(0.99 * edge).shape == (2, 2)


@pytest.mark.parametrize("lr", [-0.1, math.nan])
def test_bad_rate(lr):
    with pytest.raises(ValueError, match=r"^LeastSquaresMoments: lr must satisfy 0 <= lr < inf"):
        LeastSquaresMoments(X, Y).operator(lr)


def test_bad_start():
    told = "LeastSquaresMoments: params must have shape (2,), got (3,)."
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        LeastSquaresMoments(X, Y).expected_loss(np.ones(3), 0.1, 2)
    with pytest.raises(ValueError, match=r"^LeastSquaresMoments: steps must be at least 0, got -1"):
        LeastSquaresMoments(X, Y).expected_loss(START, 0.1, -1)
    with pytest.raises(ValueError, match=r"^LeastSquaresMoments: x0 must be finite, got "):
        LeastSquaresMoments(X, Y).expected_loss([math.nan, 1.0], 0.1, 1)


def test_the_callers_arrays_are_left_alone():
    data, y = X.copy(), Y.copy()
    moments = LeastSquaresMoments(data, y)
    moments.expected_loss(START, 0.1, 2)
    data[:] = 7
    assert moments.X.tolist() == X.tolist()
    assert y.tolist() == Y.tolist()
