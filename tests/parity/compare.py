"""The comparison: what was recorded, and how near to it a rule has to come."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from tests.parity.runs import SCALES, STEPS, Reference, Run, gradients, references, replay

TOLERANCE = 1e-12

# What computes in single precision rounds by 6e-8 in each operation; 200 steps make 1e-6 of it,
# and 6e-6 where the constants of Adam are rounded too.
TOLERANCE_SINGLE = 1e-5
FOLDER = Path(__file__).with_name("recorded")

# Steps whose points are stored, counted from 1. Every later point contains every step.
KEPT = (*range(1, 21), *range(30, STEPS + 1, 10))


def at_kept_steps(points: np.ndarray) -> np.ndarray:
    """Return the rows of ``points`` that a recording holds."""
    return points[np.array(KEPT) - 1]


def off_by(actual: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest difference, as a share of how far its coordinate goes in the run."""
    reach = np.abs(expected).max(axis=0)
    error = np.abs(actual - expected).max(axis=0)
    # A coordinate that never leaves 0 has to be exactly 0.
    return float(
        np.divide(error, reach, out=np.where(error == 0, 0.0, np.inf), where=reach > 0).max()
    )


def assert_same_points(
    actual: np.ndarray, expected: np.ndarray, tolerance: float = TOLERANCE
) -> None:
    """Compare the points of two runs at ``rtol = atol = tolerance``.

    rtol multiplies each expected number, as usual. atol multiplies the largest size
    that the coordinate reaches in the run: runs that end at 1e-9 and at 1e5 are held to
    the same twelve digits, and a coordinate that never leaves 0 has to be exactly 0. A
    nan fails.
    """
    assert actual.shape == expected.shape
    reach = np.abs(expected).max(axis=0)
    allowed = tolerance * np.abs(expected) + tolerance * reach
    error = np.abs(actual - expected)
    wrong = np.argwhere(~(error <= allowed))
    if len(wrong):
        at = tuple(wrong[0])
        raise AssertionError(
            f"{len(wrong)} of {actual.size} numbers differ, first at row {at[0]}, "
            f"coordinate {at[1]}: {actual[at]} should be {expected[at]}, "
            f"off by {error[at]:.1e} where {allowed[at]:.1e} is allowed"
        )


def assert_parity(rule: Any, run: Run) -> None:
    """Assert that ``rule`` makes the points that the reference of ``run`` made."""
    reference = run.reference
    points = at_kept_steps(replay(rule, reference))
    assert_same_points(points, recorded_points(reference))


def description(framework: str) -> dict[str, Any]:
    """Return what a recording has to be of: the steps, the gradients, the runs."""
    return {
        "steps": list(KEPT),
        "gradients": {
            scale: hashlib.sha256(gradients(scale).tobytes()).hexdigest() for scale in SCALES
        },
        "runs": [asdict(reference) for reference in references(framework)],
    }


def read(name: str) -> Any:
    """Return what a recorded JSON file holds."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


@cache
def recording(framework: str) -> tuple[dict[Reference, int], np.ndarray]:
    """Return where each run stands, and all points, (runs, steps kept, COORDINATES)."""
    runs = read(framework)["runs"]
    place = {Reference(**run): row for row, run in enumerate(runs)}
    return place, np.load(FOLDER / f"{framework}.npy")


def recorded_points(reference: Reference) -> np.ndarray:
    """Return the recorded points of a run, shape (steps kept, COORDINATES)."""
    place, points = recording(reference.framework)
    return points[place[reference]]
