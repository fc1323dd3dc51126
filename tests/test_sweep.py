"""A sweep is one call at each point: on any devices, and however often it was stopped."""

import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from contextlib import contextmanager
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg

# What is swept in processes of their own.
STUDY = """
import time
import jax, jax.numpy as jnp, numpy as np
import vanishing as vg

GRID = {"seed": range(7), "activation": ["tanh", "relu"], "sigma_w": [0.5, 1.0, 2.0]}


def lengths(seed, activation, sigma_w):
    def layer(h, key):
        h = getattr(jax.nn, activation)(h @ jax.random.normal(key, (24, 24)) * sigma_w / 24**0.5)
        return h, {"rms": jnp.sqrt(jnp.mean(h**2)), "dead": jnp.mean(h == 0)}

    inputs, *weights = jax.random.split(jax.random.key(seed), 13)
    return jax.lax.scan(layer, jax.random.normal(inputs, (8, 24)), jnp.stack(weights))[1]
"""


def program(body: str, devices: int = 8, **environment: str) -> subprocess.Popen:
    """The study and then `body`, in a process that believes to have so many devices."""
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}"
    return subprocess.Popen(
        [sys.executable, "-c", STUDY + textwrap.dedent(body)],
        env={**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(process: subprocess.Popen) -> str:
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    return out


def test_every_point_is_where_the_grid_says():
    grid = {"a": [1.0, 2.0], "kind": ["plus", "times"], "b": [0.0, 1.0, 2.0], "flag": [True, False]}

    def fn(a, kind, b, flag):
        value = a + b if kind == "plus" else a * b
        return value * jnp.array([1.0, 10.0]), jnp.int32(b if flag else -1)

    values, counts = vg.sweep(fn, grid, block=2)
    assert values.shape == (2, 2, 3, 2, 2) and counts.shape == (2, 2, 3, 2)
    for place in np.ndindex(counts.shape):
        point = [list(axis)[at] for axis, at in zip(grid.values(), place, strict=True)]
        value, count = fn(*point)
        np.testing.assert_array_equal(values[place], value)
        assert counts[place] == count


def test_numbers_can_be_static():
    widths = vg.sweep(
        lambda width, scale: scale * jnp.ones(width).sum(),
        {"width": [2, 3], "scale": np.array([1.0, 5.0])},
        static=["width"],
    )
    np.testing.assert_array_equal(widths, [[2, 10], [3, 15]])


@contextmanager
def compilations():
    """The programs that JAX compiles meanwhile, or takes from its cache on disk."""
    seen = []

    def listen(event, seconds, **_):
        if event == "/jax/core/compile/backend_compile_duration":
            seen.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield seen
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


def test_a_second_sweep_compiles_nothing():
    shift = {"by": 1.0}

    def fn(kind, widths, a):
        return (jnp.sin if kind == "sine" else jnp.cos)(a * len(widths)) + shift["by"]

    def swept(a, widths=((1, 2), (3,))):
        with compilations() as seen:
            found = vg.sweep(fn, {"kind": ["sine", "cosine"], "widths": widths, "a": a}, block=2)
        return found, len(seen)

    _, first = swept([0.1, 0.2, 0.3])
    again, second = swept([0.5, 0.7])
    np.testing.assert_allclose(again[0, 0], np.sin([1.0, 1.4]) + 1, rtol=1e-6)
    assert first >= 4 and second == 0
    _, unhashable = swept([0.5, 0.7], widths=[[1, 2], [3]])
    assert unhashable >= 4
    shift["by"] = 2.0  # no pure function, but none that is computed wrongly
    changed, _ = swept([0.5, 0.7])
    np.testing.assert_allclose(changed, again + 1, rtol=1e-6)


def test_shapes_must_agree_between_settings():
    with pytest.raises(ValueError, match=r"fn: expected the same shapes .*'n': 3"):
        vg.sweep(lambda n: jnp.ones(n), {"n": [2, 3]}, static=["n"])


def test_bits_do_not_depend_on_the_devices_and_nothing_is_exchanged():
    printed = output(
        program(
            """
            from vanishing.sweep import _Program, _checked_grid

            eight, one = vg.sweep(lengths, GRID), vg.sweep(lengths, GRID, devices=jax.devices()[:1])
            three = vg.sweep(lengths, GRID, devices=jax.devices()[2:5])
            for name in eight:
                np.testing.assert_array_equal(one[name], eight[name])
                np.testing.assert_array_equal(one[name], three[name])
            grid = _checked_grid(GRID, ())
            text = _Program(lengths, grid.settings[0], grid, jax.devices(), 16).compiled_text()
            collectives = "all-reduce all-gather all-to-all collective-permute reduce-scatter"
            print(len(jax.devices()), eight["rms"].shape, "dot" in text,
                  [word for word in collectives.split() if word in text])
            """
        )
    )
    assert printed == "8 (7, 2, 3, 12) True []\n"


def files(store: Path) -> dict[Path, int]:
    """The blocks in a store that are done, and when each was written."""
    done = store / "done" / "c"
    return {p: p.stat().st_mtime_ns for p in done.rglob("*") if p.is_file()}


def test_a_killed_sweep_goes_on_where_it_stopped(tmp_path):
    slow = """
    def slowly(seed, activation, sigma_w):
        out = lengths(seed, activation, sigma_w)
        jax.debug.callback(lambda: time.sleep(0.03))
        return out

    result = vg.sweep(slowly, GRID, block=2, store=STORE)
    np.savez(STORE + "/result.npz", **result)
    """
    kept, whole = tmp_path / "kept", tmp_path / "whole"
    process = program(f"STORE = {str(kept)!r}" + textwrap.dedent(slow), devices=2)
    deadline = time.monotonic() + 300
    while len(files(kept)) < 5 and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before = files(kept)
    assert 5 <= len(before) < 22  # of 2 settings, 11 blocks each

    output(program(f"STORE = {str(kept)!r}" + textwrap.dedent(slow), devices=3))
    output(program(f"STORE = {str(whole)!r}" + textwrap.dedent(slow), devices=1))
    after = files(kept)
    assert len(after) == 22 and all(after[p] == at for p, at in before.items())
    one, two = (np.load(store / "result.npz") for store in (kept, whole))
    for name in one:
        np.testing.assert_array_equal(one[name], two[name])


def test_a_store_is_no_other_sweeps(tmp_path):
    vg.sweep(lambda a: a + 1, {"a": [1.0, 2.0]}, store=tmp_path)
    with pytest.raises(ValueError, match="store: expected an empty folder or this sweep's own"):
        vg.sweep(lambda a: a + 2, {"a": [1.0, 2.0]}, store=tmp_path)
    with pytest.raises(ValueError, match="store: expected an empty folder"):
        vg.sweep(lambda a: a + 1, {"a": [1.0, 3.0]}, store=tmp_path)
    again = vg.sweep(lambda a: a + 1, {"a": [1.0, 2.0]}, store=tmp_path)
    np.testing.assert_array_equal(again, [2.0, 3.0])


def test_a_store_knows_the_key_that_a_function_closes_over(tmp_path):
    def drawn(key):
        return vg.sweep(lambda a: a * jax.random.normal(key), {"a": [1.0, 2.0]}, store=tmp_path)

    drawn(jax.random.key(0))
    with pytest.raises(ValueError, match="store: expected an empty folder"):
        drawn(jax.random.key(1))


PAGE = Path(__file__).parents[1].joinpath("chapters", "clusters.md").read_text(encoding="utf-8")
STUDY_CELL, *_ = re.findall(r"```{code-cell} ipython3\n(.*?)```", PAGE, re.S)
SCRIPT, BY_HAND = re.findall(r"```python\n(.*?)```", PAGE, re.S)
JOIN, STAND_IN = "jax.distributed.initialize()", "# the function and the grid, as above\n"
# A host that dies: in the middle of its share, without a word, once the other has finished its own.
DIES = """
import os, signal, time
from vanishing import _stores

put, done = _stores.Store.put, []

def dying(store, *block):
    put(store, *block)
    done.append(block)
    if len(done) == 3 and os.environ["SLURM_PROCID"] == "1":
        while not store._done[:, ::2].all():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGKILL)

_stores.Store.put = dying
"""


def both(script: str, store: Path, environment: list[dict[str, str]]) -> list[subprocess.Popen]:
    """The page's `study.py` in two processes."""
    script = f"import sys; sys.argv = ['study.py', {str(store)!r}]\n" + script
    script += "\nimport numpy; numpy.save(f'{sys.argv[1]}/{jax.process_index()}.npy', found)"
    script += "\nassert jax.process_count() == 2 and len(jax.local_devices()) == 2"
    return [program(script, devices=2, **variables) for variables in environment]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_two_processes_share_the_work_as_the_page_says(tmp_path):
    script = SCRIPT.replace(STAND_IN, STUDY_CELL)
    assert STUDY_CELL in script and JOIN in script
    slurm = {"SLURM_JOB_ID": "7", "SLURM_STEP_NODELIST": "127.0.0.1", "SLURM_NTASKS": "2",
             "JAX_COORDINATOR_PORT": str(free_port())}  # fmt: skip
    tasks = [slurm | {"SLURM_PROCID": n, "SLURM_LOCALID": n} for n in "01"]
    impatient = script.replace(JOIN, "jax.distributed.initialize(heartbeat_timeout_seconds=10)")
    first, lost = both(DIES + impatient, tmp_path, tasks)
    assert lost.communicate(timeout=600) and lost.returncode == -signal.SIGKILL
    assert first.communicate(timeout=600) and first.returncode != 0
    before = files(tmp_path)
    blocks, share = 2 * 15, 2 * 8  # of two activations, 60 points in blocks of 4 each
    assert len(before) == share + 3 < blocks

    pods = {"COORDINATOR": f"127.0.0.1:{free_port()}", "PROCESSES": "2"}
    by_hand = script.replace(JOIN, BY_HAND)
    again = both(by_hand, tmp_path, [pods | {"JOB_COMPLETION_INDEX": n} for n in "01"])
    printed = [output(process) for process in again]
    assert ["[[" in out for out in printed] == [True, False]  # a table, from the first alone
    after = files(tmp_path)
    assert len(after) == blocks and all(after[p] == at for p, at in before.items())

    here = {}
    exec(STUDY_CELL, here)  # the page's own cell
    alone = vg.sweep(here["log_gradient"], here["grid"], block=4)
    for number in range(2):
        np.testing.assert_array_equal(np.load(tmp_path / f"{number}.npy"), alone)


def test_a_million_points_do_not_fill_memory():
    # Each point makes 64 KB on its way: 64 GB at once, 8 MB in two blocks of 64.
    def fn(a):
        return jnp.sum(jnp.sin(a * jnp.arange(16384.0)))

    from vanishing.sweep import _checked_grid, _Program

    grid = _checked_grid({"a": np.linspace(0, 1, 1000), "b": np.linspace(0, 1, 1000)}, ())
    run = _Program(lambda a, b: fn(a + b), {}, grid, jax.devices()[:1], 64)
    assert grid.size == 10**6
    block = {name: jax.ShapeDtypeStruct((64,), np.float32) for name in "ab"}
    memory = run._run.lower(block).compile().memory_analysis()
    assert memory.temp_size_in_bytes + memory.output_size_in_bytes < 2 * 64 * 16384 * 4
