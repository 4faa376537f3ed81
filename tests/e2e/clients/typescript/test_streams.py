"""Subscriptions of the TypeScript client: they outlive their connections, and lose nothing."""

from __future__ import annotations

import re

import pytest

from tests.e2e.clients.line import Line
from tests.e2e.clients.typescript.node import Node, Thrown
from tests.e2e.market.process import Gateway, free_port

CLIENT = """
const client = createClient({ url: given.url, webSocket: WebSocket, retry: { baseMs: 20 }, ...given.options });
const states = [];
const onState = ({ state, fault }) => states.push(fault ? `${state} ${fault.code}` : state);
"""
# What the gateway holds of the time between the first and the last of these trades, in the stream's order.
HELD = """
const heldBetween = async (ids) => {
    for (;;) {
        const straight = createClient({ url: given.straight });
        const { trades } = await straight.query(TradesDocument, { symbol: "BTC/USD", last: 500 });
        const held = trades.map(({ id }) => id).sort((a, b) => a - b);
        if (held.includes(ids.at(-1))) return held.slice(held.indexOf(ids[0]), held.indexOf(ids.at(-1)) + 1);
        await new Promise((done) => setTimeout(done, 50));
    }
};
"""


def url(gateway: Gateway) -> str:
    return f"{gateway.url}/graphql"


def far(line: Line) -> str:
    return f"{line.url}/graphql"


def test_prices_come_as_they_change(node: Node, offline: Gateway):
    snapshots, states, protocol = node.run(
        CLIENT
        + """
        const snapshots = [];
        for await (const { quotes } of client.subscribe(QuoteStreamDocument, { symbols: ["BTC/USD"] }, { onState })) {
            snapshots.push([quotes.snapshot, quotes.quotes[0].instrument.id]);
            if (snapshots.length === 3) break;
        }
        return [snapshots, states, sockets[0].protocol];""",
        url=url(offline),
    )

    assert snapshots == [[first, "crypto:BTC/USD"] for first in (True, False, False)]
    assert (states, protocol) == (["open"], "graphql-transport-ws")


def test_a_stream_goes_on_behind_its_last_message_when_the_connection_breaks(node: Node, offline: Gateway, line: Line):
    found, held, states, afters = node.run(
        CLIENT
        + HELD
        + """
        const [found, cursors] = [[], []];
        for await (const { trades } of client.subscribe(TradeStreamDocument, { symbol: "BTC/USD" }, { onState })) {
            found.push(...trades.trades.map(({ id }) => id));
            cursors.push(trades.cursor);
            if (cursors.length === 2) {
                await told("cut");
                await new Promise((done) => setTimeout(done, 1_500)); // Trades that nobody hears of.
            }
            if (cursors.length === 4) break;
        }
        const begins = sockets.flatMap(({ sent }) => sent.filter(({ type }) => type === "subscribe"));
        const afters = begins.map(({ payload }) => cursors.indexOf(payload.extensions?.after));
        return [found, await heldBetween(found), states, afters];""",
        on={"cut": line.cut},
        url=far(line),
        straight=url(offline),
        options={"apiKey": offline.key},
    )

    assert found == held
    assert states == ["open", "waiting NETWORK_FAILED", "open"]
    assert afters == [-1, 1]


def test_a_connection_that_falls_silent_counts_as_broken(node: Node, offline: Gateway, line: Line):
    found, held, states = node.run(
        CLIENT
        + HELD
        + """
        const found = [];
        let count = 0;
        for await (const { trades } of client.subscribe(TradeStreamDocument, { symbol: "BTC/USD" }, { onState })) {
            found.push(...trades.trades.map(({ id }) => id));
            if (++count === 1) await told("silence");
            if (count > 1 && sockets.length > 1) break;
        }
        await told("cut"); // Else the gateway would keep its end of the silent one for a minute.
        return [found, await heldBetween(found), states.slice(0, 3)];""",
        on={"silence": line.silence, "cut": line.cut},
        url=far(line),
        straight=url(offline),
        options={"silentMs": 1_500, "apiKey": offline.key},
    )

    assert found == held
    assert states == ["open", "waiting NETWORK_FAILED", "open"]


def test_a_reader_that_falls_behind_is_resumed_and_misses_nothing(node: Node, offline: Gateway):
    found, held, afters = node.run(
        CLIENT
        + HELD
        + """
        const [found, cursors] = [[], []];
        const options = { buffer: 1 };
        for await (const { trades } of client.subscribe(TradeStreamDocument, { symbol: "BTC/USD" }, options)) {
            found.push(...trades.trades.map(({ id }) => id));
            cursors.push(trades.cursor);
            const [first] = sockets;
            while (!first.sent.some(({ type }) => type === "complete")) {
                await new Promise((done) => setTimeout(done, 20));
            }
            if (sockets.length === 2) break;
        }
        const afters = sockets.map(({ sent }) => cursors.indexOf(sent[1].payload.extensions?.after));
        return [found, await heldBetween(found), afters];""",
        url=url(offline),
        straight=url(offline),
    )

    assert found == held
    assert afters == [-1, 1]


def test_many_streams_share_a_socket(node: Node, offline: Gateway):
    subscribed = node.run(
        CLIENT
        + """
        const first = async (symbol) => {
            for await (const { quotes } of client.subscribe(QuoteStreamDocument, { symbols: [symbol] })) {
                return quotes.quotes[0].instrument.id;
            }
        };
        const ids = await Promise.all(["BTC/USD", "ETH/USD", "SOL/USD"].map(first));
        return [ids, sockets.map(({ sent }) => sent.filter(({ type }) => type === "subscribe").length)];""",
        url=url(offline),
        options={"apiKey": offline.key},
    )

    assert subscribed == [["crypto:BTC/USD", "crypto:ETH/USD", "crypto:SOL/USD"], [3]]


def test_a_stream_too_many_waits_for_a_place(node: Node, offline: Gateway):
    """Callers without a credential have two at a time."""
    states, fault, came = node.run(
        CLIENT
        + """
        const stop = new AbortController();
        const hold = async (symbol) => {
            const options = { signal: stop.signal };
            for await (const _ of client.subscribe(QuoteStreamDocument, { symbols: [symbol] }, options)) opened();
        };
        let opened;
        for (const symbol of ["BTC/USD", "ETH/USD"]) {
            await new Promise((done) => ((opened = done), void hold(symbol)));
        }
        let fault;
        const note = (state) => {
            onState(state);
            if (state.fault) { fault = state.fault; stop.abort(); }
        };
        const options = { onState: note };
        for await (const { quotes } of client.subscribe(QuoteStreamDocument, { symbols: ["SOL/USD"] }, options)) {
            return [states, fault, quotes.quotes[0].instrument.id];
        }""",
        url=url(offline),
    )

    assert states == ["waiting RATE_LIMITED", "open"]
    assert (fault["limit"], fault["retryAfterMs"], came) == ("streams", 1_000, "crypto:SOL/USD")


def test_notices_are_told_apart_from_the_messages(node: Node, offline: Gateway):
    notices = node.run(
        CLIENT
        + """
        const notices = [];
        const options = { onNotice: ({ code, symbol }) => notices.push([code, symbol]) };
        const symbols = ["BTC/USD", "crypto:NOPE/USD"];
        for await (const _ of client.subscribe(QuoteStreamDocument, { symbols }, options)) {
            if (notices.length) return notices;
        }""",
        url=url(offline),
    )

    assert notices == [["STALE", "crypto:NOPE/USD"]]


def test_a_subscription_that_does_not_fit_the_schema_fails_for_good(node: Node, offline: Gateway):
    with pytest.raises(Thrown) as thrown:
        node.run(
            CLIENT + "for await (const _ of client.subscribe(graphql('subscription { nothing }'))) return;",
            url=url(offline),
        )

    assert thrown.value.fault is not None
    assert thrown.value.fault["code"] == "GRAPHQL_VALIDATION_FAILED"


def test_a_key_that_is_not_valid_is_no_reason_to_connect_again(node: Node, offline: Gateway):
    fault, connections = node.run(
        CLIENT
        + """
        try {
            for await (const _ of client.subscribe(QuoteStreamDocument, { symbols: ["BTC/USD"] })) return;
        } catch (error) {
            return [error.fault, sockets.length];
        }""",
        url=url(offline),
        options={"apiKey": "mg_nobodys"},
    )

    assert (fault["code"], connections) == ("UNAUTHENTICATED", 1)


def test_an_address_that_is_no_gateways_is_no_reason_to_connect_again(node: Node, offline: Gateway):
    fault, connections = node.run(
        CLIENT
        + """
        try {
            for await (const _ of client.subscribe(QuoteStreamDocument, { symbols: ["BTC/USD"] })) return;
        } catch (error) {
            return [error.fault, sockets.length];
        }""",
        url=f"{offline.url}/nowhere",
    )

    assert (fault["code"], connections) == ("CONNECTION_REFUSED", 1)
    assert re.fullmatch(
        r"the socket was refused with status 40\d: is ws://.*/nowhere that of /graphql\?", fault["message"]
    )


def test_a_key_that_cannot_be_fetched_ends_the_stream_with_the_callers_own_error(node: Node, offline: Gateway):
    with pytest.raises(Thrown, match="no key today"):
        node.run(
            """
            const apiKey = async () => { throw new RangeError("no key today"); };
            const client = createClient({ url: given.url, webSocket: WebSocket, apiKey });
            for await (const _ of client.subscribe(QuoteStreamDocument, { symbols: ["BTC/USD"] })) return;""",
            url=url(offline),
        )


def test_a_gateway_that_is_away_is_asked_again_with_pauses_that_grow(node: Node):
    pauses = node.run(
        """
        const client = createClient({ url: given.url, webSocket: WebSocket, retry: { baseMs: 10, maxMs: 50 } });
        const pauses = [];
        const onState = ({ retryInMs }) => { pauses.push(retryInMs); if (pauses.length === 6) client.close(); };
        for await (const _ of client.subscribe(QuoteStreamDocument, { symbols: ["BTC/USD"] }, { onState })) return;
        return pauses;""",
        url=f"http://127.0.0.1:{free_port()}/graphql",
    )

    assert len(pauses) == 6
    assert [most / 2 <= pause <= most for pause, most in zip(pauses, (10, 20, 40, 50, 50, 50), strict=True)] == [
        True
    ] * 6


def test_without_a_websocket_the_way_out_is_named(node: Node):
    with pytest.raises(Thrown, match="give createClient that of the package ws as webSocket"):
        node.run(
            "const { WebSocket: own } = globalThis; delete globalThis.WebSocket;"
            "try { createClient({ url: 'http://127.0.0.1/graphql' }).subscribe(graphql('subscription { a }')); }"
            "finally { if (own) globalThis.WebSocket = own; }",
        )


def test_a_client_that_is_closed_ends_its_streams_and_their_sockets(node: Node, offline: Gateway):
    ended = node.run(
        CLIENT
        + """
        let count = 0;
        for await (const _ of client.subscribe(QuoteStreamDocument, { symbols: ["BTC/USD"] })) {
            if (++count === 2) client.close();
        }
        await new Promise((done) => sockets[0].addEventListener("close", done));
        return [count, sockets.map(({ readyState }) => readyState), sockets[0].sent.at(-1).type];""",
        url=url(offline),
    )

    assert ended == [2, [3], "complete"]


def test_the_events_of_an_organisation_go_on_behind_a_cursor_of_before(node: Node, offline: Gateway):
    first, again = node.run(
        CLIENT
        + """
        const input = { name: "Of the events", initialBalance: "1000000" };
        const { account } = (await client.mutate(TradingAccountCreateDocument, { input })).tradingAccountCreate;
        const order = { accountId: account.id, symbol: "BTC/USD", side: "BUY", type: "MARKET", quantity: "0.01" };
        const read = async (wanted, options) => {
            const found = [];
            const stream = client.subscribe(EventStreamDocument, { types: ["order.filled"] }, options);
            for await (const { events } of stream) {
                if (events.event) found.push([events.event.id, events.cursor]);
                else for (let n = 0; n < wanted; n++) await client.mutate(OrderPlaceDocument, { input: order });
                if (found.length === wanted) return found;
            }
        };
        const all = await read(3, {});
        const again = [];
        const options = { after: all[0][1] };
        for await (const { events } of client.subscribe(EventStreamDocument, { types: ["order.filled"] }, options)) {
            if (events.event && again.push([events.event.id, events.cursor]) === 2) break;
        }
        return [all, again];""",
        url=url(offline),
        options={"apiKey": offline.key},
    )

    assert again == first[1:]
