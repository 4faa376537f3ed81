"""Queries and mutations of the TypeScript client, against a gateway of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.e2e.clients.typescript.node import Node, Thrown
from tests.e2e.market.process import Gateway, free_port, running
from tests.e2e.market.upstream import Answer, Upstream
from tests.e2e.market.world import WORLD

CLIENT = "const client = createClient({ url: given.url, fetch, ...given.options });"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Upstream]]:
    """A live gateway over a double that can be slow."""
    with Upstream(WORLD).running() as upstream:
        settings = {"ENV": "development", "UPSTREAMS": "live", "UPSTREAM_BASE": upstream.url}
        with running(tmp_path_factory.mktemp("live"), **settings, PROVIDERS=",".join(WORLD)) as gateway:
            yield gateway, upstream


def url(gateway: Gateway) -> str:
    return f"{gateway.url}/graphql"


def test_a_quote_keeps_every_digit_as_a_text(node: Node, offline: Gateway):
    quote = node.run(
        CLIENT + "return (await client.query(QuoteDocument, { symbol: 'BTC/USD' })).quote;", url=url(offline)
    )

    assert quote["instrument"] == {"id": "crypto:BTC/USD", "symbol": "BTC/USD"}
    assert re.fullmatch(r"\d+\.\d\d", quote["price"])
    assert (quote["provenance"]["provider"], quote["provenance"]["mode"]) == ("sandbox", "SIMULATED")


def test_what_is_missing_from_a_batch_is_data(node: Node, offline: Gateway):
    batch = node.run(
        CLIENT + "return (await client.query(QuotesDocument, { symbols: ['BTC/USD', 'NO/SUCH'] })).quotes;",
        url=url(offline),
    )

    assert [each and each["instrument"]["id"] for each in batch["nodes"]] == ["crypto:BTC/USD", None]
    assert [(each["index"], each["symbol"]) for each in batch["failures"]] == [(1, "NO/SUCH")]


def test_every_query_of_the_client_is_answered_or_refused_in_the_gateways_own_words(node: Node, offline: Gateway):
    outcomes = node.run(
        CLIENT
        + """
        const known = { symbol: "BTC/USD", symbols: ["BTC/USD"], interval: "H1", last: 2, base: "USD", amount: "1.5",
            from: "USD", to: "EUR", accountId: "none", id: "none", search: "apple" };
        const found = {};
        for (const [name, text] of Object.entries(given.documents)) {
            const names = [...text.split("{")[0].matchAll(/\\$(\\w+)/g)].map((match) => match[1]);
            const variables = Object.fromEntries(names.filter((n) => n in known).map((n) => [n, known[n]]));
            const outcome = await client.tryQuery(graphql(text), variables);
            found[name] = outcome.ok ? "ok" : outcome.fault.code;
        }
        return found;""",
        url=url(offline),
        options={"apiKey": offline.key},
        documents=node.run(
            """return Object.fromEntries(given.names.map((name) => [name, String(eval(name))]));""",
            names=[
                f"{name}Document"
                for name in (
                    "Quote", "Quotes", "Candles", "OrderBook", "Trades", "Consensus", "Instruments", "Providers",
                    "News", "FxRates", "Convert", "MarketStatus", "Viewer", "Alerts", "WebhookEndpoints", "Portfolios",
                    "Portfolio", "TradingAccounts", "Positions", "Orders",
                )
            ],
        ),
    )  # fmt: skip

    refused = {name: found for name, found in outcomes.items() if found != "ok"}
    assert refused == {"NewsDocument": "NOT_COVERED", "OrdersDocument": "BAD_USER_INPUT"}
    assert len(outcomes) == 20


def test_a_document_is_sent_by_its_hash_and_in_full_only_where_the_gateway_does_not_hold_it(
    node: Node, offline: Gateway
):
    posts = node.run(
        CLIENT
        + """
        const document = graphql(`query Own${given.nonce} { providers { id } }`);
        await client.query(document);
        await client.query(document);
        return posts.map(({ sent }) => {
            const { sha256Hash, version } = sent.extensions.persistedQuery;
            return ["query" in sent, sha256Hash.length, version];
        });""",
        url=url(offline),
        nonce=free_port(),
    )

    assert posts == [[False, 64, 1], [True, 64, 1], [False, 64, 1]]


def test_where_persisted_documents_are_not_wanted_the_text_is_sent(node: Node, offline: Gateway):
    sent = node.run(
        CLIENT + "await client.query(graphql('{ providers { id } }')); return posts.map(({ sent }) => sent);",
        url=url(offline),
        options={"persisted": False},
    )

    assert sent == [{"query": "{ providers { id } }"}]


@pytest.mark.parametrize("given", ["'KEY'", "async () => 'KEY'"])
def test_a_key_is_given_or_fetched(node: Node, offline: Gateway, given: str):
    viewer = node.run(
        f"const client = createClient({{ url: given.url, apiKey: {given.replace('KEY', offline.key)} }});"
        "return (await client.query(ViewerDocument)).viewer;",
        url=url(offline),
    )

    assert (viewer["tenant"]["name"], viewer["tenant"]["plan"]) == ("Unlimited", "unlimited")


def test_a_token_is_sent_as_a_bearer(node: Node, offline: Gateway):
    with pytest.raises(Thrown, match="UNAUTHENTICATED: ") as thrown:
        node.run(CLIENT + "await client.query(ViewerDocument);", url=url(offline), options={"token": "none"})

    assert thrown.value.name == "GatewayError"


def test_two_credentials_are_refused(node: Node):
    with pytest.raises(Thrown, match="give apiKey or token, not both"):
        node.run(CLIENT, url="http://127.0.0.1/graphql", options={"token": "a", "apiKey": "b"})


def test_an_error_is_told_apart_by_its_code_and_brings_its_details(node: Node, offline: Gateway):
    found = node.run(
        CLIENT
        + """
        const own = graphql('query ($s: String!) { quote(symbol: $s) { price } }');
        const outcome = await client.tryQuery(own, { s: "NO/SUCH" });
        const unread = await client.tryQuery(graphql("{ nothing }"));
        return [outcome.ok, outcome.fault.code, outcome.fault.symbol, outcome.data, unread.fault.code, unread.data];""",
        url=url(offline),
    )

    assert found == [False, "NOT_RECORDED", "crypto:NO/SUCH", {"quote": None}, "GRAPHQL_VALIDATION_FAILED", None]


def test_what_came_in_spite_of_a_failure_stands_in_the_error(node: Node, offline: Gateway):
    with pytest.raises(Thrown) as thrown:
        node.run(
            CLIENT + "await client.query(graphql('{ quote(symbol: \"NO/SUCH\") { price } providers { id } }'));",
            url=url(offline),
        )

    assert thrown.value.fault is not None
    assert thrown.value.fault["path"] == ["quote"]
    assert thrown.value.data["quote"] is None
    assert {"id": "sandbox"} in thrown.value.data["providers"]


def test_a_mutation_that_is_refused_says_why_in_its_own_codes(node: Node, offline: Gateway):
    made, refused, thrown = node.run(
        CLIENT
        + """
        const create = (input) => client.mutate(AlertCreateDocument, { input });
        const made = accepted((await create({ symbol: "BTC/USD", condition: { crossesAbove: "100000" } })).alertCreate);
        const refused = (await create({ symbol: "", condition: { crossesAbove: "1" } })).alertCreate;
        let thrown;
        try { accepted(refused) } catch (error) { thrown = [error instanceof RefusedError, error.userErrors[0].code] }
        await client.mutate(AlertDeleteDocument, { input: { id: made.alert.id } });
        return [made.alert, refused.userErrors, thrown];""",
        url=url(offline),
        options={"apiKey": offline.key},
    )

    assert (made["symbol"], made["condition"]["threshold"]) == ("crypto:BTC/USD", "100000")
    assert [(each["field"], each["code"]) for each in refused] == [(["input", "symbol"], "SYMBOL_INVALID")]
    assert thrown == [True, "SYMBOL_INVALID"]


def test_an_order_of_a_paper_account_is_placed_and_filled(node: Node, offline: Gateway):
    fills, positions = node.run(
        CLIENT
        + """
        const input = { name: "Paper", initialBalance: "1000000" };
        const created = await client.mutate(TradingAccountCreateDocument, { input });
        const { account } = accepted(created.tradingAccountCreate);
        const order = { accountId: account.id, symbol: "BTC/USD", side: "BUY", type: "MARKET", quantity: "0.001" };
        const placed = accepted((await client.mutate(OrderPlaceDocument, { input: order })).orderPlace);
        const { positions } = await client.query(PositionsDocument, { accountId: account.id });
        return [placed.fills, positions.nodes];""",
        url=url(offline),
        options={"apiKey": offline.key},
    )

    assert {each["side"] for each in fills} == {"BUY"}
    assert sum(Decimal(each["quantity"]) for each in fills) == Decimal("0.001")
    assert [(each["symbol"], each["side"], each["quantity"]) for each in positions] == [
        ("crypto:BTC/USD", "LONG", "0.001")
    ]


def test_a_query_that_is_refused_for_its_rate_is_sent_again_when_the_gateway_says(
    node: Node, live: tuple[Gateway, Upstream]
):
    """Four operations at a time are allowed; the upstream holds four of them back."""
    gateway, upstream = live
    slow = ["binance", "kraken", "bitstamp", "okx"]
    for provider in slow:
        upstream.on(provider, lambda asked: replace(WORLD[asked.provider](asked), delay=0.8))
    outcomes, statuses, waited_ms = node.run(
        CLIENT
        + """
        const ask = (provider) => client.tryQuery(graphql(`query ($symbol: String!, $providers: [String!]) {
            quote(symbol: $symbol, route: { providers: $providers }) { price } }`),
            { symbol: /binance|okx/.test(provider) ? "BTC/USDT" : "BTC/USD", providers: [provider] });
        const first = given.slow.map(ask);
        await new Promise((done) => setTimeout(done, 200));
        const began = performance.now();
        const fifth = await ask("coinbaseexchange");
        const waited = performance.now() - began;
        return [[fifth, ...await Promise.all(first)].map((each) => each.ok),
            posts.map(({ status }) => status).sort(), waited];""",
        url=url(gateway),
        slow=slow,
        options={"persisted": False},
    )
    upstream.calm()

    assert outcomes == [True] * 5
    assert statuses == [200] * 5 + [429]
    assert 1_000 <= waited_ms < 4_000


def test_who_does_not_want_to_wait_so_long_is_told_at_once(node: Node, offline: Gateway):
    """The minute's points of callers without a credential, of another address."""
    fault, posts = node.run(
        CLIENT
        + """
        const costly = graphql('{ viewer { tenant { name } } ' + [...Array(30).keys()].map((n) =>
            `a${n}: quotes(symbols: ["BTC/USD", "ETH/USD"]) { nodes { price } }`).join(" ") + " }");
        let outcome = { ok: true };
        for (let n = 0; outcome.ok && n < 20; n++) outcome = await client.tryQuery(costly);
        return [outcome.fault, posts.filter(({ status }) => status === 429).length];""",
        url=url(offline),
        options={"persisted": False, "retry": {"maxMs": 0}},
    )

    assert (fault["code"], fault["limit"], posts) == ("RATE_LIMITED", "pointsPerMinute", 1)
    assert 0 < fault["retryAfterMs"] <= 120_000


def test_what_could_never_fit_is_not_sent_again(node: Node, offline: Gateway):
    fault, statuses = node.run(
        CLIENT
        + """
        const costly = graphql("{ " + [...Array(200).keys()].map((n) =>
            `a${n}: quote(symbol: "BTC/USD") { price }`).join(" ") + " }");
        const { fault } = await client.tryQuery(costly);
        return [fault, posts.map(({ status }) => status)];""",
        url=url(offline),
        options={"persisted": False},
    )

    assert (fault["code"], "retryAfterMs" in fault, statuses) == ("RATE_LIMITED", False, [429])


def test_a_network_that_fails_is_tried_again_for_a_query_and_never_for_a_mutation(node: Node):
    tried = node.run(
        """
        let tries = 0;
        const failing = (...given) => { tries++; return fetch(...given); };
        const client = createClient({ url: given.url, fetch: failing, persisted: false, retry: { baseMs: 1 } });
        const query = await client.tryQuery(graphql("{ providers { id } }"));
        const queries = tries;
        const mutation = await client.tryMutate(AlertDeleteDocument, { input: { id: "1" } });
        return [query.fault.code, queries, mutation.fault.code, tries - queries];""",
        url=f"http://127.0.0.1:{free_port()}/graphql",
    )

    assert tried == ["NETWORK_FAILED", 4, "NETWORK_FAILED", 1]


@pytest.mark.parametrize(("text", "posts"), [
    ("mutation { a }", 1),
    ("mutation{ a }", 1),
    ("\ufeff, mutation Order($mutation: String = \")\") @live(if: true) { a(b: $mutation) }", 1),
    ("# query {\nfragment F on Order { id }\r\n# }\rmutation { a { ...F } }", 1),
    ("query A { a } mutation B { a }", 1),
    ('query ($b: C = {d: ["}", "(", 2]}) { a(b: """ " \\""" { """) }mutation{ a }', 1),
    ("{ mutation }", 3),
    ("# mutation { a }\nquery mutation { a }", 3),
    ('{ a(b: "} mutation {", c: """} mutation { \\""" } mutation {""") }', 3),
    ("query ($mutation: Int) { a } fragment mutation on mutation { mutation }", 3),
])  # fmt: skip
def test_what_is_a_mutation_is_sent_once_whatever_verb_is_called(node: Node, text: str, posts: int):
    tried = node.run(
        """
        let tries = 0;
        const failing = async () => { tries++; throw new TypeError("the answer was lost"); };
        const url = "http://127.0.0.1/graphql";
        const client = createClient({ url, fetch: failing, persisted: false, retry: { attempts: 2, baseMs: 1 } });
        const { fault } = await client.tryQuery(graphql(given.text));
        return [fault.code, tries];""",
        text=text,
    )

    assert tried == ["NETWORK_FAILED", posts]


def test_a_mutation_is_no_stream_and_nothing_is_sent(node: Node):
    with pytest.raises(Thrown, match="a mutation is sent by mutate") as caught:
        node.run(
            """
            const client = createClient({ url: "http://127.0.0.1/graphql", webSocket: WebSocket });
            client.subscribe(AlertDeleteDocument, { input: { id: "1" } });"""
        )

    assert caught.value.name == "TypeError"
    assert node.run("return sockets.length;") == 0


def test_an_address_that_is_no_gateway_is_said_to_be_none(node: Node, offline: Gateway):
    fault = node.run(
        CLIENT + "return (await client.tryQuery(graphql('{ providers { id } }'))).fault;", url=f"{offline.url}/livez"
    )

    assert fault["code"] in ("ANSWER_UNREADABLE", "METHOD_NOT_ALLOWED")
    assert "that of /graphql?" in fault["message"]


def test_a_time_out_that_no_timer_has_is_the_longest_one(node: Node):
    found = node.run(
        """
        const answering = async () => Response.json({ data: { providers: [] } });
        const client = createClient({ url: "http://127.0.0.1/graphql", fetch: answering });
        const query = graphql("{ providers { id } }");
        return Promise.all([2 ** 31, Infinity].map((timeoutMs) => client.query(query, {}, { timeoutMs })));"""
    )

    assert found == [{"providers": []}] * 2


def test_a_time_out_is_a_fault_and_an_abort_the_callers_own_reason(node: Node, live: tuple[Gateway, Upstream]):
    gateway, upstream = live
    upstream.on("coinbaseexchange", Answer(delay=2.0))
    fault, reason = node.run(
        CLIENT
        + """
        const document = graphql(`query ($s: String!) {
            quote(symbol: $s, route: { providers: ["coinbaseexchange"] }) { price } }`);
        const { fault } = await client.tryQuery(document, { s: "crypto:FFF/USD" }, { timeoutMs: 100 });
        const stop = new AbortController();
        setTimeout(() => stop.abort("enough"), 100);
        const asked = client.tryQuery(document, { s: "crypto:GGG/USD" }, { signal: stop.signal });
        return [fault, await asked.catch((reason) => reason)];""",
        url=url(gateway),
    )
    upstream.calm()

    assert (fault["code"], fault["timeoutMs"], reason) == ("CLIENT_TIMEOUT", 100, "enough")


@pytest.mark.parametrize("body", [
    "oops", "null", "{}", '{"data":null}', '{"data":"x"}', '{"errors":[]}', '{"errors":"x"}', '{"errors":[null]}',
    '{"data":{"quote":null},"errors":"x"}', '{"data":{"quote":null},"errors":[5]}', "[" * 50_000,
])  # fmt: skip
def test_an_answer_of_another_shape_is_a_fault_and_no_error_of_the_language(node: Node, body: str):
    outcome = node.run(
        """
        const answering = async () => new Response(given.answer);
        const client = createClient({ url: "http://127.0.0.1/graphql", fetch: answering });
        return client.tryQuery(graphql("{ providers { id } }"));""",
        answer=body,
    )

    assert (outcome["ok"], outcome["fault"]["code"], outcome["data"]) == (False, "ANSWER_UNREADABLE", None)


def test_a_wait_that_came_as_a_text_is_read_as_the_number_that_it_is(node: Node):
    """Put before the client's own pause, of a few milliseconds here, it would be ten times as long."""
    refused = {"message": "later", "extensions": {"code": "RATE_LIMITED", "retryAfterMs": "90"}}
    tries, ms = node.run(
        """
        let tries = 0;
        const refusing = async () => { tries++; return Response.json({ errors: [given.refused] }, { status: 429 }) };
        const options = { fetch: refusing, persisted: false, retry: { baseMs: 1 } };
        const client = createClient({ url: "http://127.0.0.1/graphql", ...options });
        const began = performance.now();
        await client.tryQuery(graphql("{ providers { id } }"));
        return [tries, performance.now() - began];""",
        refused=refused,
    )

    assert tries == 4
    assert 270 <= ms < 2_000
