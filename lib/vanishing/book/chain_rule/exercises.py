"""Exercises of the chapter "The chain rule is a product"."""

import jax
import jax.numpy as jnp
import numpy as np

from vanishing import activations
from vanishing.book.checks import exercise
from vanishing.network import MLP


@exercise(
    "chain-rule-bound",
    hint="Take the largest slope that a sigmoid has, once for every layer.",
)
def bound():
    """The most that ten sigmoids leave of a gradient, all weights 1."""
    return float(activations.largest_slope("sigmoid")) ** 10


def _two_vectors(key):
    weights_key, z_key = jax.random.split(key)
    return jax.random.normal(weights_key, (3, 4)), jax.random.normal(z_key, (3,))


@exercise(
    "chain-rule-jacobian",
    hint="Nudge h: which row or column of W does each z see, and what does φ do to it after that?",
    inputs=_two_vectors,
)
def jacobian():
    """∂h_l/∂h_{l-1} [4, 3] of one tanh layer, as a function of W [3, 4] and h_{l-1} [3]."""
    phi = activations.get("tanh")
    return lambda weights, h: jax.jacobian(lambda h: phi(h @ weights))(h)


def _two_layers(weights):
    first = jax.nn.sigmoid(weights[0] * 2.0 - 1.0)
    return jax.nn.sigmoid(weights[1] * first - 2.0)


@exercise(
    "chain-rule-two-units",
    hint="Both pre-activations are 0. Give both derivatives, that of w_1 first; the way from C to "
    "w_1 passes two slopes and one weight.",
)
def two_units():
    """∂C/∂w_1 and ∂C/∂w_2 of the chain in the first exercise."""
    return jax.grad(_two_layers)(jnp.array([0.5, 4.0]))


@exercise(
    "chain-rule-window",
    hint="Give the largest width and the |w| at which it is reached. The width in h is the width "
    "in z divided by |w|.",
)
def window():
    """The widest interval of inputs on which a sigmoid unit does not shrink a gradient."""
    weights = np.linspace(4, 40, 360_001)
    widths = 2 * np.arccosh(weights / 2 - 1) / weights
    return np.array([widths.max(), weights[widths.argmax()]])


@exercise(
    "chain-rule-two-by-two",
    hint="Linear layers have slopes of 1, so only matrices are left. What comes down through W_2 "
    "is multiplied by its transpose; then look at the shape that the gradient of W_1 must have.",
)
def two_by_two():
    """∂C/∂W_1 of two linear layers of two units, x = (1, −1), g = (1, 0)."""
    first, second = jnp.array([[1.0, 2.0], [0.0, 1.0]]), jnp.array([[1.0, 0.0], [3.0, 1.0]])
    x, g = jnp.array([1.0, -1.0]), jnp.array([1.0, 0.0])
    return jax.grad(lambda weights: x @ weights @ second @ g)(first)


@exercise(
    "chain-rule-absolute",
    hint="Square the slope, and take its mean over positive and negative pre-activations.",
)
def absolute():
    """σ_w at which layers of |z| keep the gradient."""
    return float(activations.slope_second_moment(jnp.abs)) ** -0.5


@exercise(
    "chain-rule-blind",
    hint="Where does the mean square start behind the last slopes, and what does one layer make "
    "of it? Count in logarithms.",
    expects="one number",
)
def blind(answer):
    """Layers in which the mean square of PyTorch's ReLU network is a normal float32 number."""
    half = float(activations.slope_second_moment("relu"))
    factor = float(MLP(1, 1, "relu", "pytorch").gain) ** 2 * half
    layers = np.log(half / np.finfo(np.float32).tiny) / -np.log(factor)
    times = float(answer) / layers
    if abs(times - 2) < 0.1:
        return "That holds of the RMS itself; what float32 has to hold is its square."
    if 1.04 < times < 1.4:
        return "A few layers too many: by the mean, not by the largest entries, to 2^−126."
    return abs(times - 1) < 0.03


def _backward(bug: str):
    """A backward pass like the chapter's, with a bug: (net, params, trace, g) → δ_1 … δ_L."""

    def backward(net, params, trace, g):
        slope, deltas = activations.derivative(net.activation), []
        layers = list(zip(params["weights"], trace.pre, trace.post, strict=True))
        for k, (weights, z, h) in enumerate(reversed(layers)):
            steep = slope(h if bug == "the slope at h" else z)
            g = g if bug == "no slope of the last layer" and k == 0 else g * steep
            deltas.append(g)
            g = g @ (weights if bug == "no transpose" else weights.T)
        return jnp.stack(deltas if bug == "the layers in the wrong order" else deltas[::-1])

    return backward


@exercise(
    "chain-rule-bugs",
    hint="Nudge one entry of W_1 up and down in float64, and compare the change of C with the "
    "same entry by the backward pass.",
    expects="a function",
)
def bugs(answer):
    """Whether a test passes a right backward pass and fails four wrong ones."""
    if not bool(answer(_backward("none"))):
        return "Your test fails a backward pass that is right. How much is rounding?"
    for bug in ("no transpose", "the slope at h", "no slope of the last layer",
                "the layers in the wrong order"):  # fmt: skip
        if bool(answer(_backward(bug))):
            return f"Your test passes this bug: {bug}. Is it one in your network?"
    return True
