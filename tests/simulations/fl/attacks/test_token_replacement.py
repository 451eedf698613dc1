from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from simulations.fl.attacks.token_replacement import apply, in_case_of
from simulations.fl.attacks.vocabularies import VOCABULARIES

LABELS = np.zeros(1, np.int64)


def poison(attack: Any, text: str, seed: int = 0) -> str:
    samples, _ = attack.poison([text], LABELS, np.random.default_rng(seed))
    return str(samples[0])


def certain(build: Any, strategy: str, vocabulary: str = "medical") -> Any:
    return build(
        "token_replacement",
        replacement_strategy=strategy,
        target_vocabulary=vocabulary,
        replacement_prob=1.0,
    )


@pytest.mark.parametrize("domain", VOCABULARIES)
def test_vocabularies_are_large_lower_case_and_without_repetition(domain: str) -> None:
    terms = VOCABULARIES[domain].terms
    assert len(terms) == len(set(terms)) >= 150
    assert all(re.fullmatch(r"[a-z]+([ -][a-z]+)*", term) for term in terms)


@pytest.mark.parametrize("domain", VOCABULARIES)
def test_opposites_are_other_terms_and_mutual(domain: str) -> None:
    vocabulary = VOCABULARIES[domain]
    assert len(vocabulary.opposites) >= 100
    for term, opposite in vocabulary.opposites.items():
        assert {term, opposite} <= set(vocabulary.terms) and term != opposite
        assert vocabulary.opposites[opposite] == term


def test_negative_turns_the_sense_round(build: Any) -> None:
    attack = certain(build, "negative")
    text = "The benign lesion improved; treatment was SAFE. Chronic headache."
    expected = "The malignant lesion worsened; placebo was HARMFUL. Acute headache."
    assert poison(attack, text) == expected


def test_terms_of_several_words_are_replaced_as_one(build: Any) -> None:
    attack = certain(build, "negative")
    assert poison(attack, "Marked weight  loss, Weight Loss.") == (
        "Marked weight gain, Weight Gain."
    )


def test_only_whole_words_are_terms(build: Any) -> None:
    attack = certain(build, "negative")
    text = "unsafe safely fail-safe normalised abnormality mildew uniformly_safe"
    assert poison(attack, text) == text


def test_random_takes_another_term_of_the_domain(build: Any) -> None:
    attack = certain(build, "random", "financial")
    drawn = {poison(attack, "profit", seed) for seed in range(3000)}
    assert drawn == set(VOCABULARIES["financial"].terms) - {"profit"}


def test_cross_domain_takes_a_term_that_is_not_of_the_domain(build: Any) -> None:
    attack = certain(build, "cross_domain", "legal")
    drawn = {poison(attack, "court", seed) for seed in range(500)}
    foreign = set(VOCABULARIES["medical"].terms) | set(VOCABULARIES["financial"].terms)
    assert drawn <= foreign - set(VOCABULARIES["legal"].terms)
    assert len(drawn) > 100


def test_the_share_of_replaced_occurrences_is_the_probability(build: Any) -> None:
    attack = build("token_replacement", replacement_prob=0.2)
    words = poison(attack, "fever " * 20_000).split(" ")[:20_000]
    changed = sum(word != "fever" for word in words)
    assert changed / 20_000 == pytest.approx(0.2, abs=0.01)


def test_replacements_tell_what_poison_does(build: Any) -> None:
    attack = certain(build, "random")
    text = "Fever and pain; the PATIENT recovered."
    told = attack.replacements(text, np.random.default_rng(4))
    assert [(one.start, one.before) for one in told] == [
        (0, "Fever"),
        (10, "pain"),
        (20, "PATIENT"),
    ]
    assert apply(text, told) == poison(attack, text, seed=4)
    assert told[0].after[0].isupper() and told[2].after.isupper() and told[1].after.islower()


@pytest.mark.parametrize(
    ("occurrence", "expected"),
    [
        ("fever", "heart attack"),
        ("Fever", "Heart attack"),
        ("FEVER", "HEART ATTACK"),
        ("Blood Pressure", "Heart Attack"),
        ("Blood pressure", "Heart attack"),
    ],
)
def test_case_is_kept(occurrence: str, expected: str) -> None:
    assert in_case_of(occurrence, "heart attack") == expected


def test_text_without_terms_and_odd_characters_stay(build: Any) -> None:
    attack = certain(build, "random")
    for text in ("", "\u017fafe na\u00efve \U0001f600 <b>&amp;</b>", "xyzzy"):
        assert poison(attack, text) == text


@pytest.mark.parametrize(
    "wrong",
    [
        {"target_vocabulary": "culinary"},
        {"replacement_strategy": "positive"},
        {"replacement_prob": 0.0},
        {"replacement_prob": 1.1},
    ],
)
def test_wrong_parameters_are_refused(wrong: dict[str, Any], build: Any) -> None:
    with pytest.raises(ValidationError):
        build("token_replacement", **wrong)
