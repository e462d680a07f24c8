"""The claims of the chapter on Adam and its relatives."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import gdcourse as gd


def steps_of(rule: Any, gradients: np.ndarray) -> np.ndarray:
    """Return what a rule adds to 0 at every step of a sequence of gradients."""
    x = np.zeros_like(gradients[0])
    state, moves = rule.init(x), []
    with np.errstate(invalid="ignore"):  # 0/0, which counts as no step
        for g in gradients:
            new, state = rule.update(x, g, state)
            moves.append(np.nan_to_num(new))
    return np.array(moves)


DECAYS = ((0.9, 0.999), (0.5, 0.9), (0.0, 0.99), (0.9, 0.9), (0.99, 0.999))


@pytest.mark.claim(
    "claim-am-mean",
    kind="exact",
    holds={"age": 1, "corrected": True, "squares": 2},
    false=[{"age": 0}, {"age": -1}, {"corrected": False}, {"squares": 1}],
)
def test_weighted_means(age: int, corrected: bool, squares: int, rng: np.random.Generator) -> None:
    """The corrected means of random gradients, against means with weights written out."""
    for beta1, beta2 in DECAYS:
        rule, gradients = gd.Adam(beta1=beta1, beta2=beta2), rng.standard_normal((60, 2))
        state = rule.init(np.zeros(2))
        for t, g in enumerate(gradients, start=1):
            _, state = rule.update(np.zeros(2), g, state)
            m_hat, v_hat = (
                (state.m / (1 - beta1**t), state.v / (1 - beta2**t))
                if corrected
                else (state.m, state.v)
            )
            for beta, found, seen in (
                (beta1, m_hat, gradients[:t]),
                (beta2, v_hat, np.abs(gradients[:t]) ** squares),
            ):
                ages = age * np.arange(t - 1, -1, -1)
                weights = np.exp(np.log(beta) * ages) if beta else (ages == 0).astype(float)
                weights /= np.sum(weights)
                np.testing.assert_allclose(found, weights @ seen, rtol=1e-9)


@pytest.mark.claim(
    "claim-am-mean",
    kind="enumeration",
    holds={"of": "mean square", "corrected": True},
    false=[{"of": "variance"}, {"corrected": False}],
)
def test_unbiased(of: str, corrected: bool) -> None:
    """All sequences of draws from three numbers, over five steps."""
    values = np.array([-1.0, 2.0, 5.0])
    sequences = np.stack(np.meshgrid(*5 * [values], indexing="ij")).reshape(5, -1)
    target = np.mean(values**2) - (np.mean(values) ** 2 if of == "variance" else 0)
    for beta1, beta2 in DECAYS:
        rule = gd.Adam(beta1=beta1, beta2=beta2)
        state = rule.init(np.zeros(sequences.shape[1]))
        for t, g in enumerate(sequences, start=1):
            _, state = rule.update(0 * g, g, state)
            share = (1 - beta1**t, 1 - beta2**t) if corrected else (1.0, 1.0)
            assert np.mean(state.m) / share[0] == pytest.approx(np.mean(values), rel=1e-12)
            assert np.mean(state.v) / share[1] == pytest.approx(target, rel=1e-12)


@pytest.mark.claim(
    "claim-am-sign",
    kind="exact",
    holds={"beta1": 0.0, "beta2": 0.0, "sizes": "equal", "ruler": "largest"},
    false=[{"beta1": 0.1}, {"beta2": 0.01}, {"sizes": "changing"}, {"ruler": "length"}],
)
def test_signs(
    beta1: float, beta2: float, sizes: str, ruler: str, rng: np.random.Generator
) -> None:
    """Random gradients without memory, equal ones with it, and no better step within a cube."""
    gradients = rng.standard_normal((30, 3)) * [1e-6, 1.0, 1e4]
    moves = steps_of(gd.Adam(lr=0.2, beta1=beta1, beta2=beta2, eps=0.0), gradients)
    np.testing.assert_allclose(moves, -0.2 * np.sign(gradients), rtol=1e-12)
    for decays in DECAYS:
        equal = np.tile(gradients[0], (200, 1))
        if sizes == "changing":
            equal *= 1 + 0.01 * np.arange(200)[:, None]
        rule = gd.Adam(lr=0.2, beta1=decays[0], beta2=decays[1], eps=0.0)
        np.testing.assert_allclose(
            steps_of(rule, equal), np.tile(-0.2 * np.sign(gradients[0]), (200, 1)), rtol=1e-9
        )
    for g in gradients:
        others = rng.uniform(-0.2, 0.2, (500, 3))
        if ruler == "length":  # as long as the step, but in other directions
            others *= 0.2 * math.sqrt(3) / np.linalg.norm(others, axis=1)[:, None]
        assert np.min(others @ g) >= -0.2 * np.sum(abs(g))


@pytest.mark.claim(
    "claim-am-longest",
    kind="exact",
    holds={"below": 1.0, "growth": 1.0, "q": 1.0},
    false=[{"below": 0.999}, {"growth": 0.9}, {"growth": 1.1}, {"q": 0.99}, {"q": 1.01}],
)
def test_longest_step(below: float, growth: float, q: float, rng: np.random.Generator) -> None:
    """Random gradients do not get past the bound, and those of the claim get there.

    One pair of decays has q above 1. Late steps of the usual pair come near the limit of 7.3.
    """
    for beta1, beta2 in ((0.9, 0.999), (0.5, 0.9), (0.8, 0.96), (0.3, 0.5), (0.9, 0.7)):
        rule = gd.Adam(lr=0.1, beta1=beta1, beta2=beta2, eps=0.0)
        ratio = q * beta1**2 / beta2
        for t in (1, 2, 5, 20, 60, *((2500,) if beta2 == 0.999 else ())):
            bound = below * 0.1 * (1 - beta1) / math.sqrt(1 - beta2)
            bound *= math.sqrt(1 - beta2**t) / (1 - beta1**t)
            bound *= math.sqrt((1 - ratio**t) / (1 - ratio))
            tries = np.concatenate(
                [
                    rng.standard_normal((t, 100)),
                    np.ones((t, 1)),
                    (np.arange(t) == t - 1).astype(float)[:, None],
                    (beta2 / beta1) ** np.arange(t)[:, None],
                ],
                axis=1,
            )
            assert np.max(np.abs(steps_of(rule, tries)[-1])) <= bound * (1 + 1e-12)
            best = (beta2 / beta1) ** (growth * np.arange(t))
            longest = abs(steps_of(rule, best[:, None])[-1, 0])
            assert longest == pytest.approx(bound, rel=1e-9)


def drift(
    C: float, b: float, *, middle: float = 1, last: float = 2, period: str = "three"
) -> float:
    """Return the drift of the claim; middle and last are the powers of b under the roots."""
    A = (C**2 - 1) / (1 + b + (b**2 if period == "three" else 0))
    return -C / math.sqrt(1 + A) + 1 / math.sqrt(1 + b**middle * A) + 1 / math.sqrt(1 + b**last * A)


def late_round(rule: Any, C: float) -> float:
    """Return what three steps add up to at a fixed rate of 1, when the means have settled."""
    rounds = math.ceil(12 / (1 - rule.beta2)) + 2
    rule, x = replace(rule, lr=1.0, eps=0.0), np.zeros(1)
    state, points = rule.init(x), [0.0]
    for t in range(3 * rounds):
        x, state = rule.update(x, np.array([C if t % 3 == 0 else -1.0]), state)
        points.append(x[0])
    return points[-1] - points[-4]


@pytest.mark.claim(
    "claim-am-worst",
    kind="exact",
    holds={"middle": 1.0, "last": 2.0, "period": "three"},
    false=[{"middle": 1.02}, {"last": 1.98}, {"last": 1.0}, {"period": "two"}],
)
def test_drift(middle: float, last: float, period: str) -> None:
    """Late rounds without walls, where the gradients do not depend on the point."""
    for C in (2.1, 3.0, 10.0):
        for b in (0.02, 0.1, 0.45, 0.7, 0.93, 0.99):
            found = late_round(gd.Adam(beta1=0.0, beta2=b), C)
            expected = drift(C, b, middle=middle, last=last, period=period)
            assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)


def last_round(rule: Any, C: float, start: float, lr: float, rounds: int) -> np.ndarray:
    """Return the points of the last three steps of a run of the claim, within its walls."""
    x, state = np.array([start]), rule.init(np.array([start]))
    points = []
    for t in range(3 * rounds):
        g = np.array([C if t % 3 == 0 else -1.0])
        x, state = replace(rule, lr=lr / math.sqrt(1 + t), eps=0.0).update(x, g, state)
        x = np.clip(x, -1, 1)
        points.append(x[0])
    return np.array(points[-3:])


@pytest.mark.claim(
    "claim-am-worst",
    kind="instances",
    holds={"shift": 0.0, "momentum": 0.0},
    false=[{"shift": 0.1}, {"shift": -0.1}, {"momentum": 0.6}],
)
def test_right_or_left(shift: float, momentum: float) -> None:
    """Runs near the zero of the drift and far from it, from both walls and the middle."""
    decided = []
    for C in (2.1, 2.5, 3.0, 10.0):
        for b in (0.0, 0.02, 0.1, 0.3, 0.45, 0.5, 0.55, 0.65, 0.7, 0.85, 0.93, 0.99):
            D = drift(C, b) + shift
            if abs(D) < 0.03:
                continue
            decided.append(D > 0)
            far = abs(D) > 0.2
            starts = (
                ((-1.0, 3.0), (1.0, 3.0), (0.3, 0.5)) if far else ((-math.copysign(1, D), 3.0),)
            )
            for start, lr in starts:
                rule = gd.Adam(beta1=momentum, beta2=b)
                end = last_round(rule, C, start, lr, 1500)
                assert np.max(np.abs(end - math.copysign(1, D))) < 4 * lr / math.sqrt(4500)
    assert set(decided) == {True, False}


@pytest.mark.claim(
    "claim-am-worst",
    kind="instances",
    holds={"rule": "AMSGrad", "C": 2.0},
    false=[{"rule": "Adam"}, {"C": 1.8}, {"C": 1.0}],
)
def test_amsgrad_goes_left(rule: str, C: float) -> None:
    """Runs with all memories, and rare gradients that are just large enough."""
    for b in (0.0, 0.1, 0.5, 0.9, 0.99):
        for above in (1.1, 1.5, 5.0):
            end = last_round(getattr(gd, rule)(beta1=0.0, beta2=b), above * C, 1.0, 1.0, 1500)
            assert np.max(end) < -1 + 3 * above * C / math.sqrt(4500)


@pytest.mark.claim(
    "claim-am-first",
    kind="instances",
    holds={"smallest": 2.0, "memory": 0.999},
    false=[{"smallest": 1.95}, {"smallest": 2.01}, {"memory": 0.9}, {"memory": 0.0}],
)
def test_which_is_chosen_first(smallest: float, memory: float) -> None:
    """Late rounds of the rule: a memory for each C, and a C for each memory."""
    for above in (1.005, 1.05, 1.5, 5.0, 50.0):
        assert late_round(gd.Adam(beta1=0.0, beta2=memory), above * smallest) < 0
    for b in (0.0, 0.5, 0.9, 0.99, 0.999):
        assert late_round(gd.Adam(beta1=0.0, beta2=b), smallest + 1e-4) > 0


def shifted(f: gd.Objective, center: np.ndarray) -> gd.Objective:
    """Return the function with its origin moved to the center."""
    return gd.Objective("shifted", lambda x: f.f(x - center), lambda x: f.grad(x - center))


def penalized(f: gd.Objective, decay: float) -> gd.Objective:
    """Return f + decay |x|²/2."""
    return gd.Objective(
        "penalized",
        lambda x: f.f(x) + decay / 2 * np.sum(x**2),
        lambda x: f.grad(x) + decay * x,
    )


@pytest.mark.claim(
    "claim-am-decay",
    kind="exact",
    holds={"rule": "GradientDescent", "power": 1},
    false=[{"rule": "Momentum"}, {"rule": "Adam"}, {"power": 0}, {"power": 2}],
)
def test_decay_of_gradient_descent(rule: str, power: int) -> None:
    """Runs on the penalized loss, beside steps on the loss that shrink."""
    f, start, decay, lr = gd.rosenbrock(), np.array([-1.2, 1.0]), 0.3, 1e-3
    own = getattr(gd, rule)(lr=lr)
    run = gd.minimize(penalized(f, decay), start, own, steps=40).x
    x, state = start, own.init(start)
    for t in range(40):
        moved, state = own.update(x, f.grad(x), state)
        x = (1 - lr**power * decay) * x + (moved - x)
        np.testing.assert_allclose(run[t + 1], x, rtol=1e-9)


@pytest.mark.claim(
    "claim-am-box",
    kind="instances",
    holds={"rule": "AdamW", "wall": 1.0, "rates": "long"},
    false=[{"rule": "Adam"}, {"wall": 1.05}, {"wall": 0.95}, {"rates": "short"}],
)
def test_box(rule: str, wall: float, rates: str) -> None:
    """Coupled quadratics whose minimum is outside of the box in some coordinates."""
    f = gd.quadratic(np.array([[2.0, 0.5, 0.0], [0.5, 1.0, 0.2], [0.0, 0.2, 3.0]]))
    held = 0
    for decay in (0.25, 1.0, 4.0):
        for center in ([3.0, -0.2, 9.0], [0.1, 0.05, -0.02], [-5.0, 5.0, 0.1]):
            moved = shifted(f, np.array(center))
            own = gd.AdamW(lr=0.1, eps=0.0, beta2=0.99, weight_decay=decay)
            if rule == "Adam":  # with the penalty in the gradient
                own, moved = gd.Adam(lr=0.1, eps=0.0, beta2=0.99), penalized(moved, decay)
            run = gd.minimize(
                moved,
                np.array([0.3, 0.2, -0.1]),
                own,
                steps=6000,
                schedule=lambda t: 0.1 / (1 + t / 300) ** (1 if rates == "long" else 9),
            )
            x = run.x[-1]
            slopes = f.grad(x - np.array(center))
            at_wall = np.abs(np.abs(x) - wall / decay) < 0.02 / decay
            assert np.all(at_wall | (np.abs(slopes) < 0.05))
            assert np.all(np.abs(x) < 1.02 * wall / decay) or rule == "Adam"
            sides = np.abs(slopes) > 0.05
            assert np.all(np.sign(x)[sides] == -np.sign(slopes[sides]))
            held += np.sum(sides)
    assert held > 5


@pytest.mark.claim(
    "claim-am-slip",
    kind="exact",
    holds={"first": 1.0, "second": 1.0, "edge": 0.0},
    false=[{"first": 1.01}, {"second": 0.99}, {"first": 0.0}, {"edge": 0.02}, {"edge": -0.02}],
)
def test_frozen_or_exploding(first: float, second: float, edge: float) -> None:
    """The slip with equal gradients, late in a run, and on both sides of the edge."""

    def lengths(beta1: float, beta2: float, steps: int) -> list[float]:
        s = r = 0.0
        found = []
        for t in range(1, steps + 1):
            s += beta1 * s + (1 - beta1) * -3.0
            r += beta2 * r + (1 - beta2) * 9.0
            found.append(abs(0.2 * s / (1 - beta1**t) / math.sqrt(r / (1 - beta2**t))))
        return found

    for beta1, beta2 in ((0.9, 0.99), (0.3, 0.99), (0.9, 0.5), (0.5, 0.95)):
        *_, before, last = lengths(beta1, beta2, 1000)
        factor = (1 + first * beta1) / math.sqrt(1 + second * beta2)
        assert last / before == pytest.approx(factor, rel=1e-6)
    for beta1 in (0.1, 0.405, 0.415, 0.9):
        *_, before, last = lengths(beta1, 0.99, 700)
        assert (last > before) == (beta1 > math.sqrt(1.99) - 1 + edge)
