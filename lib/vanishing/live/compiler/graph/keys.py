"""Typed random keys as the arrays of words behind them."""

from __future__ import annotations

import jax

from vanishing._jax_internals import key_impl


def lift_params(op: str, params: dict, ndim: int) -> dict | None:
    """Parameters of a structural operation on keys, for the array of words behind them."""
    words = 2  # a threefry key
    lifted = {
        "slice": lambda p: {
            "start_indices": (*p["start_indices"], 0),
            "limit_indices": (*p["limit_indices"], words),
            "strides": (*p["strides"], 1) if p["strides"] else None,
        },
        "squeeze": lambda p: p,
        "concatenate": lambda p: p,
        "stack": lambda p: p,
        "unstack": lambda p: p,
        "rev": lambda p: p,
        "select_n": lambda p: p,
        "scan": lambda p: p,
        "while": lambda p: p,
        "cond": lambda p: p,
        "reshape": lambda p: {**p, "new_sizes": (*p["new_sizes"], words)},
        "transpose": lambda p: {"permutation": (*p["permutation"], ndim)},
        "dynamic_slice": lambda p: {"slice_sizes": (*p["slice_sizes"], words)},
        "broadcast_in_dim": lambda p: {
            "shape": (*p["shape"], words),
            "broadcast_dimensions": (*p["broadcast_dimensions"], len(p["shape"])),
        },
    }.get(op)
    return lifted(params) if lifted else None


def raw_random(eqn):
    """The plain-array JAX function behind a primitive on typed keys, or None."""
    impl = eqn.params.get("impl") or key_impl(eqn.invars[0].aval) if eqn.invars else None
    name, params, rank = eqn.primitive.name, eqn.params, eqn.invars[0].aval.ndim if impl else 0
    table = {
        "random_seed": lambda: impl.seed,
        "random_split": lambda: lambda key: impl.split(key, params["shape"]),
        "random_bits": lambda: (
            lambda key: impl.random_bits(key, params["bit_width"], params["shape"])
        ),
        "random_fold_in": lambda: impl.fold_in,
    }
    if name not in table:
        return None
    fn = table[name]()
    for _ in range(rank):
        fn = jax.vmap(fn)
    return fn
