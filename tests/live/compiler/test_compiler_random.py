"""Random small programs, composed by hypothesis, against JAX."""

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jax import lax

from vanishing.live.compiler import compile, run_programs

UNARY = {
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "relu": jax.nn.relu,
    "sin": jnp.sin,
    "square": jnp.square,
    "transpose": jnp.transpose,
    "reverse": lambda x: x[::-1],
    "shift": lambda x: jnp.concatenate([x[1:], x[:1] * 2]),
    "center": lambda x: x - jnp.mean(x, axis=0, keepdims=True),
    "scale": lambda x: x / (1 + jnp.max(jnp.abs(x), axis=1, keepdims=True)),
    "cumsum": lambda x: jnp.cumsum(x, axis=1) / 4,
    "sort": lambda x: jnp.sort(x, axis=0),
    "fold": lambda x: jnp.where(x > 0.1, x, 0.2 - x),
    "scan": lambda x: lax.scan(lambda c, r: (jnp.tanh(c + r), c * r), x[0], x)[1],
    "loop": lambda x: lax.fori_loop(0, 3, lambda i, h: jnp.tanh(h @ x) + h / 2, x),
    "fill": lambda x: lax.fori_loop(1, 4, lambda i, a: a.at[i].add(a[i - 1] / 2), x),
    "branch": lambda x: lax.cond(jnp.sum(x * x) > 3, lambda x: x.T, lambda x: x * 2, x),
    "gather": lambda x: x[jnp.array([2, 0, 3, 3])],
    "gradient": jax.grad(lambda x: jnp.sum(jnp.tanh(x @ x) * x)),
    "pad": lambda x: jnp.pad(x, ((1, 1), (0, 0)))[1:5] + jnp.eye(4),
}
BINARY = {
    "add": jnp.add,
    "multiply": jnp.multiply,
    "matmul": lambda a, b: a @ b / 2,
    "matmul transposed": lambda a, b: a.T @ b / 2,
    "maximum": jnp.maximum,
    "outer": lambda a, b: a[:, :1] * b[:1, :],
    "choose": lambda a, b: jnp.where(a > b, a, b),
}
STEPS = st.lists(
    st.tuples(st.sampled_from([*UNARY, *BINARY]), st.integers(0, 9), st.integers(0, 9)),
    min_size=1,
    max_size=8,
)
X = np.random.default_rng(5).standard_normal((4, 4)).astype(np.float32)


def composed(steps):
    """A function that applies operations to earlier values, and returns the last two.

    The operations are continuous and the values bounded, so that roundings stay roundings.
    """

    def program(x, scale):
        values = [x, x * scale]
        for name, i, j in steps:
            a, b = values[i % len(values)], values[j % len(values)]
            value = UNARY[name](a) if name in UNARY else BINARY[name](a, b)
            values.append(jnp.clip(value, -4.0, 4.0))
        return jnp.stack(values[-2:]), jnp.sum(jnp.square(values[-1]))

    return program


@settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # shrinking recompiles for minutes
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(STEPS, min_size=4, max_size=4))
def test_random_programs_agree_with_jax(batch):
    functions = [composed(steps) for steps in batch]
    calls = [(X, 0.5), (X, 1.5)]  # the second call reuses what does not depend on scale
    programs = [compile(fn, *calls[0]) for fn in functions]
    results = run_programs([(program, calls) for program in programs])
    for fn, result in zip(functions, results, strict=True):
        for call, got in zip(calls, result, strict=True):
            for want, have in zip(jax.jit(fn)(*call), got, strict=True):
                np.testing.assert_allclose(have, want, rtol=1e-3, atol=1e-3)
