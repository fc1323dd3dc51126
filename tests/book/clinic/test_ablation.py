"""The explorer of the ablation: the browser against JAX, and JAX against the table."""

import functools
import gzip
import random

import numpy as np
import pytest

import differential
from vanishing.book.clinic import ablation as module
from vanishing.book.clinic.ablation import ANY, WORDS
from vanishing.live.page.assets import strip
from vanishing.studies import ablation as study
from vanishing.studies.ablation import FACTORS


@functools.cache
def figure():
    return module.ablation()


def settings():
    rng = random.Random(0)
    some = [
        {name: rng.choice((ANY, ANY, *words)) for name, words in WORDS.items()} for _ in range(20)
    ]
    one = {name: words[-1] for name, words in WORDS.items()}  # a single network is left
    return [{}, one, *some]


@functools.cache
def compared():
    return differential.still(figure(), settings())


@pytest.mark.parametrize("case", range(len(settings())))
def test_the_browser_computes_what_jax_does(case):
    differential.same(*compared()[case])


def test_it_opens_at_its_defaults():
    differential.opens_at_its_defaults(figure())


@pytest.mark.parametrize("case", range(len(settings())))
def test_what_is_shown_is_the_table(case):
    shown, chosen = compared()[case][0], settings()[case]
    places = [
        slice(None) if chosen.get(name, ANY) == ANY else [words.index(chosen[name])]
        for name, words in WORDS.items()
    ]
    losses = study.tuned(study.losses())
    for axis, place in enumerate(places):
        losses = losses[(slice(None),) * axis + (place,)]
    ends = np.median(losses, axis=-1).ravel()
    assert shown["networks"] == len(ends)
    assert shown["median"] == pytest.approx(np.median(ends), abs=1e-4)
    assert shown["learnt"] == pytest.approx(np.mean(ends < study.straight_line() / 2), abs=1e-6)
    below = [np.mean(ends < level) for level in module.LEVELS[1:]]
    np.testing.assert_allclose(shown["share"], below, atol=1e-6)
    assert below[-1] == 1
    assert (shown["low"] <= shown["worth"]).all() and (shown["worth"] <= shown["high"]).all()


def test_every_value_has_a_word_of_its_own():
    words = [word for row in WORDS.values() for word in row]
    assert len(words) == len(set(words))
    assert {name: len(row) for name, row in WORDS.items()} == {
        n: len(v) for n, v in FACTORS.items()
    }


def test_the_code_is_small():
    (program,) = figure().programs.values()
    assert len(gzip.compress(strip(program.source).encode(), 9)) <= 6_000
