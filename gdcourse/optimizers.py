"""The ten update rules of the course, each as short as its equation.

A rule is a frozen dataclass of hyper-parameters with two pure methods:

- ``init(x)`` returns the state before the first step;
- ``update(x, grad, state)`` returns the next point and the next state.

A rule sees one float array. It changes nothing that it is given, draws no random number,
prints nothing and keeps no count of its own: what it must remember is in the state, a named
tuple with the letters of the equations. Points and gradients may have any shape, and all
arithmetic is elementwise. float64 stays float64; float32 arrays with at least one axis stay
float32. Loops, schedules and the check for numbers that are no longer finite are elsewhere
(:mod:`gdcourse.descent`, :mod:`gdcourse.training`).

In all equations g is the gradient at x, an arrow points to the new value, products, squares
and roots are taken entry by entry. Defaults are PyTorch's unless the docstring says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from gdcourse._validation import check_interval, check_step

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class GradientDescent:
    """Plain gradient descent: one step of length lr times the gradient's norm, downhill.

    With the learning rate η (``lr``)::

        x <- x - η g

    Parameters
    ----------
    lr : float, 0 <= lr < inf, default 1e-3
        Learning rate.

    Notes
    -----
    The state is the empty tuple. Equal to ``torch.optim.SGD(lr=lr)`` and to Gluon's ``sgd``.
    The stochastic and mini-batch methods are this rule with another gradient.

    References
    ----------
    A. Cauchy, Méthode générale pour la résolution des systèmes d'équations simultanées, 1847.

    Examples
    --------
    >>> rule = GradientDescent(lr=0.1)
    >>> x = np.array([1.0, -2.0])
    >>> rule.update(x, 2 * x, rule.init(x))
    (array([ 0.8, -1.6]), ())
    """

    lr: float = 1e-3

    def __post_init__(self) -> None:
        check_interval("GradientDescent", "lr", self.lr, 0)

    def init(self, x: Array) -> tuple[()]:
        """Return the state before the first step: nothing to remember."""
        return ()

    def update(self, x: Array, grad: Array, state: tuple[()]) -> tuple[Array, tuple[()]]:
        """Return the point after one step, and the state."""
        check_step("GradientDescent", x, grad)
        return x - self.lr * grad, state


class MomentumState(NamedTuple):
    """State of :class:`Momentum` and :class:`Nesterov`: v, the velocity."""

    v: Array


@dataclass(frozen=True)
class Momentum:
    """Gradient descent with momentum (the heavy ball).

    With the learning rate η (``lr``), the momentum μ (``momentum``) and the velocity v,
    zero at the start::

        v <- μ v - η g
        x <- x + v

    Parameters
    ----------
    lr : float, 0 <= lr < inf, default 1e-3
        Learning rate.
    momentum : float, 0 <= momentum < 1, default 0.9
        Share of the velocity that is kept from step to step. PyTorch's default is 0, which is
        :class:`GradientDescent`; 0.9 is the customary value.

    Notes
    -----
    The learning rate is inside the velocity, as in Sutskever et al., Keras and MXNet. PyTorch
    keeps it outside (v <- μ v + g, x <- x - η v). The iterates are equal as long as lr is
    constant and part when it changes: here a velocity gathered at the old rate is kept as it
    is, there the new rate applies to it at once.

    References
    ----------
    B. Polyak, Some methods of speeding up the convergence of iteration methods, 1964.
    I. Sutskever, J. Martens, G. Dahl, G. Hinton, On the importance of initialization and
    momentum in deep learning, 2013.

    Examples
    --------
    >>> rule = Momentum(lr=0.1, momentum=0.5)
    >>> x = np.array([1.0, -2.0])
    >>> x, state = rule.update(x, 2 * x, rule.init(x))
    >>> x, state = rule.update(x, 2 * x, state)
    >>> x
    array([ 0.54, -1.08])
    >>> state.v
    array([-0.26,  0.52])
    """

    lr: float = 1e-3
    momentum: float = 0.9

    def __post_init__(self) -> None:
        check_interval("Momentum", "lr", self.lr, 0)
        check_interval("Momentum", "momentum", self.momentum, 0, 1)

    def init(self, x: Array) -> MomentumState:
        """Return the state before the first step: a ball at rest."""
        return MomentumState(v=np.zeros_like(x))

    def update(self, x: Array, grad: Array, state: MomentumState) -> tuple[Array, MomentumState]:
        """Return the point after one step, and the state."""
        check_step("Momentum", x, grad)
        v = self.momentum * state.v - self.lr * grad
        return x + v, MomentumState(v)


@dataclass(frozen=True)
class Nesterov:
    """Nesterov's accelerated gradient, in the form that sees the gradient at x only.

    With the learning rate η (``lr``), the momentum μ (``momentum``) and the velocity v,
    zero at the start::

        v <- μ v - η g
        x <- x + μ v - η g

    where the second line uses the new v.

    Parameters
    ----------
    lr : float, 0 <= lr < inf, default 1e-3
        Learning rate.
    momentum : float, 0 <= momentum < 1, default 0.9
        Share of the velocity that is kept from step to step. PyTorch asks for a value above 0.

    Notes
    -----
    The textbook takes the gradient at the point y + μ v ahead of the iterate y. Writing
    x = y + μ v for that point gives the two lines above, so x is where the gradient is taken.
    Equal to ``torch.optim.SGD(nesterov=True)`` as long as lr is constant (see
    :class:`Momentum`), and to Keras. Gluon's ``nag`` is equal without weight decay.

    References
    ----------
    Y. Nesterov, A method of solving a convex programming problem with convergence rate
    O(1/k^2), 1983. I. Sutskever et al., 2013, for the form with a velocity.

    Examples
    --------
    >>> rule = Nesterov(lr=0.1, momentum=0.5)
    >>> x = np.array([1.0, -2.0])
    >>> x, state = rule.update(x, 2 * x, rule.init(x))
    >>> x
    array([ 0.7, -1.4])
    >>> state.v
    array([-0.2,  0.4])
    """

    lr: float = 1e-3
    momentum: float = 0.9

    def __post_init__(self) -> None:
        check_interval("Nesterov", "lr", self.lr, 0)
        check_interval("Nesterov", "momentum", self.momentum, 0, 1)

    def init(self, x: Array) -> MomentumState:
        """Return the state before the first step: a ball at rest."""
        return MomentumState(v=np.zeros_like(x))

    def update(self, x: Array, grad: Array, state: MomentumState) -> tuple[Array, MomentumState]:
        """Return the point after one step, and the state."""
        check_step("Nesterov", x, grad)
        v = self.momentum * state.v - self.lr * grad
        return x + self.momentum * v - self.lr * grad, MomentumState(v)


class AdaGradState(NamedTuple):
    """State of :class:`AdaGrad`: s, the sum of squared gradients."""

    s: Array


@dataclass(frozen=True)
class AdaGrad:
    """AdaGrad: each coordinate's rate falls with the squares of the gradients it has seen.

    With the learning rate η (``lr``), ε (``eps``) and the sum s, zero at the start::

        s <- s + g²
        x <- x - η g / (√s + ε)

    Parameters
    ----------
    lr : float, 0 <= lr < inf, default 1e-2
        Learning rate.
    eps : float, 0 <= eps < inf, default 1e-10
        Keeps the quotient finite while s is 0. With ``eps=0`` a coordinate whose gradients
        have all been 0 becomes nan.

    Notes
    -----
    Equal to ``torch.optim.Adagrad``. MXNet, Keras and Optax put eps inside the root; Keras and
    Optax start s at 0.1. The paper adds the constant to the root, as here.

    References
    ----------
    J. Duchi, E. Hazan, Y. Singer, Adaptive subgradient methods for online learning and
    stochastic optimization, 2011.

    Examples
    --------
    >>> rule = AdaGrad(lr=0.1)
    >>> x = np.array([1.0, -2.0])
    >>> x, state = rule.update(x, 2 * x, rule.init(x))
    >>> x
    array([ 0.9, -1.9])
    >>> state.s
    array([ 4., 16.])
    """

    lr: float = 1e-2
    eps: float = 1e-10

    def __post_init__(self) -> None:
        check_interval("AdaGrad", "lr", self.lr, 0)
        check_interval("AdaGrad", "eps", self.eps, 0)

    def init(self, x: Array) -> AdaGradState:
        """Return the state before the first step: no gradient seen."""
        return AdaGradState(s=np.zeros_like(x))

    def update(self, x: Array, grad: Array, state: AdaGradState) -> tuple[Array, AdaGradState]:
        """Return the point after one step, and the state."""
        check_step("AdaGrad", x, grad)
        s = state.s + grad**2
        return x - self.lr * grad / (np.sqrt(s) + self.eps), AdaGradState(s)


class RMSPropState(NamedTuple):
    """State of :class:`RMSProp`: s, the running mean of squared gradients."""

    s: Array


@dataclass(frozen=True)
class RMSProp:
    """RMSProp: AdaGrad with a running mean, so that old gradients are forgotten.

    With the learning rate η (``lr``), the decay ρ (``rho``), ε (``eps``) and the running mean
    s, zero at the start::

        s <- ρ s + (1 - ρ) g²
        x <- x - η g / (√s + ε)

    Parameters
    ----------
    lr : float, 0 <= lr < inf, default 1e-2
        Learning rate.
    rho : float, 0 <= rho < 1, default 0.99
        Share of the running mean that is kept. Hinton's lecture uses 0.9; PyTorch calls it
        ``alpha``.
    eps : float, 0 <= eps < inf, default 1e-8
        Keeps the quotient finite while s is 0. With ``eps=0`` a coordinate whose gradients
        have all been 0 becomes nan.

    Notes
    -----
    Equal to ``torch.optim.RMSprop``. MXNet, Keras and Optax put eps inside the root.

    References
    ----------
    T. Tieleman, G. Hinton, Lecture 6.5, Neural Networks for Machine Learning, 2012.

    Examples
    --------
    >>> rule = RMSProp(lr=0.1, rho=0.75, eps=0.0)
    >>> x = np.array([1.0, -2.0])
    >>> x, state = rule.update(x, 2 * x, rule.init(x))
    >>> x
    array([ 0.8, -1.8])
    >>> state.s
    array([1., 4.])
    """

    lr: float = 1e-2
    rho: float = 0.99
    eps: float = 1e-8

    def __post_init__(self) -> None:
        check_interval("RMSProp", "lr", self.lr, 0)
        check_interval("RMSProp", "rho", self.rho, 0, 1)
        check_interval("RMSProp", "eps", self.eps, 0)

    def init(self, x: Array) -> RMSPropState:
        """Return the state before the first step: no gradient seen."""
        return RMSPropState(s=np.zeros_like(x))

    def update(self, x: Array, grad: Array, state: RMSPropState) -> tuple[Array, RMSPropState]:
        """Return the point after one step, and the state."""
        check_step("RMSProp", x, grad)
        s = self.rho * state.s + (1 - self.rho) * grad**2
        return x - self.lr * grad / (np.sqrt(s) + self.eps), RMSPropState(s)


class AdaDeltaState(NamedTuple):
    """State of :class:`AdaDelta`: running means of squared gradients, s, and steps, d."""

    s: Array
    d: Array


@dataclass(frozen=True)
class AdaDelta:
    """AdaDelta: the step is scaled by the size of the steps before it.

    With the learning rate η (``lr``), the decay ρ (``rho``), ε (``eps``), the running means s
    of squared gradients and d of squared steps, both zero at the start, and the step δ::

        s <- ρ s + (1 - ρ) g²
        δ  = √(d + ε) / √(s + ε) g
        d <- ρ d + (1 - ρ) δ²
        x <- x - η δ

    Parameters
    ----------
    lr : float, 0 <= lr < inf, default 1.0
        Learning rate; 1 is the method of the paper, which has none.
    rho : float, 0 <= rho < 1, default 0.9
        Share of both running means that is kept.
    eps : float, 0 <= eps < inf, default 1e-6
        Inside both roots: it sets the size of the first steps. With ``eps=0`` no step is ever
        taken, and a gradient of 0 gives nan.

    Notes
    -----
    Equal to ``torch.optim.Adadelta``. MXNet has no learning rate here and ignores the one it
    is given.

    References
    ----------
    M. Zeiler, ADADELTA: an adaptive learning rate method, 2012.

    Examples
    --------
    >>> rule = AdaDelta(rho=0.75, eps=3.0)
    >>> x = np.array([1.0, -2.0])
    >>> x, state = rule.update(x, 2 * x, rule.init(x))
    >>> state.s
    array([1., 4.])
    >>> np.round(x, 6)
    array([-0.732051,  0.618615])
    """

    lr: float = 1.0
    rho: float = 0.9
    eps: float = 1e-6

    def __post_init__(self) -> None:
        check_interval("AdaDelta", "lr", self.lr, 0)
        check_interval("AdaDelta", "rho", self.rho, 0, 1)
        check_interval("AdaDelta", "eps", self.eps, 0)

    def init(self, x: Array) -> AdaDeltaState:
        """Return the state before the first step: no gradient seen, no step taken."""
        return AdaDeltaState(s=np.zeros_like(x), d=np.zeros_like(x))

    def update(self, x: Array, grad: Array, state: AdaDeltaState) -> tuple[Array, AdaDeltaState]:
        """Return the point after one step, and the state."""
        check_step("AdaDelta", x, grad)
        s = self.rho * state.s + (1 - self.rho) * grad**2
        delta = np.sqrt(state.d + self.eps) / np.sqrt(s + self.eps) * grad
        d = self.rho * state.d + (1 - self.rho) * delta**2
        return x - self.lr * delta, AdaDeltaState(s, d)


class AdamState(NamedTuple):
    """State of :class:`Adam` and :class:`AdamW`: t, the steps taken, and both moments."""

    t: int
    m: Array
    v: Array


@dataclass(frozen=True)
class Adam:
    """Adam: momentum over RMSProp, both corrected for their start at zero.

    With the learning rate η (``lr``), β₁ (``beta1``), β₂ (``beta2``), ε (``eps``), the moments
    m and v, zero at the start, and t counting steps from 1::

        t <- t + 1
        m <- β₁ m + (1 - β₁) g
        v <- β₂ v + (1 - β₂) g²
        x <- x - η (m / (1 - β₁^t)) / (√(v / (1 - β₂^t)) + ε)

    Parameters
    ----------
    lr : float, 0 <= lr < inf, default 1e-3
        Learning rate: close to the largest move of a coordinate in one step.
    beta1 : float, 0 <= beta1 < 1, default 0.9
        Share of the first moment that is kept.
    beta2 : float, 0 <= beta2 < 1, default 0.999
        Share of the second moment that is kept.
    eps : float, 0 <= eps < inf, default 1e-8
        Keeps the quotient finite while v is 0. With ``eps=0`` a coordinate whose gradients
        have all been 0 becomes nan.

    Notes
    -----
    This is Algorithm 1 of the paper, and equal to ``torch.optim.Adam``. MXNet and Keras use
    the paper's faster form, η √(1 - β₂^t) / (1 - β₁^t) m / (√v + ε), where eps is not corrected
    with the rest and so weighs more in the first steps.

    References
    ----------
    D. Kingma, J. Ba, Adam: a method for stochastic optimization, 2015.

    Examples
    --------
    >>> rule = Adam(lr=0.1)
    >>> x = np.array([1.0, -2.0])
    >>> x, state = rule.update(x, 2 * x, rule.init(x))
    >>> np.round(x, 6)
    array([ 0.9, -1.9])
    >>> state.t
    1
    """

    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        check_interval("Adam", "lr", self.lr, 0)
        check_interval("Adam", "beta1", self.beta1, 0, 1)
        check_interval("Adam", "beta2", self.beta2, 0, 1)
        check_interval("Adam", "eps", self.eps, 0)

    def init(self, x: Array) -> AdamState:
        """Return the state before the first step: no step taken, no gradient seen."""
        return AdamState(t=0, m=np.zeros_like(x), v=np.zeros_like(x))

    def update(self, x: Array, grad: Array, state: AdamState) -> tuple[Array, AdamState]:
        """Return the point after one step, and the state."""
        check_step("Adam", x, grad)
        t = state.t + 1
        m = self.beta1 * state.m + (1 - self.beta1) * grad
        v = self.beta2 * state.v + (1 - self.beta2) * grad**2
        m_hat = m / (1 - self.beta1**t)
        v_hat = v / (1 - self.beta2**t)
        x = x - self.lr * m_hat / (np.sqrt(v_hat) + self.eps)
        return x, AdamState(t, m, v)


@dataclass(frozen=True)
class AdamW:
    """AdamW: Adam, with the weights shrunk beside the step and not through the gradient.

    With λ (``weight_decay``) and the letters of :class:`Adam`::

        t <- t + 1
        m <- β₁ m + (1 - β₁) g
        v <- β₂ v + (1 - β₂) g²
        x <- (1 - η λ) x - η (m / (1 - β₁^t)) / (√(v / (1 - β₂^t)) + ε)

    Parameters
    ----------
    lr : float, 0 <= lr < inf, default 1e-3
        Learning rate; it scales the decay too.
    beta1 : float, 0 <= beta1 < 1, default 0.9
        Share of the first moment that is kept.
    beta2 : float, 0 <= beta2 < 1, default 0.999
        Share of the second moment that is kept.
    eps : float, 0 <= eps < inf, default 1e-8
        Keeps the quotient finite while v is 0. With ``eps=0`` a coordinate whose gradients
        have all been 0 becomes nan.
    weight_decay : float, 0 <= weight_decay < inf, default 1e-2
        Decay λ of the weights per unit of learning rate.

    Notes
    -----
    Equal to ``torch.optim.AdamW``. The paper scales the decay by a schedule only and not by
    lr: its λ is η λ here. Every entry of x decays, an intercept too.

    References
    ----------
    I. Loshchilov, F. Hutter, Decoupled weight decay regularization, 2019.

    Examples
    --------
    >>> rule = AdamW(lr=0.1, weight_decay=0.5)
    >>> x = np.array([1.0, -2.0])
    >>> x, state = rule.update(x, 2 * x, rule.init(x))
    >>> np.round(x, 6)
    array([ 0.85, -1.8 ])
    """

    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 1e-2

    def __post_init__(self) -> None:
        check_interval("AdamW", "lr", self.lr, 0)
        check_interval("AdamW", "beta1", self.beta1, 0, 1)
        check_interval("AdamW", "beta2", self.beta2, 0, 1)
        check_interval("AdamW", "eps", self.eps, 0)
        check_interval("AdamW", "weight_decay", self.weight_decay, 0)

    def init(self, x: Array) -> AdamState:
        """Return the state before the first step: no step taken, no gradient seen."""
        return AdamState(t=0, m=np.zeros_like(x), v=np.zeros_like(x))

    def update(self, x: Array, grad: Array, state: AdamState) -> tuple[Array, AdamState]:
        """Return the point after one step, and the state."""
        check_step("AdamW", x, grad)
        t = state.t + 1
        m = self.beta1 * state.m + (1 - self.beta1) * grad
        v = self.beta2 * state.v + (1 - self.beta2) * grad**2
        m_hat = m / (1 - self.beta1**t)
        v_hat = v / (1 - self.beta2**t)
        shrunk = (1 - self.lr * self.weight_decay) * x
        x = shrunk - self.lr * m_hat / (np.sqrt(v_hat) + self.eps)
        return x, AdamState(t, m, v)


class AMSGradState(NamedTuple):
    """State of :class:`AMSGrad`: Adam's, and u, the largest second moment so far."""

    t: int
    m: Array
    v: Array
    u: Array


@dataclass(frozen=True)
class AMSGrad:
    """AMSGrad: Adam whose second moment is never allowed to shrink.

    With the letters of :class:`Adam` and the largest second moment u, zero at the start::

        t <- t + 1
        m <- β₁ m + (1 - β₁) g
        v <- β₂ v + (1 - β₂) g²
        u <- max(u, v)
        x <- x - η (m / (1 - β₁^t)) / (√(u / (1 - β₂^t)) + ε)

    Parameters
    ----------
    lr : float, 0 <= lr < inf, default 1e-3
        Learning rate.
    beta1 : float, 0 <= beta1 < 1, default 0.9
        Share of the first moment that is kept.
    beta2 : float, 0 <= beta2 < 1, default 0.999
        Share of the second moment that is kept.
    eps : float, 0 <= eps < inf, default 1e-8
        Keeps the quotient finite while u is 0. With ``eps=0`` a coordinate whose gradients
        have all been 0 becomes nan.

    Notes
    -----
    Equal to ``torch.optim.Adam(amsgrad=True)``: the maximum is taken of the raw v and corrected
    afterwards. Optax takes the maximum of the corrected v, which gives other iterates. The
    paper has no correction at all, and lets η fall as 1/√t.

    References
    ----------
    S. Reddi, S. Kale, S. Kumar, On the convergence of Adam and beyond, 2018.

    Examples
    --------
    >>> rule = AMSGrad(lr=0.1)
    >>> x = np.array([1.0, -2.0])
    >>> x, state = rule.update(x, 2 * x, rule.init(x))
    >>> np.round(x, 6)
    array([ 0.9, -1.9])
    """

    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        check_interval("AMSGrad", "lr", self.lr, 0)
        check_interval("AMSGrad", "beta1", self.beta1, 0, 1)
        check_interval("AMSGrad", "beta2", self.beta2, 0, 1)
        check_interval("AMSGrad", "eps", self.eps, 0)

    def init(self, x: Array) -> AMSGradState:
        """Return the state before the first step: no step taken, no gradient seen."""
        return AMSGradState(t=0, m=np.zeros_like(x), v=np.zeros_like(x), u=np.zeros_like(x))

    def update(self, x: Array, grad: Array, state: AMSGradState) -> tuple[Array, AMSGradState]:
        """Return the point after one step, and the state."""
        check_step("AMSGrad", x, grad)
        t = state.t + 1
        m = self.beta1 * state.m + (1 - self.beta1) * grad
        v = self.beta2 * state.v + (1 - self.beta2) * grad**2
        u = np.maximum(state.u, v)
        m_hat = m / (1 - self.beta1**t)
        u_hat = u / (1 - self.beta2**t)
        x = x - self.lr * m_hat / (np.sqrt(u_hat) + self.eps)
        return x, AMSGradState(t, m, v, u)


class LionState(NamedTuple):
    """State of :class:`Lion`: m, the running mean of gradients."""

    m: Array


@dataclass(frozen=True)
class Lion:
    """Lion: every coordinate moves by the same length, in the direction of a running mean.

    With the learning rate η (``lr``), β₁ (``beta1``), β₂ (``beta2``), λ (``weight_decay``) and
    the running mean m, zero at the start::

        x <- x - η (sign(β₁ m + (1 - β₁) g) + λ x)
        m <- β₂ m + (1 - β₂) g

    where the first line uses the old m.

    Parameters
    ----------
    lr : float, 0 <= lr < inf, default 1e-4
        Learning rate: the length of every coordinate's move, weight decay apart.
    beta1 : float, 0 <= beta1 < 1, default 0.9
        Weight of the running mean in the direction of the step.
    beta2 : float, 0 <= beta2 < 1, default 0.99
        Share of the running mean that is kept.
    weight_decay : float, 0 <= weight_decay < inf, default 0
        Decay λ of the weights per unit of learning rate.

    Notes
    -----
    Defaults are the paper's. Equal to Optax's ``lion``; PyTorch 2.13 has none. The sign of 0
    is 0, so a coordinate that has seen no gradient stays.

    References
    ----------
    X. Chen et al., Symbolic discovery of optimization algorithms, 2023.

    Examples
    --------
    >>> rule = Lion(lr=0.1)
    >>> x = np.array([1.0, -2.0])
    >>> x, state = rule.update(x, 2 * x, rule.init(x))
    >>> x
    array([ 0.9, -1.9])
    >>> np.round(state.m, 6)
    array([ 0.02, -0.04])
    """

    lr: float = 1e-4
    beta1: float = 0.9
    beta2: float = 0.99
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        check_interval("Lion", "lr", self.lr, 0)
        check_interval("Lion", "beta1", self.beta1, 0, 1)
        check_interval("Lion", "beta2", self.beta2, 0, 1)
        check_interval("Lion", "weight_decay", self.weight_decay, 0)

    def init(self, x: Array) -> LionState:
        """Return the state before the first step: no gradient seen."""
        return LionState(m=np.zeros_like(x))

    def update(self, x: Array, grad: Array, state: LionState) -> tuple[Array, LionState]:
        """Return the point after one step, and the state."""
        check_step("Lion", x, grad)
        direction = np.sign(self.beta1 * state.m + (1 - self.beta1) * grad)
        m = self.beta2 * state.m + (1 - self.beta2) * grad
        x = x - self.lr * (direction + self.weight_decay * x)
        return x, LionState(m)
