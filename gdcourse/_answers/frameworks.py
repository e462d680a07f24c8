"""The answers of the chapter on the frameworks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from gdcourse._answers._kinds import Answer, Code


def _coast() -> Answer:
    step, mu = 0.004, 0.95
    return Answer(
        step * mu / (1 - mu),
        {
            "That counts the last step once more; it has been taken.": step / (1 - mu),
            "That is the next step only; it goes on.": step * mu,
            "With the rate inside of the velocity the point rolls on.": 0.0,
            "That is with 1 - μ for μ: the velocity keeps 0.95 of itself.": step * (1 - mu) / mu,
            "That is how many steps' worth it is; multiply by the step.": mu / (1 - mu),
            "That is in steps, and with one too many.": 1 / (1 - mu),
        },
    )


def _once() -> Answer:
    return Answer(
        0.9 * 0.02 / 0.1,
        {
            "The quotient is the other way around: the rate falls.": 0.9 * 0.1 / 0.02,
            "That is the quotient of the rates; the momentum itself is 0.9.": 0.2,
            "With that the velocity of the old rate rolls on.": 0.9,
            "With that the velocity is gone; PyTorch's is kept, and multiplied.": 0.0,
            "That takes the difference of the rates.": 0.9 * 0.08,
            "That is with the new rate alone.": 0.9 * 0.02,
        },
    )


def _small() -> Answer:
    g, eps = 2e-5, 1e-8
    return Answer(
        g / math.sqrt(g**2 + eps),
        {
            "That is PyTorch's form, with ε beside the root.": g / (g + eps),
            "That leaves out the gradient under the root.": g / math.sqrt(eps),
            "Under the root stands the square of the gradient.": g / math.sqrt(g + eps),
            "That is without the root.": g / (g**2 + eps),
            "That is a first step, when the mean held a tenth of the square.": g
            / math.sqrt(0.1 * g**2 + eps),
        },
        rtol=5e-3,
    )


def _hat() -> Answer:
    return Answer(
        1e-7 / math.sqrt(0.001),
        {
            "That is what it is in the end; at the first step √v is not corrected.": 1e-7,
            "Take the root of 1 - β₂.": 1e-7 / 0.001,
            "The other way around: √v is too small, so ε̂ beside it is large.": 1e-7
            * math.sqrt(0.001),
            "Take 1 - β₂, not β₂.": 1e-7 / math.sqrt(0.999),
            "That is with β₁, which belongs to m.": 1e-7 / 0.1,
        },
        rtol=5e-3,
    )


def _decay() -> Answer:
    return Answer(
        0.002 / (1 - 0.8),
        {
            "Keras' decay does not go through the velocity.": 0.002,
            "The other way around: the penalty is felt 1/(1 - μ) times.": 0.002 * (1 - 0.8),
            "That divides by μ; the velocity adds up to 1/(1 - μ).": 0.002 / 0.8,
            "That multiplies by μ/(1 - μ); the first step counts too.": 0.002 * 0.8 / 0.2,
            "That is the share of a step: both have the rate in it.": 0.1 * 0.002 / 0.2,
        },
        rtol=2e-2,
    )


def _keras_adam(
    x: float,
    m: float,
    v: float,
    grad: float,
    t: int,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    slip: str = "",
) -> tuple[float, float, float]:
    if slip == "mean":
        m, v = m + grad, v + grad**2
    else:
        m, v = beta1 * m + (1 - beta1) * grad, beta2 * v + (1 - beta2) * grad**2
    upper, lower = (1 - beta2**t) ** 0.5, 1 - beta1**t
    if slip == "root":
        upper = 1 - beta2**t
    rate = lr if slip == "uncorrected" else lr * upper / lower
    if slip == "upside down":
        rate = lr * lower / upper
    root = (v + eps) ** 0.5 if slip == "inside" else v**0.5 + eps
    if slip == "hat":
        root = v**0.5 + eps * upper
    return (x + rate * m / root if slip == "uphill" else x - rate * m / root), m, v


def _nag(
    x: float,
    v: float,
    grad: float,
    lr: float,
    momentum: float,
    weight_decay: float,
    slip: str = "",
) -> tuple[float, float]:
    if slip == "decoupled":
        x = x - lr * weight_decay * x
    pull = 0.0 if slip == "decoupled" else weight_decay
    d = momentum * v - lr * (grad + pull * x)
    new = x + d if slip == "heavy" else x - momentum * v + (1 + momentum) * d
    at = x if slip == "old point" else new
    kept = d if slip == "decoupled" else momentum * v - lr * (grad + pull * at)
    if slip == "velocity not kept":
        kept = v
    return new, kept


def _slip(function: Callable[..., Any], slip: str) -> Callable[..., Any]:
    return lambda *given: function(*given, slip=slip)


def _describe(*names: str) -> Callable[..., str]:
    def problem(*given: float) -> str:
        told = [f"{name} = {value:g}" for name, value in zip(names, given, strict=True)]
        return f"For {', '.join(told)}"

    return problem


_KERAS = Code(
    _keras_adam,
    {
        "This is PyTorch's form, with ε beside the corrected root.": _slip(_keras_adam, "hat"),
        "ε stands beside the root here, not under it.": _slip(_keras_adam, "inside"),
        "The rate is not corrected.": _slip(_keras_adam, "uncorrected"),
        "The correction of v is under a root.": _slip(_keras_adam, "root"),
        "The correction of the rate is upside down.": _slip(_keras_adam, "upside down"),
        "m and v are running means: each keeps a share of itself.": _slip(_keras_adam, "mean"),
        "That goes uphill.": _slip(_keras_adam, "uphill"),
    },
    (
        (0.0, 0.0, 0.0, 2.0, 1, 0.5, 0.5, 0.75, 1.0),
        (1.0, 0.5, 0.25, -3.0, 4, 0.1, 0.9, 0.99, 0.01),
        (-2.0, 0.2, 0.04, 0.5, 2, 0.3, 0.8, 0.6, 0.5),
    ),
    _describe("x", "m", "v", "grad", "t", "lr", "beta1", "beta2", "eps"),
)
_NAG = Code(
    _nag,
    {
        "The velocity takes its penalty from the new point here, not from the old.": _slip(
            _nag, "old point"
        ),
        "That is a decay; here the penalty is added to the gradient.": _slip(_nag, "decoupled"),
        "That is the heavy ball: the point moves by d alone.": _slip(_nag, "heavy"),
        "The velocity is the old one; return the new one.": _slip(_nag, "velocity not kept"),
    },
    (
        (1.0, 0.0, 2.0, 0.5, 0.5, 0.5),
        (2.0, -1.0, 0.5, 0.1, 0.9, 0.3),
        (-1.0, 0.5, 1.0, 0.2, 0.7, 1.0),
    ),
    _describe("x", "v", "grad", "lr", "momentum", "weight_decay"),
)

ANSWERS: dict[str, Callable[[], Answer]] = {
    "ex-fw-coast": _coast,
    "ex-fw-once": _once,
    "ex-fw-small": _small,
    "ex-fw-hat": _hat,
    "ex-fw-decay": _decay,
}
FUNCTIONS = {"ex-fw-keras": _KERAS, "ex-fw-nag": _NAG}
