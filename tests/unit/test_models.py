"""The models: losses and gradients against slow loops, large scores, and what they refuse."""

from __future__ import annotations

import math
import re
from types import SimpleNamespace

import mpmath
import numpy as np
import pytest
from scipy.special import expit, log_softmax, softmax

from gdcourse import LinearRegression, LogisticRegression, SoftmaxRegression, check_gradient

LINEAR, LOGISTIC, SOFTMAX = LinearRegression(), LogisticRegression(), SoftmaxRegression(classes=4)
N, D = 17, 3


def problem(model, n=N, seed=5):
    """Return X, y and params for a model."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, D))
    y = rng.integers(0, getattr(model, "classes", 2), n)
    size = D * getattr(model, "classes", 1)
    return X, (rng.standard_normal(n) if model == LINEAR else y), rng.standard_normal(size)


def slow_loss(model, params, X, y):
    """Return the loss as its definition reads: a sum over examples, and over classes."""
    total = 0.0
    for x, target in zip(X, y, strict=True):
        if model == LINEAR:
            total += (sum(a * b for a, b in zip(x, params, strict=True)) - target) ** 2 / 2
            continue
        if model == LOGISTIC:
            scores = [0.0, math.fsum(x * params)]
        else:
            W = params.reshape(D, model.classes)
            scores = [math.fsum(x * W[:, k]) for k in range(model.classes)]
        total += math.log(sum(math.exp(z) for z in scores)) - scores[target]
    return total / len(y)


MODELS = [LINEAR, LOGISTIC, SOFTMAX, SoftmaxRegression(classes=2)]
EVERY_MODEL = pytest.mark.parametrize("model", MODELS, ids=repr)


@EVERY_MODEL
@pytest.mark.parametrize("n", [1, N])
def test_loss_is_its_definition(model, n):
    X, y, params = problem(model, n)
    loss, _ = model.loss_and_grad(params, X, y)
    assert type(loss) is float
    assert loss == pytest.approx(slow_loss(model, params, X, y), rel=1e-13)


@EVERY_MODEL
@pytest.mark.parametrize("seed", range(5))
def test_gradient_is_the_loss_s(model, seed):
    X, y, params = problem(model, seed=seed)
    check = check_gradient(
        lambda p: model.loss_and_grad(p, X, y)[0], lambda p: model.loss_and_grad(p, X, y)[1], params
    )
    assert check.passed, check
    assert check.analytic.shape == params.shape


@EVERY_MODEL
def test_mean_and_not_sum(model):
    """The same examples r times over change nothing, and a batch is the mean of its parts."""
    X, y, params = problem(model)
    loss, grad = model.loss_and_grad(params, X, y)
    for r in (2, 5):
        repeated, same = model.loss_and_grad(params, np.tile(X, (r, 1)), np.tile(y, r))
        assert repeated == pytest.approx(loss, rel=1e-14)
        np.testing.assert_allclose(same, grad, rtol=1e-12, atol=1e-15)
    parts = [model.loss_and_grad(params, X[i : i + 1], y[i : i + 1]) for i in range(N)]
    assert np.mean([part[0] for part in parts]) == pytest.approx(loss, rel=1e-14)
    np.testing.assert_allclose(np.mean([part[1] for part in parts], axis=0), grad, rtol=1e-12)


@EVERY_MODEL
def test_nothing_given_is_changed(model):
    given = problem(model)
    kept = [part.copy() for part in given]
    X, y, params = given
    model.loss_and_grad(params, X, y)
    model.predict(params, X)
    model.init(X, y, np.random.default_rng(0))
    assert all(np.array_equal(a, b) for a, b in zip(given, kept, strict=True))


@EVERY_MODEL
def test_start(model):
    X, y, params = problem(model)
    start = model.init(X, y, np.random.default_rng(7))
    assert start.shape == params.shape
    assert start.dtype == np.float64
    drawn = np.random.default_rng(7).standard_normal(D)
    assert np.array_equal(start, drawn if model == LINEAR else np.zeros_like(params))


@EVERY_MODEL
def test_models_are_frozen_and_equal_by_value(model):
    with pytest.raises(AttributeError):
        model.classes = 7
    assert model == type(model)(*([model.classes] if hasattr(model, "classes") else []))
    assert len({SOFTMAX, SoftmaxRegression(4), SoftmaxRegression(5), LINEAR, LOGISTIC}) == 4


# ---------------------------------------------------------------- linear


def test_linear_regression_by_hand():
    """One example (2, 1) with target 7 and parameters (1, 2): residual -3."""
    X, y, params = np.array([[2.0, 1.0]]), np.array([7.0]), np.array([1.0, 2.0])
    loss, grad = LINEAR.loss_and_grad(params, X, y)
    assert loss == 4.5
    assert grad.tolist() == [-6, -3]
    assert LINEAR.predict(params, X).tolist() == [4]


def test_least_squares_solution_has_zero_gradient():
    X, y, _ = problem(LINEAR, n=200)
    best = np.linalg.lstsq(X, y, rcond=None)[0]
    loss, grad = LINEAR.loss_and_grad(best, X, y)
    np.testing.assert_allclose(grad, 0, atol=1e-15)
    for nearby in best + 1e-3 * np.random.default_rng(0).standard_normal((20, D)):
        assert LINEAR.loss_and_grad(nearby, X, y)[0] > loss


# ---------------------------------------------------------------- classes

SCORES = [-1e308, -1e10, -800.0, -40.0, -1.0, 0.0, 0.3, 36.0, 710.0, 1e10, 1e308]


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("z", SCORES)
def test_logistic_loss_of_any_score(z, label):
    """Against 60 digits; nothing overflows, and any warning would be an error."""
    loss, grad = LOGISTIC.loss_and_grad(np.array([z]), np.ones((1, 1)), np.array([label]))
    with mpmath.workdps(60):
        sign = 1 if label == 0 else -1
        exact = mpmath.log1p(mpmath.exp(sign * mpmath.mpf(z)))
        assert abs(loss - exact) <= 1e-14 + 1e-15 * exact
    assert grad == pytest.approx([expit(z) - label], rel=1e-15, abs=1e-16)


@pytest.mark.parametrize("label", [0, 1, 2])
@pytest.mark.parametrize("z", SCORES)
def test_softmax_loss_of_any_score(z, label):
    scores = np.array([z, 0.5, -2.0])
    model = SoftmaxRegression(classes=3)
    loss, grad = model.loss_and_grad(scores, np.ones((1, 1)), np.array([label]))
    assert loss == pytest.approx(-log_softmax(scores)[label], rel=1e-15, abs=1e-15)
    np.testing.assert_allclose(grad, softmax(scores) - np.eye(3)[label], rtol=1e-14, atol=1e-15)


def test_softmax_of_examples_whose_scores_are_far_apart():
    """Each row has its own largest score: beside a row near 1000 one near -1000 is no log of 0."""
    X, y = np.array([[1.0], [-1.0]]), np.array([0, 0])
    scores = np.array([1000.0, 998.0, 990.0])
    loss, grad = SoftmaxRegression(classes=3).loss_and_grad(scores, X, y)
    both = np.array([scores, -scores])
    assert loss == pytest.approx(-log_softmax(both, axis=1)[:, 0].mean(), rel=1e-14)
    expected = X.T @ (softmax(both, axis=1) - np.eye(3)[y]) / 2
    np.testing.assert_allclose(grad, expected.ravel(), rtol=1e-12)


def test_softmax_depends_on_differences_of_scores_only():
    X, y, params = problem(SOFTMAX)
    shifted = (params.reshape(D, 4) + np.array([[2.0], [-1.0], [0.5]])).ravel()
    one, two = (SOFTMAX.loss_and_grad(p, X, y) for p in (params, shifted))
    assert one[0] == pytest.approx(two[0], rel=1e-13)
    np.testing.assert_allclose(one[1], two[1], rtol=1e-11, atol=1e-15)
    # So the gradient's rows sum to 0: no direction along which all scores rise.
    np.testing.assert_allclose(one[1].reshape(D, 4).sum(axis=1), 0, atol=1e-15)


def test_softmax_of_two_classes_is_logistic():
    two = SoftmaxRegression(classes=2)
    X, y, params = problem(two)
    W = params.reshape(D, 2)
    loss, grad = two.loss_and_grad(params, X, y)
    expected, slope = LOGISTIC.loss_and_grad(W[:, 1] - W[:, 0], X, y)
    assert loss == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(grad.reshape(D, 2), np.column_stack([-slope, slope]), rtol=1e-12)
    assert np.array_equal(two.predict(params, X), LOGISTIC.predict(W[:, 1] - W[:, 0], X))


@pytest.mark.parametrize(("model", "classes"), [(LOGISTIC, 2), (SOFTMAX, 4)], ids=str)
def test_loss_at_the_start_is_that_of_guessing(model, classes):
    X, y, params = problem(model)
    loss, _ = model.loss_and_grad(np.zeros_like(params), X, y)
    assert loss == pytest.approx(math.log(classes), rel=1e-14)


def test_predictions():
    X = np.array([[1.0, 2.0], [0.5, 0.0], [-1.0, 0.0]])
    assert LINEAR.predict(np.array([3.0, -1.0]), X).tolist() == [1, 1.5, -3]
    found = LOGISTIC.predict(np.array([1.0, -0.5]), X)  # scores 0, 0.5 and -1
    assert found.tolist() == [0, 1, 0]
    assert found.dtype == np.int64
    W = np.array([[1.0, 0.0, -1.0], [0.0, 3.0, 0.0]])  # scores (1, 6, -1), (0.5, 0, -0.5), ...
    found = SoftmaxRegression(classes=3).predict(W.ravel(), X)
    assert found.tolist() == [1, 0, 2]
    assert found.dtype.kind == "i"


@EVERY_MODEL
def test_prediction_of_every_example(model):
    X, _, params = problem(model)
    assert model.predict(params, X).shape == (N,)


# ---------------------------------------------------------------- what is refused

GOOD = SimpleNamespace(X=np.ones((3, 2)), real=np.array([0.5, 1.5, -2.0]), y=np.array([0, 1, 1]))
BAD_DATA = [
    (
        np.ones(3),
        GOOD.y,
        "X must be an array of floats of shape (n, d), got shape (3,), dtype float64.",
    ),
    (
        np.ones((3, 2), dtype=np.int64),
        GOOD.y,
        "X must be an array of floats of shape (n, d), got shape (3, 2), dtype int64.",
    ),
    (
        np.ones((3, 2, 1)),
        GOOD.y,
        "X must be an array of floats of shape (n, d), got shape (3, 2, 1), dtype float64.",
    ),
    (
        GOOD.X,
        GOOD.y.reshape(3, 1),
        "y must have shape (n,) with n = 3 the rows of X and n > 0, got (3, 1); "
        "flatten it with y.ravel().",
    ),
    (
        GOOD.X,
        GOOD.y[:2],
        "y must have shape (n,) with n = 3 the rows of X and n > 0, got (2,); "
        "flatten it with y.ravel().",
    ),
    (
        np.ones((0, 2)),
        np.ones(0),
        "y must have shape (n,) with n = 0 the rows of X and n > 0, got (0,); "
        "flatten it with y.ravel().",
    ),
    (
        np.array([[1.0, np.nan]] * 3),
        GOOD.y,
        "X and y must be finite; remove or fill missing entries.",
    ),
    (
        GOOD.X,
        np.array([1.0, np.inf, 2.0]),
        "X and y must be finite; remove or fill missing entries.",
    ),
    (GOOD.X, np.array(["a", "b", "a"]), "y must hold numbers, got dtype <U1."),
    (GOOD.X, np.array([1, None, 2]), "y must hold numbers, got dtype object."),
]


@EVERY_MODEL
@pytest.mark.parametrize(("X", "y", "told"), BAD_DATA, ids=[told for *_, told in BAD_DATA])
def test_bad_data(model, X, y, told):
    with pytest.raises(ValueError, match=f"^{re.escape(f'{type(model).__name__}: {told}')}$"):
        model.init(X, y, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("model", "y", "told"),
    [
        (LOGISTIC, [0, 1, 2], "0 to 1, got dtype int64 and values from 0 to 2."),
        (LOGISTIC, [-1, 1, 1], "0 to 1, got dtype int64 and values from -1 to 1."),
        (LOGISTIC, [0.0, 1.0, 1.0], "0 to 1, got dtype float64 and values from 0.0 to 1.0."),
        (LOGISTIC, [False, True, True], "0 to 1, got dtype bool and values from False to True."),
        (SOFTMAX, [1, 2, 4], "0 to 3, got dtype int64 and values from 1 to 4."),
        (SOFTMAX, [1, -2, 3], "0 to 3, got dtype int64 and values from -2 to 3."),
    ],
    ids=str,
)
def test_bad_classes(model, y, told):
    y = np.array(y, dtype=np.int64 if type(y[0]) is int else None)
    told = f"{type(model).__name__}: y must hold whole numbers from {told}"
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        model.init(GOOD.X, y, np.random.default_rng(0))


@pytest.mark.parametrize("y", [np.array([0, 1, 3], dtype=np.uint8), np.array([0, 0, 0])], ids=str)
def test_good_classes(y):
    """Of any integer type, and not all of them need to occur."""
    start = SOFTMAX.init(GOOD.X, y, np.random.default_rng(0))
    assert np.isfinite(SOFTMAX.loss_and_grad(start, GOOD.X, y)[1]).all()


@pytest.mark.parametrize(
    ("value", "error", "told"),
    [
        (1, ValueError, "SoftmaxRegression: classes must be at least 2, got 1."),
        (
            2.5,
            TypeError,
            "SoftmaxRegression: classes must be a whole number, at least 2, got 2.5 of type float.",
        ),
    ],
)
def test_bad_number_of_classes(value, error, told):
    with pytest.raises(error, match=f"^{re.escape(told)}$"):
        SoftmaxRegression(classes=value)


@pytest.mark.parametrize("label", [0, 1])
def test_tiny_logistic_loss_keeps_its_digits(label):
    """An example that is right with a score of 40 costs e^-40, and not 0."""
    z = 40.0 if label else -40.0
    loss, _ = LOGISTIC.loss_and_grad(np.array([z]), np.array([[1.0]]), np.array([label]))
    assert loss == pytest.approx(float(mpmath.log1p(mpmath.exp(-40))), rel=1e-13, abs=0)
