"""Signing secrets and keys: their forms, and that they live on when the root secret changes."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.webhooks.keys import make_pair, make_secret, read_secret
from plugins.webhooks.seal import Seal
from plugins.webhooks.tables import endpoints
from schema.words.problems import Refused
from tests.gateway.doubles import ROOT_SECRET
from tests.house import open_house
from tests.plugins.webhooks.hooks import ROTATE, company_with_hooks, make, row_of

NEWER = "another-root-secret-of-this-installation"


@given(st.binary(min_size=24, max_size=64))
def test_a_secret_of_24_to_64_bytes_is_taken_as_it_is(value: bytes):
    text = "whsec_" + base64.b64encode(value).decode()

    assert read_secret(text) == text


@given(st.one_of(st.binary(max_size=23), st.binary(min_size=65, max_size=80)))
def test_a_secret_of_another_size_is_refused_and_not_shown(value: bytes):
    text = base64.b64encode(value).decode()

    with pytest.raises(Refused) as refused:
        read_secret(f"whsec_{text}")

    assert refused.value.code == "SECRET_INVALID"
    assert len(text) < 4 or text not in refused.value.message


def test_made_secrets_and_keys_differ_and_hide_themselves():
    pairs = [make_pair() for _ in range(3)]

    assert len({make_secret() for _ in range(3)}) == 3
    assert len({pair.private for pair in pairs} | {pair.public for pair in pairs}) == 6
    assert pairs[0].private not in repr(pairs[0])
    assert (pairs[0].private[:5], pairs[0].public[:5]) == ("whsk_", "whpk_")


async def test_secrets_are_sealed_anew_when_the_root_secret_changes(sqlite_url: str, tmp_path: Path):
    async with open_house(sqlite_url, tmp_path) as house:
        company = await company_with_hooks(house)
        made = await make(company, signing="ED25519", headers=[{"name": "X-Team", "value": "a"}])
        secret = (await company.ask("ada", ROTATE, id=made["id"]))["secret"]
        before = await row_of(company, made["id"])
        await house.host.service(Seal).renew()
        assert await row_of(company, made["id"]) == before

    async with open_house(sqlite_url, tmp_path, secret_key=NEWER, secret_key_previous=ROOT_SECRET) as house:
        await house.host.service(Seal).renew()

    async with open_house(sqlite_url, tmp_path, secret_key=NEWER) as house:
        company.house = house
        row, vault = await row_of(company, made["id"]), house.host.vault
        assert vault.decrypt(row.secret) == secret
        assert json.loads(vault.decrypt(row.headers)) == {"X-Team": "a"}
        assert row.previous_secret is not None
        assert row.signing_key is not None
        assert vault.decrypt(row.previous_secret).startswith("whsec_")
        assert vault.decrypt(row.signing_key).startswith("whsk_")
        assert (row.root, row.changed_at) == (house.host.service(Seal).root, before.changed_at)


async def test_what_no_known_root_secret_opens_stays_as_it_is(sqlite_url: str, tmp_path: Path):
    async with open_house(sqlite_url, tmp_path) as house:
        company = await company_with_hooks(house)
        made = await make(company)
        async with house.store.write() as tx:
            await tx.run(endpoints.update().values(root=None, secret="nothing that opens"))
        before = await row_of(company, made["id"])

        await house.host.service(Seal).renew()

        assert await row_of(company, made["id"]) == before
