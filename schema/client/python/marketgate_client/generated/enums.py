# Written by `make gen` from schema.graphql and operations/*.graphql; edit there.
"""The enums of the operations."""

from marketgate_client.wire import OpenEnum


class AccountKind(OpenEnum):
    """Whether an account is of play money."""

    PAPER = "PAPER"
    """Simulated, on real prices."""
    LIVE = "LIVE"
    """At a broker, with money."""


class Adjustment(OpenEnum):
    """Which corporate actions the prices are adjusted for."""

    NONE = "NONE"
    """As traded."""
    SPLITS = "SPLITS"
    """For splits."""
    SPLITS_AND_DIVIDENDS = "SPLITS_AND_DIVIDENDS"
    """For splits and dividends."""


class AssetClass(OpenEnum):
    """What kind of market an instrument belongs to."""

    CRYPTO = "CRYPTO"
    """Coins and tokens, and derivatives of them."""
    EQUITY = "EQUITY"
    """Shares and funds."""
    FX = "FX"
    """Pairs of currencies."""
    INDEX = "INDEX"
    """Indices."""
    COMMODITY = "COMMODITY"
    """Metals, energy, crops."""
    MACRO = "MACRO"
    """Economic series and rates."""
    DEX = "DEX"
    """Pools of decentralised exchanges."""


class BreakerState(OpenEnum):
    """State of a circuit breaker."""

    CLOSED = "CLOSED"
    """All calls go through."""
    OPEN = "OPEN"
    """No call goes through."""
    HALF_OPEN = "HALF_OPEN"
    """One call goes through, as a trial."""


class CacheStatus(OpenEnum):
    """How this read got its value. HIT is our copy; just past its window it may be shown while it is being
    fetched anew, where the kind of data allows that, with its true age and never against `maxAgeMs`.
    """

    HIT = "HIT"
    """Our copy."""
    MISS = "MISS"
    """Fetched now."""
    STALE = "STALE"
    """An old copy, as fetching failed."""
    COALESCED = "COALESCED"
    """Another caller's fetch."""


class ConditionIndicator(OpenEnum):
    """What is reckoned from daily closes."""

    SMA = "SMA"
    """Simple moving average."""
    EMA = "EMA"
    """Exponential moving average."""
    RSI = "RSI"
    """Relative strength index, Wilder's smoothing."""


class Crossing(OpenEnum):
    """Which way a price, or an indicator, crosses."""

    ABOVE = "ABOVE"
    """At the level or above it."""
    BELOW = "BELOW"
    """At the level or below it."""


class DataMode(OpenEnum):
    """Whether a value is live, a replayed recording or simulated."""

    LIVE = "LIVE"
    """From the provider."""
    RECORDED = "RECORDED"
    """A recording of the provider's answer."""
    SIMULATED = "SIMULATED"
    """Made up by the simulated exchange."""


class FailureCode(OpenEnum):
    """Why one provider, or all of them, did not answer."""

    UPSTREAM_UNAVAILABLE = "UPSTREAM_UNAVAILABLE"
    """The provider does not answer, fails, or is not asked because it failed."""
    UPSTREAM_THROTTLED = "UPSTREAM_THROTTLED"
    """The provider asks to slow down."""
    UPSTREAM_QUOTA = "UPSTREAM_QUOTA"
    """The provider's own limit is used up."""
    RATE_LIMITED = "RATE_LIMITED"
    """The caller's plan has no more requests for now."""
    UPSTREAM_MALFORMED = "UPSTREAM_MALFORMED"
    """The provider's answer cannot be read."""
    PROVIDER_MISCONFIGURED = "PROVIDER_MISCONFIGURED"
    """The provider refuses the key."""
    PROVIDER_KEY_MISSING = "PROVIDER_KEY_MISSING"
    """The provider needs a key and none is set."""
    NOT_COVERED = "NOT_COVERED"
    """The provider does not offer it."""
    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"
    """The provider does not know the instrument."""
    AMBIGUOUS_INSTRUMENT = "AMBIGUOUS_INSTRUMENT"
    """The symbol means several instruments."""
    DATA_STALE = "DATA_STALE"
    """The value is older than was asked for."""
    QUORUM_NOT_MET = "QUORUM_NOT_MET"
    """Too few providers answered to agree."""
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    """The time for the answer was over."""
    NOT_RECORDED = "NOT_RECORDED"
    """The offline market has no recording of it."""


class FeedDelay(OpenEnum):
    """The nature of a provider's feed; the age of a value is something else."""

    REALTIME = "REALTIME"
    """As it happens."""
    DELAYED = "DELAYED"
    """Late by a fixed time."""
    END_OF_DAY = "END_OF_DAY"
    """Once a day."""
    UNKNOWN = "UNKNOWN"
    """The provider does not say."""


class Fill(OpenEnum):
    """What to do where no candle is."""

    NONE = "NONE"
    """Leave the gap, and name it."""
    PREVIOUS_CLOSE = "PREVIOUS_CLOSE"
    """Put a marked row with the close before."""


class FillSource(OpenEnum):
    """What the simulator matches against."""

    QUOTES = "QUOTES"
    """Bid and ask of the stream of quotes."""
    BOOK = "BOOK"
    """The depth of the order book."""
    BARS = "BARS"
    """Closed candles of a minute: no fill looks ahead into the bar in which the order came."""


class Grade(OpenEnum):
    """How well an adapter is proven. BRONZE: recordings in the documented format. SILVER: captured answers are
    read exactly. GOLD: captured streams too, or this process measures that its live answers are as fresh as
    the feed declares. Computed, never typed.
    """

    BRONZE = "BRONZE"
    """Recordings in the documented format are read exactly."""
    SILVER = "SILVER"
    """Captured answers are, too."""
    GOLD = "GOLD"
    """Captured streams are, too, or live answers are measured to be as fresh as declared."""


class InstrumentType(OpenEnum):
    """What is traded."""

    SPOT = "SPOT"
    """A pair, delivered at once."""
    PERPETUAL = "PERPETUAL"
    """A future without an end."""
    FUTURE = "FUTURE"
    """A future with an expiry."""
    OPTION = "OPTION"
    """A right to buy or sell."""
    STOCK = "STOCK"
    """A company's share."""
    ETF = "ETF"
    """A fund that is traded as a share is."""
    FUND = "FUND"
    """Another fund."""
    INDEX = "INDEX"
    """A number made of many prices."""
    FX_PAIR = "FX_PAIR"
    """A pair of currencies."""
    COMMODITY = "COMMODITY"
    """A good."""
    POOL = "POOL"
    """A pool of a decentralised exchange."""


class Interval(OpenEnum):
    """Length of a candle."""

    S1 = "S1"
    """1 second."""
    S5 = "S5"
    """5 seconds."""
    S15 = "S15"
    """15 seconds."""
    S30 = "S30"
    """30 seconds."""
    M1 = "M1"
    """1 minute."""
    M3 = "M3"
    """3 minutes."""
    M5 = "M5"
    """5 minutes."""
    M15 = "M15"
    """15 minutes."""
    M30 = "M30"
    """30 minutes."""
    H1 = "H1"
    """1 hour."""
    H2 = "H2"
    """2 hours."""
    H4 = "H4"
    """4 hours."""
    H6 = "H6"
    """6 hours."""
    H8 = "H8"
    """8 hours."""
    H12 = "H12"
    """12 hours."""
    D1 = "D1"
    """1 day."""
    D3 = "D3"
    """3 days."""
    W1 = "W1"
    """1 week."""
    MO1 = "MO1"
    """1 calendar month."""


class Liquidity(OpenEnum):
    """Whether a fill took what was offered."""

    MAKER = "MAKER"
    """Another order came to it while it rested."""
    TAKER = "TAKER"
    """It took what was there."""


class LotMethod(OpenEnum):
    """Which units a sale takes."""

    AVERAGE_COST = "AVERAGE_COST"
    """Of all that are held alike: at their average cost."""
    FIFO = "FIFO"
    """Those that were bought first."""


class MarginType(OpenEnum):
    """Whether an account may borrow."""

    CASH = "CASH"
    """No: purchases are paid from cash, nothing is sold short."""
    MARGIN = "MARGIN"
    """Up to its leverage, within initial and maintenance margin."""


class MarketState(OpenEnum):
    """Whether a venue trades now."""

    PRE = "PRE"
    """Before the session, in extended hours."""
    REGULAR = "REGULAR"
    """In session."""
    POST = "POST"
    """After the session, in extended hours."""
    CLOSED = "CLOSED"
    """It does not trade."""
    HALTED = "HALTED"
    """Trading is stopped for a while."""
    UNKNOWN = "UNKNOWN"
    """Nobody says."""


class MemberRole(OpenEnum):
    """A member's role in an organisation, from all rights to the fewest."""

    OWNER = "OWNER"
    """All rights, among them invoices and the organisation itself."""
    ADMIN = "ADMIN"
    """What a trader may, and members, keys, webhooks and the audit trail."""
    TRADER = "TRADER"
    """What an analyst may, and trading."""
    ANALYST = "ANALYST"
    """What a viewer may, and alerts, portfolios, usage and chats."""
    VIEWER = "VIEWER"
    """Reads, and keeps watchlists."""


class NoticeCode(OpenEnum):
    """What has happened to a stream."""

    STALE = "STALE"
    """Nothing new comes: what is shown may be old."""
    FRESH_AGAIN = "FRESH_AGAIN"
    """What is shown is new again."""
    PROVIDER_SWITCHED = "PROVIDER_SWITCHED"
    """Another provider feeds the stream."""
    RECONNECTING = "RECONNECTING"
    """The provider's connection is being made anew."""
    GAP = "GAP"
    """Something is missing: it was lost, or cannot be shown."""
    MARKET_CLOSED = "MARKET_CLOSED"
    """The venue is closed."""
    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"
    """Nobody streams the symbol."""


class OrderCancelErrorCode(OpenEnum):
    """Why nothing was cancelled."""

    NOT_FOUND = "NOT_FOUND"
    """There is none, or not for you."""
    ORDER_ENDED = "ORDER_ENDED"
    """The order has reached a state for good."""
    NOT_ALLOWED = "NOT_ALLOWED"
    """You may look at the account, and not trade with it."""
    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"
    """Nobody knows the symbol."""
    BROKER_UNAVAILABLE = "BROKER_UNAVAILABLE"
    """The broker cannot be reached now."""


class OrderPlaceErrorCode(OpenEnum):
    """Why an order was not placed."""

    NOT_FOUND = "NOT_FOUND"
    """There is none, or not for you."""
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    """The idempotency key was used with another input."""
    ORDER_INVALID = "ORDER_INVALID"
    """The order contradicts itself; the message names the field."""
    UNKNOWN_INSTRUMENT = "UNKNOWN_INSTRUMENT"
    """Nobody knows the symbol, or it is ambiguous; the message lists candidates."""
    EXPIRES_IN_PAST = "EXPIRES_IN_PAST"
    """expiresAt lies in the past."""
    KILL_SWITCH = "KILL_SWITCH"
    """Trading is stopped: of the account, the organisation, or all."""
    DAILY_LOSS_REACHED = "DAILY_LOSS_REACHED"
    """The account has lost as much as it may in a day; only reducing orders pass."""
    MARKET_CLOSED = "MARKET_CLOSED"
    """The instrument's market is closed; a LIMIT order waits for it."""
    NO_PRICE = "NO_PRICE"
    """Nobody has a price now."""
    STALE_PRICE = "STALE_PRICE"
    """The newest price is older than the account takes."""
    PRICE_OFF_TICK = "PRICE_OFF_TICK"
    """A price is no multiple of the instrument's tick; the message gives the nearest ones."""
    SIZE_OFF_STEP = "SIZE_OFF_STEP"
    """The quantity is no multiple of the instrument's step; the message gives the nearest ones."""
    SIZE_BELOW_MINIMUM = "SIZE_BELOW_MINIMUM"
    """The quantity is below the instrument's least."""
    SIZE_ABOVE_MAXIMUM = "SIZE_ABOVE_MAXIMUM"
    """The quantity is above the instrument's greatest."""
    NOTIONAL_BELOW_MINIMUM = "NOTIONAL_BELOW_MINIMUM"
    """The order's value is below the instrument's least."""
    PRICE_COLLAR = "PRICE_COLLAR"
    """The limit lies too far beyond the market."""
    WRONG_SIDE_OF_MARKET = "WRONG_SIDE_OF_MARKET"
    """A stop or a take-profit would be met at once; the message gives the nearest price."""
    POST_ONLY_WOULD_TAKE = "POST_ONLY_WOULD_TAKE"
    """The limit would be filled at once."""
    FOK_NOT_FILLABLE = "FOK_NOT_FILLABLE"
    """Less than the whole quantity is offered at the limit."""
    REDUCE_ONLY_WOULD_INCREASE = "REDUCE_ONLY_WOULD_INCREASE"
    """The order would open, turn or enlarge a position, at a broker with others."""
    SHORT_NOT_ALLOWED = "SHORT_NOT_ALLOWED"
    """A cash account sells only what it has."""
    MARGIN_ACCOUNT_REQUIRED = "MARGIN_ACCOUNT_REQUIRED"
    """A derivative is traded in a margin account."""
    NOT_ALLOWED = "NOT_ALLOWED"
    """You may look at the account, and not trade with it."""
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    """The account has too little cash; the message says how much would pass."""
    INSUFFICIENT_MARGIN = "INSUFFICIENT_MARGIN"
    """The account has too little margin; the message says how much would pass."""
    TOO_MANY_ORDERS = "TOO_MANY_ORDERS"
    """The account has as many open orders as it may have."""
    BROKER_REFUSED = "BROKER_REFUSED"
    """The broker refused it; the message has its words."""
    BROKER_UNAVAILABLE = "BROKER_UNAVAILABLE"
    """The broker cannot be reached now."""


class OrderStatus(OpenEnum):
    """Where an order stands."""

    NEW = "NEW"
    """Kept, and waiting: for its condition, or for the order that it depends on."""
    ACCEPTED = "ACCEPTED"
    """It works."""
    TRIGGERED = "TRIGGERED"
    """Its stop price was touched; it works as a market or a limit order."""
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    """A part is filled, the rest works."""
    FILLED = "FILLED"
    """Filled whole. For good."""
    CANCELED = "CANCELED"
    """Cancelled, perhaps with a part filled. For good."""
    EXPIRED = "EXPIRED"
    """Its time ran out. For good."""
    REJECTED = "REJECTED"
    """Refused after it was kept, by the venue or by a check at its trigger. For good."""
    PENDING_CANCEL = "PENDING_CANCEL"
    """The venue was asked to cancel it."""
    PENDING_REPLACE = "PENDING_REPLACE"
    """The venue was asked to change it."""


class OrderType(OpenEnum):
    """How an order is priced."""

    MARKET = "MARKET"
    """At the best price of now."""
    LIMIT = "LIMIT"
    """At the limit price or better."""
    STOP_MARKET = "STOP_MARKET"
    """A market order once the stop price is touched: above for a purchase, below for a sale."""
    STOP_LIMIT = "STOP_LIMIT"
    """A limit order once the stop price is touched."""
    TRAILING_STOP = "TRAILING_STOP"
    """A stop that follows the best price since it was accepted, by an amount or a percentage."""
    MARKET_IF_TOUCHED = "MARKET_IF_TOUCHED"
    """A market order once the price is touched from the worse side: below for a purchase."""


class PriceType(OpenEnum):
    """What `price` is."""

    LAST = "LAST"
    """Of the last trade."""
    MID = "MID"
    """Between bid and ask."""
    CLOSE = "CLOSE"
    """Of the end of a session."""
    FIXING = "FIXING"
    """Fixed once a day by a central bank."""
    INDEX = "INDEX"
    """Made of several venues' prices."""
    MARK = "MARK"
    """By which a venue values positions."""


class ProviderStatus(OpenEnum):
    """Whether a provider can be asked."""

    READY = "READY"
    """It can be asked."""
    KEY_MISSING = "KEY_MISSING"
    """It needs a key and none is set."""
    KEY_INVALID = "KEY_INVALID"
    """It refuses the key."""
    DEGRADED = "DEGRADED"
    """Many of its recent calls failed."""
    PAUSED = "PAUSED"
    """It is not asked for now."""
    DISABLED = "DISABLED"
    """It is switched off."""
    FAILED_TO_LOAD = "FAILED_TO_LOAD"
    """Its adapter cannot be loaded."""


class RecordedFrom(OpenEnum):
    """In RECORDED mode: how the recording was made."""

    CAPTURE = "CAPTURE"
    """A real answer."""
    DOCUMENTATION = "DOCUMENTATION"
    """An example of the provider's documentation."""
    COMPOSED = "COMPOSED"
    """Composed in the documented format."""


class Side(OpenEnum):
    """Side of an order."""

    BUY = "BUY"
    """To buy."""
    SELL = "SELL"
    """To sell."""


class SlippageKind(OpenEnum):
    """How much worse than the market a taker's fill is."""

    NONE = "NONE"
    """Not at all."""
    BASIS_POINTS = "BASIS_POINTS"
    """By so many basis points."""
    VOLUME_SHARE = "VOLUME_SHARE"
    """By the square of the order's share in the volume."""
    SIZE = "SIZE"
    """By a base and 0.1 % per unit of size, random ± 0.02 % by seed, at most 1 %."""


class StatsWindow(OpenEnum):
    """What open, high, low, volume and change cover; venues differ."""

    ROLLING_24H = "ROLLING_24H"
    """The last 24 hours."""
    UTC_DAY = "UTC_DAY"
    """The day in UTC."""
    SESSION = "SESSION"
    """The venue's session."""


class StatusBasis(OpenEnum):
    """Who says whether, or when, a venue trades."""

    PROVIDER = "PROVIDER"
    """A provider, which knows of halts and of closures that nobody foresaw."""
    CALENDAR = "CALENDAR"
    """The venue's calendar, which does not."""


class TenantStatus(OpenEnum):
    """Whether an organisation works: SUSPENDED by the operator, DELETING until it is erased."""

    ACTIVE = "ACTIVE"
    """It works."""
    SUSPENDED = "SUSPENDED"
    """The operator has stopped it."""
    DELETING = "DELETING"
    """It is going to be erased."""


class TimeInForce(OpenEnum):
    """How long an order works."""

    DAY = "DAY"
    """To the end of the session; to the end of the UTC day for what never closes."""
    GTC = "GTC"
    """Until it is cancelled."""
    IOC = "IOC"
    """What cannot be filled at once is cancelled."""
    FOK = "FOK"
    """Filled whole at once, or refused."""
    GTD = "GTD"
    """Until `expiresAt`."""


class TradingAccountCreateErrorCode(OpenEnum):
    """Why an account was not made."""

    NAME_INVALID = "NAME_INVALID"
    """The name is empty, too long or has characters that it may not have."""
    CURRENCY_INVALID = "CURRENCY_INVALID"
    """It is no currency that is known."""
    BALANCE_INVALID = "BALANCE_INVALID"
    """The first deposit is out of range, has too many decimals, or is a LIVE account's."""
    LEVERAGE_INVALID = "LEVERAGE_INVALID"
    """The leverage is out of range, or a CASH account's."""
    INTEREST_INVALID = "INTEREST_INVALID"
    """The interest is out of range, or is not a paper MARGIN account's."""
    LOSS_INVALID = "LOSS_INVALID"
    """The greatest daily loss is out of range."""
    MODEL_INVALID = "MODEL_INVALID"
    """A field of the execution model is out of its bounds."""
    BROKER_INVALID = "BROKER_INVALID"
    """There is no such broker here, or a LIVE account has none."""
    BROKER_TAKEN = "BROKER_TAKEN"
    """The organisation has an account at this broker, which has all of its money."""
    LIVE_NOT_ENABLED = "LIVE_NOT_ENABLED"
    """The organisation has not opted in to live trading."""
    CONFIRMATION_NEEDED = "CONFIRMATION_NEEDED"
    """Money needs a second word."""
    TOO_MANY_ACCOUNTS = "TOO_MANY_ACCOUNTS"
    """The organisation has as many accounts as it may have."""
    IDEMPOTENCY_MISMATCH = "IDEMPOTENCY_MISMATCH"
    """The idempotency key was used with another input."""


class TradingHours(OpenEnum):
    """Which part of the day counts."""

    REGULAR = "REGULAR"
    """The session."""
    EXTENDED = "EXTENDED"
    """With what is before and after it."""


class TradingPositionSide(OpenEnum):
    """Which way a position is."""

    LONG = "LONG"
    """It gains when the price rises."""
    SHORT = "SHORT"
    """It gains when the price falls."""
