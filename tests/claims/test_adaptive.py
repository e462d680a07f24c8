"""The claims of the chapter on adaptive methods."""

from __future__ import annotations

import functools
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import gdcourse as gd


def steps_of(rule: Any, gradients: np.ndarray) -> np.ndarray:
    """Return what a rule adds to x at every step of a sequence of gradients."""
    x = np.zeros_like(gradients[0])
    state, moves = rule.init(x), []
    with np.errstate(invalid="ignore"):  # 0/0, which the chapter reads as 0
        for g in gradients:
            new, state = rule.update(0 * x, g, state)
            moves.append(np.nan_to_num(new))
    return np.array(moves)


@pytest.mark.claim(
    "claim-ad-clock",
    kind="exact",
    holds={"power": 0.5, "counts": "own", "size": 0.0},
    false=[
        {"power": 0.51},
        {"power": 1.0},
        {"counts": "all steps"},
        {"counts": "any coordinate"},
        {"size": 0.01},
    ],
)
def test_clock(power: float, counts: str, size: float, rng: np.random.Generator) -> None:
    """Random zeros in three coordinates of different sizes, against the count of gradients."""
    sizes = np.array([3.0, 1e-4, 500.0])
    signs = rng.choice([-1.0, 0.0, 1.0], p=[0.2, 0.6, 0.2], size=(60, 3))
    moves = steps_of(gd.AdaGrad(lr=0.7, eps=0.0), signs * sizes)
    seen = {
        "own": np.cumsum(signs != 0, axis=0),
        "all steps": np.arange(1, 61)[:, None] + 0 * signs,
        "any coordinate": np.cumsum(np.any(signs != 0, axis=1))[:, None] + 0 * signs,
    }[counts]
    expected = -0.7 * signs * sizes**size / np.maximum(seen, 1) ** power
    np.testing.assert_allclose(moves, expected, rtol=1e-12)


@functools.cache
def excess(way: str, words: str) -> float:
    """Return the least median excess over the best rates of the page and their neighbors."""
    rare = 1 / (np.arange(200) + 2)
    chance = rare if words == "rare" else np.full(200, rare.mean())
    rates = {
        "fixed": np.geomspace(0.02, 0.226, 8)[2:6],
        "one over root": np.geomspace(0.35, 2.8, 7)[3:],
        "straight line": np.geomspace(0.06, 0.5, 7)[2:6],
        "AdaGrad": np.geomspace(0.1, 1.6, 9)[3:7],
    }[way]
    found = []
    for lr in rates:
        rng = np.random.default_rng(20)
        weights = rng.standard_normal((20, 200))
        theta = np.zeros_like(weights)
        rule = gd.AdaGrad(lr=lr) if way == "AdaGrad" else gd.GradientDescent(lr=lr)
        state = rule.init(theta)
        for t in range(3000):
            x = (rng.random(weights.shape) < chance).astype(float)
            error = np.sum(x * (theta - weights), axis=1) - 0.5 * rng.standard_normal(20)
            if way == "one over root":
                rule = replace(rule, lr=lr / math.sqrt(1 + t))
            if way == "straight line":
                rule = replace(rule, lr=lr * (1 - t / 3000))
            theta, state = rule.update(theta, error[:, None] * x, state)
        e = theta - weights
        found.append(np.median((e @ chance) ** 2 + np.sum(e**2 * chance * (1 - chance), axis=1)))
    return float(min(found)) / 2


@pytest.mark.claim(
    "claim-ad-rare",
    kind="statistical",
    holds={"fixed": 0.75, "falling": 0.5, "line": 1.2, "words": "rare", "others": 0.9},
    false=[
        {"words": "alike"},
        {"fixed": 0.55},
        {"falling": 0.2},
        {"line": 1.01},
        {"others": 1.05},
    ],
)
def test_rare_words(fixed: float, falling: float, line: float, words: str, others: float) -> None:
    """Twenty draws with a seed of their own.

    In repetitions with other seeds (24; for the line 16) AdaGrad's excess was 0.49 to 0.61 of that
    of the fixed rate, 0.21 to 0.29 of that of 1/√t and 0.96 to 1.14 of that of the line; with
    equally frequent words 0.92 to 1.04, 0.99 to 1.17 and 1.28 to 1.49. Two bounds are less than
    three standard deviations away: about one false alarm in 200.
    """
    ours = excess("AdaGrad", words)
    assert ours < fixed * excess("fixed", words)
    assert ours < falling * excess("one over root", words)
    assert excess("straight line", words) / line < ours < line * excess("straight line", words)
    for way in ("fixed", "one over root", "straight line"):
        assert excess("AdaGrad", "alike") > others * excess(way, "alike")


def log_cosh() -> gd.Objective:
    """Return the sum of log cosh of three scaled coordinates, 4-smooth."""
    scale = np.array([2.0, 1.0, 0.1])
    return gd.Objective(
        "log cosh",
        lambda x: np.sum(np.logaddexp(scale * x, -scale * x) - math.log(2)),
        lambda x: scale * np.tanh(scale * x),
    )


def waves() -> gd.Objective:
    """Return a function with many minima and saddles, 2.5-smooth, at least -4."""
    return gd.Objective(
        "waves",
        lambda x: np.sum(np.cos(x)) + 0.5 * np.sum(np.sin(x[:2] + x[1:])),
        lambda x: (
            -np.sin(x)
            + 0.5
            * np.array(
                [
                    np.cos(x[0] + x[1]),
                    np.cos(x[0] + x[1]) + np.cos(x[1] + x[2]),
                    np.cos(x[1] + x[2]),
                ]
            )
        ),
    )


#: Functions, their smoothness, their lowest value, and a start.
SMOOTH = (
    (gd.quadratic(np.diag([0.2, 4.0, 1.0])), 4.0, 0.0, np.array([-5.0, -3.0, 0.5])),
    (gd.quadratic(np.array([[2.0, 1.9], [1.9, 2.0]])), 3.9, 0.0, np.array([1.0, 3.0])),
    (log_cosh(), 4.0, 0.0, np.array([3.0, -1.0, 20.0])),
    (waves(), 2.5, -4.0, np.array([0.1, 0.2, -0.3])),
    (gd.quadratic(np.diag([1.0, 1.0])), 1.0, 0.0, np.array([1e-3, 2e-3])),
)


@pytest.mark.claim(
    "claim-ad-any",
    kind="instances",
    holds={"half": 0.5, "one": 1.0, "gap": 1.0},
    false=[{"half": 0.4}, {"one": 0.0}, {"gap": 0.5}],
)
def test_sums_are_bounded(half: float, one: float, gap: float) -> None:
    """The inequality, at every time of runs with rates from a thousandth to a million."""
    for f, L, lowest, start in SMOOTH:
        for lr in (1e-3, 0.1, 0.5, 1.0, 3.0, 30.0, 1e3, 1e6):
            run = gd.minimize(f, start, gd.AdaGrad(lr=lr, eps=0.0), steps=300)
            g = np.array([f.grad(x) for x in run.x])
            assert np.all(g[0] != 0)
            sums = np.cumsum(g**2, axis=0)[:-1]
            left = lr * np.sum(np.sqrt(sums), axis=1)
            logs = np.sum(one + np.log(sums / g[0] ** 2), axis=1)
            right = gap * (f.f(start) - lowest) + half * L * lr**2 * logs
            assert np.all(left <= right * (1 + 1e-12))


@pytest.mark.claim(
    "claim-ad-any",
    kind="instances",
    holds={"rule": "AdaGrad", "smooth": True},
    false=[{"rule": "GradientDescent"}, {"rule": "RMSProp"}, {"smooth": False}],
)
def test_gradients_tend_to_zero(rule: str, smooth: bool) -> None:
    """Runs at many rates until the gradients are small, also from far out."""
    kink = gd.Objective("sizes", lambda x: np.sum(abs(x)), lambda x: np.where(x < 0, -1.0, 1.0))
    functions = SMOOTH if smooth else ((kink, 0.0, 0.0, np.array([1.0, math.pi])),)
    for f, _, _, start in functions:
        for lr in (0.3, 1.0, 30.0, *((1e4, 1e6) if f.name == "quadratic" else ())):
            run = gd.minimize(f, start, getattr(gd, rule)(lr=lr), steps=20_000)
            assert run.stop == "steps"
            assert run.grad_norm[-1] < 1e-3 * max(1.0, run.grad_norm[0])


def regret(gradients: np.ndarray, lr: float, start: float) -> float:
    """Return the regret over the root of the sum of squares, for linear losses on [0, 1]."""
    x, s, paid = start, 0.0, 0.0
    for g in gradients.tolist():
        paid += g * x
        s += g * g
        x = min(max(x - lr * g / math.sqrt(s), 0.0), 1.0)
    return (paid - min(0.0, float(np.sum(gradients)))) / math.sqrt(s)


@functools.cache
def worst_regrets() -> tuple[tuple[float, float], ...]:
    """Return rates and the largest regrets that a search by random changes has found."""
    rng, found = np.random.default_rng(3), []
    for lr, length, start in (
        (0.1, 60, 0.0),
        (0.2, 30, 0.0),
        (0.4, 30, 0.0),
        (0.7, 20, 0.0),
        (2.0, 40, 0.0),
    ):
        best = rng.standard_normal(length)
        most = regret(best, lr, start)
        for _ in range(6000):
            changed = rng.random(length) < 2 / length
            new = best + rng.standard_normal(length) * changed * rng.choice([0.03, 0.3, 1.0])
            value = regret(new, lr, start)
            if value > most:
                best, most = new, value
        found.append((lr, most))
    return tuple(found)


@pytest.mark.claim(
    "claim-ad-regret",
    kind="instances",
    holds={"first": 0.5, "second": 1.0, "side": 2, "roots": "sum"},
    false=[
        {"first": 0.35},
        {"second": 0.75},
        {"side": 1},
        {"side": 3},
        {"roots": "of the sum"},
    ],
)
def test_regret(first: float, second: float, side: int, roots: str) -> None:
    """Sequences that were bred to break the bound, which come to 0.72 to 0.82 of it.

    In a box of another size the same sequences have a regret in proportion to it, and in two
    coordinates at once twice as much.
    """
    for lr, most in worst_regrets():
        for D in (1 / 3, 1.0, 3.0):
            bound = first * D**side / (lr * D) + second * lr * D
            assert most * D <= bound
            assert 2 * most * D <= bound * (2 if roots == "sum" else math.sqrt(2))


@pytest.mark.claim(
    "claim-ad-regret",
    kind="instances",
    holds={"convex": True, "boxed": True},
    false=[{"convex": False}, {"boxed": False}],
)
def test_regret_of_curved_losses(convex: bool, boxed: bool, rng: np.random.Generator) -> None:
    """Squares in three coordinates whose best point is outside, against many points of the box.

    Turned over, the squares drive the run into the nearer corner, and the other one is better.
    """
    low, high, lr, sign = -1.0, 1.5, 2.5 / math.sqrt(2), 1 if convex else -1
    points = low + (high - low) * rng.choice([0.0, 0.25, 0.5, 0.75, 1.0], size=(500, 3))
    goal = np.array([3.0, -2.0, 0.5])
    if not boxed:
        points = np.vstack([points, goal])
    for scale in (1.0, 10.0):
        x, rule = np.array([1.2, 0.4, 0.6]), gd.AdaGrad(lr=lr, eps=0.0)
        state, paid, others, squares = rule.init(x), 0.0, 0.0, np.zeros(3)
        for _ in range(400):
            center = (goal if convex else 0.5 + 0 * x) + 0.1 * rng.standard_normal(3)
            weights = sign * scale * rng.random(3)
            paid += weights @ (x - center) ** 2
            others += (points - center) ** 2 @ weights
            g = 2 * weights * (x - center)
            squares += g**2
            x, state = rule.update(x, g, state)
            x = np.clip(x, low, high)
        bound = ((high - low) ** 2 / (2 * lr) + lr) * np.sum(np.sqrt(squares))
        assert paid - np.min(others) <= bound


@pytest.mark.claim(
    "claim-ad-scale",
    kind="exact",
    holds={"rule": "AdaGrad", "eps": 0.0},
    false=[{"rule": "GradientDescent"}, {"rule": "Momentum"}, {"eps": 1e-8}],
)
def test_scale_of_gradients(rule: str, eps: float, rng: np.random.Generator) -> None:
    """The same steps for gradients times factors of very different sizes."""
    gradients, factors = rng.standard_normal((40, 3)), np.array([1e-6, 30.0, 1e5])
    rules = [getattr(gd, rule)(lr=0.1)]
    if rule == "AdaGrad":
        rules = [replace(rules[0], eps=eps), gd.RMSProp(lr=0.1, rho=0.9, eps=eps)]
    for own in rules:
        np.testing.assert_allclose(
            steps_of(own, gradients * factors), steps_of(own, gradients), rtol=1e-9, atol=0
        )


@pytest.mark.claim(
    "claim-ad-units",
    kind="exact",
    holds={"adagrad": 1, "descent": 2},
    false=[{"adagrad": 0}, {"adagrad": 2}, {"descent": 1}, {"descent": 0}],
)
def test_units_of_parameters(adagrad: int, descent: int) -> None:
    """Runs in z, taken back to x, beside runs in x with a rate for each coordinate."""
    f, S = gd.rosenbrock(), np.array([0.5, 3.0])
    start = np.array([-1.2, 1.0])
    for power, rule in (
        (adagrad, gd.AdaGrad(lr=0.1, eps=0.0)),
        (descent, gd.GradientDescent(lr=1e-4)),
    ):
        z, x = start / S, start.copy()
        in_z, in_x = rule.init(z), rule.init(x)
        for _ in range(50):
            z, in_z = rule.update(z, S * f.grad(S * z), in_z)
            moved, in_x = rule.update(x, f.grad(x), in_x)
            x = x + S**power * (moved - x)
        np.testing.assert_allclose(S * z, x, rtol=1e-9)


@pytest.mark.claim(
    "claim-ad-turn",
    kind="counterexample",
    holds={"rule": "GradientDescent", "power": 0.5, "counts": "nonzero"},
    false=[{"rule": "AdaGrad"}, {"power": 0.0}, {"power": 1.0}, {"counts": "all"}],
)
def test_turned(rule: str, power: float, counts: str, rng: np.random.Generator) -> None:
    """Turned runs on a curved valley, and the first steps of AdaGrad."""
    f, start = gd.rosenbrock(), np.array([-1.2, 1.0])
    for angle in (0.1, np.pi / 4, 2.0):
        Q = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        turned = gd.Objective(
            "turned", lambda x, Q=Q: f.f(Q.T @ x), lambda x, Q=Q: Q @ f.grad(Q.T @ x)
        )
        own = getattr(gd, rule)(lr=1e-3)
        straight = gd.minimize(f, start, own, steps=30).x
        np.testing.assert_allclose(
            gd.minimize(turned, Q @ start, own, steps=30).x, straight @ Q.T, rtol=1e-9
        )
    lengths = set()
    for g in (*rng.standard_normal((5, 4)), np.array([0.0, 2.0, 0.0, 1e-3]), np.eye(4)[1]):
        first = steps_of(gd.AdaGrad(lr=0.3, eps=0.0), g[None])[0]
        k = np.sum(g != 0) if counts == "nonzero" else len(g)
        assert np.linalg.norm(first) == pytest.approx(0.3 * k**power, rel=1e-12)
        lengths.add(round(float(np.linalg.norm(first)), 6))
    assert len(lengths) == 3


@pytest.mark.claim(
    "claim-ad-first",
    kind="exact",
    holds={"power": 0.5, "shift": 0},
    false=[{"power": 1.0}, {"power": 0.49}, {"shift": 1}, {"shift": -1}],
)
def test_first_steps(power: float, shift: int) -> None:
    """All steps for gradients of one size and changing signs."""
    t = np.arange(1, 80)
    for size in (1e-5, 2.0, 1e4):
        gradients = size * (-1.0) ** np.arange(79)[:, None]
        for rho in (0.5, 0.9, 0.99):
            moves = np.abs(steps_of(gd.RMSProp(lr=0.2, rho=rho, eps=0.0), gradients))[:, 0]
            first = shift if shift < 0 else 0  # 1 - ρ^0 is 0, and no step is infinite
            expected = 0.2 / np.maximum(1 - rho ** (t + shift), 1e-300) ** power
            np.testing.assert_allclose(moves[-first:], expected[-first:], rtol=1e-12)


@pytest.mark.claim(
    "claim-ad-rest",
    kind="instances",
    holds={"share": 2.0, "rule": "RMSProp"},
    false=[{"share": 1.0}, {"share": 1.8}, {"rule": "AdaGrad"}],
)
def test_no_rest(share: float, rule: str) -> None:
    """Runs that are near 0 at some time, and are not at a later one."""
    for curvature in (0.3, 1.0, 50.0):
        for lr in (0.01, 0.2):
            for eps in (0.0, 0.98 * lr * curvature / share):
                for rho in (0.5, 0.9, 0.99) if rule == "RMSProp" else (0.0,):
                    own = getattr(gd, rule)(lr=lr, eps=eps)
                    own = replace(own, rho=rho) if rho else own
                    start = 0.37 * lr
                    x = gd.minimize(gd.quadratic(curvature), start, own, steps=8000).x
                    assert x[-1] == 0 or np.max(np.abs(x[-4000:])) > 1e-3 * lr


@pytest.mark.claim(
    "claim-ad-rest",
    kind="exact",
    holds={"share": 0.5, "sign": -1},
    false=[{"share": 0.505}, {"share": 1.0}, {"sign": 1}],
)
def test_back_and_forth(share: float, sign: int) -> None:
    """A run from the claimed state stays in it."""
    for curvature in (0.25, 8.0):
        for rho in (0.0, 0.9, 0.99):
            rule, x = gd.RMSProp(lr=0.1, rho=rho, eps=0.0), np.array([share * 0.1])
            state = rule.init(x)._replace(s=(curvature * x) ** 2)
            for t in range(1, 20):
                x, state = rule.update(x, curvature * x, state)
                assert x[0] == pytest.approx(sign**t * share * 0.1, rel=1e-9)


@pytest.mark.claim(
    "claim-ad-delta",
    kind="exact",
    holds={"power": 0.5, "below": 1.0},
    false=[{"power": 1.0}, {"power": 0.51}, {"below": 0.99}],
)
def test_first_step_of_adadelta(power: float, below: float) -> None:
    """The first step for many sizes, its bound, which is nearly attained, and no step at 0."""
    for rho in (0.5, 0.9, 0.9999):
        for eps in (1e-10, 1e-6, 1e-3, 1.0):
            bound = below * math.sqrt(eps / (1 - rho))
            for g in (1e-6, 0.1, 7.0, -1e8):
                step = abs(steps_of(gd.AdaDelta(rho=rho, eps=eps), np.array([[g]]))[0, 0])
                exact = abs(g) * eps**power / math.sqrt((1 - rho) * g**2 + eps)
                assert step == pytest.approx(exact, rel=1e-9, abs=0)
                assert step <= bound * (1 + 1e-12)
            assert step > (1 - 1e-9) * math.sqrt(eps / (1 - rho))
    gradients = np.random.default_rng(1).standard_normal((50, 2))
    assert not np.any(steps_of(gd.AdaDelta(eps=0.0), gradients))


@pytest.mark.claim(
    "claim-ad-eps",
    kind="exact",
    holds={"outside": 1, "inside": 2},
    false=[{"outside": 2}, {"inside": 1}],
)
def test_inside_and_outside(outside: int, inside: int) -> None:
    """The package's steps, and those of the rule with ε inside of the root."""
    for eps in (1e-10, 1e-7, 1e-2):
        for g in (1e-9, 1e-3, 5.0):
            k = np.arange(1, 40)
            moves = np.abs(steps_of(gd.AdaGrad(lr=0.3, eps=eps), np.full((39, 1), g)))[:, 0]
            expected = 0.3 / (np.sqrt(k) + eps / g**outside)
            np.testing.assert_allclose(moves, expected, rtol=1e-12)
            moves = 0.3 * g / np.sqrt(np.cumsum(np.full(39, g**2)) + eps)
            np.testing.assert_allclose(moves, 0.3 / np.sqrt(k + eps / g**inside), rtol=1e-12)


@pytest.mark.claim(
    "claim-ad-slip",
    kind="instances",
    holds={"power": 0.5, "kept": 1.0, "share": 1.0},
    false=[{"power": 1.0}, {"kept": 0.0}, {"share": 0.75}],
)
def test_frozen(power: float, kept: float, share: float, rng: np.random.Generator) -> None:
    """All steps of the slip together, for gradients that start small and stay large."""
    for rho in (0.1, 0.5, 0.9, 0.99):
        for first in (1.0, 0.01):
            for later in (np.ones(400), rng.choice([-1.0, 1.0], 400), rng.random(400)):
                r, total, G = 0.0, 0.0, 1.0
                for g in (first, *later):
                    r = (kept + rho) * r + (1 - rho) * g * g
                    total += abs(0.3 * g / math.sqrt(r))
                series = 1 / (1 - (1 + rho) ** -power)
                assert total <= share * 0.3 / (1 - rho) ** 0.5 * G / first * series
