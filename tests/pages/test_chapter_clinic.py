"""Numbers, names and statements that stand as text in `clinic`, against computed ones."""

import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import vanishing as vg
from vanishing.book.clinic.ablation import WORDS, changes
from vanishing.book.clinic.patients import PATIENTS, RELU, treated
from vanishing.book.clinic.treatment import course, final_loss
from vanishing.moments import gaussian_mean
from vanishing.studies import ablation, worths

ROOT = Path(__file__).parents[2]
TEXT = ROOT.joinpath("chapters", "clinic.md").read_text()
MYTHS = TEXT.split("## Myths")[1].split("## Summary")[0]
NAMED = [
    "test_" + words.replace(" ", "_") for words in re.findall(r"\*Test: (.+)\.\* \|$", MYTHS, re.M)
]


def test_every_myth_names_a_test_that_exists():
    rows = [line for line in MYTHS.splitlines() if line.startswith('| "')]
    assert len(rows) == len(NAMED) >= 20
    assert all("{numref}" in row or "{doc}" in row for row in rows)
    sources = "\n".join(path.read_text() for path in ROOT.joinpath("tests").rglob("test_*.py"))
    there = set(re.findall(r"^def (test_\w+)", sources, re.M))
    assert set(NAMED) <= there, set(NAMED) - there


def test_the_referrals_are_the_patients():
    for letter, said in re.findall(r"^- \*\*([A-H])\*\*: (.+)$", TEXT, re.M):
        patient = PATIENTS[letter]
        numbers = {"five": 5, "ten": 10, "thirty": 30, "forty": 40}
        assert numbers[said.split()[0]] == patient.depth
        assert float(re.search(r"\\eta = ([\d.]+)\$", said)[1]) == patient.rate
        assert ("He's" in said) == (patient.activation == RELU and patient.sigma_w > 0)


@pytest.mark.parametrize("seed", [5, 6])
def test_every_patient_has_the_readings_of_its_disease(seed):
    first = {letter: course(patient, seed).first for letter, patient in PATIENTS.items()}
    gradient = {letter: np.asarray(made.gradient) for letter, made in first.items()}
    assert gradient["A"][0] < -15 and -16 < gradient["C"][0] < -9
    assert gradient["G"][0] > gradient["G"][9] + 1.5 and gradient["E"][0] > 2
    assert first["G"].readings.saturated[9] > 0.6
    assert np.isneginf(gradient["F"][:10]).all() and first["F"].readings.dead[9] == 1
    assert abs(gradient["H"][0] - gradient["H"][39]) < 1.5
    assert first["H"].readings.alike[30:].mean() > 0.85 > first["B"].readings.alike[4]
    assert np.isnan(course(PATIENTS["B"], seed).loss[-1]) or final_loss(PATIENTS["B"], seed) > 1.5


def test_the_gradients_at_the_last_layers_are_those_of_the_text():
    assert "A and H 10⁻², C 10⁻³, G 10⁻¹" in TEXT and "about $10^{-2.3}$ at layer 30" in TEXT
    for letter, power in {"A": -2, "H": -2, "C": -3, "G": -1}.items():
        gradient = np.asarray(course(PATIENTS[letter]).first.gradient)
        assert gradient[PATIENTS[letter].depth - 1] == pytest.approx(power, abs=0.5)
    assert course(PATIENTS["A"]).first.gradient[29] == pytest.approx(-2.3, abs=0.2)
    assert vg.theory.chi("sigmoid", 1.0) ** 0.5 == pytest.approx(0.236, abs=1e-3)
    assert 1e5 < course(PATIENTS["E"]).first.loss < 1e7


@pytest.mark.parametrize("letter", ["A", "C", "F"])
def test_the_wrong_cures_of_the_text_fail(letter):
    """ "The loss rests as before": over eight seeds within .06 of guessing."""
    cure = {"A": "ReLU", "C": "η × 30", "F": "ReLU"}[letter]
    assert abs(final_loss(treated(letter, cure), seed=4) - np.log(10)) < 0.25


def test_the_quotation_stands_in_both_chapters():
    words = "unlikely to be caused by vanishing gradients"
    assert words in TEXT
    assert words in ROOT.joinpath("chapters", "residual-connections.md").read_text()


def test_leaky_relu_hands_on_a_mean():
    mean = gaussian_mean(lambda z: jnp.where(z > 0, z, 0.1 * z), 1.0)
    assert float(mean) == pytest.approx(0.9 / np.sqrt(2 * np.pi), abs=1e-5)


def test_leaks_differ_from_relu_on_the_negative_side_alone():
    right, left = jnp.linspace(0.1, 4, 9), jnp.linspace(-4, -0.1, 9)
    relu = vg.activations.derivative("relu")
    for name in ("leaky_relu", "elu"):
        slope = vg.activations.derivative(name)
        np.testing.assert_array_equal(slope(right), relu(right))
        assert (slope(left) > 0).all() and (relu(left) == 0).all()


def test_a_bounded_function_may_be_steep():
    z = jnp.linspace(-3, 3, 601)
    bounded = lambda z: jnp.sin(5 * z)  # noqa: E731
    assert jnp.abs(bounded(z)).max() <= 1
    assert float(jax.grad(bounded)(0.0)) == pytest.approx(5)
    assert float(vg.activations.derivative("tanh")(0.0)) == 1


def test_adam_makes_the_same_step_of_a_gradient_a_million_times_smaller():
    params, gradient = jnp.ones(3), jnp.array([1.0, -2.0, 0.5])
    for rule, kept in ((optax.sgd(0.1), 1e-6), (optax.adam(0.1, eps=1e-12), 1.0)):
        with jax.numpy_dtype_promotion("standard"):  # as optax needs it
            steps = [rule.update(s * gradient, rule.init(params))[0] for s in (1.0, 1e-6)]
        np.testing.assert_allclose(steps[1], kept * steps[0], rtol=1e-4)


def test_wrong_answers_get_a_hint():
    assert not vg.check("clinic-rest", np.log(3))
    assert not vg.check("clinic-output", 2.0**20)
    assert not vg.check("clinic-open", 0.5)
    assert not vg.check("clinic-moves", 7)
    assert not vg.check("clinic-scaling", 15)
    assert "no ReLU" in vg.check("clinic-two", lambda patient: patient).message
    assert "says 'vanishing'" in vg.check("clinic-diagnose", lambda made: "vanishing").message


def test_the_factorial_of_the_text_is_the_one_that_was_run():
    said = TEXT.split("## What is each part worth?")[1].split("**What a change")[0]
    assert f"networks of {ablation.WIDTH} units" in said
    numbers = {4: "four", 5: "five"}
    assert all(len(rates) == 5 for rates in ablation.RATES.values())
    assert f"{numbers[5]} learning rates from {numbers[ablation.STARTS]} starts" in said
    values = {"PyTorch": "PyTorch's", "plain": "plain layers", "scaled skips": "skips", "4 layers":
              "4 or", "16 layers": "16 layers", "SGD": "plain descent"}  # fmt: skip
    assert all(values.get(word, word) in said for words in WORDS.values() for word in words)
    assert f"= {ablation.GUESSING:.2f}$" in said
    table = re.findall(r"^\| (.+ → .+?) \| \{glue:text\}`worth-(\d)`", TEXT, re.M)
    assert table == [(name, str(k)) for k, name in enumerate(changes())]
    assert (
        worths.CHANGES[6] == ("residual", True) and "Skips are worth {glue:text}`worth-6`" in TEXT
    )


def filtered(**values):
    """Medians of the networks with these values, and (low, high) of what each change is worth."""
    kept = worths.everything()
    for name, value in values.items():
        row = list(ablation.FACTORS).index(name)
        kept[row] = np.arange(kept.shape[1]) == ablation.FACTORS[name].index(value)
    losses = ablation.tuned(ablation.losses()).reshape(ablation.NETWORKS, ablation.STARTS)
    found = worths.worths(losses, kept)
    ends = np.median(losses, axis=1)[np.asarray(worths.weights(kept)) > 0]
    return ends, {change: (float(low), float(high)) for change, _, low, high in
                  zip(worths.CHANGES, *found, strict=True)}  # fmt: skip


def test_what_is_said_of_all_networks_is_what_the_table_says():
    _, worth = filtered()
    for change in (("initializer", "xavier"), ("normalization", "layer")):
        assert worth[change][0] < 0 < worth[change][1]
    assert worth["depth", 16][1] < 0
    assert min(low for change, (low, _) in worth.items() if change[0] in
               ("activation", "residual", "optimizer")) > 0  # fmt: skip
    skips = worths.differences(
        ablation.tuned(ablation.losses()), worths.CHANGES.index(("residual", True))
    )
    assert np.quantile(skips, (0.1, 0.9)) == pytest.approx([0, 0.5], abs=0.05)


def test_what_is_said_under_filters_is_what_the_table_says():
    line = ablation.straight_line()
    _, plain = filtered(residual=False)
    assert plain["depth", 16][1] < 0 < plain["normalization", "batch"][0]
    _, skips = filtered(residual=True)
    for change in (("depth", 16), ("normalization", "batch")):
        assert skips[change][0] < 0 < skips[change][1]
    deep = {"activation": "sigmoid", "residual": False, "depth": 16}
    assert filtered(**deep, normalization=None)[0].min() > ablation.GUESSING - 0.01
    assert filtered(**deep, normalization="batch")[0] == pytest.approx(line, abs=0.06)
    _, shallow = filtered(activation="tanh", residual=False, depth=4)
    assert shallow["normalization", "batch"][1] < 0
    bent = {"activation": "sigmoid", "residual": True}
    assert np.median(filtered(**bent, optimizer="sgd")[0]) > 0.9 * line
    assert filtered(**bent, optimizer="adam", normalization="layer")[0].max() < line / 5
    plain, _ = filtered(activation="sigmoid", residual=False, normalization=None)
    assert np.mean(plain > ablation.GUESSING - 0.01) > 0.5
    led, _ = filtered(activation="sigmoid", residual=False, normalization="batch")
    assert led == pytest.approx(line, abs=0.06)
    relu = {norm: np.median(filtered(activation="relu", residual=False, normalization=norm)[0])
            for norm in (None, "batch", "layer")}  # fmt: skip
    assert min(relu, key=relu.get) == "batch" and relu["batch"] < line / 2
