"""The answers of the chapter on five published runs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gdcourse._answers._kinds import Answer, Code
from gdcourse._types import Array
from gdcourse.data import add_intercept, normal_regression
from gdcourse.moments import LeastSquaresMoments


def _sixth_run() -> Answer:
    X, y, _ = normal_regression(seed=0)
    design = add_intercept(X)
    batch = LeastSquaresMoments(design, y, batch_size=50)
    rule = 0.5 * float(np.trace(batch.noise)) / 4
    residual: Array = y - design @ batch.solution
    smallest = float(residual @ residual) / 2000
    right = batch.excess_loss(0.5)
    return Answer(
        right,
        {
            "That is the rule of thumb, without the factor of the edge.": rule,
            "That is the rule for single examples: divide by 50.": 50 * rule,
            "That is the loss, not how far it is above the smallest.": smallest + right,
            "That is the smallest loss.": smallest,
            "That is with a half in place of the quarter.": 2 * rule,
        },
        rtol=0.06,
    )


def _rate_from_a_log() -> Answer:
    return Answer(
        1 - 0.3 ** (1 / 400),
        {
            "The loss goes with the square of the error: 400 factors, not 200.": 1
            - 0.3 ** (1 / 200),
            "That takes the logarithm to base 10.": float(-np.log10(0.3) / 400),
            "That is the share that is lost, divided by 400; the factors multiply.": 0.7 / 400,
            "That is the share that is lost, divided by 200; and the loss is a square.": 0.7 / 200,
            "That is the factor of one step; the rate is what is missing to 1.": 0.3 ** (1 / 400),
            "You divided by ten once more: the 200 updates are batches.": 1 - 0.3 ** (1 / 40),
        },
        rtol=0.02,
    )


def _reach() -> Answer:
    total = 50 * 0.01 * 10 / 9
    return Answer(
        1 - total,
        {
            "That is the sum of the rates; what it can never get rid of is 1 minus it.": total,
            "That counts the first fifty steps alone.": 0.5,
            "That counts the first hundred steps alone.": 1 - 0.55,
            "That is about what is really left; the claim's bound is a little lower.": float(
                np.exp(-total)
            ),
            "That is for fifty steps and none after.": 0.99**50,
        },
        rtol=2e-3,
    )


def _until_it_overflows() -> Answer:
    return Answer(
        128,
        {
            "The factor is 1 - 3, of size 2, not 3.": 81,
            "There the square is beyond it: the error itself is asked for.": 64,
            "That is for 64-bit numbers.": 1024,
            "That takes the logarithm to base 10: it is the number of digits.": 39,
            "That is for the loss with its half; the error itself is asked for.": 65,
            "That is with e in place of 2.": 89,
            "Two to the 127th is half of it: one step more.": 127,
        },
        rtol=1e-6,
    )


def _last_record() -> Answer:
    return Answer(
        1000 - (50 - 5),
        {
            "It records when batch_i is a multiple of ten, and batch_i counts from 0.": 1000,
            "The record follows the update: the batch itself has been seen.": 950,
            "That is for batches of 1.": 951,
            "That takes off the batch too: the record follows the update.": 945,
            "That is the number of updates; examples are asked for.": 191,
            "A period of 50 is ten batches: the last stretch begins at 950.": 995,
        },
        rtol=1e-6,
    )


#: By the label of the exercise.
ANSWERS: dict[str, Callable[[], Answer]] = {
    "ex-fr-sixth": _sixth_run,
    "ex-fr-rate": _rate_from_a_log,
    "ex-fr-reach": _reach,
    "ex-fr-overflow": _until_it_overflows,
    "ex-fr-record": _last_record,
}


# --- Functions that a reader writes ---


def _records(n: int, batch_size: int, period: int, *, first: int = 0) -> list[int]:
    batches = range(first, n // batch_size + first)
    return [i - first + 1 for i in batches if i * batch_size % period == 0]


_RECORDS = Code(
    _records,
    {
        "That records at the ends of the stretches: batch_i counts from 0.": (
            lambda n, batch_size, period: _records(n, batch_size, period, first=1)
        ),
        "Updates are to be counted from 1: those are the values of batch_i.": (
            lambda n, batch_size, period: [i - 1 for i in _records(n, batch_size, period)]
        ),
        "Those are examples, not updates.": lambda n, batch_size, period: [
            i * batch_size for i in _records(n, batch_size, period)
        ],
        "The start is no record of the epoch: the first one follows the first update.": (
            lambda n, batch_size, period: [0, *_records(n, batch_size, period)]
        ),
        "The first update is recorded as well: batch_i is 0 there.": (
            lambda n, batch_size, period: _records(n, batch_size, period)[1:]
        ),
        "That is every update.": lambda n, batch_size, period: list(range(1, n // batch_size + 1)),
        "The period counts examples, not batches.": lambda n, batch_size, period: [
            i + 1 for i in range(n // batch_size) if i % period == 0
        ],
        "The loop ends with the data: that has one record too many.": (
            lambda n, batch_size, period: [
                *_records(n, batch_size, period),
                n // batch_size + 1,
            ]
        ),
    },
    ((20, 2, 10), (30, 1, 10), (1000, 10, 100), (12, 4, 4)),
    lambda n, batch_size, period: f"For n = {n}, batch_size = {batch_size} and period = {period}",
)

#: By the label of the exercise.
FUNCTIONS: dict[str, Code] = {"ex-fr-steps": _RECORDS}
