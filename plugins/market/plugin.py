"""Market data as a plugin: the core has no GraphQL field of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import strawberry

from gateway.core.contract import Host, Plugin, Worker
from gateway.core.ports import Desk
from plugins.market.catalog import Catalog
from plugins.market.companies import CompaniesQuery
from plugins.market.derivatives import DerivativesQuery
from plugins.market.desk import MarketDesk
from plugins.market.drawn import Drawn
from plugins.market.exports.routes import routes
from plugins.market.history import HistoryQuery
from plugins.market.live import MarketSubscription
from plugins.market.query import MarketQuery
from plugins.market.shelves import REFRESH_EVERY
from plugins.market.venues import VenuesQuery
from schema.words.instruments import Instrument
from schema.words.registry import ProviderInfo


def services(host: Host) -> dict[type, Any]:
    """One of each a process."""
    catalog = Catalog(host)
    desk = MarketDesk(catalog)
    return {Catalog: catalog, MarketDesk: desk, Desk: desk, Drawn: Drawn()}


def workers(host: Host) -> Sequence[Worker]:
    """The lists of instruments are renewed before anybody has to wait for one."""
    return [Worker(name="market_catalogue", every=REFRESH_EVERY, run=host.service(Catalog).refresh)]


@strawberry.type
class Roots(MarketQuery, DerivativesQuery, CompaniesQuery, HistoryQuery, VenuesQuery):
    """All root fields."""


plugin = Plugin(
    name="market", query=Roots, subscription=MarketSubscription, types=(Instrument, ProviderInfo), services=services,
    workers=workers, routes=routes,
)  # fmt: skip
