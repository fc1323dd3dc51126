"""Losses drawn at random: the gradient of every parameter against `jax.grad` in float64."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from inspected_models import Case
from test_against_float64 import TOLERANCE, reference

import vanishing as vg

ROWS, WIDTH, TIMES = 4, 6, 3

# Functions of one array [ROWS, WIDTH] that keep its shape; smooth but for relu, whose corner no
# random number meets, and of size one, so that float64 has no gradient near its own end.
UNARY = {
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "gelu": jax.nn.gelu,
    "softmax": jax.nn.softmax,
    "standardize": lambda h: jax.nn.standardize(h, epsilon=0.1),
    "scaled": lambda h: 1e-4 * h,
    "turned": lambda h: h.reshape(WIDTH, ROWS).T.reshape(ROWS, WIDTH),
    "rolled": lambda h: jnp.concatenate([h[:, 2:], h[:, :2]], axis=1),
    "reversed": lambda h: h[::-1],
    "summed": lambda h: h + jnp.broadcast_to(jnp.sum(h, axis=0, keepdims=True), h.shape),
    "chosen": lambda h: jnp.where(h > 0, h, 0.1 * jnp.sin(h)),
    "stopped": lambda h: h + jax.lax.stop_gradient(jnp.cos(h)),
    "read": lambda h: h[jnp.array([2, 0, 0, 3])],
    "padded": lambda h: jnp.pad(h[1:], ((1, 0), (0, 0))),
    "remembered": jax.checkpoint(lambda h: jnp.tanh(h) * h),
    "branched": lambda h: jax.lax.cond(jnp.sum(h) > 0, jnp.tanh, lambda h: 0.5 * h, h),
}
BINARY = {
    "add": jnp.add,
    "mul": jnp.multiply,
    "sub": jnp.subtract,
    "max": jnp.maximum,
    "attend": lambda a, b: jax.nn.softmax(a @ b.T) @ b,
    "beside": lambda a, b: jnp.concatenate([a[:, :3], b[:, 3:]], axis=1),
    "gated": lambda a, b: jax.nn.sigmoid(a) * b,
}


@dataclass(frozen=True)
class Step:
    """One operation: of what, on which of the arrays made so far, with which weight."""

    kind: str
    name: str
    left: int
    right: int


place = st.integers(0, 50)
steps = st.one_of(
    st.builds(Step, st.just("unary"), st.sampled_from(sorted(UNARY)), place, place),
    st.builds(Step, st.just("binary"), st.sampled_from(sorted(BINARY)), place, place),
    st.builds(
        Step, st.sampled_from(["dense", "biased", "turned", "loop"]), st.just(""), place, place
    ),
)


def program(chosen: list[Step], weights: int):
    """A loss of weights, some of them used many times and some perhaps never."""

    def loss(params, x):
        made = [x]
        for step in chosen:
            left, right = made[-1 - step.left % len(made)], made[-1 - step.right % len(made)]
            w = params[step.right % weights]
            if step.kind == "unary":
                new = UNARY[step.name](left)
            elif step.kind == "binary":
                new = BINARY[step.name](left, right)
            elif step.kind == "loop":
                new, _ = jax.lax.scan(
                    lambda h, _, w=w: (jnp.tanh(h @ w["w"]), None), left, length=TIMES
                )
            else:
                new = left @ (w["w"].T if step.kind == "turned" else w["w"])
                new = new + w["b"][None] if step.kind == "biased" else new
            made.append(new)
        return jnp.mean(made[-1] * jnp.cos(made[0]))

    return loss


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(steps, min_size=3, max_size=12), st.integers(1, 3), st.integers(0, 2**16))
def test_any_graph_agrees(chosen, weights, seed):
    rng = np.random.default_rng(seed)
    params = [
        {
            "w": jnp.asarray(rng.standard_normal((WIDTH, WIDTH)) / WIDTH**0.5, jnp.float32),
            "b": jnp.asarray(rng.standard_normal(WIDTH), jnp.float32),
        }
        for _ in range(weights)
    ]
    x = jnp.asarray(rng.standard_normal((ROWS, WIDTH)), jnp.float32)
    case = Case(program(chosen, weights), params, (x,))
    report = vg.inspect(case.loss, case.params, *case.batch)
    expected = reference(case)
    off = {
        path: (report.parameters[path].log_gradient_rms, log)
        for path, log in expected.items()
        if not agree(report.parameters[path].log_gradient_rms, log)
    }
    if off:  # only a gradient that hangs on the last bits of the numbers handed in may differ
        nudged = reference(case, jitter=2.0**-21)
        held = [path for path in off if agree(expected[path], nudged[path], TOLERANCE / 10)]
        assert not held, off


def agree(one, other, tolerance=TOLERANCE):
    return one == other or abs(one - other) < tolerance
