"""The claims of the chapter on MXNet and Gluon, collected where MXNet is."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

import gdcourse as gd
from gdcourse.conventions import AdaGradEpsInside, AdamEpsHat, MomentumRateOutside, RMSPropEpsInside
from gdcourse.gluon import ShuffledSampler, mx, train
from tests.parity.runs import COORDINATES, SCALES, gradients

nd = mx.nd


def tutorial_data() -> tuple[Any, Any]:
    """Return the tutorial's data, as MXNet draws them."""
    mx.random.seed(1)
    X = nd.random_normal(scale=1, shape=(1000, 2))
    y = 2 * X[:, 0] - 3.4 * X[:, 1] + 4.2
    return X, y + 0.01 * nd.random_normal(scale=1, shape=y.shape)


def with_gradient(w: Any, b: Any) -> list[Any]:
    """Return the two parameters, ready for backward."""
    for param in (w, b):
        param.attach_grad()
    return [w, b]


def square_loss(predicted: Any, y: Any) -> Any:
    return (predicted - y.reshape(predicted.shape)) ** 2 / 2


# Batch size, rate, and what the tutorial's own program prints with MXNet 1.9.1 on Linux.
FIVE = (
    (1, 0.2, (6.5111e-05, 8.4865e-05, 4.8941e-05)),
    (1000, 0.999, (2.8225e-03, 7.6969e-05, 7.2205e-05)),
    (10, 0.2, (4.9147e-05, 4.8791e-05, 4.8380e-05)),
    (10, 5.0, None),
    (10, 0.002, (1.0582e01, 7.1162e00, 6.8397e00)),
)


@cache
def five_runs(from_epoch: int, shuffled: bool) -> list[gd.History]:
    """Return the five runs; start and orders go on from run to run."""
    X, y = tutorial_data()
    orders, histories = ShuffledSampler(1000, seed=1), []
    for batch_size, lr, _ in FIVE:
        w, b = params = with_gradient(nd.random_normal(scale=1, shape=(2, 1)), nd.zeros(1))
        steps = 1000 // batch_size
        histories.append(
            train(
                lambda X, w=w, b=b: nd.dot(X, w) + b,
                X,
                y,
                gd.GradientDescent(lr=lr),
                epochs=3,
                batch_size=batch_size,
                sampler=orders if shuffled else range(1000),
                params=params,
                loss=square_loss,
                schedule=lambda t, lr=lr, steps=steps: (
                    lr * 0.1 ** max(0, t // steps - (from_epoch - 2))
                ),
                record_every=1 if batch_size == 1 else 10,
            )
        )
    return histories


@pytest.mark.claim(
    "claim-mx-five",
    kind="instances",
    holds={"from_epoch": 3, "told_after": 991, "shuffled": True},
    false=[
        {"from_epoch": 2, "told_after": 991, "shuffled": True},
        {"from_epoch": 3, "told_after": 1000, "shuffled": True},
        {"from_epoch": 3, "told_after": 991, "shuffled": False},
    ],
)
def test_five_runs(from_epoch: int, told_after: int, shuffled: bool) -> None:
    """The rate falls from which epoch on, the loss is told after how many single examples.

    The digits repeat on one machine. Their last ones are rounding: 1e-3 is asked for. On macOS
    MXNet draws other normal numbers from the same seed, and this fails.
    """
    histories = five_runs(from_epoch, shuffled)
    for history, (batch_size, _, expected) in zip(histories, FIVE, strict=True):
        if expected is None:
            assert history.stop == "diverged"
            continue
        after = told_after if batch_size == 1 else 1000
        for epoch, loss in enumerate(expected):
            (found,) = history.loss[history.examples == 1000 * epoch + after]
            assert found == pytest.approx(loss, rel=1e-3)


def single(number: float) -> float:
    return float(np.float32(number))


TWINS: dict[str, tuple[Any, str, dict[str, float], bool]] = {
    "SGD": (gd.GradientDescent(lr=0.2), "sgd", {"learning_rate": 0.2}, True),
    "momentum": (
        gd.Momentum(lr=0.2, momentum=0.9),
        "sgd",
        {"learning_rate": 0.2, "momentum": 0.9},
        True,
    ),
    "AdaGrad": (
        AdaGradEpsInside(lr=0.9, eps=1e-7, initial=0.0),
        "adagrad",
        {"learning_rate": 0.9},
        False,
    ),
    "RMSProp": (
        RMSPropEpsInside(lr=0.03, rho=single(0.9), eps=1e-8),
        "rmsprop",
        {"learning_rate": 0.03, "gamma1": 0.9},
        False,
    ),
    "AdaDelta": (gd.AdaDelta(rho=0.9999, eps=1e-5), "adadelta", {"rho": 0.9999}, False),
    "Adam": (
        AdamEpsHat(lr=0.1, beta1=single(0.9), beta2=single(0.999), eps=1e-8),
        "adam",
        {"learning_rate": 0.1},
        False,
    ),
}

# Our rule with another convention, as someone would write it who has not looked it up.
OTHERS = {
    "Nesterov for momentum": ("momentum", gd.Nesterov(lr=0.2, momentum=0.9)),
    "the rate outside": ("momentum", MomentumRateOutside(lr=0.2, momentum=0.9)),
    "another share for RMSProp": ("RMSProp", RMSPropEpsInside(lr=0.03, rho=0.99)),
    "another share for AdaDelta": ("AdaDelta", gd.AdaDelta(rho=0.999, eps=1e-5)),
    "Adam without corrections": ("Adam", RMSPropEpsInside(lr=0.1, rho=0.999)),
}


def twin(
    model: Any,
    optimizer: Any,
    lr: float,
    falls: bool,
    seed: int,
    dtype: str = "float32",
    **more: Any,
) -> np.ndarray:
    """Return the losses of three epochs."""
    return train(
        model,
        *(one.astype(dtype) for one in tutorial_data()),
        optimizer,
        epochs=3,
        batch_size=10,
        sampler=ShuffledSampler(1000, seed=seed),
        schedule=(lambda t: lr * 0.1 ** max(0, t // 100 - 1)) if falls else None,
        **more,
    ).loss


@cache
def ours(name: str, start: tuple[float, float], seed: int) -> np.ndarray:
    """Return the losses of our rule, on arrays of our own."""
    of, rule = OTHERS.get(name, (name, None))
    w, b = with_gradient(nd.array(start).reshape((2, 1)), nd.zeros(1))
    return twin(
        lambda X: nd.dot(X, w) + b,
        rule or TWINS[of][0],
        TWINS[of][0].lr,
        TWINS[of][3],
        seed,
        params=[w, b],
    )


def dense(start: tuple[float, float], dtype: str = "float32") -> Any:
    """Return Gluon's layer."""
    net = mx.gluon.nn.Dense(1, in_units=2, dtype=dtype)
    net.initialize()
    net.weight.set_data(nd.array([start], dtype=dtype))
    net.bias.set_data(nd.zeros(1, dtype=dtype))
    return net


@cache
def theirs(name: str, start: tuple[float, float], seed: int) -> np.ndarray:
    """Return the losses of Gluon's layer and Trainer."""
    net = dense(start)
    rule, trainer, options, falls = TWINS[name]
    return twin(net, mx.gluon.Trainer(net.collect_params(), trainer, options), rule.lr, falls, seed)


HERE, THERE = (0.5, -0.5), (-1.0, 2.0)


@pytest.mark.claim(
    "claim-mx-twins",
    kind="instances",
    holds={"instead": "", "other_order": 0},
    false=[
        {"instead": "Nesterov for momentum", "other_order": 0},
        {"instead": "the rate outside", "other_order": 0},
        {"instead": "another share for RMSProp", "other_order": 0},
        {"instead": "another share for AdaDelta", "other_order": 0},
        {"instead": "Adam without corrections", "other_order": 0},
        {"instead": "", "other_order": 1},
    ],
)
def test_twins(instead: str, other_order: int) -> None:
    """Two starts and two seeds; with another order the two programs see other batches."""
    # From the second start Adam's loss after an epoch is 6e-3, on the way, and falling fast. And
    # MXNet corrects its means with other roundings of the shares than it forms them with.
    for start, seed, rtol in (
        (HERE, 1, 1e-4),
        (HERE, 2, 5e-4),
        (THERE, 1, 5e-4),
        (THERE, 2, 5e-4),
    ):
        for name in TWINS:
            swapped = bool(instead) and OTHERS[instead][0] == name
            mine = ours(instead if swapped else name, start, seed)
            until = 3 if name == "RMSProp" else 4
            np.testing.assert_allclose(
                mine[:until], theirs(name, start, seed + other_order)[:until], rtol=rtol
            )


class DoubleRMSProp(mx.optimizer.RMSProp):  # type: ignore[misc,name-defined]
    """MXNet's rule, with its mean in the precision of the parameter."""

    def create_state(self, index: int, weight: Any) -> tuple[Any]:
        return (nd.zeros(weight.shape, dtype=weight.dtype),)


@pytest.mark.claim(
    "claim-mx-double",
    kind="instances",
    holds={"dtype": "float64", "rho": "rounded"},
    false=[{"dtype": "float32", "rho": "rounded"}, {"dtype": "float64", "rho": "as given"}],
)
def test_twins_in_double_precision(dtype: str, rho: str) -> None:
    """Two starts and two seeds, to the end of the third epoch."""
    share = single(0.9) if rho == "rounded" else 0.9
    rule = RMSPropEpsInside(lr=single(0.03), rho=share, eps=single(1e-8))
    for start in (HERE, THERE):
        for seed in (1, 2):
            losses = []
            for ours_ in (True, False):
                net = dense(start, dtype)
                trainer = mx.gluon.Trainer(
                    net.collect_params(), DoubleRMSProp(learning_rate=0.03, gamma1=0.9)
                )
                optimizer = rule if ours_ else trainer
                losses.append(twin(net, optimizer, rule.lr, False, seed, dtype))
            np.testing.assert_allclose(*losses, rtol=1e-8)


@pytest.mark.claim(
    "claim-mx-twins",
    kind="instances",
    holds={"instead": None},
    false=[{"instead": "rmsprop"}, {"instead": "adagrad"}, {"instead": "adam"}],
)
def test_same_gradients(instead: str | None) -> None:
    """Points of 200 steps, in units of how far each coordinate goes; epsilon elsewhere."""
    same: dict[str, tuple[dict[str, float], Any]] = {
        "sgd": ({"learning_rate": 0.01, "momentum": 0.9}, gd.Momentum(lr=0.01)),
        "nag": ({"learning_rate": 0.01, "momentum": 0.9}, gd.Nesterov(lr=0.01)),
        "adagrad": ({"learning_rate": 0.01}, AdaGradEpsInside(lr=0.01, initial=0.0)),
        "rmsprop": ({"learning_rate": 0.001}, RMSPropEpsInside()),
        "adadelta": ({}, gd.AdaDelta(eps=1e-5)),
        "adam": ({}, AdamEpsHat(eps=1e-8)),
    }
    other = {
        "rmsprop": gd.RMSProp(lr=0.001, rho=0.9),
        "adagrad": gd.AdaGrad(lr=0.01),
        "adam": gd.Adam(),
    }
    for name, (options, rule) in same.items():
        for scale in SCALES:
            update = mx.optimizer.get_updater(mx.optimizer.create(name, **options))
            ours = other[name] if name == instead else rule
            theirs, x = nd.zeros(COORDINATES), np.zeros(COORDINATES)
            state, found, expected = ours.init(x), [], []
            for grad in gradients(scale).astype(np.float32):
                update(0, nd.array(grad), theirs)
                x, state = ours.update(x, grad.astype(np.float64), state)
                found.append(theirs.asnumpy())
                expected.append(x)
            reach = np.abs(expected).max(axis=0)
            assert (np.abs(np.array(found) - expected) < 1e-5 * reach).all()


@pytest.mark.claim(
    "claim-mx-divide",
    kind="exact",
    holds={"both": -1, "neither": 1, "decay": "as it is"},
    false=[
        {"both": 0, "neither": 1, "decay": "as it is"},
        {"both": -1, "neither": 0, "decay": "as it is"},
        {"both": -1, "neither": 1, "decay": "divided"},
    ],
)
def test_divide_once(both: int, neither: int, decay: str) -> None:
    """The step in units of the mean gradient's, as a power of the batch size, for four cases."""
    rng = np.random.default_rng(0)
    for size in (2, 7, 50):
        X, y = rng.standard_normal((size, 3)), rng.standard_normal(size)
        for lr, wd in ((0.1, 0.0), (0.3, 0.05)):
            for mean, divisor, power in (
                (False, size, 0),
                (True, 1, 0),
                (True, size, both),
                (False, 1, neither),
            ):
                net = mx.gluon.nn.Dense(1, in_units=3, use_bias=False, dtype="float64")
                net.initialize()
                w = rng.standard_normal(3)
                net.weight.set_data(nd.array([w], dtype="float64"))
                options = {"learning_rate": lr, "wd": wd}
                trainer = mx.gluon.Trainer(net.collect_params(), "sgd", options)
                with mx.autograd.record():
                    loss = mx.gluon.loss.L2Loss()(
                        net(nd.array(X, dtype="float64")), nd.array(y, dtype="float64")
                    )
                    loss = loss.mean() if mean else loss
                loss.backward()
                trainer.step(divisor)
                mean_gradient = (X @ w - y) @ X / size
                shrunk = wd * w / (divisor if decay == "divided" else 1)
                expected = w - lr * (float(size) ** power * mean_gradient + shrunk)
                # MXNet hands its rate and its decay to the kernel in single precision.
                np.testing.assert_allclose(
                    net.weight.data().asnumpy()[0], expected, rtol=1e-6, atol=1e-6
                )


@pytest.mark.claim(
    "claim-mx-lost",
    kind="exact",
    holds={"share": -25, "tight_at": 1.0},
    false=[
        {"share": -24, "tight_at": 1.0},
        {"share": -26, "tight_at": 1.0},
        {"share": -25, "tight_at": 1.5},
    ],
)
def test_lost_steps(share: int, tight_at: float) -> None:
    """Added by MXNet, to both sides of all kinds of numbers; tight at the powers of two."""

    def added(x: np.ndarray, s: np.ndarray) -> np.ndarray:
        return (nd.array(x) + nd.array(s)).asnumpy()

    rng = np.random.default_rng(0)
    powers = (2.0 ** np.arange(-100, 100)).astype(np.float32)
    others = np.exp(rng.uniform(-69, 69, 1000)).astype(np.float32)
    x = np.concatenate([powers, 1.5 * powers, others])
    for signed in (x, -x):
        limit = np.abs(signed) * 2.0**share
        for s in (limit * (1 - 1e-6), -limit * (1 - 1e-6)):
            assert (added(signed, s) == signed).all()
        tight = (tight_at * powers * np.sign(signed[0])).astype(np.float32)
        toward_zero = -np.sign(tight) * np.abs(tight) * 2.0**share * (1 + 1e-6)
        assert (added(tight, toward_zero) != tight).all()
