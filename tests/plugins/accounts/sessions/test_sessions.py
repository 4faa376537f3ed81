"""One's own sessions: listed, revoked one by one or all others, ended."""

from __future__ import annotations

from sqlalchemy import select

from plugins.accounts.sessions.authenticator import AccountAuthenticator
from plugins.accounts.sessions.types import KIND
from plugins.accounts.tables import audit, sessions
from schema.paging import make_cursor
from tests.house import AGENT, House
from tests.plugins.accounts.sessions.people import END, SESSIONS, code_of, settle, sign_in

REVOKE = "mutation Revoke($id: ID!) { sessionRevoke(input: {id: $id}) { session { id } userErrors { code field } } }"
OTHERS = "mutation { sessionsRevokeOthers { revoked userErrors { code } } }"
PAGE = """
query Page($after: Cursor) {
  sessions(first: 2, after: $after) { nodes { id } pageInfo { hasNextPage hasPreviousPage endCursor } }
}
"""


async def test_a_person_sees_the_own_sessions_the_newest_first(house: House):
    ada, eve = await settle(house), await settle(house, "eve@example.com", "Elsewhere")
    first = await sign_in(house, ada)
    await sign_in(house, eve)
    house.clock.turn(60)
    second = await sign_in(house, ada)

    answer = await house.ask(SESSIONS, token=first.access_token)

    nodes = answer["data"]["sessions"]["nodes"]
    assert nodes == [
        {
            "id": second.session_id, "userAgent": AGENT, "clientIp": "203.0.113.9", "current": False,
            "createdAt": "2026-11-20T12:01:00Z", "lastSeenAt": "2026-11-20T12:01:00Z",
            "expiresAt": "2026-11-27T12:01:00Z",
        },
        {
            "id": first.session_id, "userAgent": AGENT, "clientIp": "203.0.113.9", "current": True,
            "createdAt": "2026-11-20T12:00:00Z", "lastSeenAt": "2026-11-20T12:00:00Z",
            "expiresAt": "2026-11-27T12:00:00Z",
        },
    ]  # fmt: skip


async def test_the_list_goes_on_after_a_cursor_also_among_sessions_of_one_instant(house: House):
    person = await settle(house)
    made = [(await sign_in(house, person)) for _ in range(5)]
    token, seen, after = made[0].access_token, list[str](), None
    for _ in range(3):
        page = (await house.ask(PAGE, {"after": after}, token=token))["data"]["sessions"]
        seen += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]

    assert seen == sorted((issued.session_id for issued in made), reverse=True)
    assert page["pageInfo"] == {"hasNextPage": False, "hasPreviousPage": True, "endCursor": after}


async def test_a_cursor_of_another_list_is_refused(house: House):
    issued = await sign_in(house, await settle(house))

    zoneless, idless = (make_cursor(KIND, place) for place in ("2026-01-01 ses_1", "2026-01-01T00:00:00.0"))
    for after in ("junk", "c2Vzc2lvbjpub3cgaGVyZQ", "d2F0Y2hsaXN0OjE", zoneless, idless):
        assert code_of(await house.ask(PAGE, {"after": after}, token=issued.access_token)) == "BAD_USER_INPUT"


async def test_a_revoked_session_is_over_at_once_for_every_token_of_it(house: House):
    person = await settle(house)
    lost, own = await sign_in(house, person), await sign_in(house, person)
    assert code_of(await house.ask(SESSIONS, token=lost.access_token)) is None

    answer = await house.ask(REVOKE, {"id": lost.session_id}, token=own.access_token)

    assert answer["data"]["sessionRevoke"] == {"session": {"id": lost.session_id}, "userErrors": []}
    assert code_of(await house.ask(SESSIONS, token=lost.access_token)) == "UNAUTHENTICATED"
    left = (await house.ask(SESSIONS, token=own.access_token))["data"]["sessions"]["nodes"]
    assert [node["id"] for node in left] == [own.session_id]
    async with house.store.read() as tx:
        line = await tx.value(select(audit.c.target).where(audit.c.action == "session.revoked"))
    assert line == lost.session_id


async def test_a_session_of_somebody_else_is_as_little_found_as_none(house: House):
    ada, eve = await settle(house), await settle(house, "eve@example.com", "Elsewhere")
    hers, his = await sign_in(house, ada), await sign_in(house, eve)

    answers = [await house.ask(REVOKE, {"id": id}, token=his.access_token) for id in (hers.session_id, "ses_0")]

    refused = {"session": None, "userErrors": [{"code": "NOT_FOUND", "field": ["input", "id"]}]}
    assert [answer["data"]["sessionRevoke"] for answer in answers] == [refused, refused]
    async with house.store.read() as tx:
        assert await tx.values(select(sessions.c.id).where(sessions.c.revoked_at.is_not(None))) == []
        assert await tx.values(select(audit.c.id).where(audit.c.action == "session.revoked")) == []


async def test_all_other_sessions_end_and_only_the_own_goes_on(house: House):
    person, eve = await settle(house), await settle(house, "eve@example.com", "Elsewhere")
    own, second, third = [await sign_in(house, person) for _ in range(3)]
    stranger = await sign_in(house, eve)

    answer = await house.ask(OTHERS, token=own.access_token)

    assert answer["data"]["sessionsRevokeOthers"] == {"revoked": 2, "userErrors": []}
    tokens = [each.access_token for each in (own, second, third, stranger)]
    codes = [code_of(await house.ask(SESSIONS, token=token)) for token in tokens]
    assert codes == [None, "UNAUTHENTICATED", "UNAUTHENTICATED", None]


async def test_who_signs_out_is_out(house: House):
    issued = await sign_in(house, await settle(house))

    answer = await house.ask(END, token=issued.access_token)

    assert answer["data"]["sessionEnd"] == {"session": {"id": issued.session_id}, "userErrors": []}
    assert code_of(await house.ask(SESSIONS, token=issued.access_token)) == "UNAUTHENTICATED"


async def test_nobody_can_sign_out_nobody(house: House):
    answer = await house.ask(END)

    assert answer["data"]["sessionEnd"] == {"session": None, "userErrors": [{"code": "NOT_SIGNED_IN"}]}


async def test_the_time_of_use_is_written_once_a_minute(house: House):
    issued = await sign_in(house, await settle(house))
    authenticator = house.host.service(AccountAuthenticator)

    async def seen_after(seconds: float) -> str:
        house.clock.turn(seconds)
        await house.ask(SESSIONS, token=issued.access_token)
        await authenticator.write_seen()
        house.clock.turn(0)
        answer = await house.ask(SESSIONS, token=issued.access_token)
        return str(answer["data"]["sessions"]["nodes"][0]["lastSeenAt"])

    assert [await seen_after(59), await seen_after(11), await seen_after(50)] == [
        "2026-11-20T12:00:00Z", "2026-11-20T12:01:10Z", "2026-11-20T12:01:10Z",
    ]  # fmt: skip


async def test_keys_and_nobody_may_not_ask_for_sessions(house: House):
    assert code_of(await house.ask(SESSIONS)) == "UNAUTHENTICATED"
    assert code_of(await house.ask(OTHERS)) == "UNAUTHENTICATED"
