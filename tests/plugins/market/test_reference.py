"""The committed facts are consistent, and identifiers have the check digits that their standards ask for."""

from __future__ import annotations

from plugins.market.reference import ASSETS, CURRENCIES, FACTS, GROUPS, METAL_NAMES, PAIRS, VENUES, PublicFacts
from schema.currencies import FIATS, STABLES
from schema.spelling import METALS, read_symbol
from schema.symbols import AssetClass, parse_instrument


def sum_of_doubled(text: str, doubled: int) -> int:
    """Digits of a text whose letters count from 10, every second one doubled, as both standards have it."""
    digits = [int(char, 36) for char in text]
    return sum(sum(divmod(digit * (2 if i % 2 == doubled else 1), 10)) for i, digit in enumerate(digits))


def has_isin_check_digit(isin: str) -> bool:
    digits = "".join(str(int(char, 36)) for char in isin)
    return len(isin) == 12 and sum_of_doubled(digits[::-1], 1) % 10 == 0


def has_figi_check_digit(figi: str) -> bool:
    # Letters have two digits here: those of twenty and more are summed apart, too.
    values = [int(char, 36) * (2 if i % 2 else 1) for i, char in enumerate(figi[:-1])]
    total = sum(sum(int(digit) for digit in str(value)) for value in values)
    return len(figi) == 12 and (10 - total % 10) % 10 == int(figi[-1])


def test_identifiers_have_their_check_digits():
    wrong = [fact.isin for fact in FACTS.values() if fact.isin and not has_isin_check_digit(fact.isin)]
    wrong += [fact.figi for fact in FACTS.values() if fact.figi and not has_figi_check_digit(fact.figi)]

    assert wrong == []
    assert not has_isin_check_digit("US0378331006")
    assert not has_figi_check_digit("BBG000B9XRY5")


def test_no_identifier_is_given_twice():
    isins = [fact.isin for fact in FACTS.values() if fact.isin]
    figis = [fact.figi for fact in FACTS.values() if fact.figi]

    assert len(isins) == len(set(isins))
    assert len(figis) == len(set(figis))
    assert len(FACTS) == sum(len(group) for group in GROUPS)


def test_every_id_reads_as_itself_and_every_venue_has_a_name():
    assert [
        fact.instrument for fact in FACTS.values() if parse_instrument(str(fact.instrument)) != fact.instrument
    ] == []
    assert {fact.mic for fact in FACTS.values() if fact.mic} <= VENUES.keys()


def test_all_currencies_have_names():
    assert CURRENCIES.keys() == FIATS
    assert ASSETS.keys() >= STABLES
    assert METAL_NAMES.keys() == METALS
    assert {code for pair in PAIRS for code in pair.split("/")} <= FIATS


def test_every_spelling_leads_to_its_fact():
    directory = PublicFacts()
    facts = [fact for fact in FACTS.values() if fact.instrument.asset_class in (AssetClass.EQUITY, AssetClass.INDEX)]

    read = {
        spelling: read_symbol(spelling, directory, fact.instrument.asset_class)
        for fact in facts
        for spelling in fact.spellings
    }

    assert read == {spelling: fact.instrument for fact in facts for spelling in fact.spellings}
