"""The rules of :mod:`gdcourse.optimizers` as other frameworks write them, where they differ.

PyTorch, Optax, Keras and MXNet give the same names to rules that are not quite the same: the rate
stands inside or outside of the velocity, epsilon inside or outside of the root, a maximum is taken
before or after a correction. Each class here is one such form, and says which frameworks run it;
what is not here they run as :mod:`gdcourse.optimizers` has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gdcourse._validation import check_interval, check_step
from gdcourse.optimizers import (
    AdaGradState,
    AdamState,
    AMSGradState,
    MomentumState,
    RMSPropState,
)

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class MomentumRateOutside:
    """Momentum as in PyTorch and Optax: the rate multiplies the velocity, and is not in it.

    With the learning rate η (``lr``), the momentum μ (``momentum``) and the velocity v,
    zero at the start::

        v <- μ v + g
        x <- x - η v

    Parameters
    ----------
    lr : float, 0 <= lr < inf, default 1e-3
        Learning rate.
    momentum : float, 0 <= momentum < 1, default 0.9
        Share of the velocity that is kept from step to step.

    Notes
    -----
    Equal to :class:`gdcourse.optimizers.Momentum` as long as lr is constant. When lr falls, so
    does the whole next step: the velocity holds gradients, and the new rate applies to all.

    Examples
    --------
    >>> rule = MomentumRateOutside(lr=0.1, momentum=0.5)
    >>> x = np.array([1.0, -2.0])
    >>> x, state = rule.update(x, 2 * x, rule.init(x))
    >>> x, state = rule.update(x, 2 * x, state)
    >>> x
    array([ 0.54, -1.08])
    """

    lr: float = 1e-3
    momentum: float = 0.9

    def __post_init__(self) -> None:
        check_interval("MomentumRateOutside", "lr", self.lr, 0)
        check_interval("MomentumRateOutside", "momentum", self.momentum, 0, 1)

    def init(self, x: Array) -> MomentumState:
        """Return the state before the first step: a ball at rest."""
        return MomentumState(v=np.zeros_like(x))

    def update(self, x: Array, grad: Array, state: MomentumState) -> tuple[Array, MomentumState]:
        """Return the point after one step, and the state."""
        check_step("MomentumRateOutside", x, grad)
        v = self.momentum * state.v + grad
        return x - self.lr * v, MomentumState(v)


@dataclass(frozen=True)
class NesterovRateOutside:
    """Nesterov's rule as in PyTorch and Optax: the rate is not in the velocity.

    With the learning rate η (``lr``), the momentum μ (``momentum``) and the velocity v,
    zero at the start::

        v <- μ v + g
        x <- x - η (g + μ v)

    where the second line uses the new v.

    Parameters
    ----------
    lr : float, 0 <= lr < inf, default 1e-3
        Learning rate.
    momentum : float, 0 <= momentum < 1, default 0.9
        Share of the velocity that is kept from step to step.

    Notes
    -----
    Equal to :class:`gdcourse.optimizers.Nesterov` as long as lr is constant.

    Examples
    --------
    >>> rule = NesterovRateOutside(lr=0.1, momentum=0.5)
    >>> x = np.array([1.0, -2.0])
    >>> x, state = rule.update(x, 2 * x, rule.init(x))
    >>> x
    array([ 0.7, -1.4])
    """

    lr: float = 1e-3
    momentum: float = 0.9

    def __post_init__(self) -> None:
        check_interval("NesterovRateOutside", "lr", self.lr, 0)
        check_interval("NesterovRateOutside", "momentum", self.momentum, 0, 1)

    def init(self, x: Array) -> MomentumState:
        """Return the state before the first step: a ball at rest."""
        return MomentumState(v=np.zeros_like(x))

    def update(self, x: Array, grad: Array, state: MomentumState) -> tuple[Array, MomentumState]:
        """Return the point after one step, and the state."""
        check_step("NesterovRateOutside", x, grad)
        v = self.momentum * state.v + grad
        return x - self.lr * (grad + self.momentum * v), MomentumState(v)


@dataclass(frozen=True)
class AdaGradEpsInside:
    """AdaGrad as in Optax, Keras and MXNet: epsilon is added under the root.

    With the learning rate η (``lr``), ε (``eps``) and the sum s, which starts at
    ``initial``::

        s <- s + g²
        x <- x - η g / √(s + ε)

    Parameters
    ----------
    lr : float, 0 <= lr < inf, default 1e-2
        Learning rate.
    eps : float, 0 <= eps < inf, default 1e-7
        Keeps the quotient finite while s is 0. A square root of it, 3e-4, is what it is worth
        beside the root of s.
    initial : float, 0 <= initial < inf, default 0.1
        What the sum starts with: 0.1 in Optax and Keras, 0 in MXNet.

    Notes
    -----
    Where a gradient is 0 and s is, the step is 0 if eps is positive. Optax makes it 0 always.

    Examples
    --------
    >>> rule = AdaGradEpsInside(lr=0.1, eps=5.0, initial=0.0)
    >>> x = np.array([1.0, -2.0])
    >>> x, state = rule.update(x, 2 * x, rule.init(x))
    >>> np.round(x, 6)
    array([ 0.933333, -1.912713])
    """

    lr: float = 1e-2
    eps: float = 1e-7
    initial: float = 0.1

    def __post_init__(self) -> None:
        check_interval("AdaGradEpsInside", "lr", self.lr, 0)
        check_interval("AdaGradEpsInside", "eps", self.eps, 0)
        check_interval("AdaGradEpsInside", "initial", self.initial, 0)

    def init(self, x: Array) -> AdaGradState:
        """Return the state before the first step: no gradient seen, but for what is given."""
        return AdaGradState(s=np.full_like(x, self.initial))

    def update(self, x: Array, grad: Array, state: AdaGradState) -> tuple[Array, AdaGradState]:
        """Return the point after one step, and the state."""
        check_step("AdaGradEpsInside", x, grad)
        s = state.s + grad**2
        return x - self.lr * grad / np.sqrt(s + self.eps), AdaGradState(s)


@dataclass(frozen=True)
class RMSPropEpsInside:
    """RMSProp as in Optax, Keras and MXNet: epsilon is added under the root.

    With the learning rate η (``lr``), the decay ρ (``rho``), ε (``eps``) and the running mean
    s, zero at the start::

        s <- ρ s + (1 - ρ) g²
        x <- x - η g / √(s + ε)

    Parameters
    ----------
    lr : float, 0 <= lr < inf, default 1e-3
        Learning rate.
    rho : float, 0 <= rho < 1, default 0.9
        Share of the running mean that is kept: ``decay`` in Optax, ``gamma1`` in MXNet.
    eps : float, 0 <= eps < inf, default 1e-8
        Keeps the quotient finite while s is 0.

    Examples
    --------
    >>> rule = RMSPropEpsInside(lr=0.1, rho=0.75, eps=3.0)
    >>> x = np.array([1.0, -2.0])
    >>> x, state = rule.update(x, 2 * x, rule.init(x))
    >>> np.round(x, 6)
    array([ 0.9     , -1.848814])
    """

    lr: float = 1e-3
    rho: float = 0.9
    eps: float = 1e-8

    def __post_init__(self) -> None:
        check_interval("RMSPropEpsInside", "lr", self.lr, 0)
        check_interval("RMSPropEpsInside", "rho", self.rho, 0, 1)
        check_interval("RMSPropEpsInside", "eps", self.eps, 0)

    def init(self, x: Array) -> RMSPropState:
        """Return the state before the first step: no gradient seen."""
        return RMSPropState(s=np.zeros_like(x))

    def update(self, x: Array, grad: Array, state: RMSPropState) -> tuple[Array, RMSPropState]:
        """Return the point after one step, and the state."""
        check_step("RMSPropEpsInside", x, grad)
        s = self.rho * state.s + (1 - self.rho) * grad**2
        return x - self.lr * grad / np.sqrt(s + self.eps), RMSPropState(s)


@dataclass(frozen=True)
class AdamEpsHat:
    """Adam, or AdamW, as in Keras and MXNet: epsilon is added before the correction.

    With the learning rate η (``lr``), β₁ (``beta1``), β₂ (``beta2``), ε̂ (``eps``), λ
    (``weight_decay``), the moments m and v, zero at the start, and t counting steps from 1::

        t <- t + 1
        m <- β₁ m + (1 - β₁) g
        v <- β₂ v + (1 - β₂) g²
        x <- (1 - η λ) x - η √(1 - β₂^t) / (1 - β₁^t) m / (√v + ε̂)

    Parameters
    ----------
    lr : float, 0 <= lr < inf, default 1e-3
        Learning rate.
    beta1 : float, 0 <= beta1 < 1, default 0.9
        Share of the first moment that is kept.
    beta2 : float, 0 <= beta2 < 1, default 0.999
        Share of the second moment that is kept.
    eps : float, 0 <= eps < inf, default 1e-7
        Keras' default; MXNet's is 1e-8. It stands beside √v, which at the first step is √(1 - β₂)
        times the gradient: with β₂ = 0.999 it weighs 32 times as much there as Adam's own.
    weight_decay : float, 0 <= weight_decay < inf, default 0
        Decay λ of the weights per unit of learning rate.

    Notes
    -----
    The paper calls this the faster form, and its constant ε̂. It is
    :class:`gdcourse.optimizers.Adam` with ε = ε̂ / √(1 - β₂^t), another one at each step.

    References
    ----------
    D. Kingma, J. Ba, Adam: a method for stochastic optimization, 2015, end of section 2.

    Examples
    --------
    >>> rule = AdamEpsHat(lr=0.1, beta2=0.75, eps=1.0)
    >>> x = np.array([1.0, -2.0])
    >>> x, state = rule.update(x, 2 * x, rule.init(x))
    >>> np.round(x, 6)
    array([ 0.95    , -1.933333])
    """

    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-7
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        check_interval("AdamEpsHat", "lr", self.lr, 0)
        check_interval("AdamEpsHat", "beta1", self.beta1, 0, 1)
        check_interval("AdamEpsHat", "beta2", self.beta2, 0, 1)
        check_interval("AdamEpsHat", "eps", self.eps, 0)
        check_interval("AdamEpsHat", "weight_decay", self.weight_decay, 0)

    def init(self, x: Array) -> AdamState:
        """Return the state before the first step: no step taken, no gradient seen."""
        return AdamState(t=0, m=np.zeros_like(x), v=np.zeros_like(x))

    def update(self, x: Array, grad: Array, state: AdamState) -> tuple[Array, AdamState]:
        """Return the point after one step, and the state."""
        check_step("AdamEpsHat", x, grad)
        t = state.t + 1
        m = self.beta1 * state.m + (1 - self.beta1) * grad
        v = self.beta2 * state.v + (1 - self.beta2) * grad**2
        lr = self.lr * (1 - self.beta2**t) ** 0.5 / (1 - self.beta1**t)
        x = (1 - self.lr * self.weight_decay) * x
        return x - lr * m / (np.sqrt(v) + self.eps), AdamState(t, m, v)


@dataclass(frozen=True)
class AMSGradCorrectedFirst:
    """AMSGrad as in Optax: the maximum is taken of the corrected second moment.

    With the learning rate η (``lr``), β₁ (``beta1``), β₂ (``beta2``), ε (``eps``), the moments
    m and v and the maximum u, zero at the start, and t counting steps from 1::

        t <- t + 1
        m <- β₁ m + (1 - β₁) g
        v <- β₂ v + (1 - β₂) g²
        u <- max(u, v / (1 - β₂^t))
        x <- x - η (m / (1 - β₁^t)) / (√u + ε)

    Parameters
    ----------
    lr : float, 0 <= lr < inf, default 1e-3
        Learning rate.
    beta1 : float, 0 <= beta1 < 1, default 0.9
        Share of the first moment that is kept.
    beta2 : float, 0 <= beta2 < 1, default 0.999
        Share of the second moment that is kept.
    eps : float, 0 <= eps < inf, default 1e-8
        Keeps the quotient finite while u is 0.

    Notes
    -----
    The corrected moment of a first step is the whole square of its gradient. A large one stays
    in the maximum, where :class:`gdcourse.optimizers.AMSGrad` forgets the correction with the time.

    Examples
    --------
    >>> rule = AMSGradCorrectedFirst(lr=0.1)
    >>> x = np.array([1.0, -2.0])
    >>> x, state = rule.update(x, 2 * x, rule.init(x))
    >>> np.round(x, 6), state.u
    (array([ 0.9, -1.9]), array([ 4., 16.]))
    """

    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        check_interval("AMSGradCorrectedFirst", "lr", self.lr, 0)
        check_interval("AMSGradCorrectedFirst", "beta1", self.beta1, 0, 1)
        check_interval("AMSGradCorrectedFirst", "beta2", self.beta2, 0, 1)
        check_interval("AMSGradCorrectedFirst", "eps", self.eps, 0)

    def init(self, x: Array) -> AMSGradState:
        """Return the state before the first step: no step taken, no gradient seen."""
        return AMSGradState(t=0, m=np.zeros_like(x), v=np.zeros_like(x), u=np.zeros_like(x))

    def update(self, x: Array, grad: Array, state: AMSGradState) -> tuple[Array, AMSGradState]:
        """Return the point after one step, and the state."""
        check_step("AMSGradCorrectedFirst", x, grad)
        t = state.t + 1
        m = self.beta1 * state.m + (1 - self.beta1) * grad
        v = self.beta2 * state.v + (1 - self.beta2) * grad**2
        u = np.maximum(state.u, v / (1 - self.beta2**t))
        x = x - self.lr * m / (1 - self.beta1**t) / (np.sqrt(u) + self.eps)
        return x, AMSGradState(t, m, v, u)


@dataclass(frozen=True)
class AMSGradEpsHat:
    """AMSGrad as in Keras: as in the package, with epsilon added before the correction.

    With the learning rate η (``lr``), β₁ (``beta1``), β₂ (``beta2``), ε̂ (``eps``), the moments
    m and v and the maximum u, zero at the start, and t counting steps from 1::

        t <- t + 1
        m <- β₁ m + (1 - β₁) g
        v <- β₂ v + (1 - β₂) g²
        u <- max(u, v)
        x <- x - η √(1 - β₂^t) / (1 - β₁^t) m / (√u + ε̂)

    Parameters
    ----------
    lr : float, 0 <= lr < inf, default 1e-3
        Learning rate.
    beta1 : float, 0 <= beta1 < 1, default 0.9
        Share of the first moment that is kept.
    beta2 : float, 0 <= beta2 < 1, default 0.999
        Share of the second moment that is kept.
    eps : float, 0 <= eps < inf, default 1e-7
        Keeps the quotient finite while u is 0.

    Examples
    --------
    >>> rule = AMSGradEpsHat(lr=0.1, beta2=0.75, eps=1.0)
    >>> x = np.array([1.0, -2.0])
    >>> x, state = rule.update(x, 2 * x, rule.init(x))
    >>> np.round(x, 6)
    array([ 0.95    , -1.933333])
    """

    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-7

    def __post_init__(self) -> None:
        check_interval("AMSGradEpsHat", "lr", self.lr, 0)
        check_interval("AMSGradEpsHat", "beta1", self.beta1, 0, 1)
        check_interval("AMSGradEpsHat", "beta2", self.beta2, 0, 1)
        check_interval("AMSGradEpsHat", "eps", self.eps, 0)

    def init(self, x: Array) -> AMSGradState:
        """Return the state before the first step: no step taken, no gradient seen."""
        return AMSGradState(t=0, m=np.zeros_like(x), v=np.zeros_like(x), u=np.zeros_like(x))

    def update(self, x: Array, grad: Array, state: AMSGradState) -> tuple[Array, AMSGradState]:
        """Return the point after one step, and the state."""
        check_step("AMSGradEpsHat", x, grad)
        t = state.t + 1
        m = self.beta1 * state.m + (1 - self.beta1) * grad
        v = self.beta2 * state.v + (1 - self.beta2) * grad**2
        u = np.maximum(state.u, v)
        lr = self.lr * (1 - self.beta2**t) ** 0.5 / (1 - self.beta1**t)
        return x - lr * m / (np.sqrt(u) + self.eps), AMSGradState(t, m, v, u)
