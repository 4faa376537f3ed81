"""The plugin's value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from gateway.core.contract import RENEW_S, Host, Plugin, Worker
from gateway.core.ports import TradingKeys
from gateway.core.store import Tx
from plugins.trading.accounts.desk import TOPIC as ACCOUNT_CHANGED
from plugins.trading.accounts.desk import AccountDesk
from plugins.trading.accounts.fields import find_account
from plugins.trading.accounts.switches import TOPIC as SWITCHED
from plugins.trading.accounts.switches import SwitchDesk
from plugins.trading.brokers.adjusting import UnitsDesk
from plugins.trading.brokers.catalog import Brokers
from plugins.trading.brokers.erasing import cancel_open
from plugins.trading.brokers.parting import Parting
from plugins.trading.brokers.reconciling import EVERY_S, Reconciler
from plugins.trading.brokers.sendings import Sendings
from plugins.trading.engine.engine import Engine
from plugins.trading.engine.events import EVENTS as ACCOUNT_EVENTS
from plugins.trading.hedging.desk import HedgeDesk
from plugins.trading.ledger.desk import LedgerDesk
from plugins.trading.ledger.routes import routes
from plugins.trading.live.hints import Hints
from plugins.trading.live.reading import Readings
from plugins.trading.markets.heard import Heard
from plugins.trading.orders.deciding import Decider
from plugins.trading.orders.desk import OrderDesk
from plugins.trading.orders.events import EVENTS
from plugins.trading.orders.floor import TOPIC as ORDERS_CHANGED
from plugins.trading.orders.offers import OfferBook
from plugins.trading.orders.reading import find_order
from plugins.trading.positions.standings import Appraiser
from plugins.trading.root import TradingMutation, TradingQuery, TradingSubscription
from plugins.trading.schedules.desk import ScheduleDesk
from plugins.trading.store import TradingStore
from plugins.trading.tables import TABLES


def services(host: Host) -> dict[type, Any]:
    """One of each a process."""
    kinds = (
        SwitchDesk, Appraiser, LedgerDesk, UnitsDesk, ScheduleDesk, Engine, Reconciler, Sendings, Hints, Readings,
    )  # fmt: skip
    brokers, decider = Brokers(host), Decider(host)
    made: dict[type, Any] = {Brokers: brokers, TradingKeys: brokers}
    made |= {AccountDesk: AccountDesk(host, brokers.ids, Parting(host).check)}
    made |= {OrderDesk: OrderDesk(host, decider), HedgeDesk: HedgeDesk(host, decider)}
    made |= {OfferBook: OfferBook(), Heard: Heard()}
    return made | {kind: kind(host) for kind in kinds}


def workers(host: Host) -> Sequence[Worker]:
    """The engine, which hears by the bus what a person changes; where a broker is connected, one process of the fleet
    compares our books with the broker's."""
    engine = host.service(Engine)
    host.bus.subscribe(ORDERS_CHANGED, lambda message: engine.doubt(str(message.get("account"))))
    host.bus.subscribe(ACCOUNT_CHANGED, lambda message: engine.doubt(str(message.get("id"))))
    host.bus.subscribe(SWITCHED, lambda message: engine.switched())
    work = Worker(name="trading", every=RENEW_S, run=engine.look, finish=engine.close)
    look = host.service(Reconciler).look
    return work, *(
        Worker(name=f"broker {id}", every=EVERY_S, run=partial(look, id), anywhere=True)
        for id in sorted(host.service(Brokers).ids)
    )


async def stop(host: Host) -> None:
    """Nothing is left of it; what is being sent to brokers is sent to its end."""
    await host.service(Sendings).settled()
    await host.service(Engine).close()


async def export(host: Host, tx: Tx, tenant: str) -> Mapping[str, Any]:
    """Everything: accounts, also deleted ones, orders, fills, ledgers, positions."""
    return await TradingStore().whole(tx, tenant)


async def erase(host: Host, tx: Tx, tenant: str) -> None:
    """All of it; whoever works accounts finds them gone. What works at brokers is cancelled there before."""
    await cancel_open(host, tx, tenant)
    await TradingStore().erase(tx, tenant)


plugin = Plugin(
    name="trading", query=TradingQuery, mutation=TradingMutation, subscription=TradingSubscription, services=services,
    tables=TABLES, events=EVENTS + ACCOUNT_EVENTS, migrations=Path(__file__).parent / "migrations",
    nodes={"tacc": find_account, "ord": find_order}, routes=routes, workers=workers, stop=stop,
    export=export, erase=erase,
)  # fmt: skip
