"""The comparison: what was recorded, and how near to it a rule has to come."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tests.parity.runs import (
    DROP_AFTER,
    PARTING,
    RUNS,
    SCALES,
    STEPS,
    Run,
    gradients,
    make_rule,
    replay,
)

TOLERANCE = 1e-12
FOLDER = Path(__file__).with_name("recorded")

# Steps whose points are stored, counted from 1. Every later point contains every step.
KEPT = (*range(1, 21), *range(30, STEPS + 1, 10))


def at_kept_steps(points: np.ndarray) -> np.ndarray:
    """Return the rows of ``points`` that a recording holds."""
    return points[np.array(KEPT) - 1]


def assert_same_points(actual: np.ndarray, expected: np.ndarray) -> None:
    """Compare the points of two runs at ``rtol = atol = TOLERANCE``.

    rtol multiplies each expected number, as usual. atol multiplies the largest size
    that the coordinate reaches in the run: runs that end at 1e-9 and at 1e5 are held to
    the same twelve digits, and a coordinate that never leaves 0 has to be exactly 0. A
    nan fails.
    """
    assert actual.shape == expected.shape
    reach = np.abs(expected).max(axis=0)
    allowed = TOLERANCE * np.abs(expected) + TOLERANCE * reach
    error = np.abs(actual - expected)
    wrong = np.argwhere(~(error <= allowed))
    if len(wrong):
        at = tuple(wrong[0])
        raise AssertionError(
            f"{len(wrong)} of {actual.size} numbers differ, first at row {at[0]}, "
            f"coordinate {at[1]}: {actual[at]} should be {expected[at]}, "
            f"off by {error[at]:.1e} where {allowed[at]:.1e} is allowed"
        )


def coasting_points(run: Run) -> np.ndarray:
    """Return the points of Momentum or Nesterov as sums over all gradients so far.

    A step's ``-lr g`` enters the velocity once and for all: j steps later it has moved
    x by ``1 + mu + ... + mu^j`` times itself, with Nesterov's look ahead one term more.
    """
    rule = make_rule(run)
    lr = np.full(STEPS, rule.lr)
    if run.drop:
        lr[DROP_AFTER:] /= 10
    age = np.subtract.outer(np.arange(STEPS), np.arange(STEPS))
    terms = age + (2 if run.rule == "Nesterov" else 1)
    moved = np.where(age < 0, 0, (1 - rule.momentum**terms) / (1 - rule.momentum))
    return -moved @ (lr[:, None] * gradients(run.scale))


def expected_points(run: Run) -> np.ndarray:
    """Return what a rule has to make of ``run``, shape (steps kept, COORDINATES)."""
    if run.drop and run.rule in PARTING:
        return at_kept_steps(coasting_points(run))
    return recorded_points(run)


def assert_parity(rule: Any, run: Run) -> None:
    """Assert that ``rule`` makes the points that ``run`` has to make."""
    assert_same_points(at_kept_steps(replay(rule, run)), expected_points(run))


def description(framework: str) -> dict[str, Any]:
    """Return what a recording has to be of: the steps, the gradients, the runs."""
    return {
        "steps": list(KEPT),
        "gradients": {
            scale: hashlib.sha256(gradients(scale).tobytes()).hexdigest() for scale in SCALES
        },
        "runs": [asdict(run) for run in RUNS if run.framework == framework],
    }


def read(name: str) -> Any:
    """Return what a recorded JSON file holds."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


@cache
def recording(framework: str) -> tuple[dict[str, int], np.ndarray]:
    """Return where each run stands, and all points, (runs, steps kept, COORDINATES)."""
    runs = read(framework)["runs"]
    place = {str(Run(**run)): row for row, run in enumerate(runs)}
    return place, np.load(FOLDER / f"{framework}.npy")


def recorded_points(run: Run) -> np.ndarray:
    """Return the recorded points of ``run``, shape (steps kept, COORDINATES)."""
    place, points = recording(run.framework)
    return points[place[str(run)]]
