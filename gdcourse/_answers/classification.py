"""The answers of the chapter on classification."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gdcourse._answers._kinds import ROWS, Answer, Code
from gdcourse._types import Array
from gdcourse.models import SoftmaxRegression


def _from_score_to_probability() -> Answer:
    return Answer(
        1 / (1 + math.exp(2)),
        {
            "Those are the odds; the probability is odds/(1 + odds).": math.exp(-2),
            "That is the probability of class 0.": 1 / (1 + math.exp(-2)),
            "That is tanh of half the score, which goes from -1 to 1.": math.tanh(-1),
            "That takes powers of 10; the logarithm of the odds is the natural one.": 1 / 101,
            "That is with a power of 2 in place of e.": 1 / 5,
            "That is e to the power 2, the odds against; a probability is at most 1.": math.exp(2),
        },
        rtol=8e-3,  # 0.12
    )


def _touching_classes() -> Answer:
    return Answer(
        math.log(2) / 2,
        {
            "The two points at 1 have one score and two labels: their losses do not go away.": 0.0,
            "That is the loss at the start; the two outer points cost less and less.": math.log(2),
            "That is the sum over the four; divide by four.": 2 * math.log(2),
            "Only one of the two in the middle is counted.": math.log(2) / 4,
            "Half of the points have the probability 1/2, but the loss is minus a logarithm.": 0.25,
            "That is in bits; the loss is in natural units.": 0.5,
        },
        rtol=1.1e-2,  # 0.35
    )


def _one_step() -> Answer:
    return Answer(
        0.4,
        {
            "That is the weight of the other two classes.": -0.2,
            "Prediction minus what was seen is negative here, and the step goes against it.": -0.4,
            "The input is missing in the gradient.": 0.2,
            "That is the step with a rate of 1.": 4 / 3,
            "That is the error, without the input and the rate.": 2 / 3,
            "That takes 1/2 for the probability; there are three classes.": 0.3,
            "That is with a probability of 0 before the step.": 0.6,
            "That is the gradient; the weight starts at 0 and a step subtracts 0.3 times that.": (
                -4 / 3
            ),
        },
        rtol=1e-3,
    )


def _two_limits() -> Answer:
    return Answer(
        5,
        {
            "The safe limit is 4/20: the curvature is nowhere above half of the eigenvalue.": 10,
            "That is with the limit for two classes, 8/20.": 2.5,
            "The edge at 0 is the larger one: the curvature there is small.": 0.2,
            "That is the edge at 0, in units of the rate.": 1,
            "That is the eigenvalue, which cancels: divide one limit by the other.": 20,
        },
        rtol=1e-3,
    )


def _steps_until_right(pull: Callable[[float], float]) -> int:
    z, steps = -6.0, 0
    while z < 0:
        z, steps = z + 0.5 * pull(1 / (1 + math.exp(-z))), steps + 1
    return steps


def _confident_and_wrong() -> Answer:
    return Answer(
        2 * (math.exp(6) - 1),
        {
            "That is with the rate 1; half the rate takes twice the steps.": math.exp(6) - 1,
            "That is the most for minus the log-likelihood.": 24,
            "That is how many it takes with minus the log-likelihood.": _steps_until_right(
                lambda p: 1 - p
            ),
            "That is how many it takes, a few more than the claim asks for.": _steps_until_right(
                lambda p: p * (1 - p) ** 2
            ),
            "That multiplies by the rate; divide.": (math.exp(6) - 1) / 2,
            "That takes powers of 10.": 2 * (10**6 - 1),
            "That leaves out the 1 that is subtracted.": 2 * math.exp(6),
        },
        rtol=1e-3,
    )


def _back_and_forth() -> Answer:
    z = 2.0
    for _ in range(200):  # 2 z = 5 tanh(z/2), a contraction at this z
        z = 2.5 * math.tanh(z / 2)
    return Answer(
        z,
        {
            "There the slope is 0, but the rate is beyond the edge: from beside it a run moves "
            "away.": 0.0,
            "That is where it starts.": 1.0,
            "That is the distance for a pull of a half, which it has far out alone.": 2.5,
            "That is how far the two points are from each other.": 2 * z,
            "That is the longest step.": 5.0,
            "That is after one step, in size: go on until it repeats.": 5 * math.tanh(0.5) - 1,
            "That is after one step: go on until it repeats.": 1 - 5 * math.tanh(0.5),
        },
        rtol=5e-3,
    )


#: By the label of the exercise.
ANSWERS: dict[str, Callable[[], Answer]] = {
    "ex-cl-odds": _from_score_to_probability,
    "ex-cl-step": _one_step,
    "ex-cl-touch": _touching_classes,
    "ex-cl-edge": _two_limits,
    "ex-cl-wrong": _confident_and_wrong,
    "ex-cl-cycle": _back_and_forth,
}


# --- Functions that a reader writes ---


def _logistic_loss(z: Array, y: Array) -> Any:
    return np.mean(np.logaddexp(0, np.where(y == 1, -z, z)))


def _clipped(z: Array, least: float) -> Array:
    return np.asarray(np.clip(1 / (1 + np.exp(-z)), least, 1 - least))


def _from_probabilities(p: Array, y: Array) -> Any:
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


_STABLE = Code(
    _logistic_loss,
    {
        "e^z overflows: take the maximum of z and 0 out of the logarithm.": lambda z, y: np.mean(
            np.log(1 + np.exp(z)) - y * z
        ),
        "Tiny losses are lost in 1 + e^(-|z|): use np.log1p.": lambda z, y: np.mean(
            np.maximum(z, 0) - y * z + np.log(1 + np.exp(-np.abs(z)))
        ),
        "Scores cut off at 500 make larger ones all alike: what is most wrong costs more.": (
            lambda z, y: np.mean(np.log(1 + np.exp(np.clip(z, -500, 500))) - y * z)
        ),
        "Scores cut off at 500, in both terms, make larger ones all alike.": lambda z, y: np.mean(
            np.log(1 + np.exp(np.clip(z, -500, 500))) - y * np.clip(z, -500, 500)
        ),
        "Something is added inside of the logarithm: that caps the loss of what is most wrong.": (
            lambda z, y: (
                -np.mean(
                    y * np.log(1 / (1 + np.exp(-z)) + 1e-10)
                    + (1 - y) * np.log(1 - 1 / (1 + np.exp(-z)) + 1e-10)
                )
            )
        ),
        "Clipped at 1e-12 the loss of what is most wrong is capped: work with the scores.": (
            lambda z, y: _from_probabilities(_clipped(z, 1e-12), y)
        ),
        "The 1 in ln(1 + e^z) is e to the power 0, not to the power 1.": lambda z, y: np.mean(
            np.logaddexp(1, z) - y * z
        ),
        "The probability rounds to 1, and the logarithm is of 0: work with the scores.": (
            lambda z, y: _from_probabilities(1 / (1 + np.exp(-z)), y)
        ),
        "The probability rounds to 1, and 0 times infinity is no number: work with the scores.": (
            lambda z, y: (
                -np.mean(np.log(np.where(y == 1, 1 / (1 + np.exp(-z)), 1 - 1 / (1 + np.exp(-z)))))
            )
        ),
        "Clipped probabilities cap the loss of what is most wrong: work with the scores.": (
            lambda z, y: _from_probabilities(_clipped(z, 1e-15), y)
        ),
        "Clipped at 1e-7 the loss of what is most wrong is capped: work with the scores.": (
            lambda z, y: _from_probabilities(_clipped(z, 1e-7), y)
        ),
        "That is the sum: divide by the number of examples.": lambda z, y: (
            len(z) * _logistic_loss(z, y)
        ),
        "The second term is subtracted.": lambda z, y: np.mean(np.logaddexp(0, z) + y * z),
        "That is the loss if 0 and 1 are exchanged.": lambda z, y: _logistic_loss(z, 1 - y),
        "That takes the labels for -1 and 1: here they are 0 and 1.": lambda z, y: np.mean(
            np.logaddexp(0, -y * z)
        ),
        "The second term, y z, is missing.": lambda z, y: np.mean(np.logaddexp(0, z)),
        "That is the squared error of the probabilities.": lambda z, y: np.mean(
            ((1 + np.tanh(z / 2)) / 2 - y) ** 2
        ),
        "One loss for each example: return their mean.": lambda z, y: np.logaddexp(
            0, np.where(y == 1, -z, z)
        ),
        "ln(1 + e^z) is z only for a large score.": lambda z, y: np.mean(np.maximum(z, 0) - y * z),
    },
    (
        (np.array([2.0]), np.array([0])),
        (np.array([-1.0, 0.5, 3.0]), np.array([0, 1, 1])),
        (np.array([-40.0]), np.array([0])),
        (np.array([40.0, -40.0, 1.0]), np.array([0, 1, 1])),
        (np.array([1000.0, -1000.0, -700.0]), np.array([1, 0, 1])),
    ),
    lambda z, y: f"For z = {z.tolist()} and y = {y.tolist()}",
)


def _shifted(scores: Array, shift: Any) -> Any:
    powers = np.exp(scores - shift)
    return powers / powers.sum(axis=1, keepdims=True)


def _softmax(scores: Array) -> Any:
    return _shifted(scores, scores.max(axis=1, keepdims=True))


_SOFTMAX = Code(
    _softmax,
    {
        "e^z overflows: subtract the largest score of each row first.": lambda z: _shifted(z, 0),
        "The largest score of the whole array leaves nothing of a row far below it: each row needs "
        "its own.": lambda z: _shifted(z, z.max()),
        "Each column is made to sum to 1: a row is an example, so use axis=1.": lambda z: (
            _softmax(z.T).T
        ),
        "The whole array is made to sum to 1: each row must.": lambda z: (
            np.exp(z - z.max()) / np.exp(z - z.max()).sum()
        ),
        "The powers are not divided by their sum.": lambda z: np.exp(
            z - z.max(axis=1, keepdims=True)
        ),
        "That subtracts the largest size: of negative scores the largest is the one nearest 0.": (
            lambda z: _shifted(z, np.abs(z).max(axis=1, keepdims=True))
        ),
        "That subtracts the mean of each row: the largest score may still overflow.": lambda z: (
            _shifted(z, z.mean(axis=1, keepdims=True))
        ),
        "That subtracts the smallest score of each row: take the largest.": lambda z: _shifted(
            z, z.min(axis=1, keepdims=True)
        ),
        "The sign of the scores is turned: the largest gets the least.": lambda z: _softmax(-z),
        "Those are their logarithms.": lambda z: np.log(_softmax(z)),
        "That is the sigmoid of each score by itself: a row does not sum to 1.": lambda z: (
            (1 + np.tanh(z / 2)) / 2
        ),
        "That gives all to the largest.": lambda z: (z == z.max(axis=1, keepdims=True)).astype(
            np.float64
        ),
        "The scores themselves are divided by their sum: take e to their power first.": (
            lambda z: z / z.sum(axis=1, keepdims=True)
        ),
        "That divides the scores by the largest; subtract it.": lambda z: _shifted(
            z / z.max(axis=1, keepdims=True), 0
        ),
    },
    (
        (np.array([[0.0, np.log(3.0)]]),),
        (np.array([[1.0, 2.0, 4.0], [0.5, -1.0, 0.25]]),),
        (np.array([[1000.0, 1001.0, 999.0], [2.0, 0.0, 1.0]]),),
        (np.array([[-1000.0, -1002.0], [3.0, 1.0]]),),
        (np.array([[1000.0, 0.0, 0.0, 0.0], [1.0, 2.0, 3.0, -2000.0]]),),
    ),
    lambda scores: f"For the scores {scores.round(4).tolist()}",
)


def _softmax_gradient(W: Array, X: Array, y: Array) -> Array:
    classes = W.shape[1]
    gradient = SoftmaxRegression(classes=classes).loss_and_grad(W.ravel(), X, y)[1]
    return np.asarray(gradient.reshape(W.shape))


def _seen(W: Array, y: Array) -> Array:
    return np.asarray(np.eye(W.shape[1])[y])


_GRADIENT = Code(
    _softmax_gradient,
    {
        "That is the sum over the examples: divide by how many there are.": lambda W, X, y: (
            len(y) * _softmax_gradient(W, X, y)
        ),
        "That is divided by the number of classes.": lambda W, X, y: (
            len(y) / W.shape[1] * _softmax_gradient(W, X, y)
        ),
        "That is divided by the number of examples and by that of classes.": lambda W, X, y: (
            _softmax_gradient(W, X, y) / W.shape[1]
        ),
        "The 1 is subtracted in all rows, for every class that occurs: give rows and columns, "
        "p[np.arange(len(y)), y].": lambda W, X, y: (
            X.T @ (_softmax(X @ W) - _seen(W, y).max(axis=0)) / len(y)
        ),
        "The label itself is subtracted; subtract 1 in its column, and nothing in the others.": (
            lambda W, X, y: X.T @ (_softmax(X @ W) - y[:, None]) / len(y)
        ),
        "The largest score of the whole array leaves nothing of a row far below it: each row needs "
        "its own.": lambda W, X, y: X.T @ (_shifted(X @ W, np.max(X @ W)) - _seen(W, y)) / len(y),
        "It is prediction minus what was seen, not the reverse.": lambda W, X, y: (
            -_softmax_gradient(W, X, y)
        ),
        "What was seen is not subtracted: the probability of the true class minus 1.": (
            lambda W, X, y: X.T @ _softmax(X @ W) / len(y)
        ),
        "Only the true class is there; the probabilities of the others pull too.": lambda W, X, y: (
            X.T @ (_seen(W, y) * (_softmax(X @ W) - 1)) / len(y)
        ),
        "The softmax is taken over the examples: a row of X @ W is an example, so use axis=1.": (
            lambda W, X, y: X.T @ (_softmax((X @ W).T).T - _seen(W, y)) / len(y)
        ),
        "Those are the scores minus what was seen: take their softmax.": lambda W, X, y: (
            X.T @ (X @ W - _seen(W, y)) / len(y)
        ),
        "e^z overflows: subtract the largest score of each row first.": lambda W, X, y: (
            X.T @ (_shifted(X @ W, 0) - _seen(W, y)) / len(y)
        ),
        "That is for labels that start at 1; here they start at 0.": lambda W, X, y: (
            X.T @ (_softmax(X @ W) - np.roll(_seen(W, y), -1, axis=1)) / len(y)
        ),
        "The inputs are missing: that is the mean error of each class.": lambda W, X, y: (
            np.ones_like(W) * (_softmax(X @ W) - _seen(W, y)).mean(axis=0)
        ),
        "That is its transpose: a column for each class, as in W.": lambda W, X, y: (
            _softmax_gradient(W, X, y).T
        ),
        "That takes the sigmoid of each score in place of the softmax.": lambda W, X, y: (
            X.T @ ((1 + np.tanh(X @ W / 2)) / 2 - _seen(W, y)) / len(y)
        ),
    },
    (
        (np.zeros((1, 2)), np.array([[2.0]]), np.array([1])),
        (np.array([[0.5, -1.0, 0.0], [1.0, 0.0, -0.5]]), ROWS, np.array([2, 0, 1, 1, 0])),
        (np.array([[1.0, -2.0, 0.5, 0.0], [0.0, 1.0, 1.0, 2.0]]), ROWS, np.array([3, 3, 0, 2, 1])),
        (
            np.array([[1000.0, 1000.0, 0.0], [0.0, 0.0, 0.0]]),
            np.array([[1.0, 0.0], [-1.0, 0.5]]),
            np.array([1, 0]),
        ),
    ),
    lambda W, X, y: f"For W = {W.tolist()}, X = {X.tolist()} and y = {y.tolist()}",
)

#: By the label of the exercise.
FUNCTIONS: dict[str, Code] = {
    "ex-cl-stable": _STABLE,
    "ex-cl-softmax": _SOFTMAX,
    "ex-cl-gradient": _GRADIENT,
}
