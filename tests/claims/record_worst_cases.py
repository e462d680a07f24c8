"""Solve for the worst functions of each class and record how badly a rule does there.

`make worst-cases` runs this in an environment of its own. Performance estimation (Drori and
Teboulle, 2014; Taylor, Hendrickx and Glineur, 2017) asks for the worst function of a class: what
a run of T steps sees of it are T + 1 values and gradients, and that they belong to a function of
the class is a list of inequalities, so the worst case is the solution of a semidefinite program.
PEPit writes the program down. The file ``worst_cases.json`` is overwritten; commit it. PEPit is
imported where it is used, so that this file can be read without it.

L is 1 throughout: other values are a change of units. ``lr`` is the learning rate times L.
"""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

FILE = Path(__file__).parent / "worst_cases.json"
L = 1.0


def smallest_gradient(steps: int, lr: float) -> float:
    """Return the largest min |g_t|² over t < steps, for f smooth, f(x_0) - inf f = 1."""
    from PEPit import PEP
    from PEPit.functions import SmoothFunction

    problem = PEP()
    f = problem.declare_function(SmoothFunction, L=L)
    x = problem.set_initial_point()
    for t in range(steps + 1):
        grad, value = f.oracle(x)
        if t == 0:
            problem.set_initial_condition(value <= 1)
        # Nowhere below 0: needed by the descent lemma, and enough (Y. Drori, O. Shamir, The
        # complexity of finding stationary points with stochastic gradient descent, 2020).
        problem.add_constraint(value - grad**2 / (2 * L) >= 0)
        if t < steps:
            problem.set_performance_metric(grad**2)
        x = x - lr / L * grad
    return problem.solve(verbose=0)


def gap(steps: int, lr: float) -> float:
    """Return the largest f(x_T) - f*, for f smooth and convex, |x_0 - x*| = 1."""
    from PEPit import PEP
    from PEPit.functions import SmoothConvexFunction

    problem = PEP()
    f = problem.declare_function(SmoothConvexFunction, L=L)
    best = f.stationary_point()
    x = problem.set_initial_point()
    problem.set_initial_condition((x - best) ** 2 <= 1)
    for _ in range(steps):
        x = x - lr / L * f.gradient(x)
    problem.set_performance_metric(f(x) - f(best))
    return problem.solve(verbose=0)


def nesterov_gap(steps: int) -> float:
    """Return the largest f(x_T) - f* of Nesterov's rule with the momentum (t - 1)/(t + 2).

    For f smooth and convex, |x_0 - x*| = 1, with the rate 1/L.
    """
    from PEPit import PEP
    from PEPit.functions import SmoothConvexFunction

    problem = PEP()
    f = problem.declare_function(SmoothConvexFunction, L=L)
    best = f.stationary_point()
    x = ahead = problem.set_initial_point()
    problem.set_initial_condition((x - best) ** 2 <= 1)
    for t in range(1, steps + 1):
        before, x = x, ahead - f.gradient(ahead) / L
        ahead = x + (t - 1) / (t + 2) * (x - before)
    problem.set_performance_metric(f(x) - f(best))
    return problem.solve(verbose=0)


def nesterov_strong(steps: int, mu: float) -> float:
    """Return the largest f(x_T) - f* of Nesterov's rule with its momentum for strong convexity.

    For f smooth and mu-strongly convex, f(x_0) - f* = 1, with the rate 1/L.
    """
    from PEPit import PEP
    from PEPit.functions import SmoothStronglyConvexFunction

    problem = PEP()
    f = problem.declare_function(SmoothStronglyConvexFunction, mu=mu, L=L)
    best = f.stationary_point()
    x = ahead = problem.set_initial_point()
    problem.set_initial_condition(f(x) - f(best) <= 1)
    root = (L / mu) ** 0.5
    for _ in range(steps):
        before, x = x, ahead - f.gradient(ahead) / L
        ahead = x + (root - 1) / (root + 1) * (x - before)
    problem.set_performance_metric(f(x) - f(best))
    return problem.solve(verbose=0)


def distance(steps: int, lr: float, mu: float) -> float:
    """Return the largest |x_T - x*|, for f smooth and mu-strongly convex, |x_0 - x*| = 1."""
    from PEPit import PEP
    from PEPit.functions import SmoothStronglyConvexFunction

    problem = PEP()
    f = problem.declare_function(SmoothStronglyConvexFunction, mu=mu, L=L)
    best = f.stationary_point()
    x = problem.set_initial_point()
    problem.set_initial_condition((x - best) ** 2 <= 1)
    for _ in range(steps):
        x = x - lr / L * f.gradient(x)
    problem.set_performance_metric((x - best) ** 2)
    return problem.solve(verbose=0) ** 0.5


def main() -> None:
    """Solve them all and write the file."""
    cases = []
    for steps in (1, 2, 3, 5, 8, 12):
        for name, solve in (("smallest gradient", smallest_gradient), ("gap", gap)):
            cases.append({"worst": name, "steps": steps, "lr": 1.0, "value": solve(steps, 1.0)})
    for steps in (1, 2, 3, 5, 8, 12, 20):
        cases.append({"worst": "nesterov gap", "steps": steps, "value": nesterov_gap(steps)})
    for steps in (1, 2, 4, 8, 12):
        for mu in (0.1, 0.01):
            value = nesterov_strong(steps, mu)
            cases.append({"worst": "nesterov strong", "steps": steps, "mu": mu, "value": value})
    for steps in (1, 2, 5):
        for lr in (0.5, 1.5):
            cases.append({"worst": "gap", "steps": steps, "lr": lr, "value": gap(steps, lr)})
    for steps in (1, 2, 4):
        for mu in (0.05, 0.3):
            for lr in (0.3, 1.0, 2 / (1 + mu), 1.7):
                value = distance(steps, lr, mu)
                case = {"worst": "distance", "steps": steps, "lr": lr, "mu": mu, "value": value}
                cases.append(case)
    packages = ("PEPit", "cvxpy", "clarabel", "numpy")
    made_by = {name: importlib.metadata.version(name) for name in packages}
    for case in cases:  # the solver is good for about five digits
        case["value"] = float(f"{case['value']:.5g}")
    lines = ",\n  ".join(json.dumps(case) for case in cases)
    FILE.write_text(f'{{"made by": {json.dumps(made_by)},\n "cases": [\n  {lines}\n]}}\n')


if __name__ == "__main__":
    main()
