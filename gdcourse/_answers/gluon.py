"""The answers of the chapter on MXNet and Gluon. Nothing here needs MXNet."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gdcourse._answers._kinds import Answer


def _divided_twice() -> Answer:
    return Answer(
        0.4 / 20,
        {
            "That is the rate that was meant; the gradient is divided a second time.": 0.4,
            "The mean is divided by 20, and not multiplied.": 8,
            "That divides by 20 twice: the mean gradient is what the rate is for.": 0.4 / 400,
            "That is with neither of the two dividing, the other way around.": 160,
            "That is what is left of the gradient; times the rate.": 1 / 20,
        },
    )


def _stronger_decay() -> Answer:
    return Answer(
        0.01 * 2 / (50 / 100),
        {
            "The decay is not divided by 100, the gradient is: they no longer balance.": 0.02,
            "The other way around: the gradient counts half, so it must be larger.": 0.01,
            "Only the gradient is divided anew, by 2; the decay stays 0.01 times 2.": 0.08,
            "That is the decay as it seems to be now; the parameter is 2.": 0.005,
            "That is the step of the decay, with the rate; at rest the rate cancels.": 0.002,
        },
    )


def _adam_divides() -> Answer:
    return Answer(
        1e-8 * 100,
        {
            "The gradients shrink and ε does not: beside them it is larger.": 1e-10,
            "The gradients' size cancels but for ε, which stays as it is.": 1e-8,
            "ε stands beside the root: it counts once, not squared.": 1e-4,
            "That is with a root too many: √v is a hundredth, and v a ten-thousandth.": 1e-7,
        },
    )


def _lost_step() -> Answer:
    lost, moves = np.float32(1e-8), np.float32(1e-5)
    while np.nextafter(lost, moves) < moves:
        middle = (lost + moves) / np.float32(2)
        stays = np.float32(8) - middle == np.float32(8)
        lost, moves = (middle, moves) if stays else (lost, middle)
    return Answer(
        float(lost),
        {
            "That is for the gradient -1 (or the distance to the next number below; half of it is "
            "rounded away).": 2**-21,
            "That is for the parameter 1.": 2**-25,
            "That is for the parameter 1 and the gradient -1.": 2**-24,
            "That is the distance from 1 to the next number.": 2**-23,
            "That is the distance from 8 to the next number away from 0.": 2**-20,
        },
        rtol=2e-2,  # 2.4e-7
    )


#: By the label of the exercise.
ANSWERS: dict[str, Callable[[], Answer]] = {
    "ex-mx-twice": _divided_twice,
    "ex-mx-decay": _stronger_decay,
    "ex-mx-adam": _adam_divides,
    "ex-mx-lost": _lost_step,
}
