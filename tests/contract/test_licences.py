"""Facts of a licence and the sentence beside them say the same."""

from __future__ import annotations

import re

from gateway.core.licensing import rights_in
from providers.contract import Licence
from tests.contract.suite import PROVIDERS

# Leave to use is the holder's alone, or the data may go no further.
OWN_ALONE = re.compile(
    r"\b(personal|individual|non-commercial|no commercial|development only|evaluation|internal use|caller's own"
    r"|account's (own|holder)|subscriber alone|no redistribution|no sharing|(not|nothing)\b[^.;]*\bpassed on)\b",
    re.IGNORECASE,
)
PASSED_ON = re.compile(r"redistribut|resale|passed on", re.IGNORECASE)
FREE = re.compile(r"free to \S+ and redistribute", re.IGNORECASE)


def licences() -> dict[str, Licence]:
    return {id: cls.profile.licence for id, cls in PROVIDERS.items()}


def test_what_is_for_its_holder_alone_serves_no_other_tenant() -> None:
    bound = {id for id, licence in licences().items() if OWN_ALONE.search(licence.note)}

    assert {id for id in bound if licences()[id].shareable or licences()[id].redistributable} == set()
    assert {"alphavantage", "fred", "newsapi", "oanda", "stooq"} <= bound


def test_what_must_not_be_passed_on_is_not_delivered() -> None:
    spoken = {id for id, licence in licences().items() if PASSED_ON.search(licence.note)}
    granted = {id for id in spoken if licences()[id].redistributable}

    assert {id for id in granted if not FREE.search(licences()[id].note)} == set()


def test_what_may_not_be_shared_is_not_delivered_either() -> None:
    assert [id for id, licence in licences().items() if licence.redistributable and not licence.shareable] == []


def test_public_market_data_of_exchanges_serve_all() -> None:
    exchanges = {id for id, cls in PROVIDERS.items() if cls.profile.priority <= 20 and "crypto" in cls.__module__}
    rights = {rights_in(licences()[id], own_key=False, private=False).for_all for id in exchanges}

    assert rights == {True}
    assert {"binance", "kraken"} <= exchanges
