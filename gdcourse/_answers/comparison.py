"""The answers of the chapter on comparing rules."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gdcourse._answers._kinds import Answer, Code
from gdcourse._types import Array


def _ahead() -> Answer:
    tries, others = 12, 3
    return Answer(
        tries / (tries + others),
        {
            "That is the share of the rule with few tries.": others / (tries + others),
            "That is the ratio of the tries; all of them are 15.": others / tries,
            "They are equally good, and one has had more tries: it has the best score more "
            "often.": 0.5,
            "Those are the odds; a probability is at most 1.": tries / others,
            "That is the chance of at least one 9 in three tries, from the example.": 7 / 8,
            "That is the example's, with ties.": 7 / 16,
            "That is against one try.": tries / (tries + 1),
            "That is three tries against one, from the example.": 3 / 4,
            "In percent; a probability is at most 1.": 100 * tries / (tries + others),
        },
        rtol=2e-3,
    )


def _draws() -> Answer:
    share, sure = 0.1, 0.9
    return Answer(
        math.ceil(math.log(1 - sure) / math.log(1 - share)),
        {
            "That is how many it takes for one good setting on average.": 1 / share,
            "That has a probability of a little less than 0.9.": 21,
            "Draws come in whole numbers: round up.": math.log(1 - sure) / math.log(1 - share),
            "That is for 0.9 of the settings being good.": 1,
            "That is enough for 0.95.": 29,
            "That is enough for 0.99.": 44,
            "Enough, but one more than needed.": 23,
            "That is for the best twentieth, with 0.95.": 59,
            "That is for the best twentieth, with 0.9.": 45,
            "The logarithms are exchanged: what may fail stands above.": math.log(1 - share)
            / math.log(1 - sure),
        },
        rtol=1e-4,
    )


def _runs() -> Answer:
    return Answer(
        8,
        {
            "That is 1 in 64; one run too few.": 7,
            "Runs come in whole numbers: round up.": 1 + math.log2(100),
            "You counted one side: all below the median is possible, too.": math.log2(100),
            "That is one more than needed.": 9,
            "That is for 0.95.": 6,
            "That is 100 in place of its logarithm.": 100,
        },
        rtol=1e-3,
    )


def _five() -> Answer:
    return Answer(
        14 / 64,
        {
            "That is for one side; either rule could be the one.": 7 / 64,
            "That is five exactly; six is farther apart still.": 12 / 64,
            "That is for one side and five exactly.": 6 / 64,
            "That is for all six.": 2 / 64,
            "That is the share of the splits.": 5 / 6,
            "In percent; a probability is at most 1.": 100 * 14 / 64,
        },
        rtol=1e-2,
    )


def _power() -> Answer:
    splits, ahead = 9, 0.8
    every, all_but_one = ahead**splits, splits * ahead ** (splits - 1) * (1 - ahead)
    return Answer(
        every + all_but_one,
        {
            "That is for all nine; eight are enough.": every,
            "That is for eight exactly; nine are more.": all_but_one,
            "The one that is lost can be any of the nine.": every + all_but_one / splits,
            "That is for one order of eight wins and a loss.": all_but_one / splits,
            "That is for equal rules.": 20 / 2**splits,
            "That is for seven or more.": every
            + all_but_one
            + 36 * ahead ** (splits - 2) * (1 - ahead) ** 2,
            "That is the probability to miss it.": 1 - every - all_but_one,
            "That is the chance on one split.": ahead,
            "In percent; a probability is at most 1.": 100 * (every + all_but_one),
            "That is without the chance to lose the one: (1 - 0.8).": every
            + splits * ahead ** (splits - 1),
        },
        rtol=3e-3,
    )


def _lowest() -> Answer:
    low, high, settings = 8.0, 12.0, 9
    return Answer(
        low + (high - low) / (settings + 1),
        {
            "That is the mean of one of them.": (low + high) / 2,
            "That is the least a score can be.": low,
            "Nine points cut the interval in ten parts.": low + (high - low) / settings,
            "That is the mean of the highest.": high - (high - low) / (settings + 1),
            "That is how far it is from 8; add 8.": (high - low) / (settings + 1),
            "That is how much it flatters; the mean of the lowest is asked for.": (high - low) / 2
            - (high - low) / (settings + 1),
        },
        rtol=1e-3,
    )


def _halving() -> Answer:
    return Answer(
        27 * 1 + 9 * 2 + 3 * 6 + 1 * 18,
        {
            "They do not begin again: who has had 1 epoch has 2 more until 3.": 27 * 4,
            "That is all 27 to the end.": 729,
            "That is without the last one's way from 9 to 27.": 63,
            "That is without the first epoch of all.": 54,
            "That is for the one that is left.": 27,
            "That counts each round as one epoch.": 40,
            "That is with 27 more for the last, which has had 9.": 90,
        },
        rtol=1e-4,
    )


#: By the label of the exercise.
ANSWERS: dict[str, Callable[[], Answer]] = {
    "ex-fa-budget": _ahead,
    "ex-fa-draws": _draws,
    "ex-fa-five": _five,
    "ex-fa-power": _power,
    "ex-fa-runs": _runs,
    "ex-fa-flatter": _lowest,
    "ex-fa-halving": _halving,
}


# --- Functions that a reader writes ---


def _filled(scores: Array) -> Array:
    return np.where(np.isnan(scores), np.inf, scores)


def _report(valid: Array, test: Array) -> Any:
    best = _filled(valid).argmin(axis=0)
    return np.median(test[best, np.arange(test.shape[1])])


def _one_rate(valid: Array, test: Array) -> Any:
    return np.median(test[np.median(_filled(valid), axis=1).argmin()])


_NAN = math.nan
_REPORT = Code(
    _report,
    {
        "A rate is chosen whose run was lost; argmin takes nan for the smallest.": (
            lambda valid, test: np.median(test[valid.argmin(axis=0), np.arange(test.shape[1])])
        ),
        "A lost run was chosen, and then left out of the median.": lambda valid, test: np.nanmedian(
            test[valid.argmin(axis=0), np.arange(test.shape[1])]
        ),
        "Rows were chosen, and their columns not: all splits of each are in the median.": (
            lambda valid, test: np.median(test[_filled(valid).argmin(axis=0)])
        ),
        "The rates are chosen by the test numbers; they flatter.": lambda valid, test: np.median(
            _filled(test).min(axis=0)
        ),
        "Those are the validation numbers of the chosen rates.": lambda valid, test: np.median(
            _filled(valid).min(axis=0)
        ),
        "That is one rate for all splits; choose one on each.": _one_rate,
        "That is the mean; the median is asked for.": lambda valid, test: np.mean(
            test[_filled(valid).argmin(axis=0), np.arange(test.shape[1])]
        ),
        "That is one number for each split; take their median.": lambda valid, test: test[
            _filled(valid).argmin(axis=0), np.arange(test.shape[1])
        ],
        "Rates are the rows: the best is along axis 0.": lambda valid, test: np.median(
            test[np.arange(test.shape[0]), _filled(valid).argmin(axis=1)]
        ),
        "The rates are chosen by the test numbers; they flatter, and nan is in the way.": (
            lambda valid, test: np.median(test.min(axis=0))
        ),
        "That is one rate for all splits, and lost runs are left out; choose one on each.": (
            lambda valid, test: np.nanmedian(test[np.nanmedian(valid, axis=1).argmin()])
        ),
        "That is one rate for all splits, by its mean; choose one on each.": lambda valid, test: (
            np.median(test[_filled(valid).mean(axis=1).argmin()])
        ),
        "That is the largest validation number.": lambda valid, test: np.median(
            test[np.nan_to_num(valid, nan=-np.inf).argmax(axis=0), np.arange(test.shape[1])]
        ),
    },
    (
        (
            np.array([[5.0, 6.0, 5.5], [3.0, 4.0, 5.0], [2.0, 5.0, 6.0]]),
            np.array([[5.5, 6.5, 6.0], [4.5, 4.2, 5.2], [3.5, 5.9, 8.0]]),
        ),
        (
            np.array([[5.0, 6.0, 5.5, 7.0], [3.0, 4.0, _NAN, 2.0], [2.0, _NAN, 6.0, 3.0]]),
            np.array([[5.5, 6.5, 6.2, 7.7], [4.5, 4.2, _NAN, 4.0], [3.5, _NAN, 8.0, 3.1]]),
        ),
        (
            np.array([[4.0, 9.0, 2.0], [5.0, 1.0, 3.0], [6.0, 2.0, 1.0]]),
            np.array([[7.0, 5.0, 6.0], [1.0, 3.0, 2.0], [2.5, 1.5, 4.5]]),
        ),
    ),
    lambda valid, test: f"For valid = {valid.tolist()} and test = {test.tolist()}",
)


def _varies(part: Array) -> Array:
    # Not by the spread: that of 0.1, 0.1, 0.1 is 1e-17.
    return np.asarray(np.ptp(part, axis=0) > 0)


def _scale(train: Array, held_out: Array, *, ddof: int = 0) -> tuple[Array, Array]:
    mean, spread = train.mean(axis=0), train.std(axis=0, ddof=ddof)
    spread = np.where(_varies(train), spread, 1)
    return (train - mean) / spread, (held_out - mean) / spread


def _scaled_by(part: Array, whole: Array) -> Array:
    spread = np.where(_varies(whole), whole.std(axis=0), 1)
    return np.asarray((part - whole.mean(axis=0)) / spread)


def _in_one(train: Array, held_out: Array) -> tuple[Array, Array]:
    whole = np.concatenate([train, held_out])
    return _scaled_by(train, whole), _scaled_by(held_out, whole)


_SCALE = Code(
    _scale,
    {
        "The held-out part is scaled by its own mean and spread; use those of the training "
        "part.": lambda train, held_out: (
            _scaled_by(train, train),
            _scaled_by(held_out, held_out),
        ),
        "The means and spreads are those of both parts together: a leak.": _in_one,
        "A column without spread was divided by 0: leave it alone but for its mean.": (
            lambda train, held_out: (
                (train - train.mean(axis=0)) / train.std(axis=0),
                (held_out - train.mean(axis=0)) / train.std(axis=0),
            )
        ),
        "The spread of a column that does not vary may be 1e-17 by rounding: ask whether it "
        "varies, by np.ptp.": lambda train, held_out: tuple(
            (part - train.mean(axis=0)) / np.where(train.std(axis=0) > 0, train.std(axis=0), 1)
            for part in (train, held_out)
        ),
        "The spreads are those with n - 1; use those with n.": lambda train, held_out: _scale(
            train, held_out, ddof=1
        ),
        "Divide by the spread, not by its square.": lambda train, held_out: tuple(
            (part - train.mean(axis=0)) / np.where(train.var(axis=0) > 0, train.var(axis=0), 1)
            for part in (train, held_out)
        ),
        "The column that does not vary keeps its mean: subtract it.": lambda train, held_out: tuple(
            np.where(train.std(axis=0) > 0, _scaled_by(part, train), part)
            for part in (train, held_out)
        ),
        "The held-out part is left as it was.": lambda train, held_out: (
            _scaled_by(train, train),
            held_out,
        ),
        "The means are subtracted; divide by the spreads, too.": lambda train, held_out: (
            train - train.mean(axis=0),
            held_out - train.mean(axis=0),
        ),
        "The means are those of the training part, and the held-out part is divided by its own "
        "spread; take both from the training part.": lambda train, held_out: (
            _scaled_by(train, train),
            (held_out - train.mean(axis=0))
            / np.where(held_out.std(axis=0) > 0, held_out.std(axis=0), 1),
        ),
        "The means are taken over all columns together.": lambda train, held_out: (
            (train - train.mean()) / train.std(),
            (held_out - train.mean()) / train.std(),
        ),
        "The parts are exchanged: the training part comes first.": lambda train, held_out: _scale(
            train, held_out
        )[::-1],
    },
    (
        (
            np.array([[1.0, 10.0], [3.0, 30.0]]),
            np.array([[2.0, 40.0], [5.0, 20.0]]),
        ),
        (
            np.array([[1.0, 7.0], [3.0, 7.0], [8.0, 7.0]]),
            np.array([[2.0, 9.0], [5.0, 7.0], [0.0, 6.0]]),
        ),
        (
            np.array([[1.0, 0.1], [3.0, 0.1], [8.0, 0.1]]),
            np.array([[2.0, 0.3], [5.0, 0.1], [0.0, 0.2]]),
        ),
    ),
    lambda train, held_out: f"For train = {train.tolist()} and held_out = {held_out.tolist()}",
)

#: By the label of the exercise.
FUNCTIONS: dict[str, Code] = {"ex-fa-report": _REPORT, "ex-fa-scale": _SCALE}
