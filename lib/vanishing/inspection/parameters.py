"""The statistics of parameters: of their entries, of their gradients and of their updates.

Entries are laid out in pages of one size, for parameters have many shapes and a statistic is
compiled anew for each. Every page has an exponent of its own. A few parameters are measured at a
time, by programs that serve all groups of the same shapes.
"""

from collections.abc import Sequence
from itertools import chain, groupby

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from vanishing.inspection import scaled
from vanishing.inspection.measure import counts

# Number formats that gradients are kept in: the exponent of the half of the smallest number,
# which is what rounds to zero, and of the largest power of two.
FORMATS = {
    "float16": (-25, 15),
    "bfloat16": (-134, 127),
    "float8_e4m3": (-10, 8),
    "float8_e5m2": (-17, 15),
}
# A loss scale leaves this many factors of two between the largest gradient and the largest number.
HEADROOM = 2
MOST = 126  # and is itself a float32
BYTES = 2**20  # of parameters that are measured together, unless one has more
PAGE = 1024  # entries; the last page of a parameter, and that of a bias, is filled up with zeros


def groups(neighbours: Sequence[Sequence[int]], params: Sequence) -> list[list[int]]:
    """Which parameters, by number, are measured together: neighbours of equal shapes, if small.

    Args:
        neighbours: groups in order.
        params: the leaves.
    """

    def shapes(group: Sequence[int]):
        return [(params[leaf].shape, str(params[leaf].dtype)) for leaf in group]

    made = []
    for _, alike in groupby(neighbours, key=shapes):
        run = list(alike)
        most = BYTES // max(sum(params[leaf].nbytes for leaf in run[0]), 1)
        many = max((k for k in range(1, most + 1) if len(run) % k == 0), default=1)
        made += [list(chain(*run[k : k + many])) for k in range(0, len(run), many)]
    return made


def statistics(
    groups: Sequence[Sequence[int]], params: Sequence, gradients: Sequence, updates: Sequence
):
    """The statistics of every parameter, for `read`.

    Args:
        groups: which parameters, by number, are measured together.
        params: the leaves, of any shapes.
        gradients: of the same shapes, packed: value and exponent, of all or of each slice.
        updates: of the same shapes, or empty.

    Returns:
        The exponent of the largest gradient entry of all; for each group, quantity → name →
        array over its pages. Loss scales depend on that entry: a group that was measured before
        it was met is measured once more. It is mostly near the loss, so the last group is first.
    """
    others = {"weight": params} | ({"update": updates} if updates else {})

    def measured(group: Sequence[int], largest):
        chosen = {what: [arrays[leaf] for leaf in group] for what, arrays in others.items()}
        return _measured([gradients[leaf] for leaf in group], chosen, largest)

    met, found, largest = [], [], np.int32(scaled.NOTHING)
    for group in reversed(groups):
        largest, quantities = measured(group, largest)
        met.append(largest)
        found.append(quantities)
    met = list(map(int, jax.device_get(met)))[::-1]
    return met[0], [
        quantities if top == met[0] else measured(group, np.int32(met[0]))[1]
        for group, quantities, top in zip(groups, reversed(found), met, strict=True)
    ]


def read(groups: Sequence[Sequence[int]], found: Sequence[dict], gradients: Sequence) -> dict:
    """What was found, in NumPy: (number of the parameter, quantity) → name → array.

    Args:
        groups, gradients: as they were given to `statistics`.
        found: what it returned.
    """
    made = {}
    for group, quantities in zip(groups, found, strict=True):
        first = 0
        for leaf in group:
            value, rows = gradients[leaf][0], _rows(gradients[leaf])
            end = first + rows * _pages_of(value.size // max(rows, 1))
            for what, arrays in quantities.items():
                pages = {name: array[first:end] for name, array in arrays.items()}
                made[leaf, what] = _united(pages, value.size)
            first = end
    return made


def _united(pages: dict[str, np.ndarray], size: int) -> dict:
    """The statistics of an array of some size, of those of its pages."""
    exponents = pages["exponent"] if "exponent" in pages else scaled.exponent_of(pages["largest"])
    squares = pages["squares"].astype(np.float64)
    common = exponents.max(initial=scaled.NOTHING)
    total = np.sum(squares * np.exp2(2.0 * (exponents - common)))
    made = {"rms": np.sqrt(total / max(size, 1)), "exponent": common}
    if "counts" in pages:
        filled = len(squares) * PAGE - size
        below = pages["counts"].sum(axis=0, dtype=np.int64) - filled
        zeros, (flushed, rescued) = below[0], np.split(below[1:], 2)
        made["share_zero"] = zeros / max(size, 1)
        made["flushed"], made["rescued"] = (
            (many - zeros) / max(size, 1) for many in (flushed, rescued)
        )
    return made


def _rows(pair: tuple[Array, Array]) -> int:
    """How many slices of a gradient have an exponent of their own."""
    value, exponent = pair
    return value.shape[0] if exponent.ndim else 1


def _pages_of(entries: int) -> int:
    return -(-entries // PAGE)


def _paged(arrays: Sequence[Array], rows: Sequence[int]) -> Float[Array, "pages entries"]:
    """The entries of some arrays, each row of each beginning on a page of its own."""
    wide = jnp.result_type(*(scaled.wide(array.dtype) for array in arrays))
    made = []
    for array, count in zip(arrays, rows, strict=True):
        row = array.astype(wide).reshape(count, array.size // max(count, 1))
        rest = -row.shape[1] % PAGE
        made.append(jnp.pad(row, ((0, 0), (0, rest))).reshape(-1, PAGE))
    return jnp.concatenate(made)


@jax.jit
def _measured(gradients: Sequence, others: dict[str, Sequence], largest: Int[Array, ""]):
    """The exponent of the largest gradient entry met, and quantity → name → array over pages.

    Args:
        gradients: packed.
        others: by quantity, arrays of the same shapes, of which the sizes are taken.
        largest: the exponent of the largest entry met before.
    """
    rows = [_rows(pair) for pair in gradients]
    pages = _paged([value for value, _ in gradients], rows)
    carried = [
        jnp.repeat(jnp.atleast_1d(exponent), _pages_of(value.size // max(count, 1)))
        for (value, exponent), count in zip(gradients, rows, strict=True)
    ]
    size = scaled.largest(pages)
    exponents = scaled.Scaled(pages, (jnp.concatenate(carried), size)).exponent
    sizes = {what: _sizes(_paged(arrays, rows)) for what, arrays in others.items()}
    largest = jnp.max(exponents, initial=largest)
    near = scaled.times(pages, scaled.inverse(size))
    return largest, sizes | {"gradient": _of_gradients(near, exponents, largest)}


def _sizes(pages: Float[Array, "pages entries"]) -> dict[str, Array]:
    size = scaled.largest(pages)
    near = scaled.times(pages, scaled.inverse(size))
    return {"squares": jnp.sum(near * near, axis=1), "largest": size}


def _of_gradients(
    pages: Float[Array, "pages entries"], exponents: Int[Array, " pages"], largest: Int[Array, ""]
) -> dict[str, Array]:
    """Sizes of gradients, and how many entries a number format would flush.

    Args:
        pages: each page's largest entry near one.
        exponents: theirs.
        largest: the exponent of the largest entry of all parameters.
    """
    rescuing = [
        low - jnp.clip(high - HEADROOM - largest, 0, MOST) for low, high in FORMATS.values()
    ]
    steps = [*(jnp.int32(low) for low, _ in FORMATS.values()), *rescuing]
    limits = [scaled.power_of_two(step - exponents).astype(pages.dtype) for step in steps]
    sizes = jnp.abs(pages)
    below = counts([sizes <= 0, *(sizes <= limit[:, None] for limit in limits)])
    return {
        "squares": jnp.sum(pages * pages, axis=1),
        "exponent": exponents,
        "counts": jnp.stack(below, axis=-1),
    }
