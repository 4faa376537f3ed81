"""The root field about sessions."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.core.contract import Ctx
from plugins.accounts.sessions.desk import SessionDesk
from plugins.accounts.sessions.rows import SessionRow
from plugins.accounts.sessions.types import KIND, Session, SessionConnection, SessionEdge
from schema.facts import facts
from schema.pages import Position, cursor_of, cut, position_of
from schema.paging import check_page_size
from schema.scalars import Cursor

First = Annotated[int, strawberry.argument(description="How many, 1 to 100.")]
After = Annotated[Cursor | None, strawberry.argument(description="Go on after this cursor.")]


async def resolve_sessions(info: Ctx, first: First = 20, after: After = None) -> SessionConnection:
    check_page_size(first)
    context, principal = info.context, info.context.principal
    desk = context.service(SessionDesk)
    async with context.host.store.read() as tx:
        rows = await desk.sessions.page(
            tx, principal.user or "", context.now, after=position_of(KIND, after), most=first + 1
        )  # fmt: skip
    shown, page = cut(rows, kind=KIND, size=first, after=after, position=_position)
    edges = [
        SessionEdge(node=Session.of(row, principal.session), cursor=cursor_of(KIND, _position(row))) for row in shown
    ]
    return SessionConnection(nodes=[edge.node for edge in edges], edges=edges, page_info=page)


def _position(row: SessionRow) -> Position:
    return row.created_at, row.id


@strawberry.type
class SessionQuery:
    """Where the caller is signed in."""

    sessions: SessionConnection = strawberry.field(
        resolver=resolve_sessions,
        description="Where the caller is signed in, the newest first.",
        metadata=facts(person=True),
    )
