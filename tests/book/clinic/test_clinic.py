"""The clinic: the browser against JAX, and its networks against those of the library."""

import functools
import gzip

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import vanishing as vg
from differential import animated
from vanishing.book.clinic import clinic as module
from vanishing.book.clinic import patients, treatment
from vanishing.book.clinic.patients import CURES, PATIENTS, treated
from vanishing.book.clinic.treatment import course
from vanishing.book.digits import digits, standardised
from vanishing.live.page.assets import strip
from vanishing.training import losses

#: One of each kind of network, and one that leaves the numbers. G itself is chaotic: it blows the
#: rounding of one layer up from layer to layer.
CASES = [("A", "nothing"), ("B", "η ÷ 30"), ("C", "nothing"), ("D", "nothing"), ("E", "nothing"),
         ("F", "nothing"), ("F", "matched start"), ("G", "matched start"), ("H", "scaled skips"),
         ("A", "batch norm")]  # fmt: skip


@functools.cache
def figure():
    return module.clinic()


@functools.cache
def compared():
    """Each case in its first step: JAX's and Node's states and outputs, from one state."""
    settings = [{"patient": p, "cure": c, "seed": seed} for seed, (p, c) in enumerate(CASES)]
    return animated(figure(), settings, ahead=lambda case: 0)


@pytest.mark.parametrize("case", range(len(CASES)))
def test_the_browser_trains_as_jax_does(case):
    start, js_start, (state, outputs), (js_state, js_outputs) = compared()[case]
    pairs = ((start.trained, js_start.trained), (state.trained, js_state.trained))
    for a, b in zip(*(jax.tree.leaves(tree) for tree in zip(*pairs, strict=True)), strict=True):
        scale = max(float(np.abs(np.asarray(a, float)).max(initial=0)), 1e-3)
        np.testing.assert_allclose(b, a, rtol=1e-3, atol=1e-4 * scale)
    for name, value in outputs.items():
        # Shares count pairs, of which one on the very edge may fall to either side; sizes are
        # decades, and a chaotic network blows rounding up.
        np.testing.assert_allclose(js_outputs[name], value, rtol=1e-2, atol=0.02, err_msg=name)


step = jax.jit(treatment.step)


def as_network(patient: patients.Patient):
    """The same network by the library's public description."""
    start = (
        {"sigma_w": patient.sigma_w, "sigma_b": 0.0}
        if patient.sigma_w
        else {"initializer": "pytorch"}
    )
    return vg.MLP(
        patient.depth, treatment.WIDTH, patients.ACTIVATIONS[patient.activation],
        residual=patient.residual or None, out_features=treatment.CLASSES,
        normalization="batch" if patient.normalization else None, **start,
    )  # fmt: skip


@pytest.mark.parametrize("letter", "ACDEG")  # one of each kind
def test_a_patient_is_a_network_of_the_library(letter):
    patient = PATIENTS[letter]
    net, key = as_network(patient), jax.random.key(3)
    state = treatment.start(patient, key=key)
    params = state.params | {
        name: state.params[name][: patient.depth] for name in ("weights", "biases")
    }
    rows = jnp.asarray(digits())[: treatment.BATCH]
    data = standardised(rows)
    loss, cotangent = losses.loss_and_cotangent(vg.apply(net, params, data.x), data.y)
    signals = vg.probe(net, params, data.x, cotangent)
    made = step(patients.traced(patient), state, rows)[1]
    used = slice(0, patient.depth)
    assert float(made.loss) == pytest.approx(float(loss), rel=1e-3)
    trace = vg.forward(net, params, data.x)
    spread = 0.5 * np.log10(np.mean(np.asarray(trace.pre, float) ** 2, axis=(1, 2)))
    np.testing.assert_allclose(made.readings.spread[used], spread, atol=1e-3)
    np.testing.assert_allclose(made.readings.dead[used], signals.dead_fraction, atol=0.02)
    np.testing.assert_allclose(made.readings.saturated[used], signals.saturated_fraction, atol=0.01)
    if letter != "D":  # the library differentiates the statistics
        gradient = np.asarray(signals.log_weight_gradient_rms) / np.log(10)
        np.testing.assert_allclose(made.gradient[used], gradient, atol=0.02)
    assert np.isnan(made.gradient[patient.depth :]).all()


def test_the_cosine_is_the_mean_over_all_pairs():
    h = jax.random.normal(jax.random.key(0), (5, 7))
    unit = np.asarray(h / jnp.linalg.norm(h, axis=1, keepdims=True))
    pairs = [unit[i] @ unit[j] for i in range(5) for j in range(i)]
    assert float(treatment._alike(h)) == pytest.approx(np.mean(pairs), abs=1e-6)


def test_what_is_drawn_is_the_course():
    """The picture at rest, against the run of `course`."""
    for patient, cure in (("F", "matched start"), ("E", "nothing")):
        shown = figure().evaluate(patient=patient, cure=cure)
        run = course(treated(patient, cure))
        expected = np.clip(treatment.smooth(run.loss), *module.LOSS)
        np.testing.assert_allclose(shown["loss"][: len(expected)], expected, rtol=0.2)
        lost = np.isnan(run.loss).any()
        assert (shown["lost"][0] == module.ASIDE) == (not lost)
    assert np.isnan(shown["loss"][2:]).all() and shown["loss_now"] == np.inf


def test_positions_and_names_choose_the_same():
    for p, letter in enumerate(PATIENTS):
        for c, cure in enumerate(CURES):
            for a, b in zip(patients.chosen(p, c), treated(letter, cure), strict=True):
                assert float(a) == pytest.approx(b, rel=1e-6)


def test_the_code_is_small():
    sources = "\n".join(strip(program.source) for program in figure().programs.values())
    assert len(gzip.compress(sources.encode(), 9)) <= 16_500
