"""Orders, fills and accounts in the field's terms: closed sets that trading, brokers and backtests share."""

from __future__ import annotations

from enum import StrEnum

from schema.model import choices


@choices(
    "How an order is priced.",
    MARKET="At the best price of now.",
    LIMIT="At the limit price or better.",
    STOP_MARKET="A market order once the stop price is touched: above for a purchase, below for a sale.",
    STOP_LIMIT="A limit order once the stop price is touched.",
    TRAILING_STOP="A stop that follows the best price since it was accepted, by an amount or a percentage.",
    MARKET_IF_TOUCHED="A market order once the price is touched from the worse side: below for a purchase.",
)
class OrderType(StrEnum):
    """FIX's OrdType, as far as it is served."""

    MARKET = "MARKET"
    LIMIT = "LIMIT"
    STOP_MARKET = "STOP_MARKET"
    STOP_LIMIT = "STOP_LIMIT"
    TRAILING_STOP = "TRAILING_STOP"
    MARKET_IF_TOUCHED = "MARKET_IF_TOUCHED"


@choices(
    "How long an order works.",
    DAY="To the end of the session; to the end of the UTC day for what never closes.",
    GTC="Until it is cancelled.",
    IOC="What cannot be filled at once is cancelled.",
    FOK="Filled whole at once, or refused.",
    GTD="Until `expiresAt`.",
)
class TimeInForce(StrEnum):
    """FIX's TimeInForce, as far as it is served."""

    DAY = "DAY"
    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"
    GTD = "GTD"


@choices(
    "Where an order stands.",
    NEW="Kept, and waiting: for its condition, or for the order that it depends on.",
    ACCEPTED="It works.",
    TRIGGERED="Its stop price was touched; it works as a market or a limit order.",
    PARTIALLY_FILLED="A part is filled, the rest works.",
    FILLED="Filled whole. For good.",
    CANCELED="Cancelled, perhaps with a part filled. For good.",
    EXPIRED="Its time ran out. For good.",
    REJECTED="Refused after it was kept, by the venue or by a check at its trigger. For good.",
    PENDING_CANCEL="The venue was asked to cancel it.",
    PENDING_REPLACE="The venue was asked to change it.",
)
class OrderStatus(StrEnum):
    """The states of an order; FILLED, CANCELED, EXPIRED and REJECTED never change."""

    NEW = "NEW"
    ACCEPTED = "ACCEPTED"
    TRIGGERED = "TRIGGERED"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    REJECTED = "REJECTED"
    PENDING_CANCEL = "PENDING_CANCEL"
    PENDING_REPLACE = "PENDING_REPLACE"


@choices(
    "What an order is to the others of its group.",
    ENTRY="Opens the position of a bracket; its children wait for its fill.",
    TAKE_PROFIT="Closes with a profit; cancels the stop-loss of its group.",
    STOP_LOSS="Closes with a loss; cancels the take-profit of its group.",
    OCO="One cancels the other.",
    OTO="Waits until the order that triggers it is filled.",
)
class OrderLeg(StrEnum):
    """FIX's contingency."""

    ENTRY = "ENTRY"
    TAKE_PROFIT = "TAKE_PROFIT"
    STOP_LOSS = "STOP_LOSS"
    OCO = "OCO"
    OTO = "OTO"


@choices(
    "Why there is an order.",
    USER="Somebody placed it.",
    SCHEDULE="A schedule placed it.",
    CLOSE="Somebody closed a position.",
    HEDGE="A hedge was executed.",
    LIQUIDATION="The account fell below its maintenance margin.",
)
class OrderCause(StrEnum):
    """Who or what wanted it."""

    USER = "USER"
    SCHEDULE = "SCHEDULE"
    CLOSE = "CLOSE"
    HEDGE = "HEDGE"
    LIQUIDATION = "LIQUIDATION"


@choices(
    "Whether a fill took what was offered.",
    MAKER="Another order came to it while it rested.",
    TAKER="It took what was there.",
)
class Liquidity(StrEnum):
    """Which of two fees a fill pays."""

    MAKER = "MAKER"
    TAKER = "TAKER"


@choices("Whether an account is of play money.", PAPER="Simulated, on real prices.", LIVE="At a broker, with money.")
class AccountKind(StrEnum):
    """Paper or live."""

    PAPER = "PAPER"
    LIVE = "LIVE"


@choices(
    "Whether an account may borrow.",
    CASH="No: purchases are paid from cash, nothing is sold short.",
    MARGIN="Up to its leverage, within initial and maintenance margin.",
)
class MarginType(StrEnum):
    """Cash or margin."""

    CASH = "CASH"
    MARGIN = "MARGIN"


@choices(
    "What the simulator matches against.",
    QUOTES="Bid and ask of the stream of quotes.",
    BOOK="The depth of the order book.",
    BARS="Closed candles of a minute: no fill looks ahead into the bar in which the order came.",
)
class FillSource(StrEnum):
    """Of a paper account."""

    QUOTES = "QUOTES"
    BOOK = "BOOK"
    BARS = "BARS"


@choices(
    "How much worse than the market a taker's fill is.",
    NONE="Not at all.",
    BASIS_POINTS="By so many basis points.",
    VOLUME_SHARE="By the square of the order's share in the volume.",
    SIZE="By a base and 0.1 % per unit of size, random ± 0.02 % by seed, at most 1 %.",
)
class SlippageKind(StrEnum):
    """Of a paper account."""

    NONE = "NONE"
    BASIS_POINTS = "BASIS_POINTS"
    VOLUME_SHARE = "VOLUME_SHARE"
    SIZE = "SIZE"


@choices(
    "What an entry of the ledger is for.",
    DEPOSIT="Money in.",
    WITHDRAWAL="Money out.",
    TRADE_PNL="A fill: what was paid and got, and the profit of what it closed.",
    COMMISSION="The fee of a fill.",
    FUNDING="Funding of a perpetual.",
    INTEREST="Interest on what is borrowed, or on cash.",
    ADJUSTMENT="A correction, or what a broker booked by itself.",
    TRANSFER="Between accounts, or from one currency into another.",
)
class EntryKind(StrEnum):
    """The kinds of entries; a reversal has the kind of what it reverses."""

    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"
    TRADE_PNL = "TRADE_PNL"
    COMMISSION = "COMMISSION"
    FUNDING = "FUNDING"
    INTEREST = "INTEREST"
    ADJUSTMENT = "ADJUSTMENT"
    TRANSFER = "TRANSFER"


@choices(
    "Whether an entry counts.",
    PENDING="It holds what it takes; nothing is moved until it is posted.",
    POSTED="It counts.",
    VOIDED="It was pending and is given up; nothing was moved.",
)
class EntryState(StrEnum):
    """Of an entry; PENDING becomes POSTED or VOIDED, once."""

    PENDING = "PENDING"
    POSTED = "POSTED"
    VOIDED = "VOIDED"
