"""The claims of the chapter on momentum."""

from __future__ import annotations

import math

import numpy as np
import pytest

import gdcourse as gd


def matrix(push: float, momentum: float) -> np.ndarray:
    """Return the matrix that takes (e_t, e_{t-1}) to (e_{t+1}, e_t); push is ηλ."""
    return np.array([[1 + momentum - push, -momentum], [1.0, 0.0]])


def factor(push: float, momentum: float) -> float:
    """Return its spectral radius."""
    return float(np.max(np.abs(np.linalg.eigvals(matrix(push, momentum)))))


def run(curvatures: object, start: object, lr: float, momentum: float, steps: int) -> np.ndarray:
    """Return the iterates of the heavy ball, from rest, on a quadratic with its minimum at 0."""
    rule = gd.Momentum(lr=lr, momentum=momentum)
    return gd.minimize(gd.quadratic(curvatures), start, rule, steps=steps).x


def best_pair(m: float, L: float) -> tuple[float, float]:
    """Return the rate and the momentum of the claim."""
    low, high = math.sqrt(m), math.sqrt(L)
    return (2 / (high + low)) ** 2, ((high - low) / (high + low)) ** 2


@pytest.mark.claim(
    "claim-mo-effective",
    kind="exact",
    holds={"sign": -1.0, "power": 0},
    false=[{"sign": 1.0}, {"power": 1}, {"power": -1}],
)
def test_velocity_of_equal_gradients(sign: float, power: int) -> None:
    """The velocity after every step, for several momenta."""
    for momentum in (0.0, 0.3, 0.9, 0.99):
        rule, g = gd.Momentum(lr=0.7, momentum=momentum), np.array([2.0, -3.0])
        x, state = np.zeros(2), gd.Momentum().init(np.zeros(2))
        for t in range(1, 60):
            x, state = rule.update(x, g, state)
            effective = 0.7 * (1 - momentum ** (t + power)) / (1 + sign * momentum)
            np.testing.assert_allclose(state.v, -effective * g, rtol=1e-12)


@pytest.mark.claim(
    "claim-mo-effective",
    kind="exact",
    holds={"below": "1 + mu", "inner": -1.0},
    false=[{"below": "1"}, {"below": "1 - mu"}, {"inner": 1.0}],
)
def test_velocity_of_alternating_gradients(below: str, inner: float) -> None:
    """The same for gradients that change their sign at every step."""
    for momentum in (0.3, 0.9, 0.99):
        rule, g = gd.Momentum(lr=0.7, momentum=momentum), np.array([2.0, -3.0])
        x, state = np.zeros(2), gd.Momentum().init(np.zeros(2))
        divisor = {"1 + mu": 1 + momentum, "1": 1.0, "1 - mu": 1 - momentum}[below]
        for t in range(1, 60):
            x, state = rule.update(x, (-1) ** (t - 1) * g, state)
            effective = 0.7 * (1 - (inner * momentum) ** t) / divisor
            np.testing.assert_allclose(state.v, (-1) ** t * effective * g, rtol=1e-12)


MOMENTA = (0.0, 0.04, 0.25, 0.5, 0.81, 0.95)


@pytest.mark.claim(
    "claim-mo-factor",
    kind="spectrum",
    holds={"power": 2, "scale": 1.0},
    false=[{"power": 1}, {"power": 1.99}, {"power": 2.01}, {"scale": 0.98}, {"scale": 1.02}],
)
def test_roots_within_a_radius(power: float, scale: float) -> None:
    """Both conditions together, against the spectral radius, on a grid of pairs and radii."""
    decided = set()
    for momentum in MOMENTA:
        near = [math.sqrt(momentum) * (1 + shift) for shift in (-1e-3, 1e-3) if momentum]
        for push in np.linspace(0.013, 4.5, 90):
            size = factor(push, momentum)
            for r in (0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.99, 1.0, 1.1, 1.5, *near):
                if abs(size - r) < 1e-6:  # a double root is good to half of the digits
                    continue
                bound = scale * (r + momentum / r)
                within = momentum <= r**power and abs(1 + momentum - push) <= bound
                assert within == (size <= r)
                decided.add(within)
    assert decided == {True, False}


@pytest.mark.claim(
    "claim-mo-factor",
    kind="spectrum",
    holds={"low": -1.0, "high": 1.0, "root": 0.5},
    false=[{"low": -1.1}, {"high": 1.02}, {"low": -0.98}, {"high": 0.98}, {"root": 1.0}],
)
def test_factor_is_the_root_of_the_momentum(low: float, high: float, root: float) -> None:
    """In the band the factor is the root of the momentum, and outside it is larger."""
    for momentum in MOMENTA[1:]:
        size = momentum**root
        band = (1 + low * math.sqrt(momentum)) ** 2, (1 + high * math.sqrt(momentum)) ** 2
        true = (1 - math.sqrt(momentum)) ** 2, (1 + math.sqrt(momentum)) ** 2
        for push in (
            *np.linspace(0.001, 4.5, 400),
            *(end * k for end in true for k in (0.99, 1.01)),
        ):
            if min(abs(push / end - 1) for end in band) < 1e-3:
                continue
            if band[0] < push < band[1]:
                assert factor(push, momentum) == pytest.approx(size, rel=1e-12, abs=0)
            else:
                assert factor(push, momentum) > size * (1 + 1e-4)


@pytest.mark.claim(
    "claim-mo-stable",
    kind="spectrum",
    holds={"constant": 2.0, "sign": 1.0, "most": 0.9},
    false=[{"constant": 1.99}, {"constant": 2.001}, {"sign": -1.0}, {"most": 1.0}],
)
def test_edge_of_the_heavy_ball(
    constant: float, sign: float, most: float, rng: np.random.Generator
) -> None:
    """A little below the edge all settle, with any velocity; at it and beyond none from rest."""
    for momentum in (0.0, 0.2, 0.5, most):
        for curvature in (0.3, 8.0):
            edge = constant * (1 + sign * momentum) / curvature
            assert factor(0.9999 * edge * curvature, momentum) < 1
            settles = np.linalg.matrix_power(matrix(0.998 * edge * curvature, momentum), 5000)
            assert np.max(np.abs(settles @ rng.standard_normal((2, 20)))) < 1e-3
            for share, steps in ((1, 3000), (1.002, 3000), (1.5, 200), (4, 200)):
                assert abs(run(curvature, 1.0, share * edge, momentum, steps)[-1]) > 0.1


@pytest.mark.claim(
    "claim-mo-critical",
    kind="spectrum",
    holds={"momentum": "square", "size": "1 - root", "largest": 3.9},
    false=[
        {"momentum": "first power"},
        {"momentum": "without the root"},
        {"size": "square"},
        {"largest": 4.5},
    ],
)
def test_critical_momentum(momentum: str, size: str, largest: float) -> None:
    """No other momentum on a fine grid has a smaller factor, or the same."""
    for push in (0.01, 0.04, 0.5, 1.0, 1.7, 2.5, largest):
        root = abs(1 - math.sqrt(push))
        claimed = {"square": root**2, "first power": root, "without the root": (1 - push) ** 2}
        at = claimed[momentum]
        assert at < 1
        smallest = {"1 - root": root, "square": root**2}[size]
        # A double root is good to half of the digits only.
        assert factor(push, at) == pytest.approx(smallest, rel=1e-7, abs=1e-7)
        for other in np.linspace(0, 0.999, 1000):
            if abs(other - at) > 1e-6:
                assert factor(push, other) > smallest + 1e-8


@pytest.mark.claim(
    "claim-mo-flat",
    kind="spectrum",
    holds={"low": 1.0, "high": 1.0, "creeps": True},
    false=[{"low": 1.01}, {"high": 0.99}, {"high": 0.0}, {"creeps": False}],
)
def test_factor_along_a_flat_direction(low: float, high: float, creeps: bool) -> None:
    """Both bounds, close to where each is sharp: small curvatures, and critical damping."""
    for momentum in (0.0, 0.2, 0.64, 0.9, 0.99):
        critical = (1 - math.sqrt(momentum)) ** 2
        for share in (1e-4, 1e-2, 0.3, 0.9, 1 - 1e-9) if creeps else (1.5, 3.0):
            push = share * critical
            gain = (1 - factor(push, momentum)) * (1 - momentum) / push
            assert low * (1 - 1e-9) <= gain <= (1 + high * math.sqrt(momentum)) * (1 + 1e-9)


@pytest.mark.claim(
    "claim-mo-best",
    kind="spectrum",
    holds={"rate": "squared", "power": 2, "root": True},
    false=[{"rate": "2/(m + L)"}, {"rate": "1/L"}, {"power": 1}, {"power": 3}, {"root": False}],
)
def test_best_pair(rate: str, power: int, root: bool, rng: np.random.Generator) -> None:
    """The pair has the claimed factor for every curvature, and no other pair does better."""
    for m, L in ((1.0, 9.0), (0.01, 1.0), (3.0, 4.0), (1e-3, 20.0)):
        kappa = math.sqrt(L / m) if root else L / m
        size = (kappa - 1) / (kappa + 1)
        lr = {"squared": best_pair(m, L)[0], "2/(m + L)": 2 / (m + L), "1/L": 1 / L}[rate]
        momentum = size**power
        between = np.linspace(m, L, 40)
        # At both ends the root is double, and good to half of the digits.
        sizes = [factor(lr * curvature, momentum) for curvature in between]
        assert sizes == pytest.approx([size] * 40, rel=1e-6)
        others = rng.uniform(0, (4.5 / L, 1.0), (4000, 2))
        near = np.clip(
            (lr, momentum) * (1 + 0.02 * rng.standard_normal((4000, 2))), 0, (np.inf, 0.999)
        )
        for one, other in np.concatenate([others, near]):
            # The factor is largest at an end: its level sets are intervals.
            assert max(factor(one * m, other), factor(one * L, other)) > size - 1e-7


@pytest.mark.claim(
    "claim-mo-bound",
    kind="exact",
    holds={"across": 1.0, "along": -1.0, "at_rest": True},
    false=[{"across": 0.9}, {"across": 0.0}, {"along": 1.0}, {"at_rest": False}],
)
def test_run_at_the_best_pair(
    across: float, along: float, at_rest: bool, rng: np.random.Generator
) -> None:
    """Both closed forms along the ends of the spectrum, and the bound in between."""
    for m, L in ((1.0, 9.0), (0.01, 1.0), (2.0, 3.0)):
        lr, momentum = best_pair(m, L)
        r, t = math.sqrt(momentum), np.arange(121)
        bound = (1 + (1 + across * r) * t) * r**t
        between = np.linspace(m, L, 7)
        if at_rest:
            # Rounding makes two roots of a double one, and 1e-16 becomes 1e-16 times t squared.
            steep = np.abs(run(L, 1.0, lr, momentum, 120))
            flat = np.abs(run(m, 1.0, lr, momentum, 120))
            np.testing.assert_allclose(steep, bound, rtol=1e-10)
            np.testing.assert_allclose(flat, (1 + (1 + along * r) * t) * r**t, rtol=1e-10)
            starts = rng.standard_normal((30, 7))
            runs = [run(between, start, lr, momentum, 120) for start in starts]
        else:
            rule, x = gd.Momentum(lr=lr, momentum=momentum), np.ones(1)
            state = rule.init(x)._replace(v=np.full(1, 5.0))
            pushed = [x]
            for _ in range(120):
                x, state = rule.update(x, m * x, state)
                pushed.append(x)
            runs = [np.array(pushed)]
        for found in runs:
            distance = np.linalg.norm(found, axis=1)
            assert (distance <= bound * distance[0] * (1 + 1e-10)).all()


@pytest.mark.claim(
    "claim-mo-forms",
    kind="exact",
    holds={"ratio": 1, "scale": 1.0},
    false=[{"ratio": -1}, {"ratio": 0}, {"ratio": 2}, {"scale": 0.0}],
)
def test_three_forms(ratio: int, scale: float, rng: np.random.Generator) -> None:
    """Each form written out, with rates that go up and down, on functions of several kinds."""
    for objective, start in ((gd.rosenbrock(), [-1.2, 1.0]), (gd.himmelblau(), [0.5, -0.5])):
        for momentum in (0.5, 0.9):
            rates = 1e-4 * rng.uniform(1, 10, 40)
            outside = inside = mean = np.array(start)
            b = v = c = np.zeros(2)
            for t, rate in enumerate(rates):
                b = momentum * b + objective.grad(outside)
                outside = outside - rate * b
                kept = momentum * (rate / rates[t - 1]) ** ratio if t else momentum
                v = kept * v - rate * objective.grad(inside)
                inside = inside + v
                c = momentum * c + (1 - momentum) * objective.grad(mean)
                mean = mean - rate / (1 - momentum) ** scale * c
                np.testing.assert_allclose(inside, outside, rtol=1e-9)
                np.testing.assert_allclose(mean, outside, rtol=1e-9)


@pytest.mark.claim(
    "claim-mo-forms",
    kind="exact",
    holds={"ours": "inside", "rates": "constant"},
    false=[{"rates": "falling"}, {"ours": "mean"}],
)
def test_two_forms_agree_at_a_constant_rate(ours: str, rates: str) -> None:
    """Our rule beside the outside form, written out."""
    objective = gd.rosenbrock()
    x = outside = np.array([-1.2, 1.0])
    b = np.zeros(2)
    state = gd.Momentum().init(x)
    for t in range(60):
        rate = 5e-4 * (0.1 if rates == "falling" and t >= 30 else 1.0)
        own = rate * (0.1 if ours == "mean" else 1.0)
        x, state = gd.Momentum(lr=own, momentum=0.9).update(x, objective.grad(x), state)
        b = 0.9 * b + objective.grad(outside)
        outside = outside - rate * b
        np.testing.assert_allclose(x, outside, rtol=1e-9)
