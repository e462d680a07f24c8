"""MXNet's gradients beside the tape's, and its training beside the package's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gdcourse as gd
from gdcourse import autograd, gluon
from gdcourse.gluon import ShuffledSampler, mx

nd = mx.nd
ROOT = Path(__file__).parents[2]

# --- Gradients ---


def random_expression(seed, of, library):
    """Return a number computed from an array by random functions of NumPy or of MXNet.

    The functions are drawn by the seed alone: both libraries compute the same expression.
    """
    rng = np.random.default_rng(seed)
    bend = (
        lambda x: library.tanh(x),
        lambda x: library.exp(-library.square(x)),
        lambda x: library.sin(x) * library.cos(x),
        lambda x: library.sqrt(1 + library.square(x)),
        lambda x: library.log(2 + library.sin(x)),
        lambda x: library.maximum(x, 0.25),
        lambda x: x / (3 + library.cos(x)),
        lambda x: 1.5 - x * x,
    )
    parts = [of]
    for _ in range(6):
        one, other = (parts[i] for i in rng.integers(0, len(parts), 2))
        parts.append(bend[rng.integers(len(bend))](one + 0.5 * other))
    return (parts[-1] * parts[rng.integers(len(parts))]).sum()


@pytest.mark.parametrize("seed", range(40))
def test_the_tape_and_mxnet_agree_on_random_expressions(seed):
    x = np.random.default_rng(1000 + seed).standard_normal(5)
    ours = autograd.value_and_gradient(lambda v: random_expression(seed, v, np))(x)
    theirs = gluon.value_and_gradient(lambda v: random_expression(seed, v, nd))(x)
    assert ours[0] == pytest.approx(theirs[0], rel=1e-12)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-10, atol=1e-13)
    check = gd.check_gradient(
        lambda v: random_expression(seed, v, np), lambda v: theirs[1], x, rtol=1e-5
    )
    assert check.passed, check


def test_the_tape_and_mxnet_agree_on_the_network():
    """Matrix products, biases and the softmax loss: MXNet computes in double precision here."""
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((20, 6)), rng.integers(0, 3, 20)
    net = gd.TwoLayerNetwork(hidden=4, classes=3)
    params = net.init(X, y, rng)
    inputs, labels = nd.array(X, dtype=np.float64), nd.array(y, dtype=np.float64)

    def loss(p):
        W, V = p[:24].reshape((6, 4)), p[24:36].reshape((4, 3))
        z = nd.broadcast_add(nd.dot(nd.relu(nd.dot(inputs, W)), V), p[36:].reshape((1, 3)))
        return -nd.pick(nd.log_softmax(z), labels).mean()

    value, gradient = gluon.value_and_gradient(loss)(params)
    expected = net.loss_and_grad(params, X, y)
    assert value == pytest.approx(expected[0], rel=1e-12)
    np.testing.assert_allclose(gradient, expected[1], rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shape_and_precision_stay(dtype):
    for shape in ((), (1,), (3,), (2, 3)):
        x = np.full(shape, 1.5, dtype=dtype)
        value, gradient = gluon.value_and_gradient(lambda v: (v * v).sum())(x)
        assert isinstance(value, float)
        assert gradient.shape == shape
        assert gradient.dtype == dtype
        assert (gradient == 3).all()


def test_a_gradient_of_mxnets_drives_a_rule():
    slope = gluon.gradient(lambda x: ((x - nd.array([1, 2], dtype=np.float64)) ** 2).sum())
    *_, end = gd.descend(slope, np.zeros(2), gd.GradientDescent(lr=0.25), steps=60)
    np.testing.assert_allclose(end, [1, 2], rtol=1e-12)


def test_more_than_one_number_is_refused():
    with pytest.raises(ValueError, match=r"must return one number, got an array of shape \(3,\)"):
        gluon.gradient(lambda x: x * x)(np.ones(3))


def test_whole_numbers_are_refused():
    with pytest.raises(TypeError, match="x must hold floats, got dtype int"):
        gluon.gradient(lambda x: (x * x).sum())(np.array([1, 2]))


# --- Training ---


@pytest.fixture(scope="module")
def data():
    """Return the tutorial's data as MXNet 1.9.1 draws them, and three starts."""
    mx.random.seed(1)
    X = nd.random_normal(scale=1, shape=(1000, 2))
    y = 2 * X[:, 0] - 3.4 * X[:, 1] + 4.2
    y = y + 0.01 * nd.random_normal(scale=1, shape=y.shape)
    return X, y


def scratch(start):
    """Return the tutorial's model: a function, its parameters, and its loss."""
    w, b = nd.array(start).reshape((2, 1)), nd.zeros(1)
    for one in (w, b):
        one.attach_grad()
    return (lambda X: nd.dot(X, w) + b), [w, b]


def square_loss(predicted, y):
    return (predicted - y.reshape(predicted.shape)) ** 2 / 2


def dense(start):
    """Return the same model from Gluon's parts."""
    net = mx.gluon.nn.Dense(1)
    net.initialize()
    net(nd.zeros((1, 2)))
    net.weight.set_data(nd.array(start).reshape((1, 2)))
    net.bias.set_data(nd.zeros(1))
    return net


def test_a_block_may_be_trained_by_a_rule(data):
    """Without params: those of the block, and the same numbers as with our own arrays."""
    block, (net, params) = dense([0.3, -0.7]), scratch([0.3, -0.7])
    options = {"epochs": 1, "batch_size": 10}
    rule = gd.Adam(lr=0.1)
    one = gluon.train(block, *data, rule, sampler=ShuffledSampler(1000, seed=2), **options)
    two = gluon.train(
        net, *data, rule, sampler=ShuffledSampler(1000, seed=2), params=params, **options
    )
    # The predictions of the two are rounded differently, and Adam divides by what is small.
    np.testing.assert_allclose(one.loss, two.loss, rtol=1e-4)
    np.testing.assert_allclose(
        block.weight.data().asnumpy().ravel(), params[0].asnumpy().ravel(), rtol=1e-5
    )


@pytest.mark.parametrize("optimizer", ["rule", "Trainer"])
def test_a_short_last_batch_is_divided_by_its_own_size(optimizer, data):
    """Three epochs of full batches of 400, 400 and 200, against NumPy."""
    X, y = data
    block = dense([0.3, -0.7])
    rule = gd.GradientDescent(lr=0.5)
    if optimizer == "Trainer":
        rule = mx.gluon.Trainer(block.collect_params(), "sgd", {"learning_rate": 0.5})
    history = gluon.train(block, X, y, rule, epochs=2, batch_size=400, sampler=range(1000))
    design, targets = gd.add_intercept(X.asnumpy().astype(float)), y.asnumpy().astype(float)
    theta, model = np.array([0.3, -0.7, 0.0]), gd.LinearRegression()
    for _ in range(2):
        for first in (0, 400, 800):
            rows = slice(first, first + 400)
            theta = theta - 0.5 * model.loss_and_grad(theta, design[rows], targets[rows])[1]
    assert history.step.tolist() == [0, 3, 6]
    assert history.examples.tolist() == [0, 1000, 2000]
    assert history.loss[-1] == pytest.approx(
        model.loss_and_grad(theta, design, targets)[0], rel=1e-4
    )


@pytest.mark.parametrize("optimizer", ["rule", "Trainer"])
def test_a_run_that_diverges_keeps_the_parameters_before(optimizer, data):
    block = dense([0.3, -0.7])
    rule = gd.GradientDescent(lr=50.0)
    if optimizer == "Trainer":
        rule = mx.gluon.Trainer(block.collect_params(), "sgd", {"learning_rate": 50.0})
    history = gluon.train(
        block, *data, rule, epochs=1, batch_size=10, sampler=ShuffledSampler(1000, seed=0)
    )
    assert history.stop == "diverged"
    assert 2 < history.step[-1] < 40
    assert np.isfinite(block.weight.data().asnumpy()).all()
    assert np.isfinite(block.bias.data().asnumpy()).all()


def test_records(data):
    net, params = scratch([0.3, -0.7])
    history = gluon.train(
        net,
        *data,
        gd.GradientDescent(lr=0.1),
        epochs=1,
        batch_size=30,
        sampler=range(1000),
        params=params,
        record_every=250,
    )
    assert history.examples.tolist() == [0, 270, 510, 750, 1000]
    assert (np.diff(history.seconds) > 0).all()
    assert history.lr.tolist() == [0.1] * 5
    assert history.stop == "steps"


def test_arrays_of_numpy_are_taken(data):
    X, y = (one.asnumpy() for one in data)
    histories = []
    for arrays in (data, (X, y)):
        block = dense([0.3, -0.7])
        histories.append(
            gluon.train(
                block,
                *arrays,
                gd.GradientDescent(lr=0.1),
                epochs=1,
                batch_size=100,
                sampler=range(1000),
            )
        )
    assert (histories[0].loss == histories[1].loss).all()


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        ({"epochs": -1}, ValueError, "epochs must be at least 0, got -1"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
        ({"record_every": 0}, ValueError, "record_every must be at least 1, got 0"),
        ({"params": None}, TypeError, "params must be given with a rule"),
        ({"params": [nd.zeros(1)]}, ValueError, r"call attach_grad\(\) on it"),
    ],
)
def test_bad_arguments(change, error, told, data):
    net, params = scratch([0.3, -0.7])
    options = {"epochs": 1, "batch_size": 10, "sampler": range(1000), "params": params}
    with pytest.raises(error, match=told):
        gluon.train(net, *data, gd.GradientDescent(), **(options | change))


def test_data_of_different_lengths(data):
    net, params = scratch([0.3, -0.7])
    with pytest.raises(ValueError, match="as many rows, got 1000 and 999"):
        gluon.train(
            net,
            data[0],
            data[1][:999],
            gd.GradientDescent(),
            epochs=1,
            batch_size=10,
            sampler=range(1000),
            params=params,
        )


def test_sampler_repeats_the_tutorials_orders():
    import random

    sampler = ShuffledSampler(1000, seed=1)
    random.seed(1)
    for _ in range(3):
        order = list(range(1000))
        random.shuffle(order)
        assert list(sampler) == order
    loader = mx.gluon.data.DataLoader(
        mx.gluon.data.ArrayDataset(nd.arange(1000)), 10, sampler=ShuffledSampler(1000, seed=1)
    )
    seen = nd.concat(*loader, dim=0).asnumpy().astype(int).tolist()
    assert seen == list(ShuffledSampler(1000, seed=1))


@pytest.mark.parametrize(
    ("arguments", "told"), [((0, 1), "n must be at least 1"), ((5, -1), "seed must be at least 0")]
)
def test_bad_sampler(arguments, told):
    with pytest.raises(ValueError, match=told):
        ShuffledSampler(*arguments)


# --- Import ---


def imported(code):
    """Run code in a fresh interpreter; return what it printed, errors included."""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout + run.stderr


def test_names_are_put_back_for_the_whole_process():
    code = "import numpy as np; from gdcourse import gluon; import mxnet; print(np.bool, np.object)"
    assert imported(code).strip() == "<class 'bool'> <class 'object'>"


@pytest.mark.parametrize(
    "before",
    ["import numpy; numpy.__version__ = '2.4.0'", "import sys; sys.modules['mxnet'] = None"],
)
def test_one_line_says_where_it_runs(before):
    told = imported(f"{before}\nimport gdcourse.gluon").strip().splitlines()[-1]
    assert told.startswith("ImportError: gdcourse.gluon needs MXNet 1.9.1, which runs on Python")
    for words in ("3.10 to 3.12", "Linux (x86-64, ARM64)", "macOS (Intel)", "This is Python"):
        assert words in told
