"""Where a sweep puts its results: into memory, or into a folder from which it can go on."""

from collections.abc import Sequence

import jax
import numpy as np
from jax.experimental import multihost_utils


def wait(event: str) -> None:
    """Wait for all processes, if there is more than one."""
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices(event)


class Memory:
    """The results of a sweep that is not kept."""

    def __init__(self, shapes, settings: int, points: int, block: int):
        self._block = block
        self._leaves = [np.empty((settings, points, *s.shape), s.dtype) for s in shapes]

    def has(self, setting: int, at: int) -> bool:
        return False

    def put(self, setting: int, at: int, leaves: Sequence[np.ndarray]) -> None:
        for whole, part in zip(self._leaves, leaves, strict=True):
            whole[setting, at * self._block : at * self._block + len(part)] = part

    def all(self) -> list[np.ndarray]:
        return self._leaves


class Store:
    """The results of a sweep in a Zarr group: an array for each leaf, a file for each block.

    A block counts as done once `done` says so, which is written last; Zarr replaces a file as a
    whole, so a process that is killed leaves either all of a block or a block to be done again.
    """

    def __init__(self, path, shapes, settings: int, points: int, block: int, identity: str):
        import zarr  # takes a fifth of a second, and most sweeps need none

        self._block = block
        if jax.process_index() > 0:
            wait("the first process has made the store")
        self._group = zarr.open_group(path, mode="a")
        known = self._group.attrs.get("sweep")
        if known not in (None, identity):
            raise ValueError(
                f"store: expected an empty folder or this sweep's own; got {str(path)!r}, which "
                "holds a sweep of another function, grid or block, or by another JAX. Give each "
                "sweep a folder, or delete this one."
            )
        self._leaves = [
            self._group.require_array(
                f"leaf{number}",
                shape=(settings, points, *one.shape),
                chunks=(1, block, *one.shape),
                dtype=one.dtype,
            )
            for number, one in enumerate(shapes)
        ]
        blocks = -(-points // block)
        self._done = self._group.require_array(
            "done", shape=(settings, blocks), chunks=(1, 1), dtype="uint8"
        )
        if jax.process_index() == 0:
            self._group.attrs["sweep"] = identity
            wait("the first process has made the store")
        self._found = np.asarray(self._done[:], bool)

    def has(self, setting: int, at: int) -> bool:
        return bool(self._found[setting, at])

    def put(self, setting: int, at: int, leaves: Sequence[np.ndarray]) -> None:
        begin = at * self._block
        for whole, part in zip(self._leaves, leaves, strict=True):
            whole[setting, begin : begin + len(part)] = part
        self._done[setting, at] = 1

    def all(self) -> list[np.ndarray]:
        return [leaf[:] for leaf in self._leaves]
