"""The loss that a data set calls for, and the accuracy beside it."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float, Integer

from vanishing import _checks
from vanishing.network import MLP

Targets = Integer[Array, " examples"] | Float[Array, "examples out"]


def _are_classes(y) -> bool:
    return jnp.issubdtype(y.dtype, jnp.integer)


def _check_pair(outputs, y) -> None:
    """Refuse what would broadcast, or index, to another number without a word."""
    if not hasattr(outputs, "dtype") or not jnp.issubdtype(outputs.dtype, jnp.floating):
        raise TypeError(
            f"outputs: expected an array of floats; got {type(outputs).__name__} of "
            f"{getattr(outputs, 'dtype', 'no dtype')}. Pass what vanishing.apply returns."
        )
    if outputs.ndim != 2 or 0 in outputs.shape:
        raise ValueError(
            f"outputs: expected shape [examples, out]; got {outputs.shape}. For one output an "
            "example add the axis, outputs[:, None]."
        )
    if not hasattr(y, "dtype"):
        raise TypeError(
            f"y: expected an array of classes or numbers; got {type(y).__name__}. "
            "Pass np.asarray(y)."
        )
    classes = _are_classes(y)
    wanted = outputs.shape[:1] if classes else outputs.shape
    if y.shape != wanted or not (classes or jnp.issubdtype(y.dtype, jnp.floating)):
        raise ValueError(
            f"y: expected {'classes' if classes else 'floats'} of shape {wanted}, as the outputs "
            f"have {outputs.shape}; got {y.dtype} of shape {y.shape}. For classes convert them, "
            "y.astype(int); for numbers add the axis, y[:, None]."
        )
    if classes and not isinstance(y, jax.core.Tracer):
        # By NumPy: the caller may be under trace, and these classes a constant to it.
        here, known = np.asarray(y), max(2, outputs.shape[1])
        first, last = here.min(), here.max()
        if first < 0 or last >= known:
            raise ValueError(
                f"y: expected classes from 0 to {known - 1}; got {first} to {last}. "
                "Number the classes from 0, or give the network more outputs."
            )


def loss(outputs: Float[Array, "examples out"], y: Targets) -> Float[Array, ""]:
    """The mean over the examples of the loss that the targets call for.

        classes, several outputs   C = −ln softmax(ŷ)_y
        classes 0 and 1, one       C = −ln sigmoid(±ŷ), + for class 1
        numbers                    C = ½ ‖ŷ − y‖²

    Args:
        outputs: ŷ, logits or values.
        y: integer classes [examples], or floats of the outputs' shape.

    Returns:
        C in nats, or in squared units of y.

    Raises:
        ValueError, TypeError: shapes or dtypes that do not belong together, unknown classes.

    Logits of zero know nothing: the loss is the entropy of the classes.

    >>> round(float(loss(jnp.zeros((4, 10)), jnp.array([3, 1, 4, 1])) / jnp.log(10)), 6)
    1.0
    """
    _check_pair(outputs, y)
    if not _are_classes(y):
        return jnp.mean(jnp.sum((outputs - y) ** 2, axis=-1)) / 2
    if outputs.shape[-1] == 1:
        return jnp.mean(optax.sigmoid_binary_cross_entropy(outputs[:, 0], y.astype(outputs.dtype)))
    return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(outputs, y))


def accuracy(outputs: Float[Array, "examples out"], y: Targets) -> Float[Array, ""]:
    """The share of examples whose likeliest class is the right one; NaN where y are numbers.

    Args, Raises: as in `loss`.

    >>> float(accuracy(jnp.array([[2.0], [-1.0]]), jnp.array([1, 1])))
    0.5
    """
    _check_pair(outputs, y)
    if not _are_classes(y):
        return jnp.full((), jnp.nan, outputs.dtype)
    one = outputs.shape[-1] == 1
    guess = (outputs[:, 0] > 0).astype(y.dtype) if one else jnp.argmax(outputs, -1).astype(y.dtype)
    return jnp.mean((guess == y).astype(outputs.dtype))


def check_targets(net: MLP, y, examples: int) -> Array:
    """Check targets against the network's outputs; return them as an array of the right dtype.

    Args:
        net: the description.
        y: classes, integers [examples], or numbers [examples, out].
        examples: how many there have to be.

    Raises:
        ValueError, TypeError: another length or shape, a class that no output stands for, NaN.

    >>> check_targets(vg.MLP(depth=1, width=4, out_features=3), [0, 2], examples=2).tolist()
    [0, 2]
    """
    y = np.asarray(y)
    if y.shape[:1] != (examples,):
        raise ValueError(
            f"y: expected one target for each of the {examples} examples; got shape {y.shape}. "
            "Pass x and y of the same length."
        )
    if np.issubdtype(y.dtype, np.integer):
        return _check_classes(net, y)
    out = net.width if net.out_features is None else net.out_features
    if y.shape != (examples, out):
        raise ValueError(
            f"y: expected numbers of shape [examples, out] = ({examples}, {out}), or integer "
            f"classes [examples]; got {y.dtype} of shape {y.shape}. For classes convert them, "
            "y.astype(int); for numbers add the axis, y[:, None]."
        )
    return _checks.array("y", y, (examples, out), "[examples, out]")


def _check_classes(net: MLP, y: np.ndarray) -> Array:
    if net.out_features is None:
        raise ValueError(
            "out_features: expected a read-out, one output a class; got None. "
            "Build the network with MLP(..., out_features=number of classes)."
        )
    if y.ndim != 1:
        raise ValueError(
            f"y: expected classes of shape [examples]; got {y.shape}. "
            "Undo a one-hot encoding with y.argmax(-1)."
        )
    classes = 2 if net.out_features == 1 else net.out_features
    if y.min() < 0 or y.max() >= classes:
        raise ValueError(
            f"y: expected classes from 0 to {classes - 1} for out_features={net.out_features}; got "
            f"{y.min()} to {y.max()}. Number the classes from 0, or give the network more outputs."
        )
    return jnp.asarray(y, jnp.int32)


def loss_and_cotangent(outputs: Float[Array, "examples out"], y: Targets):
    """C and ∂C/∂ŷ: what `probe` takes to measure the gradients of training.

    >>> loss_and_cotangent(jnp.array([[3.0]]), jnp.array([[1.0]]))[1].tolist()
    [[2.0]]
    """
    return jax.value_and_grad(loss)(outputs, y)
