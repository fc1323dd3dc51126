"""What annotations say of arrays, and how a dataclass of arrays is one to JAX."""

from collections.abc import Callable
from dataclasses import fields

import jax
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float

#: An array in the kernel, traced or not: what functions take that hand it to JAX or matplotlib.
AnyArray = Array | np.ndarray

#: One real number: Python's, NumPy's, or an array of no axes, traced or not.
Scalar = Float[ArrayLike, ""]


def pytree(*leaves: str) -> Callable[[type], type]:
    """Register a frozen dataclass with JAX: the fields `leaves` (all, where none is named) hold
    its arrays, the rest is static.

    `jax.tree_util.register_dataclass` would call the class, whose checks and annotations are for
    what people hand in: while JAX rebuilds a pytree, its leaves may be anything (a batch of
    scales, an axis number, a placeholder).

    >>> from dataclasses import dataclass
    >>> @pytree("scale")
    ... @dataclass(frozen=True)
    ... class Layer:
    ...     scale: float
    ...     name: str
    >>> jax.tree.map(lambda leaf: 2 * leaf, Layer(1.5, "first"))
    Layer(scale=3.0, name='first')
    """

    def register(cls: type) -> type:
        traced = leaves or tuple(field.name for field in fields(cls))
        static = tuple(field.name for field in fields(cls) if field.name not in traced)

        def held(instance, names):
            return tuple(getattr(instance, name) for name in names)

        def apart(instance):
            return held(instance, traced), held(instance, static)

        def apart_with_keys(instance):
            children, kept = apart(instance)
            keys = map(jax.tree_util.GetAttrKey, traced)
            return tuple(zip(keys, children, strict=True)), kept

        def together(kept, children):
            instance = object.__new__(cls)
            for name, value in zip(traced + static, (*children, *kept), strict=True):
                object.__setattr__(instance, name, value)
            return instance

        jax.tree_util.register_pytree_with_keys(cls, apart_with_keys, together, apart)
        return cls

    return register
