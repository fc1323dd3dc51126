"""A function at every point of a grid: on all devices, in bounded memory, and resumable.

Each device computes blocks of one fixed size, whatever the number of devices, so the program that
it runs, and hence every bit of the result, is the same on one device and on eight.
"""

import hashlib
import inspect
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from numbers import Number
from pathlib import Path

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from vanishing import _checks, _progress
from vanishing._stores import Memory, Store, wait

# Where a function lies in memory, which changes from run to run, as texts of JAX contain it.
_ADDRESS = re.compile(r"0x[0-9a-f]+")

Values = Sequence | np.ndarray


@dataclass(frozen=True)
class _Grid:
    """The axes of a grid, in its own order: traced ones hold numbers, static ones anything."""

    axes: Mapping[str, Values]
    static: tuple[str, ...]

    @property
    def traced(self) -> tuple[str, ...]:
        return tuple(name for name in self.axes if name not in self.static)

    @property
    def settings(self) -> list[dict[str, object]]:
        """Every combination of the static axes; each has a program of its own."""
        values = itertools.product(*(self.axes[name] for name in self.static))
        return [dict(zip(self.static, combination, strict=True)) for combination in values]

    @property
    def size(self) -> int:
        """The points of one setting."""
        return int(np.prod([len(self.axes[name]) for name in self.traced], dtype=np.int64))

    def points(self, indices: np.ndarray) -> dict[str, np.ndarray]:
        """The traced coordinates of these points, the last axis running fastest."""
        lengths = [len(self.axes[name]) for name in self.traced]
        places = np.unravel_index(indices, lengths) if lengths else ()
        return {name: self.axes[name][at] for name, at in zip(self.traced, places, strict=True)}

    def laid_out(self, flat: np.ndarray) -> np.ndarray:
        """`[setting, point, …]` in the grid's own shape, its axes in the order of the caller's."""
        stored = (*self.static, *self.traced)
        shape = tuple(len(self.axes[name]) for name in stored)
        spread = flat.reshape(shape + flat.shape[2:])
        order = [stored.index(name) for name in self.axes]
        return spread.transpose(*order, *range(len(order), spread.ndim))


def sweep(
    fn: Callable[..., object],
    grid: Mapping[str, Values],
    *,
    devices: Sequence[jax.Device] | None = None,
    static: Sequence[str] = (),
    block: int = 16,
    store: str | Path | None = None,
    progress: bool | None = None,
):
    """Compute `fn` at every point of a grid, on all devices.

    Result at (i, j, …) = `fn(a=grid["a"][i], b=grid["b"][j], …)`.

    Every device computes blocks of `block` points (`jax.vmap` under `jax.shard_map`): the results
    are bit for bit the same on one device and on many, nothing is exchanged between devices, and
    memory holds two blocks a device and the results. With a `store`, what is done is on disk: a
    sweep that was stopped at any moment goes on where it stopped when it is called again. A second
    sweep of the same function, at other numbers on as many axes, compiles nothing.

    Where `jax.distributed` joins several processes, each computes its share of the blocks on its
    own devices, and all read the results from the store, which must be a folder that all can see.

    Args:
        fn: called as `fn(**point)`, with one scalar for each axis; a pure JAX function that
            returns an array or a pytree of arrays. Randomness comes from a seed among the axes:
            `jax.random.key(seed)`.
        grid: name → values. An axis of numbers is traced. Any other (text, `None`, booleans,
            functions) is static: each of its values compiles a program of its own.
        devices: those to use; None for all of this process.
        static: axes of numbers that must be static too, such as widths.
        block: points that a device computes at a time; other sizes may give other last bits.
            Which is fastest depends on the device: a processor measured networks of 50 layers
            fastest by 4 where they were 32 or 64 wide, and one at a time at 256.
        store: a folder for the results, made if it is missing.
        progress: a bar with the time that is left; None shows it where somebody watches.

    Returns:
        What `fn` returns, each leaf a NumPy array of shape `[len(a), len(b), …, *shape]`.

    Raises:
        TypeError, ValueError: `fn`, `grid` or another argument is not as described; or the store
            holds a sweep of another function, grid or block size, or by another JAX.

    >>> grid = {"activation": ["tanh", "relu"], "sigma_w": [0.5, 1.0, 2.0]}
    >>> chi = vg.sweep(lambda activation, sigma_w: vg.theory.chi(activation, sigma_w, 0.0), grid)
    >>> chi.shape, round(float(chi[1, 2]), 5)
    ((2, 3), 2.0)
    """
    _checks.function("fn", fn)
    block = _checks.whole("block", block, at_least=1)
    if store == "" or not isinstance(store, str | Path | None):
        raise TypeError(f"store: expected a path; got {store!r}. Pass the name of a folder.")
    checked = _checked_grid(grid, static)
    _check_arguments(fn, grid)
    devices = _checked_devices(devices)
    if jax.process_count() > 1 and store is None:
        raise ValueError(
            "store: expected a folder that all processes see; got None. Each process computes a "
            "share of the grid, and the folder is where the shares meet."
        )
    programs = [_Program(fn, setting, checked, devices, block) for setting in checked.settings]
    shapes, tree = _agreed(programs)
    size = len(programs), checked.size, block
    results = (
        Store(store, shapes, *size, _identity(programs, grid, block))
        if store is not None
        else Memory(shapes, *size)
    )
    _compute(programs, results, checked.size, block, progress)
    return jax.tree.unflatten(tree, [checked.laid_out(leaf) for leaf in results.all()])


def _compute(programs, results, points: int, block: int, progress: bool | None) -> None:
    """This process's share of the blocks that are still to do."""
    share = range(-(-points // block))[jax.process_index() :: jax.process_count()]
    todo = [[at for at in share if not results.has(n, at)] for n in range(len(programs))]
    with _progress.bar(sum(map(len, todo)) * block, progress, unit="points") as bar:
        for number, program in enumerate(programs):
            for at, leaves in program.run(todo[number]):
                results.put(number, at, leaves)
                bar.update(block)
    wait("every process has stored its share of the sweep")


def _checked_grid(grid: Mapping[str, Values], static: Sequence[str]) -> _Grid:
    """The axes as arrays of numbers or lists of anything, and which are which."""
    if not isinstance(grid, Mapping) or not grid:
        raise TypeError(
            f"grid: expected a mapping from argument names to values; got {grid!r}. "
            'Pass for instance {"sigma_w": [1.0, 2.0]}.'
        )
    if isinstance(static, str) or not set(static) <= set(grid):
        raise ValueError(
            f"static: expected names among {list(grid)}; got {static!r}. List the axes that need "
            "a program for each value."
        )
    axes, plain = {}, set(static)
    for name, values in grid.items():
        try:
            axes[name] = list(values)
        except TypeError:
            axes[name] = []
        if isinstance(values, str | bytes | Mapping) or not axes[name]:
            raise TypeError(
                f"grid[{name!r}]: expected a sequence of at least one value; got {values!r}. "
                "Put a single value into a list."
            )
        numbers = np.asarray(values) if not isinstance(values, list | tuple) else _numbers(values)
        if name in plain or numbers is None or numbers.dtype.kind not in "iuf":
            plain.add(name)
        elif numbers.ndim != 1:
            raise ValueError(
                f"grid[{name!r}]: expected one axis of values; got shape {numbers.shape}. "
                "Give each axis of the grid a name of its own."
            )
        else:
            axes[name] = numbers
    return _Grid(axes, tuple(name for name in grid if name in plain))


def _check_arguments(fn: Callable, grid: Mapping[str, Values]) -> None:
    """Check that `fn` takes each axis by its name."""
    try:
        signature = inspect.signature(fn)
    except ValueError:
        return  # some built-in functions have none; the call itself will tell
    try:
        signature.bind(**grid)
    except TypeError as error:
        raise TypeError(
            f"fn: expected a function of {', '.join(grid)}; got one that takes {signature} "
            f"({error}). Name its arguments as the grid does."
        ) from None


def _numbers(values: Values) -> np.ndarray | None:
    """These values as an array if each is a number, else None."""
    if all(
        isinstance(v, Number | np.generic | jax.Array) and not isinstance(v, bool) for v in values
    ):
        return np.asarray(values)
    return None


def _checked_devices(devices: Sequence[jax.Device] | None) -> list[jax.Device]:
    """The devices asked for, each of which this process must reach."""
    local = jax.local_devices()
    if devices is None:
        return local
    chosen = list(devices) if isinstance(devices, Iterable) else []
    if not chosen or len(set(chosen)) < len(chosen) or not set(chosen) <= set(local):
        raise ValueError(
            f"devices: expected some of this process's devices, each once; got {devices!r}. "
            f"They are jax.local_devices() = {local}."
        )
    return chosen


def _agreed(programs: Sequence["_Program"]) -> tuple[list[jax.ShapeDtypeStruct], object]:
    """Shapes and structure of what `fn` returns, which must be the same at every setting."""
    shapes, tree = jax.tree.flatten(programs[0].shapes)
    for program in programs:
        if jax.tree.flatten(program.shapes) != (shapes, tree):
            raise ValueError(
                "fn: expected the same shapes at every point of the grid; got "
                f"{programs[0].shapes} at {programs[0].setting} and {program.shapes} at "
                f"{program.setting}. Pad the smaller, or sweep them one by one."
            )
    return shapes, tree


def _identity(programs: Sequence["_Program"], grid: Mapping[str, Values], block: int) -> str:
    """Digest of all that decides the numbers in a store."""
    axes = {name: [_ADDRESS.sub("", repr(v)) for v in values] for name, values in grid.items()}
    text = "".join(program.text for program in programs)
    return hashlib.sha256(f"{jax.__version__} {block} {axes} {text}".encode()).hexdigest()


def _bits(const) -> bytes:
    is_key = jax.dtypes.issubdtype(const.dtype, jax.dtypes.prng_key)
    return np.asarray(jax.random.key_data(const) if is_key else const).tobytes()


def _at_point(fn: Callable, setting: Mapping[str, object], point):
    out = fn(**point, **setting)
    for leaf in jax.tree.leaves(out):
        if not isinstance(leaf, jax.Array | np.ndarray | Number | np.generic):
            raise TypeError(
                f"fn: expected a pytree of arrays from each point; got {leaf!r} in it. "
                "Return numbers or arrays, in tuples, lists or dicts."
            )
    return out


@lru_cache(maxsize=128)
def _on_devices(fn: Callable, static, block: int, sharding: NamedSharding, text: str) -> Callable:
    """`fn` for blocks of points on every device, kept with what was compiled for it."""
    setting = {name: value for name, _, value in static}
    mapped = jax.vmap(partial(_at_point, fn, setting), axis_size=block)
    mesh, sharded = sharding.mesh, sharding.spec
    return jax.jit(
        jax.shard_map(mapped, mesh=mesh, in_specs=sharded, out_specs=sharded, check_vma=False)
    )


class _Program:
    """`fn` at one setting of the static axes, compiled once for blocks on every device."""

    def __init__(self, fn, setting, grid: _Grid, devices: Sequence[jax.Device], block: int):
        self._grid, self._block, self._devices = grid, block, devices
        mesh = Mesh(np.array(devices), ("blocks",))
        self._sharding = NamedSharding(mesh, PartitionSpec("blocks"))
        self._traced = {
            name: jax.ShapeDtypeStruct((), jax.dtypes.canonicalize_dtype(grid.axes[name].dtype))
            for name in grid.traced
        }

        at_point = partial(_at_point, fn, setting)
        self.setting = setting
        jaxpr, self.shapes = jax.make_jaxpr(at_point, return_shape=True)(self._traced)
        #: What decides the numbers, in text.
        self.text = _ADDRESS.sub("", str(jaxpr.jaxpr)) + "".join(
            hashlib.sha256(_bits(const)).hexdigest() for const in jaxpr.consts
        )
        # The text is in the key for a function whose globals have changed since.
        static = tuple((name, type(value), value) for name, value in setting.items())
        key = fn, static, block, self._sharding, self.text
        try:
            self._run = _on_devices(*key)
        except TypeError:  # a setting, such as a list, that cannot be looked up
            self._run = _on_devices.__wrapped__(*key)

    def compiled_text(self) -> str:
        """The compiled program, for those who look for collectives in it."""
        count = self._block * len(self._devices)
        blocks = {
            name: jax.ShapeDtypeStruct((count,), one.dtype, sharding=self._sharding)
            for name, one in self._traced.items()
        }
        return self._run.lower(blocks).compile().as_text()

    def run(self, todo: Sequence[int]) -> Iterator[tuple[int, list[np.ndarray]]]:
        """Number of the block and its leaves, for each block of `todo`."""
        waiting = None  # one launch is computed while the one before it is stored
        for start in range(0, len(todo), len(self._devices)):
            blocks = todo[start : start + len(self._devices)]
            launched = blocks, self._launch(blocks)
            if waiting is not None:
                yield from self._read(*waiting)
            waiting = launched
        if waiting is not None:
            yield from self._read(*waiting)

    def _launch(self, blocks: Sequence[int]):
        # A device without a block of its own repeats the last, and a block that is not full
        # repeats the last point: the program has one shape.
        padded = [*blocks] + [blocks[-1]] * (len(self._devices) - len(blocks))
        indices = np.concatenate([at * self._block + np.arange(self._block) for at in padded])
        points = self._grid.points(np.minimum(indices, self._grid.size - 1))
        placed = {
            name: jax.device_put(np.asarray(values, self._traced[name].dtype), self._sharding)
            for name, values in points.items()
        }
        return self._run(placed)

    def _read(self, blocks, out) -> Iterator[tuple[int, list[np.ndarray]]]:
        leaves = [np.asarray(leaf) for leaf in jax.tree.leaves(out)]
        for place, at in enumerate(blocks):
            count = min(self._block, self._grid.size - at * self._block)
            begin = place * self._block
            yield at, [leaf[begin : begin + count] for leaf in leaves]
