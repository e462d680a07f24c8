"""The claims of the chapter on the frameworks."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import gdcourse as gd
from gdcourse import conventions, frameworks
from tests.parity.compare import at_kept_steps, off_by, recorded_points
from tests.parity.runs import ROW_RUNS, follow, gradients, replay, replay_lines


@pytest.mark.claim(
    "claim-fw-table",
    kind="instances",
    holds={"double": 1e-12, "single": 1e-5, "rows": "own"},
    false=[
        {"double": 1e-17},
        {"single": 1e-9},
        {"rows": "another framework's"},
        {"rows": "without decay"},
    ],
)
def test_lines_and_rules_make_what_the_frameworks_made(
    double: float, single: float, rows: str
) -> None:
    """In all runs; the records are the frameworks' own."""
    for run in ROW_RUNS:
        row, hyper = run.row, run.hyper
        recorded = recorded_points(run.reference)
        allowed = single if row.framework == "MXNet" else double
        decaying = run.kind == "weight decay"
        asked = run
        if rows == "another framework's":
            # The next framework that has the rule, and the first after the last.
            named = [other for other in frameworks.table() if other.rule == row.rule]
            row = named[(named.index(row) + 1) % len(named)]
            hyper = {name: value for name, value in hyper.items() if name in row.defaults}
            asked = replace(run, row=replace(run.row, update=row.update, start=row.start))
        elif rows == "without decay" and decaying:
            asked = replace(run, row=replace(run.row, decay=replace(row.decay, kind="coupled")))
        assert off_by(at_kept_steps(replay_lines(asked)), recorded) <= allowed
        if not decaying:
            needed = {"lr": 1.0} if "lr" in row.defaults and "lr" not in hyper else {}
            points = replay(row.make(**hyper | needed), run.reference)
            assert off_by(at_kept_steps(points), recorded) <= allowed


@pytest.mark.claim(
    "claim-fw-coast",
    kind="exact",
    holds={"power": 1, "still": "outside"},
    false=[{"power": 0}, {"power": 2}, {"still": "inside"}],
)
def test_what_is_left_in_the_velocity(power: int, still: str, rng: np.random.Generator) -> None:
    """After random gradients the rate is 0 for long; the gradients go on."""
    for mu in (0.0, 0.5, 0.9, 0.95):
        rules = {
            "inside": gd.Momentum(lr=0.3, momentum=mu),
            "outside": conventions.MomentumRateOutside(lr=0.3, momentum=mu),
        }
        before, after = rng.standard_normal((2, 900, 4))
        for form, rule in rules.items():
            points, state = follow(rule, np.zeros(4), before[:30])
            velocity = points[-1] - points[-2]
            rest, _ = follow(replace(rule, lr=0.0), points[-1], after, state)
            if form == still:
                assert (rest == points[-1]).all()
            else:
                np.testing.assert_allclose(
                    rest[-1] - points[-1], mu**power / (1 - mu) * velocity, rtol=1e-9, atol=1e-12
                )


@pytest.mark.claim(
    "claim-fw-hat",
    kind="exact",
    holds={"exponent": -0.5, "of": "beta2"},
    false=[{"exponent": 0.5}, {"exponent": -1.0}, {"exponent": 0.0}, {"of": "beta1"}],
)
def test_eps_with_a_hat(exponent: float, of: str) -> None:
    """Adam's step with another epsilon each time, on gradients of all sizes."""
    for beta1, beta2 in ((0.9, 0.999), (0.5, 0.6), (0.0, 0.99)):
        for scale in ("1e-6", "1e-3", "1"):
            hat = conventions.AdamEpsHat(lr=0.1, beta1=beta1, beta2=beta2, eps=1e-3)
            points, _ = follow(hat, np.zeros(12), gradients(scale))
            adam = gd.Adam(lr=0.1, beta1=beta1, beta2=beta2)
            x, state = np.zeros(12), adam.init(np.zeros(12))
            for t, g in enumerate(gradients(scale), start=1):
                share = 1 - (beta2 if of == "beta2" else beta1) ** t
                x, state = replace(adam, eps=1e-3 * share**exponent).update(x, g, state)
                np.testing.assert_allclose(x, points[t - 1], rtol=1e-9, atol=1e-12)


@pytest.mark.claim(
    "claim-fw-hat",
    kind="exact",
    holds={"first": 32, "tenth": 10},
    false=[{"first": 31}, {"first": 1000}, {"tenth": 9}],
)
def test_what_the_hat_is_worth(first: int, tenth: int) -> None:
    worth = [1 / math.sqrt(1 - 0.999**t) for t in (1, 10, 10**5)]
    assert [round(value) for value in worth] == [first, tenth, 1]


def rules_with_eps(eps: float) -> dict[str, Any]:
    """Return rules of both kinds, with epsilon where each has it."""
    return {
        "beside": (
            gd.AdaGrad(lr=0.1, eps=eps),
            gd.RMSProp(lr=0.1, rho=0.9, eps=eps),
            gd.Adam(lr=0.1, eps=eps),
            conventions.AdamEpsHat(lr=0.1, eps=eps),
        ),
        "under": (
            conventions.AdaGradEpsInside(lr=0.1, eps=eps, initial=0.0),
            conventions.RMSPropEpsInside(lr=0.1, rho=0.9, eps=eps),
        ),
    }


@pytest.mark.claim(
    "claim-fw-scale",
    kind="exact",
    holds={"beside": -1, "under": -2, "initial": 0.0},
    false=[{"beside": -2}, {"beside": 1}, {"under": -1}, {"under": 0}, {"initial": 0.1}],
)
def test_a_factor_before_the_loss(beside: int, under: int, initial: float) -> None:
    for c in (1e-4, 0.1, 30.0):
        for place, power in (("beside", beside), ("under", under)):
            scaled = rules_with_eps(1e-4)[place]
            plain = rules_with_eps(1e-4 * c**power)[place]
            for one, other in zip(scaled, plain, strict=True):
                if hasattr(one, "initial"):
                    one, other = replace(one, initial=initial), replace(other, initial=initial)
                points, _ = follow(one, np.zeros(12), c * gradients("1e-3"))
                expected, _ = follow(other, np.zeros(12), gradients("1e-3"))
                np.testing.assert_allclose(points, expected, rtol=1e-9, atol=1e-12)


@pytest.mark.claim(
    "claim-fw-first",
    kind="exact",
    holds={"power": 0.5, "limit": 1.0, "raw": "AMSGrad"},
    false=[{"power": 1.0}, {"power": 0.0}, {"limit": 40.0}, {"raw": "AMSGradCorrectedFirst"}],
)
def test_a_large_first_gradient(
    power: float, limit: float, raw: str, rng: np.random.Generator
) -> None:
    """With no memory in m a step is the gradient over the divisor, which can be read off."""
    for beta2 in (0.9, 0.99, 0.999):
        largest = limit * math.sqrt(1 - beta2)
        later = largest * rng.uniform(-1, 1, 300)
        later[::7] = largest
        grads = 5.0 * np.r_[1.0, later][:, None]
        t = np.arange(1, 302)
        divisors = {
            "AMSGrad": 5.0 * ((1 - beta2) / (1 - beta2**t)) ** power,
            "AMSGradCorrectedFirst": np.full(301, 5.0),
        }
        for name, home in (("AMSGrad", gd), ("AMSGradCorrectedFirst", conventions)):
            rule = getattr(home, name)(lr=1.0, beta1=0.0, beta2=beta2, eps=0.0)
            points, _ = follow(rule, np.zeros(1), grads)
            moved = -np.diff(np.r_[0.0, points[:, 0]])
            expected = divisors["AMSGrad" if name == raw else "AMSGradCorrectedFirst"]
            if raw != "AMSGrad":
                expected = divisors[raw if name == "AMSGrad" else "AMSGrad"]
            np.testing.assert_allclose(moved, grads[:, 0] / expected, rtol=1e-8, atol=1e-12)


@pytest.mark.claim(
    "claim-fw-decay",
    kind="exact",
    holds={"decayed": 0, "felt": 1, "above": True},
    false=[{"decayed": 1}, {"felt": 0}, {"felt": 2}, {"above": False}],
)
def test_penalty_and_decay(decayed: int, felt: int, above: bool) -> None:
    """On a constant loss, with the lines of PyTorch's penalty and of Keras' decay."""
    penalty, decay = (
        compile("\n".join(frameworks.find(name, "Momentum").lines(decay=True)), name, "exec")
        for name in ("PyTorch", "Keras")
    )
    for mu in (0.0, 0.5, 0.8, 0.9):
        for share in (1e-4, 1e-3, 0.9 * (1 - math.sqrt(mu)) ** 2):
            given = {"lr": 0.5, "momentum": mu, "weight_decay": share / 0.5, "v": 0.0}
            shares = {}
            for name, step in (("penalty", penalty), ("decay", decay)):
                names = {**given, "x": 1.0}
                for _ in range(4000):
                    before = names["x"]
                    if before < 1e-250:
                        break
                    names["g"] = 0.0
                    exec(step, names)
                    shares[name] = 1 - names["x"] / before
            assert shares["decay"] == pytest.approx(share / (1 - mu) ** decayed, rel=1e-9)
            b = 1 - mu + share
            exact = (b - math.sqrt(b * b - 4 * share)) / 2
            assert exact * (1 - mu - exact) == pytest.approx(share * (1 - exact), rel=1e-9)
            assert shares["penalty"] == pytest.approx(exact, rel=1e-6)
            assert (shares["penalty"] >= share / (1 - mu) * (1 - 1e-9)) == above
            if share <= 1e-4:
                assert shares["penalty"] == pytest.approx(share / (1 - mu) ** felt, rel=2e-2)
