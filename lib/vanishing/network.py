"""MLP: a description of a deep network; its initialisation and its forward pass."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, PRNGKeyArray, PyTree

from vanishing import _checks, activations, initializers
from vanishing._layers import (
    Statistics,
    climb,
    matmul,
    moments,
    normalize,
    read_in,
    read_out,
    step,
)
from vanishing._types import AnyArray, Scalar, pytree

Params = dict[str, AnyArray | dict[str, AnyArray]]
NORMALIZATIONS = (None, "batch", "layer")
# Leaves of the pytree that a network is; all else of it is static.
SCALES = ("sigma_w", "sigma_b", "epsilon", "residual")


@pytree(*SCALES)
@dataclass(frozen=True)
class MLP(_checks.Description):
    """A multilayer perceptron of `depth` layers, each `width` wide.

    A plain network and a residual one with branch scale α:

        h_l = φ(N(z_l)),   z_l = h_{l-1} W_l + b_l
        h_l = h_{l-1} + α (φ(N(h_{l-1})) W_l + b_l)

    N is the normalisation, always before the activation. The residual branch is in the
    pre-activation order N → φ → W of He et al. 2016, so that at initialisation it has zero
    mean and adds its variance to the stream's.

    A description is frozen and hashable, and holds no weights. Its scales (`sigma_w`,
    `sigma_b`, `epsilon`, `residual`) are leaves of a pytree, so that one executable serves
    every value of them; the rest is static.

    Attributes:
        depth: L, the number of layers.
        width: n, units per layer.
        activation: φ, a name in `activations.ACTIVATIONS` or an elementwise JAX callable.
        initializer: a name in `initializers.INITIALIZERS`; "xavier" where neither it nor
            `sigma_w` is given.
        sigma_w: σ_w; weights N(0, σ_w²/n) instead of a named initialiser.
        sigma_b: σ_b; biases N(0, σ_b²) instead of the initialiser's.
        normalization: None, "batch" (batch statistics, biased variance) or "layer".
        epsilon: added to the variance in the normalisation.
        residual: α, or None for a plain network.
        in_features: size of an affine read-in before layer 1, or None.
        out_features: size of an affine read-out after layer L, or None.

    Raises:
        ValueError, TypeError: a field is out of range or of the wrong kind.

    >>> net = vg.MLP(depth=50, width=64, activation="relu", initializer="he")
    >>> vg.init(net, key=jax.random.key(0))["weights"].shape
    (50, 64, 64)
    """

    SCALES: ClassVar = SCALES

    depth: int
    width: int
    activation: str | Callable[[Array], Array] = "tanh"
    initializer: str | None = None
    sigma_w: Scalar | None = None
    sigma_b: Scalar | None = None
    normalization: str | None = None
    epsilon: Scalar = 1e-5
    residual: Scalar | None = None
    in_features: int | None = None
    out_features: int | None = None

    def __post_init__(self):
        for name in ("depth", "width", "in_features", "out_features"):
            value = getattr(self, name)
            if value is not None or name in ("depth", "width"):
                object.__setattr__(self, name, _checks.whole(name, value, 1))
        for name in self.SCALES:
            if (value := getattr(self, name)) is not None or name == "epsilon":
                object.__setattr__(self, name, _checks.scale(name, value))
        activations.get(self.activation)
        if self.initializer is None:
            chosen = "xavier" if self.sigma_w is None else "gaussian"
            object.__setattr__(self, "initializer", chosen)
        initializers.get(self.initializer)
        if self.sigma_w is not None and self.initializer != "gaussian":
            raise ValueError(
                f"initializer: expected none beside sigma_w; got {self.initializer!r} and "
                f"sigma_w={self.sigma_w}. Give one of the two."
            )
        if not isinstance(self.normalization, str | None) or (
            self.normalization not in NORMALIZATIONS
        ):
            raise ValueError(
                f"normalization: expected None, 'batch' or 'layer'; got {self.normalization!r}."
                " Check the spelling."
            )

    def shapes(self):
        """The structure and shapes that `init` gives, without drawing anything."""
        return _shapes(self.depth, self.width, self.in_features, self.out_features)

    @property
    def phi(self) -> activations.Activation:
        """The elementwise function φ itself."""
        return activations.get(self.activation)

    @property
    def gain(self) -> Scalar:
        """σ_w as the theory wants it: the standard deviation of a weight times √n.

        "lsuv" chooses a gain for each layer, on data; this is the one that it settles at in a
        wide network, 1 / √E[φ²] for the pre-activations of variance 1 + σ_b² that it makes.
        """
        if self.initializer == "lsuv":
            return activations.second_moment(self.activation, 1.0 + self.bias_gain**2) ** -0.5
        named = initializers.get(self.initializer).gain
        return named if self.sigma_w is None else self.sigma_w

    @property
    def bias_gain(self) -> Scalar:
        """σ_b as the theory wants it: the standard deviation of a bias."""
        named = initializers.get(self.initializer).bias_gain / self.width**0.5
        return named if self.sigma_b is None else self.sigma_b


class Trace(NamedTuple):
    """Every layer's signals on the way up.

    Attributes:
        pre: what φ receives: N(z_l) in a plain network, N(h_{l-1}) in a residual one.
        post: h_l, what the layer hands on.
    """

    pre: Float[Array, "depth batch width"]
    post: Float[Array, "depth batch width"]


@lru_cache(maxsize=256)
def _shapes(
    depth: int, width: int, in_features: int | None, out_features: int | None
) -> PyTree[jax.ShapeDtypeStruct]:
    net = MLP(depth=depth, width=width, in_features=in_features, out_features=out_features)
    return jax.eval_shape(lambda: init(net, key=jax.random.key(0)))


@jax.jit
def _init(net: MLP, key: PRNGKeyArray) -> Params:
    def affine(key, stack, fan_in, fan_out):
        weight_key, bias_key = jax.random.split(key)
        weights = initializers.weights(net.initializer, (*stack, fan_in, fan_out), key=weight_key)
        if net.sigma_w is not None:
            weights = net.sigma_w * weights
        if net.sigma_b is None:
            biases = initializers.biases(net.initializer, (*stack, fan_out), fan_in, key=bias_key)
        else:
            biases = net.sigma_b * jax.random.normal(bias_key, (*stack, fan_out), weights.dtype)
        return {"weights": weights, "biases": biases}

    hidden_key, in_key, out_key = jax.random.split(key, 3)
    params = affine(hidden_key, (net.depth,), net.width, net.width)
    if net.in_features is not None:
        params["read_in"] = affine(in_key, (), net.in_features, net.width)
    if net.out_features is not None:
        params["read_out"] = affine(out_key, (), net.width, net.out_features)
    return params


def init(net: MLP, *, key: PRNGKeyArray, data: Float[AnyArray, "batch features"] | None = None):
    """Draw the parameters of `net`.

    Args:
        net: the description.
        key: JAX random key; the same key gives the same bits.
        data: a batch for "lsuv" to normalise on; standard normal inputs where None.

    Returns:
        {"weights": [depth, width, width], "biases": [depth, width]}, and where the network
        has them "read_in" and "read_out", each {"weights": [in, out], "biases": [out]}.

    Raises:
        ValueError, TypeError: net is no `MLP`, the key no random key; data of the wrong shape or
            dtype, empty, with NaN, or given to an initialiser that takes none.

    >>> net = vg.MLP(depth=3, width=8, sigma_w=1.5, out_features=2)
    >>> params = vg.init(net, key=jax.random.key(0))
    >>> params["read_out"]["weights"].shape
    (8, 2)
    """
    _checks.network(net)
    _checks.key("key", key)
    if data is not None and net.initializer != "lsuv":
        raise ValueError(
            f"data: expected none for {net.initializer!r}; got some. Only 'lsuv' looks at data."
        )
    key, data_key = jax.random.split(key)
    if net.initializer != "lsuv":
        return _init(net, key)
    features = net.in_features or net.width
    if data is None:
        data = jax.random.normal(data_key, (256, features))
    data = _checks.array("data", data, (None, features), "[batch, features]")
    return _unit_variance(net, _init(net, key), data)


@jax.jit
def _unit_variance(net: MLP, params: Params, data: Float[Array, "batch features"]) -> Params:
    """Rescale each layer, from the first to the last, so that its linear output has variance 1
    on `data` (layer-sequential unit variance, Mishkin & Matas 2016)."""

    def up(h, layer):
        weights, biases = layer
        multiplied = h if net.residual is None else net.phi(normalize(net, h))
        spread = jnp.std(matmul(multiplied, weights))
        # No scale gives variance to a layer that receives nothing: leave its weights alone.
        weights = weights / jnp.where(spread > 0, spread, 1)
        return step(net, weights, biases, h).post, weights

    layers = (params["weights"], params["biases"])
    _, weights = lax.scan(up, read_in(params, data), layers)
    return params | {"weights": weights}


@jax.jit
def _forward(net: MLP, params: Params, x, depth, statistics) -> Trace:
    h = read_in(params, x)
    return climb(net, params, h, depth, lambda s: Trace(s.pre, s.post), statistics)[1]


@jax.jit
def _apply(net: MLP, params: Params, x, depth, statistics):
    h = read_in(params, x)
    return read_out(params, climb(net, params, h, depth, lambda s: None, statistics)[0])


@jax.jit
def _statistics(net: MLP, params: Params, x) -> Statistics:
    def seen(taken):
        mean, variance = moments(taken.unnormalized, 0)
        return Statistics(mean[0], variance[0])

    return climb(net, params, read_in(params, x), None, seen)[1]


def _check_batch_norm(net: MLP, name: str) -> None:
    if net.normalization != "batch":
        raise ValueError(
            f"{name}: expected a network with normalization='batch'; got "
            f"{net.normalization!r}. Only batch normalisation has statistics to keep."
        )


def _check_statistics(net: MLP, statistics: Statistics | None, dtype) -> Statistics | None:
    if statistics is None:
        return None
    _check_batch_norm(net, "statistics")
    if not isinstance(statistics, tuple) or len(statistics) != 2:
        raise TypeError(
            "statistics: expected a pair of mean and variance; got "
            f"{type(statistics).__name__}. Pass what vg.statistics returns."
        )
    shape = (net.depth, net.width)
    return Statistics(
        *(
            _checks.array(f"statistics.{name}", part, shape, "[depth, width]", dtype)
            for name, part in zip(Statistics._fields, statistics, strict=True)
        )
    )


def forward(
    net: MLP,
    params: Params,
    x: Float[AnyArray, "batch features"],
    depth=None,
    *,
    statistics: Statistics | None = None,
) -> Trace:
    """Run the network and keep what every layer saw.

    Args:
        net: the description.
        params: from `init`.
        x: inputs, [batch, in_features], or [batch, width] without a read-in.
        depth: use the first `depth` layers only (may be traced); the rest read NaN.
        statistics: means and variances, [depth, width] each, that batch normalisation uses in
            place of those of x ("eval mode"); see `statistics`.

    Returns:
        `Trace` with `.pre` and `.post`, each [depth, batch, width].

    Raises:
        ValueError, TypeError: wrong rank, width or dtype, an empty batch, NaN, a bad depth;
            statistics for a network that has no batch normalisation.

    >>> net = vg.MLP(depth=3, width=4)
    >>> vg.forward(net, vg.init(net, key=jax.random.key(0)), jnp.ones((2, 4))).post.shape
    (3, 2, 4)
    """
    x, depth = _checks.inputs(net, params, x, depth)
    return _forward(net, params, x, depth, _check_statistics(net, statistics, x.dtype))


def apply(
    net: MLP,
    params: Params,
    x: Float[AnyArray, "batch features"],
    depth=None,
    *,
    statistics: Statistics | None = None,
):
    """Run the network and return its output: y of shape [batch, out_features], or h_L.

    Args and errors are those of `forward`.

    >>> net = vg.MLP(depth=3, width=4, out_features=1)
    >>> vg.apply(net, vg.init(net, key=jax.random.key(0)), jnp.ones((2, 4))).shape
    (2, 1)
    """
    x, depth = _checks.inputs(net, params, x, depth)
    return _apply(net, params, x, depth, _check_statistics(net, statistics, x.dtype))


def statistics(net: MLP, params: Params, x: Float[AnyArray, "batch features"]) -> Statistics:
    """What batch normalisation subtracts and divides by in each layer, on the batch x.

        mean_l = (1/B) Σ_i z_l(x_i),   variance_l = (1/B) Σ_i (z_l(x_i) − mean_l)²

    Given back to `apply` or `forward`, they stand still: an output then depends on its own input
    alone, and a batch may be of one. On all the training data they are the population statistics
    that Ioffe & Szegedy 2015 use after training; averaged over the batches of training, the
    running ones that libraries keep.

    Args:
        net: a network with normalization="batch".
        params: from `init`.
        x: inputs, [batch, in_features], or [batch, width] without a read-in.

    Returns:
        `Statistics`: `.mean` and `.variance`, each [depth, width].

    Raises:
        ValueError, TypeError: another normalisation; wrong rank, width or dtype, an empty batch.

    >>> net = vg.MLP(depth=3, width=4, normalization="batch")
    >>> params = vg.init(net, key=jax.random.key(0))
    >>> x = jax.random.normal(jax.random.key(1), (8, 4))
    >>> fixed = vg.statistics(net, params, x)
    >>> once, again = vg.apply(net, params, x), vg.apply(net, params, x, statistics=fixed)
    >>> fixed.mean.shape, bool(jnp.allclose(once, again, atol=1e-5))
    ((3, 4), True)
    """
    x, _ = _checks.inputs(net, params, x, None)
    _check_batch_norm(net, "net")
    return _statistics(net, params, x)
