"""An id that no object can have is not there, on both databases: PostgreSQL holds no text with U+0000."""

from __future__ import annotations

from tests.house import House
from tests.plugins.accounts.organisations.company import found

ASKED = {
    "invoice": "query($id: ID!) { r: invoice(id: $id) { id } }",
    "invoiceCsv": "query($id: ID!) { r: invoiceCsv(id: $id) }",
    "node": "query($id: ID!) { r: node(id: $id) { id } }",
}


async def test_an_impossible_id_is_answered_like_an_unknown_one(house: House):
    token = (await found(house)).tokens["ada"]

    for id in ("\0", "ten_\0", "x" * 5_000, "ü"):
        answers = {name: await house.ask(document, {"id": id}, token=token) for name, document in ASKED.items()}
        ended = await house.ask(
            "mutation($i: SessionRevokeInput!) { r: sessionRevoke(input: $i) { userErrors { code } } }",
            {"i": {"id": id}},
            token=token,
        )

        assert {name: body.get("data") for name, body in answers.items()} == {name: {"r": None} for name in ASKED}, id
        assert ended["data"] == {"r": {"userErrors": [{"code": "NOT_FOUND"}]}}, id
