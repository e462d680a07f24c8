"""What makes the ledger true: every claim's test also runs on false versions of the claim.

``@pytest.mark.claim(label, kind=..., holds={...}, false=[{...}, {...}])`` runs the test once
with the arguments in ``holds``, which must pass, and once with each dictionary in ``false``,
which replaces some of them: the same statement with a constant changed or a condition dropped.
On those the test must fail, and by an assertion: any other exception would say that the test
broke, not that the statement is false.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np
import pytest

MARK = "claim"
HOLDS = "holds"  # the id of the case with the claim as it stands


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a generator that lays out the same cases in every run, in any order of tests."""
    return np.random.default_rng(2026)


@pytest.fixture
def worst_cases() -> Callable[..., list[dict]]:
    """Return a function that looks up the recorded worst cases of a kind, such as ``lr=1.0``."""
    cases = json.loads((Path(__file__).parent / "worst_cases.json").read_text())["cases"]

    def look_up(name: str, **where: float) -> list[dict]:
        found = [
            case
            for case in cases
            if case["worst"] == name and all(case[key] == value for key, value in where.items())
        ]
        assert len(found) >= 6, f"{name}: run make worst-cases"
        return found

    return look_up


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a claim's test with the claim as it stands and with each of its false variants."""
    mark = metafunc.definition.get_closest_marker(MARK)
    if mark is None:
        return
    holds, false = mark.kwargs["holds"], mark.kwargs["false"]
    cases = [holds] + [holds | variant for variant in false]
    ids = [HOLDS] + [",".join(f"{k}={v}" for k, v in variant.items()) for variant in false]
    metafunc.parametrize(list(holds), [tuple(case[k] for k in holds) for case in cases], ids=ids)


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Demand that a false variant fails by an assertion."""
    mark = pyfuncitem.get_closest_marker(MARK)
    if mark is None or pyfuncitem.callspec.id == HOLDS:
        return (yield)
    try:
        yield
    except AssertionError:
        return True
    pytest.fail(f"{mark.args[0]}: the test accepts a false variant, {pyfuncitem.callspec.id}")
