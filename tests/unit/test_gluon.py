"""MXNet's gradients beside the tape's, and its training beside the package's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import gdcourse as gd
from gdcourse import autograd, gluon
from gdcourse.conventions import AdaGradEpsInside, AdamEpsHat, RMSPropEpsInside
from gdcourse.gluon import ShuffledSampler, mx
from tests.parity.runs import COORDINATES, SCALES, gradients

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


# --- Optimizers: the same gradients to both ---

# MXNet's optimizer with its defaults, and the rule that it is.
SAME = {
    "sgd": ({"learning_rate": 0.01}, gd.GradientDescent(lr=0.01)),
    "sgd with momentum": ({"learning_rate": 0.01, "momentum": 0.9}, gd.Momentum(lr=0.01)),
    "nag": ({"learning_rate": 0.01, "momentum": 0.9}, gd.Nesterov(lr=0.01)),
    "adagrad": ({"learning_rate": 0.01}, AdaGradEpsInside(lr=0.01, eps=1e-7, initial=0.0)),
    "rmsprop": ({}, RMSPropEpsInside(lr=0.001, rho=0.9, eps=1e-8)),
    "adadelta": ({}, gd.AdaDelta(lr=1.0, rho=0.9, eps=1e-5)),
    "adam": ({}, AdamEpsHat(lr=0.001, eps=1e-8)),
}


def deviation(name, rule, scale):
    """Return the largest difference of the points, in units of how far the coordinate goes."""
    grads = gradients(scale).astype(np.float32)
    optimizer = mx.optimizer.create(name.split()[0], **SAME[name][0])
    update = mx.optimizer.get_updater(optimizer)
    theirs, ours = nd.zeros(COORDINATES), np.zeros(COORDINATES)
    state, points = rule.init(ours), []
    for grad in grads:
        update(0, nd.array(grad), theirs)
        ours, state = rule.update(ours, grad.astype(np.float64), state)
        points.append((theirs.asnumpy(), ours))
    found, expected = map(np.array, zip(*points, strict=True))
    return np.max(np.abs(found - expected) / np.abs(expected).max(axis=0))


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("name", SAME)
def test_rules_are_mxnets_optimizers_up_to_single_precision(name, scale):
    """200 steps. The rounding of a step is 6e-8, and that of 1 - beta2, in Adam, 1e-5 of it."""
    allowed = 1e-5 if name == "adam" else 1e-6
    assert deviation(name, SAME[name][1], scale) < allowed


@pytest.mark.parametrize(
    ("name", "rule", "scale"),
    [
        ("sgd with momentum", gd.Nesterov(lr=0.01), "1"),
        ("nag", gd.Momentum(lr=0.01), "1"),
        ("adagrad", gd.AdaGrad(lr=0.01), "1e-3"),
        ("adagrad", AdaGradEpsInside(lr=0.01), "1"),
        ("rmsprop", gd.RMSProp(lr=0.001, rho=0.9), "1e-3"),
        ("adadelta", gd.AdaDelta(), "1e-3"),
        ("adadelta", gd.AdaDelta(lr=0.9, eps=1e-5), "1"),
        ("adam", gd.Adam(), "1e-6"),
        ("adam", AdamEpsHat(), "1e-6"),
    ],
)
def test_another_convention_would_be_noticed(name, rule, scale):
    assert deviation(name, rule, scale) > 1e-4


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


def falling(lr, per_epoch):
    """Return the tutorial's schedule: a tenth from the third epoch on, each time."""
    return lambda t: lr * 0.1 ** max(0, t // per_epoch - 1)


# Batch size, rate, and what the tutorial's own code prints after each epoch, at its seeds, with
# MXNet 1.9.1 on Linux. With single examples it prints after 991 of an epoch.
RUNS = (
    (1, 0.2, (6.5111e-05, 8.4865e-05, 4.8941e-05)),
    (1000, 0.999, (2.8225e-03, 7.6969e-05, 7.2205e-05)),
    (10, 0.2, (4.9147e-05, 4.8791e-05, 4.8380e-05)),
    (10, 5.0, None),
    (10, 0.002, (1.0582e01, 7.1162e00, 6.8397e00)),
)


@pytest.fixture(scope="module")
def five_runs(data):
    """Return the histories of the five runs: start and orders go on from run to run."""
    sampler, histories = ShuffledSampler(1000, seed=1), []
    for batch_size, lr, _ in RUNS:
        net, params = scratch(nd.random_normal(scale=1, shape=(2,)))
        histories.append(
            gluon.train(
                net,
                *data,
                gd.GradientDescent(lr=lr),
                epochs=3,
                batch_size=batch_size,
                sampler=sampler,
                params=params,
                loss=square_loss,
                schedule=falling(lr, 1000 // batch_size),
                record_every=1 if batch_size == 1 else 10,
            )
        )
    return histories


def printed(history, batch_size):
    """Return the losses that the tutorial's code would print."""
    after = 991 if batch_size == 1 else 1000
    return [
        float(history.loss[history.examples == epoch * 1000 + after].item()) for epoch in range(3)
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems draw other normal numbers")
@pytest.mark.parametrize("run", [0, 1, 2, 4])
def test_the_five_runs_give_the_tutorials_losses(run, five_runs):
    """Within 1e-3: the digits repeat on one machine, and their last ones are rounding."""
    batch_size, _, losses = RUNS[run]
    assert printed(five_runs[run], batch_size) == pytest.approx(losses, rel=1e-3)


def test_the_run_that_is_too_fast_leaves_the_finite_numbers(five_runs):
    assert five_runs[3].stop == "diverged"
    assert five_runs[3].step[-1] < 70


def single(number):
    """Return a number as MXNet's kernels round it: 1 - 0.9 has another sixth digit there."""
    return float(np.float32(number))


TWINS = {
    "all": (1000, gd.GradientDescent(lr=0.999), "sgd", {"learning_rate": 0.999}, 3),
    "tens": (10, gd.GradientDescent(lr=0.2), "sgd", {"learning_rate": 0.2}, 3),
    "slow": (10, gd.GradientDescent(lr=0.002), "sgd", {"learning_rate": 0.002}, 3),
    "momentum": (
        10,
        gd.Momentum(lr=0.2, momentum=0.9),
        "sgd",
        {"learning_rate": 0.2, "momentum": 0.9},
        3,
    ),
    "AdaGrad": (
        10,
        AdaGradEpsInside(lr=0.9, eps=1e-7, initial=0.0),
        "adagrad",
        {"learning_rate": 0.9},
        None,
    ),
    "RMSProp": (
        10,
        RMSPropEpsInside(lr=0.03, rho=single(0.9)),
        "rmsprop",
        {"learning_rate": 0.03, "gamma1": 0.9},
        None,
    ),
    "AdaDelta": (10, gd.AdaDelta(rho=0.9999, eps=1e-5), "adadelta", {"rho": 0.9999}, None),
    "Adam": (
        10,
        AdamEpsHat(lr=0.1, beta1=single(0.9), beta2=single(0.999), eps=1e-8),
        "adam",
        {"learning_rate": 0.1},
        None,
    ),
}


def twins(data, batch_size, rule, name, options, falls_in):
    """Return the histories of a rule on our own arrays and of Gluon's Trainer."""
    histories, start = [], [0.3, -0.7]
    schedule = falls_in and falling(rule.lr, 1000 // batch_size)
    net, params = scratch(start)
    block = dense(start)
    for model, optimizer, more in (
        (net, rule, {"params": params, "loss": square_loss}),
        (block, mx.gluon.Trainer(block.collect_params(), name, options), {}),
    ):
        histories.append(
            gluon.train(
                model,
                *data,
                optimizer,
                epochs=3,
                batch_size=batch_size,
                sampler=ShuffledSampler(1000, seed=1),
                schedule=schedule,
                **more,
            )
        )
    return histories


@pytest.mark.parametrize("name", TWINS)
def test_twins_agree(name, data):
    ours, theirs = twins(data, *TWINS[name])
    assert ours.loss[-1] < 20
    # RMSProp at this rate does not settle: it makes differences grow, and rounding, 1e-7 at the
    # start, is 1e-3 of the last loss. The others shrink theirs.
    last = 5e-3 if name == "RMSProp" else 1e-4
    np.testing.assert_allclose(ours.loss[:-1], theirs.loss[:-1], rtol=1e-4)
    np.testing.assert_allclose(ours.loss[-1], theirs.loss[-1], rtol=last)
    for field in ("step", "epoch", "examples"):
        assert (getattr(ours, field) == getattr(theirs, field)).all()
    if name != "AdaDelta":  # which has no rate in MXNet
        np.testing.assert_allclose(ours.lr, theirs.lr, rtol=1e-12)


def test_twins_with_other_rules_part(data):
    """So that the agreement above means something."""
    batch_size, _, *trainer = TWINS["momentum"]
    ours, theirs = twins(data, batch_size, gd.Nesterov(lr=0.2, momentum=0.9), *trainer)
    assert abs(ours.loss[1] / theirs.loss[1] - 1) > 1e-3


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
