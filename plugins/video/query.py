"""The root field: videos by words, channel or id."""

from __future__ import annotations

from typing import Annotated, cast

import strawberry

from gateway.core.contract import Ctx, fetch_list
from schema.arguments import After, PageSize, Route, says
from schema.errors import BadInput
from schema.facts import Shared, facts
from schema.paging import Connection, connected
from schema.scopes import Scope
from schema.words.costs import page_length
from schema.words.routes import terms_of
from schema.words.videos import VIDEOS, Video, VideoOrder, VideosAsk

LONGEST_TEXT = 200

Words = Annotated[str | None, says("What to look for.")]
Channel = Annotated[str | None, says("Only what this channel published: the platform's id, with `route` its provider.")]
VideoId = Annotated[str | None, says("Only this one: the platform's id, with `route` its provider.")]
Order = Annotated[VideoOrder | None, says("Which come first.")]


async def resolve_videos(
    info: Ctx,
    search: Words = None,
    channel: Channel = None,
    id: VideoId = None,
    order: Order = VideoOrder.RELEVANCE,
    first: PageSize = 20,
    after: After = None,
    route: Route = None,
) -> Connection[Video] | None:
    """A page of the first fifty that fit."""
    text, channel, id = ((each or "").strip() for each in (search, channel, id))
    if max(map(len, (text, channel, id))) > LONGEST_TEXT:
        raise BadInput("search", f"give at most {LONGEST_TEXT} characters")
    if not (text or channel or id):
        raise BadInput("search", "give search, channel or id")
    if id and (text or channel):
        raise BadInput("id", "stands alone, without search and channel")
    ask = VideosAsk(text=text, channel=channel, id=id, order=order or VideoOrder.RELEVANCE)
    fetched = await fetch_list(info.context.market, VIDEOS, ask, terms_of(route), kind="video", after=after)
    found = cast("tuple[Video, ...]", fetched.value)[: ask.limit]
    return cast("Connection[Video]", connected(found, fetched.provenance, kind="video", first=first, after=after))


@strawberry.type
class VideoQuery:
    """Videos; their texts are their authors', and untrusted."""

    videos: Connection[Video] | None = strawberry.field(
        resolver=resolve_videos,
        description="Videos by words, of a channel, or one by its id: the first fifty.",
        metadata=facts(times=page_length, needs=Scope.MARKET_READ, shared=Shared.PUBLIC),
    )
