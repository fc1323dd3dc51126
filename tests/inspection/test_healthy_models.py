"""False alarms: what is said of twenty models that have nothing wrong."""

import healthy_models as models
import jax
import numpy as np
import optax
import pytest

import vanishing as vg

ADAM = optax.adam(1e-3)
# A GRU as libraries start it keeps half of its state at each step: of the first of forty inputs
# nothing is left. That is what the chapter on it is about, and yet it learns from the later ones.
ALARMS = {"linen_gru": ["vanishing gradient"]}


def test_there_are_twenty():
    assert len(set(models.MODELS)) == 20 and len(ALARMS) <= 1


@pytest.mark.parametrize("model", models.MODELS, ids=lambda model: model.__name__)
def test_no_false_alarm(model):
    with jax.numpy_dtype_promotion("standard"), jax.numpy_rank_promotion("allow"):
        case = model()
        report = vg.inspect(case.loss, case.params, *case.batch, optimizer=ADAM)
        assert learns(case)
    problems = [finding.problem for finding in report.findings]
    assert problems == ALARMS.get(model.__name__, [])


def learns(case, steps=30):
    """Whether a few steps on one batch make the loss smaller by a twentieth."""

    @jax.jit
    def trained(params, batch):
        def step(state, _):
            params, moments = state
            loss, gradient = jax.value_and_grad(case.loss)(params, *batch)
            update, moments = ADAM.update(gradient, moments, params)
            return (optax.apply_updates(params, update), moments), loss

        return jax.lax.scan(step, (params, ADAM.init(params)), length=steps)[1]

    losses = np.asarray(trained(case.params, case.batch))
    return losses[-1] < 0.95 * losses[0]
