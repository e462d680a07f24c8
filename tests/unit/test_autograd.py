"""The tape: every way back against differences, and what it refuses."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from gdcourse import TwoLayerNetwork, add_intercept, check_gradient, load_digits
from gdcourse.autograd import (
    RULES,
    Variable,
    backward,
    detach,
    gradient,
    value_and_gradient,
)

RNG = np.random.default_rng(5)
POSITIVE = RNG.uniform(0.5, 2, (3, 4))
SIGNED = RNG.uniform(0.5, 2, (3, 4)) * RNG.choice([-1, 1], (3, 4))
WEIGHTS = RNG.standard_normal((3, 4))

# What a function is tried on. The base of a power is positive wherever its exponent is varied.
ONE = {
    np.absolute: SIGNED,
    np.negative: SIGNED,
    np.square: SIGNED,
    np.sqrt: POSITIVE,
    np.exp: SIGNED,
    np.log: POSITIVE,
    np.tanh: SIGNED,
    np.sin: SIGNED,
    np.cos: SIGNED,
}
TWO = (np.add, np.subtract, np.multiply, np.divide, np.power, np.maximum)
SHAPES = ((3, 4), (4,), (1, 4), (3, 1), (1, 1), (), (1,), (2, 3, 4), (2, 1, 1))
VECTORS_AND_MATRICES = (((3, 4), (4, 2)), ((3, 4), (4,)), ((3,), (3, 2)), ((3,), (3,)))


def agrees(f, x):
    """Say whether the tape's gradient of f at x is that of central differences."""
    found = check_gradient(f, gradient(f), x)
    assert found.passed, found
    return found.analytic


def test_every_rule_is_tried():
    assert {*ONE, *TWO, np.matmul} == set(RULES)


@pytest.mark.parametrize("ufunc", ONE, ids=lambda ufunc: ufunc.__name__)
def test_function_of_one_argument(ufunc):
    assert agrees(lambda x: np.sum(WEIGHTS * ufunc(x)), ONE[ufunc]).any()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("ufunc", TWO, ids=lambda ufunc: ufunc.__name__)
def test_function_of_two_arguments_of_all_shapes_that_broadcast(ufunc, shape):
    rng = np.random.default_rng(7)
    other = rng.uniform(0.5, 2, shape)
    weights = rng.standard_normal(np.broadcast_shapes(shape, (3, 4)))
    agrees(lambda x: np.sum(weights * ufunc(x, other)), POSITIVE)
    agrees(lambda x: np.sum(weights * ufunc(POSITIVE, x)), other)
    agrees(lambda x: np.sum(weights * ufunc(x, POSITIVE)), other)
    agrees(lambda x: np.sum(weights * ufunc(other, x)), POSITIVE)


@pytest.mark.parametrize("shapes", VECTORS_AND_MATRICES, ids=str)
def test_products_of_vectors_and_matrices(shapes):
    rng = np.random.default_rng(8)
    a, b = map(rng.standard_normal, shapes)
    weights = rng.standard_normal(np.shape(a @ b))
    assert agrees(lambda x: np.sum(weights * (x @ b)), a).shape == a.shape
    assert agrees(lambda x: np.sum(weights * (a @ x)), b).shape == b.shape
    assert agrees(lambda x: np.sum(np.square(x @ x[: len(x)])), rng.standard_normal((3, 3))).any()


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x.sum() ** 2,
        lambda x: (x.sum(axis=0) ** 2).sum(),
        lambda x: (x.sum(axis=1, keepdims=True) * WEIGHTS).sum(),
        lambda x: (np.sum(x, axis=(0, 1)) * x).sum(),
        lambda x: (x.sum(axis=-1) ** 2).sum(),
        lambda x: np.mean(x) ** 2,
        lambda x: (x.mean(axis=0) ** 3).sum(),
        lambda x: (x.mean(axis=1, keepdims=True) * WEIGHTS).mean(),
        lambda x: (x.reshape(4, 3) @ x).sum() ** 2,
        lambda x: (x.reshape(-1) * WEIGHTS.ravel()).sum() ** 2,
        lambda x: (x.T @ WEIGHTS).sum() ** 2,
        lambda x: x[1, 2] ** 2,
        lambda x: x[0, 1] * x[0, 1] * x[2, 3],
        lambda x: (x[:, ::2] ** 2).sum(),
        lambda x: (x[[0, 0, 2]] ** 2 * RNG_ROWS).sum(),
        lambda x: (x[np.arange(3), [1, 1, 0]] ** 3).sum(),
        lambda x: (x[SIGNED > 0] ** 2).sum(),
        lambda x: (x[-1] * x[0]).sum(),
        lambda x: sum(row @ row for row in x),
        lambda x: 3 - 2 * x[0, 0] / 5 + 1 / x[0, 1] - (-x[0, 2]) + 2 ** x[0, 3],
        lambda x: abs(x[0, 0] - 3) + x[0, 1] ** x[0, 2],
    ],
)
def test_methods_and_operators(f):
    assert agrees(f, POSITIVE).any()


RNG_ROWS = np.arange(12.0).reshape(3, 4)


def test_value_is_that_of_the_function_itself():
    def f(x):
        return np.sum(np.exp(-np.square(x)) / (1 + np.abs(x)))

    value, _ = value_and_gradient(f)(SIGNED)
    assert value == f(SIGNED)


def test_loops_and_conditions_are_followed():
    def f(x):
        for _ in range(3):
            x = np.sin(x) if x > 0.5 else x * x * 2
        return x

    for start in (0.2, 0.6, 1.5):
        agrees(f, np.array(start))


def test_equal_arguments_of_maximum_leave_all_to_the_second():
    x = np.array([0.0, -1.0, 1.0])
    assert gradient(lambda x: np.maximum(x, 0).sum())(x).tolist() == [0, 0, 1]
    assert gradient(lambda x: np.maximum(0, x).sum())(x).tolist() == [1, 0, 1]
    assert gradient(lambda x: np.maximum(x, x).sum())(x).tolist() == [1, 1, 1]


def test_power_zero_is_one_everywhere():
    with np.errstate(all="raise"):
        assert gradient(lambda x: (x**0).sum())(np.array([0.0, 2.0])).tolist() == [0, 0]
        assert gradient(lambda x: (x**1).sum())(np.array([0.0, 2.0])).tolist() == [1, 1]
        assert gradient(lambda x: (x**2).sum())(np.array([0.0, 2.0])).tolist() == [0, 4]


def test_augmented_assignment_changes_the_name_and_not_the_variable():
    def f(x):
        total = x
        total += 2 * x
        total *= x
        return total.sum() + 0 * x.sum()

    assert gradient(f)(np.array([1.0, 4.0])).tolist() == [6, 24]


def test_nothing_flows_through_what_is_detached():
    x = np.array([3.0, 5.0])
    assert gradient(lambda x: (x * detach(x)).sum())(x).tolist() == [3, 5]
    assert gradient(lambda x: detach(x).sum())(x).tolist() == [0, 0]
    assert detach(x) is x


def test_what_the_last_number_does_not_need_is_left_out():
    """Even where its derivative is infinite: 0 times infinity would be nan."""

    def f(x):
        np.sqrt(x)  # written on the tape, and not used
        return x * x

    assert gradient(f)(np.array(0.0)) == 0
    assert value_and_gradient(lambda x: 7)(np.ones(2))[0] == 7
    tape: list[Variable] = []
    x, z = Variable(2.0, tape), Variable(3.0, tape)
    y = x * x
    later = y * z
    backward(y)
    assert x.adjoint == 4
    assert z.adjoint is None
    assert later.adjoint is None


def test_backward_begins_anew():
    tape: list[Variable] = []
    x = Variable(np.array([2.0, 3.0]), tape)
    y, z = x[0] * x[1], x[0] + x[1]
    for _ in range(2):
        backward(y)
        assert x.adjoint.tolist() == [3, 2]
        backward(z)
        assert x.adjoint.tolist() == [1, 1]


def test_adjoints_are_no_views_of_one_another():
    tape: list[Variable] = []
    x = Variable(np.array([2.0, 3.0]), tape)
    y = x.sum() + x.sum()
    backward(y)
    grad = gradient(lambda x: x.sum())(np.zeros(3))
    grad[0] = 5
    assert grad.tolist() == [5, 1, 1]


def test_precision_stays():
    x = POSITIVE.astype(np.float32)
    for f in (
        lambda x: np.sum(2 * x**2 / 3 + np.sqrt(x) * 1.5),
        lambda x: np.mean(np.maximum(x @ x.T, 0.1)),
        lambda x: (x * np.float64(3)).sum(),
    ):
        value, grad = value_and_gradient(f)(x)
        assert isinstance(value, float)
        assert grad.dtype == np.float32
        assert np.allclose(grad, gradient(f)(POSITIVE), rtol=1e-5)


def test_comparisons_are_plain():
    x = Variable(np.array([1.0, 2.0]), [])
    for answer in (x > 1, x >= 2, 1 < x, x <= 1, x == 1, x != 2):
        assert type(answer) is np.ndarray
        assert answer.dtype == bool
    assert (x > 1).tolist() == [False, True]
    assert len(x.tape) == 1


def test_x_is_not_changed_and_the_tape_is_given_back():
    x = POSITIVE.copy()
    held = []

    def f(x):
        held.append(weakref.ref(x))
        return np.sum(x * x)

    gc.disable()
    try:
        gradient(f)(x)
        assert held[0]() is None
    finally:
        gc.enable()
    assert (x == POSITIVE).all()


@pytest.mark.parametrize(
    ("f", "error", "told"),
    [
        (lambda x: np.arctan(x).sum(), TypeError, "no derivative is known for np.arctan, only for"),
        (lambda x: np.add.accumulate(x), TypeError, "np.add.accumulate"),
        (lambda x: np.exp(x, where=x > 1).sum(), TypeError, "np.exp takes no where here"),
        (lambda x: np.where(x > 1, x, 0), TypeError, "not differentiated here"),
        (lambda x: np.concatenate([x, x]), TypeError, "not differentiated here"),
        (lambda x: np.add(np.ones((3, 4)), x, out=np.ones((3, 4))), TypeError, "array = array"),
        (lambda x: x, ValueError, r"an array of shape \(3, 4\); take its sum"),
        (lambda x: np.ones(2), ValueError, r"an array of shape \(2,\)"),
        (lambda x: (x.reshape(3, 2, 2) @ np.ones((2, 1))).sum(), ValueError, r"\(3, 2, 2\)"),
        (lambda x: (x @ np.float64(2)).sum(), ValueError, "takes matrices and vectors"),
    ],
)
def test_what_is_not_known_is_refused(f, error, told):
    with pytest.raises(error, match=told):
        gradient(f)(POSITIVE)


@pytest.mark.parametrize("x", [np.array([1, 2]), 3, [True], "3", np.array([1j])])
def test_x_must_hold_floats(x):
    with pytest.raises(TypeError, match="x must hold floats, got dtype"):
        gradient(lambda x: np.sum(x * x))(x)


def test_array_grown_in_place_is_refused():
    total = np.zeros((3, 4))
    with pytest.raises(TypeError, match=r"array \+= x"):
        total += Variable(POSITIVE, [])
    assert not total.any()


def test_gradient_of_a_gradient_is_refused():
    with pytest.raises(TypeError, match="not differentiated here"):
        gradient(lambda x: gradient(lambda y: y * y)(x))(np.array(1.0))


def test_repr_shows_the_value():
    assert repr(Variable(2.0, [])) == "Variable(array(2.))"


class TestTwoLayerNetwork:
    """The model whose gradient is the tape's."""

    model = TwoLayerNetwork(hidden=5, classes=10)

    def data(self, n=40):
        X, y, _ = load_digits()
        return add_intercept(X[:n] / 16), y[:n]

    def test_gradient(self):
        X, y = self.data()
        params = self.model.init(X, y, np.random.default_rng(0))
        assert params.shape == (65 * 5 + 5 * 10 + 10,)
        inputs = X @ params[: 65 * 5].reshape(65, 5)
        assert np.abs(inputs).min() > 1e-4  # no unit has its kink within the difference
        found = check_gradient(
            lambda p: self.model.loss_and_grad(p, X, y)[0],
            lambda p: self.model.loss_and_grad(p, X, y)[1],
            params,
        )
        assert found.passed, found.error

    def test_loss_is_the_mean_of_the_negative_logarithms(self):
        X, y = self.data()
        params = self.model.init(X, y, np.random.default_rng(0))
        z = self.model.scores(params, X)
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        expected = -np.log(p[np.arange(len(y)), y]).mean()
        assert self.model.loss(params, X, y) == pytest.approx(expected, rel=1e-12)
        assert self.model.loss_and_grad(params, X, y)[0] == pytest.approx(expected, rel=1e-12)
        assert (self.model.predict(params, X) == p.argmax(axis=1)).all()

    def test_scores_as_large_as_they_come(self):
        X, y = self.data()
        params = 1e3 * self.model.init(X, y, np.random.default_rng(0))
        with np.errstate(all="raise", under="ignore"):
            loss, grad = self.model.loss_and_grad(params, X, y)
        assert np.isfinite(loss)
        assert np.isfinite(grad).all()

    def test_start(self):
        X, y = self.data()
        params = TwoLayerNetwork(hidden=400, classes=10).init(X, y, np.random.default_rng(1))
        W, V, c = params[: 65 * 400], params[65 * 400 : -10], params[-10:]
        assert W.var() == pytest.approx(2 / 65, rel=0.05)
        assert V.var() == pytest.approx(2 / 400, rel=0.1)
        assert not c.any()

    @pytest.mark.parametrize(
        ("options", "error", "told"),
        [
            ({"hidden": 0, "classes": 3}, ValueError, "hidden must be at least 1, got 0"),
            ({"hidden": 2, "classes": 1}, ValueError, "classes must be at least 2, got 1"),
            ({"hidden": 2.5, "classes": 3}, TypeError, "hidden must be a whole number"),
        ],
    )
    def test_bad_sizes(self, options, error, told):
        with pytest.raises(error, match=told):
            TwoLayerNetwork(**options)

    def test_bad_classes(self):
        X, y = self.data()
        with pytest.raises(ValueError, match="whole numbers from 0 to 1"):
            TwoLayerNetwork(hidden=2, classes=2).init(X, y, np.random.default_rng(0))
