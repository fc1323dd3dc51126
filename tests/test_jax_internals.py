"""What the library needs from inside of JAX, named when a new JAX no longer has it."""

import ast
import gc
import re
import tomllib
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from vanishing import _jax_internals

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "lib/vanishing"
CHANGED = "JAX has changed: {} is not what it was ({}). Mend vanishing/_jax_internals.py."


def test_jax_is_of_the_release_that_is_known():
    known, found = _jax_internals.RELEASE, jax.__version_info__[:2]
    assert found == known, (
        f"jax: expected release {known}; got {found}. jaxprs differ between releases: run "
        "tests/live/compiler and tests/inspection against it, then move RELEASE and the bound in "
        "pyproject.toml."
    )


def test_pyproject_allows_that_release_alone():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (bound,) = (d for d in project["dependencies"] if re.match(r"jax\b", d))
    major, minor = _jax_internals.RELEASE
    assert bound == f"jax>={major}.{minor},<{major}.{minor + 1}"


def private(path: Path) -> bool:
    """Whether a module names `jax._src`, in an import or as an attribute."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        imported = [alias.name for alias in getattr(node, "names", ()) if hasattr(alias, "name")]
        named = [getattr(node, "module", None) or "", *imported, getattr(node, "attr", "")]
        if any(re.search(r"(^|\.)_src(\.|$)", name) for name in named if isinstance(name, str)):
            return True
    return False


def test_only_one_module_reaches_inside_of_jax():
    reaching = {str(p.relative_to(LIBRARY)) for p in LIBRARY.rglob("*.py") if private(p)}
    assert reaching == {"_jax_internals.py"}, (
        "jax._src: expected vanishing/_jax_internals.py alone to import from it; got "
        f"{sorted(reaching)}. Move what they take there, with a test here."
    )


@pytest.mark.parametrize(
    "line",
    ["from jax._src import core", "import jax._src.core", "from jax import _src", "jax._src.core"],
)
def test_a_reach_is_seen(line, tmp_path):
    (tmp_path / "burglar.py").write_text(line)
    assert private(tmp_path / "burglar.py")


def only(function, *arguments):
    (eqn,) = jax.make_jaxpr(function)(*arguments).jaxpr.eqns
    return eqn


def pruned():
    jaxpr = jax.make_jaxpr(lambda x: (jnp.sin(x), jnp.cos(x))[0])(1.0).jaxpr
    return [eqn.primitive.name for eqn in _jax_internals.pruned(jaxpr).eqns] == ["sin"]


def key_impl():
    (key,) = jax.make_jaxpr(jax.random.bits)(jax.random.key(0)).in_avals
    plain = jax.typeof(jnp.ones(()))
    return (
        _jax_internals.key_impl(key).name == "threefry2x32"
        and _jax_internals.key_impl(plain) is None
    )


def user_frame():
    frame = _jax_internals.user_frame(only(lambda x: jnp.sin(x), 1.0).source_info.traceback)
    return (frame.file_name, frame.start_line > 0) == (__file__, True)


def is_users():
    return _jax_internals.is_users(__file__) and not _jax_internals.is_users(jnp.__file__)


def at():
    traceback = only(lambda x: jnp.sin(x), 1.0).source_info.traceback

    def elsewhere(x):
        with _jax_internals.at(traceback):
            return jnp.cos(x)

    made = jax.make_jaxpr(elsewhere)(1.0).jaxpr.eqns[0].source_info.traceback
    return _jax_internals.user_frame(made) == _jax_internals.user_frame(traceback)


def context():
    with jax.threefry_partitionable(False):
        eqn = only(jnp.sin, 1.0)
    with jax.threefry_partitionable(True):
        with _jax_internals.context(eqn):
            inside = jax.config.jax_threefry_partitionable
        return not inside and jax.config.jax_threefry_partitionable


def bind():
    one = only(lambda x: jnp.sum(x, axis=0), jnp.ones((2, 3)))
    (made,) = _jax_internals.bind(one, [jnp.ones((2, 3))], one.params | {"axes": (1,)})
    many = only(lambda x: jax.lax.scan(lambda c, s: (c + s, c), 0.0, x), jnp.arange(3.0))
    total, kept = _jax_internals.bind(many, [0.0, jnp.arange(3.0)], many.params)
    return made.tolist() == [3.0, 3.0] and (float(total), kept.shape) == (3.0, (3,))


def derivative():
    mesh = jax.make_mesh((1,), ("here",), axis_types=(jax.sharding.AxisType.Auto,))
    everywhere = jax.sharding.PartitionSpec("here")
    mapped = jax.shard_map(jax.nn.relu, mesh=mesh, in_specs=everywhere, out_specs=everywhere)
    eqn = only(mapped, jnp.ones(2)).params["jaxpr"].eqns[0]
    if eqn.primitive.name == "jit":
        (eqn,) = eqn.params["jaxpr"].jaxpr.eqns
    jaxpr, constants, still = _jax_internals.derivative(eqn)
    return (len(jaxpr.invars), len(jaxpr.outvars), len(constants), still) == (2, 2, 0, [False])


def rule():
    eqn = only(jax.nn.relu, jnp.ones(2))
    jaxpr, constants, still = _jax_internals.rule(eqn)
    return (len(jaxpr.invars), len(jaxpr.outvars), len(constants), still) == (2, 2, 0, [False])


def forget_lowered():
    def modules():
        return sum(type(held).__name__ == "JaxIrContext" for held in gc.get_objects())

    program = jax.jit(lambda x: jnp.sin(x) + 3)
    program(1.0)
    held = modules()
    _jax_internals.forget_lowered()
    left = modules()
    program(1.0)
    return modules() == left < held


@pytest.mark.parametrize(
    ("holds", "taken"),
    [
        (pruned, "partial_eval.dce_jaxpr"),
        (key_impl, "the `_impl` of a key's dtype"),
        (user_frame, "source_info_util.user_frame"),
        (is_users, "source_info_util.is_user_filename"),
        (at, "source_info_util.user_context"),
        (context, "an equation's `ctx.manager`"),
        (bind, "`primitive.get_bind_params`, with `multiple_results`"),
        (forget_lowered, "`pjit._pjit_lower` or `pxla._cached_lowering_to_hlo`"),
        (derivative, "`jvp_jaxpr_fun`, `core.extend_axis_env_nd` or `config._check_vma`"),
        (rule, "`jvp_jaxpr_fun` or `core.primal_dtype_to_tangent_dtype`"),
    ],
)
def test_what_is_taken_is_there(holds, taken):
    try:
        said, kept = "its result is another", holds()
    except Exception as error:
        said, kept = f"{type(error).__name__}: {error}", False
    assert kept, CHANGED.format(taken, said)


def test_every_name_is_tested():
    taken = {name for name, f in vars(_jax_internals).items() if callable(f) and name[0] != "_"}
    own = {name for name in taken if getattr(_jax_internals, name).__module__.startswith("vanish")}
    assert own <= globals().keys(), own - globals().keys()
