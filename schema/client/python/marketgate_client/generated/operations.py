# Written by `make gen` from schema.graphql and operations/*.graphql; edit there.
"""The operations: their documents, and how their answers are read."""

from __future__ import annotations

from marketgate_client.generated import models
from marketgate_client.wire import Operation

VIEWER: Operation[models.Viewer | None] = Operation(
    name="Viewer",
    field="viewer",
    read=lambda value: None if (v0 := value) is None else models.Viewer.read(v0),
    nullable=True,
    document="""\
query Viewer {
  viewer {
    user {
      id
      email
    }
    tenant {
      id
      name
      plan
      status
      limits {
        name
        limit
        remaining
        resetsAt
      }
    }
    role
    scopes
  }
}
""",
)

EVENTS: Operation[models.EventConnection] = Operation(
    name="Events",
    field="events",
    read=lambda value: models.EventConnection.read(value),
    document="""\
query Events($types: [String!], $first: Int, $after: Cursor) {
  events(types: $types, first: $first, after: $after) {
    nodes {
      ...Event
    }
    pageInfo {
      ...PageInfo
    }
  }
}

fragment Event on Event {
  id
  type
  version
  occurredAt
  sequence
  mode
}

fragment PageInfo on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}
""",
)

EVENT_TYPES: Operation[tuple[models.EventTypeInfo, ...]] = Operation(
    name="EventTypes",
    field="eventTypes",
    read=lambda value: tuple([models.EventTypeInfo.read(e0) for e0 in value]),
    document="""\
query EventTypes {
  eventTypes {
    name
    version
    description
    graphqlType
    jsonSchema
  }
}
""",
)

PORTFOLIOS: Operation[models.PortfolioConnection] = Operation(
    name="Portfolios",
    field="portfolios",
    read=lambda value: models.PortfolioConnection.read(value),
    document="""\
query Portfolios($first: Int, $after: Cursor) {
  portfolios(first: $first, after: $after) {
    nodes {
      ...Portfolio
    }
    pageInfo {
      ...PageInfo
    }
  }
}

fragment PageInfo on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}

fragment Portfolio on Portfolio {
  id
  name
  currency
  benchmark
  method
  tracksCash
  notional
  version
  createdAt
  changedAt
}
""",
)

VALUED_PORTFOLIO: Operation[models.ValuedPortfolio | None] = Operation(
    name="ValuedPortfolio",
    field="portfolio",
    read=lambda value: None if (v0 := value) is None else models.ValuedPortfolio.read(v0),
    nullable=True,
    document="""\
query ValuedPortfolio($id: ID!, $at: DateTime) {
  portfolio(id: $id) {
    ...Portfolio
    holdings(at: $at) {
      at
      currency
      value
      invested
      cashValue
      positions {
        ...PortfolioPosition
      }
      exposure {
        ...PortfolioExposure
      }
      failures {
        symbol
        code
        message
      }
    }
  }
}

fragment Portfolio on Portfolio {
  id
  name
  currency
  benchmark
  method
  tracksCash
  notional
  version
  createdAt
  changedAt
}

fragment PortfolioExposure on PortfolioExposure {
  long
  short
  gross
  net
  leverage
}

fragment PortfolioPosition on PortfolioPosition {
  symbol
  quantity
  price
  priceCurrency
  value
  weight
  stale
}
""",
)

QUOTE: Operation[models.Quote] = Operation(
    name="Quote",
    field="quote",
    read=lambda value: models.Quote.read(value),
    document="""\
query Quote($symbol: String!, $assetClass: AssetClass, $convertTo: String, $route: RouteInput) {
  quote(
    symbol: $symbol
    assetClass: $assetClass
    convertTo: $convertTo
    route: $route
  ) {
    ...Quote
  }
}

fragment Provenance on Provenance {
  provider
  mode
  asOf
  fetchedAt
  delay
  delaySeconds
  latencyMs
  ageMs
  cacheStatus
  stale
  recordedFrom
  attribution
  fallbackFrom {
    ...ProviderFailure
  }
  conversion {
    from
    to
    rate
  }
}

fragment ProviderFailure on ProviderFailure {
  provider
  code
  message
  retryAfterMs
}

fragment Quote on Quote {
  instrument {
    id
    symbol
    name
    assetClass
  }
  price
  priceType
  currency
  bid
  ask
  bidSize
  askSize
  mid
  last
  lastSize
  open
  high
  low
  previousClose
  change
  changePercent
  volume
  quoteVolume
  vwap
  statsWindow
  extendedPrice
  marketState
  provenance {
    ...Provenance
  }
}
""",
)

QUOTES: Operation[models.QuoteBatch] = Operation(
    name="Quotes",
    field="quotes",
    read=lambda value: models.QuoteBatch.read(value),
    document="""\
query Quotes($symbols: [String!]!, $convertTo: String, $route: RouteInput) {
  quotes(symbols: $symbols, convertTo: $convertTo, route: $route) {
    nodes {
      ...Quote
    }
    failures {
      ...AskFailure
    }
  }
}

fragment AskFailure on AskFailure {
  index
  symbol
  code
  message
  candidates {
    id
  }
  attempts {
    ...ProviderFailure
  }
  docs
}

fragment Provenance on Provenance {
  provider
  mode
  asOf
  fetchedAt
  delay
  delaySeconds
  latencyMs
  ageMs
  cacheStatus
  stale
  recordedFrom
  attribution
  fallbackFrom {
    ...ProviderFailure
  }
  conversion {
    from
    to
    rate
  }
}

fragment ProviderFailure on ProviderFailure {
  provider
  code
  message
  retryAfterMs
}

fragment Quote on Quote {
  instrument {
    id
    symbol
    name
    assetClass
  }
  price
  priceType
  currency
  bid
  ask
  bidSize
  askSize
  mid
  last
  lastSize
  open
  high
  low
  previousClose
  change
  changePercent
  volume
  quoteVolume
  vwap
  statsWindow
  extendedPrice
  marketState
  provenance {
    ...Provenance
  }
}
""",
)

CONSENSUS: Operation[models.Consensus] = Operation(
    name="Consensus",
    field="consensus",
    read=lambda value: models.Consensus.read(value),
    document="""\
query Consensus($symbol: String!, $providers: [String!], $quorum: Int, $maxAgeMs: Int) {
  consensus(
    symbol: $symbol
    providers: $providers
    quorum: $quorum
    maxAgeMs: $maxAgeMs
  ) {
    ...Consensus
  }
}

fragment Consensus on Consensus {
  instrument {
    id
  }
  currency
  median
  low
  high
  rangeBps
  asked
  used
  sources {
    ...ConsensusSource
  }
  outliers {
    ...ConsensusSource
  }
}

fragment ConsensusSource on ConsensusSource {
  provider
  deviationBps
  outlier
  quote {
    price
    bid
    ask
    currency
  }
  excluded {
    ...ProviderFailure
  }
}

fragment ProviderFailure on ProviderFailure {
  provider
  code
  message
  retryAfterMs
}
""",
)

CANDLE_PAGE: Operation[models.CandleSeries] = Operation(
    name="CandlePage",
    field="candles",
    read=lambda value: models.CandleSeries.read(value),
    document="""\
query CandlePage($symbol: String!, $interval: Interval!, $start: DateTime, $end: DateTime, $first: Int, $after: Cursor, $last: Int, $before: Cursor, $adjustment: Adjustment, $hours: TradingHours, $fill: Fill, $route: RouteInput) {
  candles(
    symbol: $symbol
    interval: $interval
    start: $start
    end: $end
    first: $first
    after: $after
    last: $last
    before: $before
    adjustment: $adjustment
    hours: $hours
    fill: $fill
    route: $route
  ) {
    instrument {
      id
    }
    interval
    currency
    timeZone
    adjustment
    hours
    columns {
      openTime
      open
      high
      low
      close
      volume
      closed
    }
    gaps {
      ...Gap
    }
    pageInfo {
      ...PageInfo
    }
    provenance {
      ...Provenance
    }
  }
}

fragment Gap on Gap {
  start
  end
  missing
}

fragment PageInfo on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}

fragment Provenance on Provenance {
  provider
  mode
  asOf
  fetchedAt
  delay
  delaySeconds
  latencyMs
  ageMs
  cacheStatus
  stale
  recordedFrom
  attribution
  fallbackFrom {
    ...ProviderFailure
  }
  conversion {
    from
    to
    rate
  }
}

fragment ProviderFailure on ProviderFailure {
  provider
  code
  message
  retryAfterMs
}
""",
)

ORDER_BOOK: Operation[models.OrderBook] = Operation(
    name="OrderBook",
    field="orderBook",
    read=lambda value: models.OrderBook.read(value),
    document="""\
query OrderBook($symbol: String!, $depth: Int, $route: RouteInput) {
  orderBook(symbol: $symbol, depth: $depth, route: $route) {
    ...OrderBook
  }
}

fragment OrderBook on OrderBook {
  instrument {
    id
  }
  bids {
    ...PriceLevel
  }
  asks {
    ...PriceLevel
  }
  sequence
  verified
  provenance {
    ...Provenance
  }
}

fragment PriceLevel on PriceLevel {
  price
  size
  orderCount
}

fragment Provenance on Provenance {
  provider
  mode
  asOf
  fetchedAt
  delay
  delaySeconds
  latencyMs
  ageMs
  cacheStatus
  stale
  recordedFrom
  attribution
  fallbackFrom {
    ...ProviderFailure
  }
  conversion {
    from
    to
    rate
  }
}

fragment ProviderFailure on ProviderFailure {
  provider
  code
  message
  retryAfterMs
}
""",
)

TRADES: Operation[tuple[models.Trade, ...]] = Operation(
    name="Trades",
    field="trades",
    read=lambda value: tuple([models.Trade.read(e0) for e0 in value]),
    document="""\
query Trades($symbol: String!, $last: Int, $route: RouteInput) {
  trades(symbol: $symbol, last: $last, route: $route) {
    ...Trade
  }
}

fragment Provenance on Provenance {
  provider
  mode
  asOf
  fetchedAt
  delay
  delaySeconds
  latencyMs
  ageMs
  cacheStatus
  stale
  recordedFrom
  attribution
  fallbackFrom {
    ...ProviderFailure
  }
  conversion {
    from
    to
    rate
  }
}

fragment ProviderFailure on ProviderFailure {
  provider
  code
  message
  retryAfterMs
}

fragment Trade on Trade {
  id
  time
  price
  size
  side
  provenance {
    ...Provenance
  }
}
""",
)

INSTRUMENT: Operation[models.Instrument] = Operation(
    name="Instrument",
    field="instrument",
    read=lambda value: models.Instrument.read(value),
    document="""\
query Instrument($symbol: String!, $assetClass: AssetClass) {
  instrument(symbol: $symbol, assetClass: $assetClass) {
    ...Instrument
  }
}

fragment Instrument on Instrument {
  id
  symbol
  name
  assetClass
  type
  base
  quoteCurrency
  settle
  venue {
    id
    name
    timeZone
  }
  tickSize
  stepSize
  minSize
  maxSize
  minNotional
  contractSize
  expiry
  strike
  isin
  figi
  tradable
}
""",
)

INSTRUMENTS: Operation[models.InstrumentConnection] = Operation(
    name="Instruments",
    field="instruments",
    read=lambda value: models.InstrumentConnection.read(value),
    document="""\
query Instruments($search: String, $providerSymbol: String, $assetClass: AssetClass, $type: InstrumentType, $venue: String, $first: Int, $after: Cursor) {
  instruments(
    search: $search
    providerSymbol: $providerSymbol
    assetClass: $assetClass
    type: $type
    venue: $venue
    first: $first
    after: $after
  ) {
    nodes {
      ...Instrument
    }
    pageInfo {
      ...PageInfo
    }
  }
}

fragment Instrument on Instrument {
  id
  symbol
  name
  assetClass
  type
  base
  quoteCurrency
  settle
  venue {
    id
    name
    timeZone
  }
  tickSize
  stepSize
  minSize
  maxSize
  minNotional
  contractSize
  expiry
  strike
  isin
  figi
  tradable
}

fragment PageInfo on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}
""",
)

PROVIDERS: Operation[tuple[models.Provider, ...]] = Operation(
    name="Providers",
    field="providers",
    read=lambda value: tuple([models.Provider.read(e0) for e0 in value]),
    document="""\
query Providers($capability: String, $assetClass: AssetClass, $status: ProviderStatus) {
  providers(capability: $capability, assetClass: $assetClass, status: $status) {
    ...Provider
  }
}

fragment Provider on Provider {
  id
  name
  assetClasses
  grade
  status
  statusReason
  routing
  health {
    breaker
    errorRate
    p50Ms
    p95Ms
    lastSuccessAt
  }
  docs
}
""",
)

RATES: Operation[models.FxRates] = Operation(
    name="Rates",
    field="fxRates",
    read=lambda value: models.FxRates.read(value),
    document="""\
query Rates($base: String!, $quotes: [String!], $start: Date, $end: Date, $route: RouteInput) {
  fxRates(base: $base, quotes: $quotes, start: $start, end: $end, route: $route) {
    base
    rates {
      base
      quote
      rate
      date
      priceType
    }
    provenance {
      ...Provenance
    }
  }
}

fragment Provenance on Provenance {
  provider
  mode
  asOf
  fetchedAt
  delay
  delaySeconds
  latencyMs
  ageMs
  cacheStatus
  stale
  recordedFrom
  attribution
  fallbackFrom {
    ...ProviderFailure
  }
  conversion {
    from
    to
    rate
  }
}

fragment ProviderFailure on ProviderFailure {
  provider
  code
  message
  retryAfterMs
}
""",
)

CONVERT: Operation[models.ConvertedAmount] = Operation(
    name="Convert",
    field="convert",
    read=lambda value: models.ConvertedAmount.read(value),
    document="""\
query Convert($amount: Decimal!, $from: String!, $to: String!, $route: RouteInput) {
  convert(amount: $amount, from: $from, to: $to, route: $route) {
    amount
    currency
    conversion {
      from
      to
      rate
      provenance {
        ...Provenance
      }
    }
  }
}

fragment Provenance on Provenance {
  provider
  mode
  asOf
  fetchedAt
  delay
  delaySeconds
  latencyMs
  ageMs
  cacheStatus
  stale
  recordedFrom
  attribution
  fallbackFrom {
    ...ProviderFailure
  }
  conversion {
    from
    to
    rate
  }
}

fragment ProviderFailure on ProviderFailure {
  provider
  code
  message
  retryAfterMs
}
""",
)

FUNDING_RATE: Operation[models.FundingRate] = Operation(
    name="FundingRate",
    field="fundingRate",
    read=lambda value: models.FundingRate.read(value),
    document="""\
query FundingRate($symbol: String!, $route: RouteInput) {
  fundingRate(symbol: $symbol, route: $route) {
    instrument {
      id
    }
    rate
    time
    settled
    intervalMs
    markPrice
    indexPrice
    provenance {
      ...Provenance
    }
  }
}

fragment Provenance on Provenance {
  provider
  mode
  asOf
  fetchedAt
  delay
  delaySeconds
  latencyMs
  ageMs
  cacheStatus
  stale
  recordedFrom
  attribution
  fallbackFrom {
    ...ProviderFailure
  }
  conversion {
    from
    to
    rate
  }
}

fragment ProviderFailure on ProviderFailure {
  provider
  code
  message
  retryAfterMs
}
""",
)

COMPANY_PROFILE: Operation[models.CompanyProfile] = Operation(
    name="CompanyProfile",
    field="companyProfile",
    read=lambda value: models.CompanyProfile.read(value),
    document="""\
query CompanyProfile($symbol: String!, $route: RouteInput) {
  companyProfile(symbol: $symbol, route: $route) {
    instrument {
      id
    }
    name
    description
    sector
    industry
    country
    currency
    exchange
    website
    employees
    listedOn
    marketCap
    sharesOutstanding
    provenance {
      ...Provenance
    }
  }
}

fragment Provenance on Provenance {
  provider
  mode
  asOf
  fetchedAt
  delay
  delaySeconds
  latencyMs
  ageMs
  cacheStatus
  stale
  recordedFrom
  attribution
  fallbackFrom {
    ...ProviderFailure
  }
  conversion {
    from
    to
    rate
  }
}

fragment ProviderFailure on ProviderFailure {
  provider
  code
  message
  retryAfterMs
}
""",
)

MARKET_STATUS: Operation[models.MarketStatus] = Operation(
    name="MarketStatus",
    field="marketStatus",
    read=lambda value: models.MarketStatus.read(value),
    document="""\
query MarketStatus($venue: String, $route: RouteInput) {
  marketStatus(venue: $venue, route: $route) {
    venue
    state
    reason
    basis
    asOf
    nextOpen
    nextClose
  }
}
""",
)

NEWS: Operation[models.NewsArticleConnection] = Operation(
    name="News",
    field="news",
    read=lambda value: models.NewsArticleConnection.read(value),
    document="""\
query News($search: String, $symbols: [String!], $topic: String, $language: String, $country: String, $source: String, $start: DateTime, $end: DateTime, $first: Int, $after: Cursor, $route: RouteInput) {
  news(
    search: $search
    symbols: $symbols
    topic: $topic
    language: $language
    country: $country
    source: $source
    start: $start
    end: $end
    first: $first
    after: $after
    route: $route
  ) {
    nodes {
      ...NewsArticle
    }
    pageInfo {
      ...PageInfo
    }
  }
}

fragment NewsArticle on NewsArticle {
  id
  title
  url
  publishedAt
  updatedAt
  summary
  source
  author
  language
  symbols
  topics
  sentiment
  provenance {
    ...Provenance
  }
}

fragment PageInfo on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}

fragment Provenance on Provenance {
  provider
  mode
  asOf
  fetchedAt
  delay
  delaySeconds
  latencyMs
  ageMs
  cacheStatus
  stale
  recordedFrom
  attribution
  fallbackFrom {
    ...ProviderFailure
  }
  conversion {
    from
    to
    rate
  }
}

fragment ProviderFailure on ProviderFailure {
  provider
  code
  message
  retryAfterMs
}
""",
)

QUOTES_STREAM: Operation[models.QuotesUpdate] = Operation(
    name="QuotesStream",
    field="quotes",
    read=lambda value: models.QuotesUpdate.read(value),
    document="""\
subscription QuotesStream($symbols: [String!]!, $everyMs: Int, $convertTo: String, $route: RouteInput) {
  quotes(
    symbols: $symbols
    everyMs: $everyMs
    convertTo: $convertTo
    route: $route
  ) {
    cursor
    snapshot
    skipped
    quotes {
      ...Quote
    }
    notices {
      ...Notice
    }
  }
}

fragment Notice on StreamNotice {
  code
  message
  symbol
  provider
  at
}

fragment Provenance on Provenance {
  provider
  mode
  asOf
  fetchedAt
  delay
  delaySeconds
  latencyMs
  ageMs
  cacheStatus
  stale
  recordedFrom
  attribution
  fallbackFrom {
    ...ProviderFailure
  }
  conversion {
    from
    to
    rate
  }
}

fragment ProviderFailure on ProviderFailure {
  provider
  code
  message
  retryAfterMs
}

fragment Quote on Quote {
  instrument {
    id
    symbol
    name
    assetClass
  }
  price
  priceType
  currency
  bid
  ask
  bidSize
  askSize
  mid
  last
  lastSize
  open
  high
  low
  previousClose
  change
  changePercent
  volume
  quoteVolume
  vwap
  statsWindow
  extendedPrice
  marketState
  provenance {
    ...Provenance
  }
}
""",
)

CANDLES_STREAM: Operation[models.CandleUpdate] = Operation(
    name="CandlesStream",
    field="candles",
    read=lambda value: models.CandleUpdate.read(value),
    document="""\
subscription CandlesStream($symbol: String!, $interval: Interval!, $everyMs: Int, $route: RouteInput) {
  candles(symbol: $symbol, interval: $interval, everyMs: $everyMs, route: $route) {
    cursor
    snapshot
    skipped
    candles {
      ...Candle
    }
    provenance {
      ...Provenance
    }
    notices {
      ...Notice
    }
  }
}

fragment Candle on Candle {
  openTime
  sessionDate
  open
  high
  low
  close
  volume
  quoteVolume
  vwap
  tradeCount
  closed
  filled
}

fragment Notice on StreamNotice {
  code
  message
  symbol
  provider
  at
}

fragment Provenance on Provenance {
  provider
  mode
  asOf
  fetchedAt
  delay
  delaySeconds
  latencyMs
  ageMs
  cacheStatus
  stale
  recordedFrom
  attribution
  fallbackFrom {
    ...ProviderFailure
  }
  conversion {
    from
    to
    rate
  }
}

fragment ProviderFailure on ProviderFailure {
  provider
  code
  message
  retryAfterMs
}
""",
)

ORDER_BOOK_STREAM: Operation[models.OrderBookUpdate] = Operation(
    name="OrderBookStream",
    field="orderBook",
    read=lambda value: models.OrderBookUpdate.read(value),
    document="""\
subscription OrderBookStream($symbol: String!, $depth: Int, $everyMs: Int, $route: RouteInput) {
  orderBook(symbol: $symbol, depth: $depth, everyMs: $everyMs, route: $route) {
    cursor
    snapshot
    skipped
    orderBook {
      ...OrderBook
    }
    notices {
      ...Notice
    }
  }
}

fragment Notice on StreamNotice {
  code
  message
  symbol
  provider
  at
}

fragment OrderBook on OrderBook {
  instrument {
    id
  }
  bids {
    ...PriceLevel
  }
  asks {
    ...PriceLevel
  }
  sequence
  verified
  provenance {
    ...Provenance
  }
}

fragment PriceLevel on PriceLevel {
  price
  size
  orderCount
}

fragment Provenance on Provenance {
  provider
  mode
  asOf
  fetchedAt
  delay
  delaySeconds
  latencyMs
  ageMs
  cacheStatus
  stale
  recordedFrom
  attribution
  fallbackFrom {
    ...ProviderFailure
  }
  conversion {
    from
    to
    rate
  }
}

fragment ProviderFailure on ProviderFailure {
  provider
  code
  message
  retryAfterMs
}
""",
)

TRADES_STREAM: Operation[models.TradesUpdate] = Operation(
    name="TradesStream",
    field="trades",
    read=lambda value: models.TradesUpdate.read(value),
    document="""\
subscription TradesStream($symbol: String!, $everyMs: Int, $route: RouteInput) {
  trades(symbol: $symbol, everyMs: $everyMs, route: $route) {
    cursor
    snapshot
    skipped
    trades {
      ...Trade
    }
    notices {
      ...Notice
    }
  }
}

fragment Notice on StreamNotice {
  code
  message
  symbol
  provider
  at
}

fragment Provenance on Provenance {
  provider
  mode
  asOf
  fetchedAt
  delay
  delaySeconds
  latencyMs
  ageMs
  cacheStatus
  stale
  recordedFrom
  attribution
  fallbackFrom {
    ...ProviderFailure
  }
  conversion {
    from
    to
    rate
  }
}

fragment ProviderFailure on ProviderFailure {
  provider
  code
  message
  retryAfterMs
}

fragment Trade on Trade {
  id
  time
  price
  size
  side
  provenance {
    ...Provenance
  }
}
""",
)

CONSENSUS_STREAM: Operation[models.ConsensusUpdate] = Operation(
    name="ConsensusStream",
    field="consensus",
    read=lambda value: models.ConsensusUpdate.read(value),
    document="""\
subscription ConsensusStream($symbol: String!, $providers: [String!], $quorum: Int, $maxAgeMs: Int, $everyMs: Int) {
  consensus(
    symbol: $symbol
    providers: $providers
    quorum: $quorum
    maxAgeMs: $maxAgeMs
    everyMs: $everyMs
  ) {
    cursor
    consensus {
      ...Consensus
    }
    notices {
      ...Notice
    }
  }
}

fragment Consensus on Consensus {
  instrument {
    id
  }
  currency
  median
  low
  high
  rangeBps
  asked
  used
  sources {
    ...ConsensusSource
  }
  outliers {
    ...ConsensusSource
  }
}

fragment ConsensusSource on ConsensusSource {
  provider
  deviationBps
  outlier
  quote {
    price
    bid
    ask
    currency
  }
  excluded {
    ...ProviderFailure
  }
}

fragment Notice on StreamNotice {
  code
  message
  symbol
  provider
  at
}

fragment ProviderFailure on ProviderFailure {
  provider
  code
  message
  retryAfterMs
}
""",
)

PROVIDER_HEALTH_STREAM: Operation[models.ProviderHealthUpdate] = Operation(
    name="ProviderHealthStream",
    field="providerHealth",
    read=lambda value: models.ProviderHealthUpdate.read(value),
    document="""\
subscription ProviderHealthStream($providers: [ID!]) {
  providerHealth(providers: $providers) {
    cursor
    snapshot
    providers {
      id
      status
      statusReason
      breaker
      errorRate
      p95Ms
    }
    notices {
      ...Notice
    }
  }
}

fragment Notice on StreamNotice {
  code
  message
  symbol
  provider
  at
}
""",
)

NEWS_STREAM: Operation[models.NewsUpdate] = Operation(
    name="NewsStream",
    field="news",
    read=lambda value: models.NewsUpdate.read(value),
    document="""\
subscription NewsStream($search: String, $symbols: [String!], $topic: String, $language: String, $country: String, $source: String, $route: RouteInput) {
  news(
    search: $search
    symbols: $symbols
    topic: $topic
    language: $language
    country: $country
    source: $source
    route: $route
  ) {
    cursor
    snapshot
    articles {
      ...NewsArticle
    }
    notices {
      ...Notice
    }
  }
}

fragment NewsArticle on NewsArticle {
  id
  title
  url
  publishedAt
  updatedAt
  summary
  source
  author
  language
  symbols
  topics
  sentiment
  provenance {
    ...Provenance
  }
}

fragment Notice on StreamNotice {
  code
  message
  symbol
  provider
  at
}

fragment Provenance on Provenance {
  provider
  mode
  asOf
  fetchedAt
  delay
  delaySeconds
  latencyMs
  ageMs
  cacheStatus
  stale
  recordedFrom
  attribution
  fallbackFrom {
    ...ProviderFailure
  }
  conversion {
    from
    to
    rate
  }
}

fragment ProviderFailure on ProviderFailure {
  provider
  code
  message
  retryAfterMs
}
""",
)

EVENTS_STREAM: Operation[models.EventUpdate] = Operation(
    name="EventsStream",
    field="events",
    read=lambda value: models.EventUpdate.read(value),
    document="""\
subscription EventsStream($types: [String!]) {
  events(types: $types) {
    cursor
    event {
      ...Event
    }
    notices {
      ...Notice
    }
  }
}

fragment Event on Event {
  id
  type
  version
  occurredAt
  sequence
  mode
}

fragment Notice on StreamNotice {
  code
  message
  symbol
  provider
  at
}
""",
)

PORTFOLIO_STREAM: Operation[models.PortfolioUpdate] = Operation(
    name="PortfolioStream",
    field="portfolio",
    read=lambda value: models.PortfolioUpdate.read(value),
    document="""\
subscription PortfolioStream($id: ID!, $everyMs: Int) {
  portfolio(id: $id, everyMs: $everyMs) {
    cursor
    snapshot
    skipped
    at
    version
    currency
    value
    totalPnl
    exposure {
      ...PortfolioExposure
    }
    positions {
      ...PortfolioPosition
    }
    notices {
      ...Notice
    }
  }
}

fragment Notice on StreamNotice {
  code
  message
  symbol
  provider
  at
}

fragment PortfolioExposure on PortfolioExposure {
  long
  short
  gross
  net
  leverage
}

fragment PortfolioPosition on PortfolioPosition {
  symbol
  quantity
  price
  priceCurrency
  value
  weight
  stale
}
""",
)

ACCOUNT_STREAM: Operation[models.TradingAccountUpdate] = Operation(
    name="AccountStream",
    field="account",
    read=lambda value: models.TradingAccountUpdate.read(value),
    document="""\
subscription AccountStream($id: ID!, $everyMs: Int) {
  account(id: $id, everyMs: $everyMs) {
    cursor
    snapshot
    skipped
    at
    version
    halted
    haltReason
    standing {
      ...TradingStanding
    }
    balances {
      ...TradingBalance
    }
    positions {
      ...TradingPosition
    }
    closed
    orders {
      ...Order
    }
    fills {
      ...OrderFill
    }
    notices {
      ...Notice
    }
  }
}

fragment Notice on StreamNotice {
  code
  message
  symbol
  provider
  at
}

fragment Order on Order {
  id
  accountId
  number
  clientOrderId
  symbol
  side
  type
  timeInForce
  quantity
  notional
  limitPrice
  stopPrice
  currency
  status
  reason
  filledQuantity
  averagePrice
  strategy
  version
  createdAt
  changedAt
  endedAt
}

fragment OrderFill on OrderFill {
  id
  orderId
  symbol
  side
  quantity
  price
  currency
  fee
  liquidity
  realisedPnl
  provider
  mode
  at
}

fragment TradingBalance on TradingBalance {
  currency
  cash
  held
  reserved
  available
}

fragment TradingPosition on TradingPosition {
  id
  symbol
  side
  quantity
  currency
  entryPrice
  price
  value
  unrealised
  realised
  fees
  strategy
  mode
  stale
  openedAt
  changedAt
}

fragment TradingStanding on TradingStanding {
  currency
  equity
  balance
  cash
  unrealised
  marginUsed
  buyingPower
  exposureGross
  exposureNet
  dayPnl
  stale
  reason
  modes
}
""",
)

TRADING_ACCOUNTS: Operation[models.TradingAccountConnection] = Operation(
    name="TradingAccounts",
    field="tradingAccounts",
    read=lambda value: models.TradingAccountConnection.read(value),
    document="""\
query TradingAccounts($first: Int, $after: Cursor) {
  tradingAccounts(first: $first, after: $after) {
    nodes {
      ...TradingAccount
    }
    pageInfo {
      ...PageInfo
    }
  }
}

fragment PageInfo on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}

fragment TradingAccount on TradingAccount {
  id
  name
  kind
  broker
  currency
  initialBalance
  leverage
  halted
  haltReason
  version
  createdAt
  standing {
    ...TradingStanding
  }
  balances {
    ...TradingBalance
  }
}

fragment TradingBalance on TradingBalance {
  currency
  cash
  held
  reserved
  available
}

fragment TradingStanding on TradingStanding {
  currency
  equity
  balance
  cash
  unrealised
  marginUsed
  buyingPower
  exposureGross
  exposureNet
  dayPnl
  stale
  reason
  modes
}
""",
)

POSITIONS: Operation[models.TradingPositionConnection | None] = Operation(
    name="Positions",
    field="positions",
    read=lambda value: None if (v0 := value) is None else models.TradingPositionConnection.read(v0),
    nullable=True,
    document="""\
query Positions($accountId: ID!, $first: Int, $after: Cursor) {
  positions(accountId: $accountId, first: $first, after: $after) {
    nodes {
      ...TradingPosition
    }
    pageInfo {
      ...PageInfo
    }
  }
}

fragment PageInfo on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}

fragment TradingPosition on TradingPosition {
  id
  symbol
  side
  quantity
  currency
  entryPrice
  price
  value
  unrealised
  realised
  fees
  strategy
  mode
  stale
  openedAt
  changedAt
}
""",
)

ORDERS: Operation[models.OrderConnection] = Operation(
    name="Orders",
    field="orders",
    read=lambda value: models.OrderConnection.read(value),
    document="""\
query Orders($accountId: ID!, $open: Boolean, $status: [OrderStatus!], $symbol: String, $strategy: String, $first: Int, $after: Cursor) {
  orders(
    accountId: $accountId
    open: $open
    status: $status
    symbol: $symbol
    strategy: $strategy
    first: $first
    after: $after
  ) {
    nodes {
      ...Order
    }
    pageInfo {
      ...PageInfo
    }
  }
}

fragment Order on Order {
  id
  accountId
  number
  clientOrderId
  symbol
  side
  type
  timeInForce
  quantity
  notional
  limitPrice
  stopPrice
  currency
  status
  reason
  filledQuantity
  averagePrice
  strategy
  version
  createdAt
  changedAt
  endedAt
}

fragment PageInfo on PageInfo {
  hasNextPage
  hasPreviousPage
  startCursor
  endCursor
}
""",
)

ORDER_PREVIEW: Operation[models.OrderPreview] = Operation(
    name="OrderPreview",
    field="orderPreview",
    read=lambda value: models.OrderPreview.read(value),
    document="""\
query OrderPreview($input: OrderPlaceInput!) {
  orderPreview(input: $input) {
    accepted
    at
    symbol
    status
    reason
    currency
    marketPrice
    quantity
    estimatedPrice
    notional
    fee
    buyingPowerBefore
    buyingPowerAfter
    mode
    userErrors {
      field
      code
      message
    }
  }
}
""",
)

TRADING_ACCOUNT_CREATE: Operation[models.TradingAccountCreatePayload] = Operation(
    name="TradingAccountCreate",
    field="tradingAccountCreate",
    read=lambda value: models.TradingAccountCreatePayload.read(value),
    writes=True,
    document="""\
mutation TradingAccountCreate($input: TradingAccountCreateInput!) {
  tradingAccountCreate(input: $input) {
    account {
      ...TradingAccount
    }
    userErrors {
      field
      code
      message
    }
  }
}

fragment TradingAccount on TradingAccount {
  id
  name
  kind
  broker
  currency
  initialBalance
  leverage
  halted
  haltReason
  version
  createdAt
  standing {
    ...TradingStanding
  }
  balances {
    ...TradingBalance
  }
}

fragment TradingBalance on TradingBalance {
  currency
  cash
  held
  reserved
  available
}

fragment TradingStanding on TradingStanding {
  currency
  equity
  balance
  cash
  unrealised
  marginUsed
  buyingPower
  exposureGross
  exposureNet
  dayPnl
  stale
  reason
  modes
}
""",
)

ORDER_PLACE: Operation[models.OrderPlacePayload] = Operation(
    name="OrderPlace",
    field="orderPlace",
    read=lambda value: models.OrderPlacePayload.read(value),
    writes=True,
    document="""\
mutation OrderPlace($input: OrderPlaceInput!) {
  orderPlace(input: $input) {
    order {
      ...Order
    }
    fills {
      ...OrderFill
    }
    userErrors {
      field
      code
      message
    }
  }
}

fragment Order on Order {
  id
  accountId
  number
  clientOrderId
  symbol
  side
  type
  timeInForce
  quantity
  notional
  limitPrice
  stopPrice
  currency
  status
  reason
  filledQuantity
  averagePrice
  strategy
  version
  createdAt
  changedAt
  endedAt
}

fragment OrderFill on OrderFill {
  id
  orderId
  symbol
  side
  quantity
  price
  currency
  fee
  liquidity
  realisedPnl
  provider
  mode
  at
}
""",
)

ORDER_CANCEL: Operation[models.OrderCancelPayload] = Operation(
    name="OrderCancel",
    field="orderCancel",
    read=lambda value: models.OrderCancelPayload.read(value),
    writes=True,
    document="""\
mutation OrderCancel($input: OrderCancelInput!) {
  orderCancel(input: $input) {
    order {
      ...Order
    }
    userErrors {
      field
      code
      message
    }
  }
}

fragment Order on Order {
  id
  accountId
  number
  clientOrderId
  symbol
  side
  type
  timeInForce
  quantity
  notional
  limitPrice
  stopPrice
  currency
  status
  reason
  filledQuantity
  averagePrice
  strategy
  version
  createdAt
  changedAt
  endedAt
}
""",
)
