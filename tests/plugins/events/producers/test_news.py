"""Articles: each once for each channel, whoever serves them and whoever looks; what was there before is past."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from plugins.events.producers.news import OLDEST, NewsProducer
from plugins.events.producers.store import WatchDirectory
from plugins.events.producers.wanted import Headlines
from providers.contract import Licence, Profile, Provider, answers
from schema.errors import ConnectionFailed
from schema.symbols import AssetClass
from schema.words.news import NEWS, NewsArticle, NewsAsk
from tests.gateway.doubles import BTC, NOON
from tests.plugins.events.producers.fleet import OTHER, Shop, open_shop, told, until

TYPE = "news.published"
CHANNEL = "crypto:BTC/USD"


class Press:
    """What each agency has, and whom it fails."""

    def __init__(self) -> None:
        self.articles: dict[str, list[NewsArticle]] = {"wire": [], "paper": []}
        self.down: set[str] = set()

    def publish(self, agency: str, slug: str, at: datetime) -> None:
        article = NewsArticle(
            id=f"{agency}-{slug}", title=slug.title(), url=f"https://news.example/{slug}", published_at=at
        )
        self.articles[agency] = sorted([*self.articles[agency], article], key=lambda each: each.published_at)[::-1]

    def agency(self, name: str, priority: int) -> type[Provider]:
        async def news(_: Any, ask: NewsAsk) -> tuple[NewsArticle, ...]:
            if name in self.down:
                raise ConnectionFailed(name, "gone")
            return tuple(self.articles[name])

        profile = Profile(
            id=name, name=name.title(), base_url=f"https://{name}.example", docs="https://docs.example",
            asset_classes=(AssetClass.CRYPTO,), priority=priority, licence=Licence(note="None.", redistributable=True),
        )  # fmt: skip
        return type(name.title(), (Provider,), {"profile": profile, "news": answers(NEWS)(news)})


@pytest.fixture
def press() -> Press:
    return Press()


@pytest.fixture
async def shop(database: str, tmp_path: Path, press: Press) -> AsyncIterator[Shop]:
    async with open_shop(database, tmp_path, press.agency("wire", 10), press.agency("paper", 20)) as made:
        made.asked.ask(CHANNEL, TYPE)
        await made.desk.look()
        await until(lambda: told_seen(made))
        yield made


async def told_seen(shop: Shop) -> bool:
    """The producer that the desk has begun has looked."""
    async with shop.house.store.read() as tx:
        return await WatchDirectory().mark(tx, f"news|{CHANNEL}") is not None


def looking(shop: Shop, channel: str = CHANNEL) -> NewsProducer:
    return NewsProducer(shop.desk.stage, f"news|{channel}", Headlines(channel=channel, instrument=BTC))


async def slugs(shop: Shop) -> list[str]:
    return [each["article"]["url"].rpartition("/")[2] for each in await told(shop.house.store, type=TYPE)]


async def test_articles_that_were_there_are_past_and_new_ones_are_told_once_the_oldest_first(shop: Shop, press: Press):
    now, producer = shop.house.clock.now(), looking(shop)
    press.publish("wire", "old", now - timedelta(minutes=5))
    await producer.look()

    shop.pass_time(300)
    press.publish("wire", "second", now + timedelta(minutes=3))
    press.publish("wire", "first", now + timedelta(minutes=2))
    for _ in range(2):
        await producer.look()
        shop.pass_time(300)
    await looking(shop).look()

    assert await slugs(shop) == ["first", "second"]
    (article, _) = [each["article"] for each in await told(shop.house.store, type=TYPE)]
    assert (article["title"], article["provenance"]["provider"]) == ("First", "wire")


async def test_another_agency_that_takes_over_goes_on_from_the_last_look(shop: Shop, press: Press):
    now, producer = shop.house.clock.now(), looking(shop)
    for minute, slug in ((-60, "yore"), (1, "known"), (7, "missed")):
        press.publish("paper", slug, now + timedelta(minutes=minute))
    shop.pass_time(300)
    press.publish("wire", "known", now + timedelta(minutes=1))
    await producer.look()

    press.down.add("wire")
    shop.pass_time(600)
    await producer.look()

    assert await slugs(shop) == ["known", "missed"]


async def test_an_old_article_that_turns_up_late_is_no_news(shop: Shop, press: Press):
    shop.pass_time(3 * OLDEST.total_seconds())
    press.publish("wire", "late", NOON + timedelta(hours=1))

    await looking(shop).look()

    assert await slugs(shop) == []


async def test_each_channel_is_told_by_itself(shop: Shop, press: Press):
    shop.asked.ask("news", TYPE, tenants=(OTHER,))
    shop.desk.stage.wanted = replace(shop.desk.stage.wanted, channels=await shop.asked.wanted((TYPE,)))
    general = NewsProducer(shop.desk.stage, "news|news", Headlines(channel="news"))
    await shop.desk.leases.hold(["news|news", f"news|{CHANNEL}"])
    await general.look()
    shop.pass_time(300)
    press.publish("wire", "both", shop.house.clock.now())

    for producer in (general, looking(shop)):
        await producer.look()

    found = [*await told(shop.house.store, type=TYPE), *await told(shop.house.store, OTHER)]
    assert [(each["channel"], each["article"]["url"]) for each in found] == [
        (CHANNEL, "https://news.example/both"), ("news", "https://news.example/both"),
    ]  # fmt: skip
