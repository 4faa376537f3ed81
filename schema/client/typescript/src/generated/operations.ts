// Written by `make gen` from the schema and src/operations; edit there.
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { Cursor, CalendarDate, DateTime, Decimal } from '../scalars.js';
import type { TypedDocument } from "../document.js";
/** Whether an account is of play money. */
export type AccountKind =
  /** At a broker, with money. */
  | 'LIVE'
  /** Simulated, on real prices. */
  | 'PAPER';

/** Which corporate actions the prices are adjusted for. */
export type Adjustment =
  /** As traded. */
  | 'NONE'
  /** For splits. */
  | 'SPLITS'
  /** For splits and dividends. */
  | 'SPLITS_AND_DIVIDENDS';

/** What an alert waits for: exactly one of these. */
export type AlertConditionInput =
  {   /** The price moves by so much within a time. */
  changePercent: ChangeInput; crossesAbove?: never; crossesBelow?: never; funding?: never; indicator?: never; news?: never; providerHealth?: never; spreadBetween?: never; volumeAbove?: never; }
  |  { changePercent?: never;   /** The price rises above it. */
  crossesAbove: Decimal; crossesBelow?: never; funding?: never; indicator?: never; news?: never; providerHealth?: never; spreadBetween?: never; volumeAbove?: never; }
  |  { changePercent?: never; crossesAbove?: never;   /** The price falls below it. */
  crossesBelow: Decimal; funding?: never; indicator?: never; news?: never; providerHealth?: never; spreadBetween?: never; volumeAbove?: never; }
  |  { changePercent?: never; crossesAbove?: never; crossesBelow?: never;   /** A perpetual's funding rate crosses a level. */
  funding: FundingInput; indicator?: never; news?: never; providerHealth?: never; spreadBetween?: never; volumeAbove?: never; }
  |  { changePercent?: never; crossesAbove?: never; crossesBelow?: never; funding?: never;   /** An indicator crosses a level. */
  indicator: IndicatorInput; news?: never; providerHealth?: never; spreadBetween?: never; volumeAbove?: never; }
  |  { changePercent?: never; crossesAbove?: never; crossesBelow?: never; funding?: never; indicator?: never;   /** An article is published that holds a word; with a symbol, one about it. */
  news: NewsInput; providerHealth?: never; spreadBetween?: never; volumeAbove?: never; }
  |  { changePercent?: never; crossesAbove?: never; crossesBelow?: never; funding?: never; indicator?: never; news?: never;   /** A provider cannot be asked. */
  providerHealth: ProviderHealthInput; spreadBetween?: never; volumeAbove?: never; }
  |  { changePercent?: never; crossesAbove?: never; crossesBelow?: never; funding?: never; indicator?: never; news?: never; providerHealth?: never;   /** The prices of providers lie so far apart. */
  spreadBetween: SpreadInput; volumeAbove?: never; }
  |  { changePercent?: never; crossesAbove?: never; crossesBelow?: never; funding?: never; indicator?: never; news?: never; providerHealth?: never; spreadBetween?: never;   /** The volume of the quote's window (`statsWindow`) rises above it. */
  volumeAbove: Decimal; };

/** Why an alert was not made. */
export type AlertCreateErrorCode =
  /** The condition says nothing that could be: a level, a window or a name is wrong. */
  | 'CONDITION_INVALID'
  /** The idempotency key is empty, too long or has characters that it may not have. */
  | 'IDEMPOTENCY_KEY_INVALID'
  /** The idempotency key was used with another input. */
  | 'IDEMPOTENCY_MISMATCH'
  /** The condition can never become true. */
  | 'NEVER_TRUE'
  /** The note is too long. */
  | 'NOTE_INVALID'
  /** The cool-down or the hysteresis is out of range. */
  | 'PERIOD_INVALID'
  /** The symbol means several instruments. */
  | 'SYMBOL_AMBIGUOUS'
  /** It is no symbol. */
  | 'SYMBOL_INVALID'
  /** The condition is about an instrument, and none was given. */
  | 'SYMBOL_NEEDED'
  /** The plan allows no more alerts. */
  | 'TOO_MANY_ALERTS'
  /** There is no such provider. */
  | 'UNKNOWN_PROVIDER'
  /** Nobody knows the instrument, or nobody tells what the condition is about. */
  | 'UNKNOWN_SYMBOL';

/** A new alert. */
export type AlertCreateInput = {
  /** What it waits for. */
  condition: AlertConditionInput;
  /** So long after firing it does not fire again: 0 to 2,147,483,647. */
  cooldownMs?: number;
  /** Fire at once where the condition is true already; else it waits for a crossing. */
  fireIfTrue?: boolean;
  /** REPEATING: so far, in basis points of the threshold, a value goes back to arm it again: 0 to 9,999. */
  hysteresisBps?: number;
  /** The same key with the same input answers with the first alert. */
  idempotencyKey?: string | null | undefined;
  /** At most 500 characters; it stands in the alert's events. */
  note?: string | null | undefined;
  /** Which price counts: by default LAST, of currency pairs MID. Quotes without it do not count. */
  priceType?: PriceType | null | undefined;
  /** How often it fires. */
  recurrence?: Recurrence;
  /** An id such as `crypto:BTC/USD`, or a short form; left out for a provider's health. */
  symbol?: string | null | undefined;
};

/** Why an alert was not deleted. */
export type AlertDeleteErrorCode =
  /** There is none, or not for you. */
  | 'NOT_FOUND';

/** Which alert. */
export type AlertInput = {
  /** The alert's id. */
  id: string;
};

/** What an alert looks at. */
export type AlertKind =
  /** The price has moved by so many percent within a time. */
  | 'CHANGE'
  /** The funding rate of a perpetual crosses a level. */
  | 'FUNDING'
  /** An indicator over closed candles crosses a level. */
  | 'INDICATOR'
  /** An article holds a word. */
  | 'NEWS'
  /** The price crosses a level. */
  | 'PRICE'
  /** A provider cannot be asked. */
  | 'PROVIDER_HEALTH'
  /** Providers' prices lie apart. */
  | 'SPREAD'
  /** The volume of the quote's window is above a level. */
  | 'VOLUME';

/** What an alert waits for. */
export type AlertState =
  /** That the condition becomes true. */
  | 'ARMED'
  /** That the value goes back, by the hysteresis at least. */
  | 'FIRED'
  /** The first value: it fires if the condition is true. */
  | 'PRIMED'
  /** That the condition is false: a crossing needs a value on each side. */
  | 'WAITING';

/** What kind of market an instrument belongs to. */
export type AssetClass =
  /** Metals, energy, crops. */
  | 'COMMODITY'
  /** Coins and tokens, and derivatives of them. */
  | 'CRYPTO'
  /** Pools of decentralised exchanges. */
  | 'DEX'
  /** Shares and funds. */
  | 'EQUITY'
  /** Pairs of currencies. */
  | 'FX'
  /** Indices. */
  | 'INDEX'
  /** Economic series and rates. */
  | 'MACRO';

/** State of a circuit breaker. */
export type BreakerState =
  /** All calls go through. */
  | 'CLOSED'
  /** One call goes through, as a trial. */
  | 'HALF_OPEN'
  /** No call goes through. */
  | 'OPEN';

/** How this read got its value. HIT is our copy; just past its window it may be shown while it is being fetched anew, where the kind of data allows that, with its true age and never against `maxAgeMs`. */
export type CacheStatus =
  /** Another caller's fetch. */
  | 'COALESCED'
  /** Our copy. */
  | 'HIT'
  /** Fetched now. */
  | 'MISS'
  /** An old copy, as fetching failed. */
  | 'STALE';

/** A change of the price. */
export type ChangeInput = {
  /** In percent: 5 is a rise by 5 % or more, -5 a fall. */
  atLeast: Decimal;
  /** Within how long: 1,000 to 604,800,000 (a week). */
  windowMs: number;
};

/** What is reckoned from daily closes. */
export type ConditionIndicator =
  /** Exponential moving average. */
  | 'EMA'
  /** Relative strength index, Wilder's smoothing. */
  | 'RSI'
  /** Simple moving average. */
  | 'SMA';

/** Which way a price, or an indicator, crosses. */
export type Crossing =
  /** At the level or above it. */
  | 'ABOVE'
  /** At the level or below it. */
  | 'BELOW';

/** Whether a value is live, a replayed recording or simulated. */
export type DataMode =
  /** From the provider. */
  | 'LIVE'
  /** A recording of the provider's answer. */
  | 'RECORDED'
  /** Made up by the simulated exchange. */
  | 'SIMULATED';

/** Whether an endpoint is sent to. */
export type EndpointStatus =
  /** It is not, until it is enabled. */
  | 'DISABLED'
  /** It is. */
  | 'ENABLED';

/** Why one provider, or all of them, did not answer. */
export type FailureCode =
  /** The symbol means several instruments. */
  | 'AMBIGUOUS_INSTRUMENT'
  /** The value is older than was asked for. */
  | 'DATA_STALE'
  /** The time for the answer was over. */
  | 'DEADLINE_EXCEEDED'
  /** The provider does not offer it. */
  | 'NOT_COVERED'
  /** The offline market has no recording of it. */
  | 'NOT_RECORDED'
  /** The provider needs a key and none is set. */
  | 'PROVIDER_KEY_MISSING'
  /** The provider refuses the key. */
  | 'PROVIDER_MISCONFIGURED'
  /** Too few providers answered to agree. */
  | 'QUORUM_NOT_MET'
  /** The caller's plan has no more requests for now. */
  | 'RATE_LIMITED'
  /** The provider does not know the instrument. */
  | 'UNKNOWN_INSTRUMENT'
  /** The provider's answer cannot be read. */
  | 'UPSTREAM_MALFORMED'
  /** The provider's own limit is used up. */
  | 'UPSTREAM_QUOTA'
  /** The provider asks to slow down. */
  | 'UPSTREAM_THROTTLED'
  /** The provider does not answer, fails, or is not asked because it failed. */
  | 'UPSTREAM_UNAVAILABLE';

/** The nature of a provider's feed; the age of a value is something else. */
export type FeedDelay =
  /** Late by a fixed time. */
  | 'DELAYED'
  /** Once a day. */
  | 'END_OF_DAY'
  /** As it happens. */
  | 'REALTIME'
  /** The provider does not say. */
  | 'UNKNOWN';

/** What the simulator matches against. */
export type FillSource =
  /** Closed candles of a minute: no fill looks ahead into the bar in which the order came. */
  | 'BARS'
  /** The depth of the order book. */
  | 'BOOK'
  /** Bid and ask of the stream of quotes. */
  | 'QUOTES';

/** A funding rate that crosses a level: give one of the two. */
export type FundingInput = {
  /** "0.001" is 0.1 %. */
  crossesAbove?: Decimal | null | undefined;
  /** "-0.001" is -0.1 %. */
  crossesBelow?: Decimal | null | undefined;
};

/** How well an adapter is proven. BRONZE: recordings in the documented format. SILVER: captured answers are read exactly. GOLD: captured streams too, or this process measures that its live answers are as fresh as the feed declares. Computed, never typed. */
export type Grade =
  /** Recordings in the documented format are read exactly. */
  | 'BRONZE'
  /** Captured streams are, too, or live answers are measured to be as fresh as declared. */
  | 'GOLD'
  /** Captured answers are, too. */
  | 'SILVER';

/** An indicator of closed candles: SMA and EMA are compared with the last close. */
export type IndicatorConditionInput = {
  /** RSI against `level`; the close against an average. */
  crossing: Crossing;
  /** Which. */
  indicator: ConditionIndicator;
  /** For RSI: 0 to 100. */
  level?: Decimal | null | undefined;
  /** Over so many days, 2 to 200. */
  period: number;
  /** Another instrument's. */
  symbol?: string | null | undefined;
};

/** An indicator that crosses a level: give one of the two. */
export type IndicatorInput = {
  /** A level that it rises above. */
  crossesAbove?: Decimal | null | undefined;
  /** A level that it falls below. */
  crossesBelow?: Decimal | null | undefined;
  /** Length of the candles. */
  interval: Interval;
  /** Which indicator. */
  kind: IndicatorKind;
  /** Over how many candles, 2 to 200. */
  length: number;
};

/** An indicator over the closes of closed candles. */
export type IndicatorKind =
  /** Exponential moving average. */
  | 'EMA'
  /** Relative strength index, 0 to 100. */
  | 'RSI'
  /** Simple moving average. */
  | 'SMA';

/** What is traded. */
export type InstrumentType =
  /** A good. */
  | 'COMMODITY'
  /** A fund that is traded as a share is. */
  | 'ETF'
  /** Another fund. */
  | 'FUND'
  /** A future with an expiry. */
  | 'FUTURE'
  /** A pair of currencies. */
  | 'FX_PAIR'
  /** A number made of many prices. */
  | 'INDEX'
  /** A right to buy or sell. */
  | 'OPTION'
  /** A future without an end. */
  | 'PERPETUAL'
  /** A pool of a decentralised exchange. */
  | 'POOL'
  /** A pair, delivered at once. */
  | 'SPOT'
  /** A company's share. */
  | 'STOCK';

/** Length of a candle. */
export type Interval =
  /** 1 day. */
  | 'D1'
  /** 3 days. */
  | 'D3'
  /** 1 hour. */
  | 'H1'
  /** 2 hours. */
  | 'H2'
  /** 4 hours. */
  | 'H4'
  /** 6 hours. */
  | 'H6'
  /** 8 hours. */
  | 'H8'
  /** 12 hours. */
  | 'H12'
  /** 1 minute. */
  | 'M1'
  /** 3 minutes. */
  | 'M3'
  /** 5 minutes. */
  | 'M5'
  /** 15 minutes. */
  | 'M15'
  /** 30 minutes. */
  | 'M30'
  /** 1 calendar month. */
  | 'MO1'
  /** 1 second. */
  | 'S1'
  /** 5 seconds. */
  | 'S5'
  /** 15 seconds. */
  | 'S15'
  /** 30 seconds. */
  | 'S30'
  /** 1 week. */
  | 'W1';

/** Which units a sale takes. */
export type LotMethod =
  /** Of all that are held alike: at their average cost. */
  | 'AVERAGE_COST'
  /** Those that were bought first. */
  | 'FIFO';

/** Whether an account may borrow. */
export type MarginType =
  /** No: purchases are paid from cash, nothing is sold short. */
  | 'CASH'
  /** Up to its leverage, within initial and maintenance margin. */
  | 'MARGIN';

/** Whether a venue trades now. */
export type MarketState =
  /** It does not trade. */
  | 'CLOSED'
  /** Trading is stopped for a while. */
  | 'HALTED'
  /** After the session, in extended hours. */
  | 'POST'
  /** Before the session, in extended hours. */
  | 'PRE'
  /** In session. */
  | 'REGULAR'
  /** Nobody says. */
  | 'UNKNOWN';

/** A member's role in an organisation, from all rights to the fewest. */
export type MemberRole =
  /** What a trader may, and members, keys, webhooks and the audit trail. */
  | 'ADMIN'
  /** What a viewer may, and alerts, portfolios, usage and chats. */
  | 'ANALYST'
  /** All rights, among them invoices and the organisation itself. */
  | 'OWNER'
  /** What an analyst may, and trading. */
  | 'TRADER'
  /** Reads, and keeps watchlists. */
  | 'VIEWER';

/** Words in the news. */
export type NewsInput = {
  /** 1 to 10 words or phrases, one of which an article holds. */
  keywords: Array<string>;
};

/** What has happened to a stream. */
export type NoticeCode =
  /** What is shown is new again. */
  | 'FRESH_AGAIN'
  /** Something is missing: it was lost, or cannot be shown. */
  | 'GAP'
  /** The venue is closed. */
  | 'MARKET_CLOSED'
  /** Another provider feeds the stream. */
  | 'PROVIDER_SWITCHED'
  /** The provider's connection is being made anew. */
  | 'RECONNECTING'
  /** Nothing new comes: what is shown may be old. */
  | 'STALE'
  /** Nobody streams the symbol. */
  | 'UNKNOWN_INSTRUMENT';

/** Why nothing was cancelled. */
export type OrderCancelErrorCode =
  /** The broker cannot be reached now. */
  | 'BROKER_UNAVAILABLE'
  /** You may look at the account, and not trade with it. */
  | 'NOT_ALLOWED'
  /** There is none, or not for you. */
  | 'NOT_FOUND'
  /** The order has reached a state for good. */
  | 'ORDER_ENDED'
  /** Nobody knows the symbol. */
  | 'UNKNOWN_INSTRUMENT';

/** Which order to cancel. */
export type OrderCancelInput = {
  /** The order's id. */
  orderId: string;
};

/** What an order waits for before it is accepted: exactly one. */
export type OrderConditionInput =
  {   /** An indicator of daily candles. */
  indicator: IndicatorConditionInput; orderFilled?: never; price?: never; time?: never; }
  |  { indicator?: never;   /** Until this order of the same account is filled whole. */
  orderFilled: string; price?: never; time?: never; }
  |  { indicator?: never; orderFilled?: never;   /** A price. */
  price: PriceConditionInput; time?: never; }
  |  { indicator?: never; orderFilled?: never; price?: never;   /** Not before this instant. */
  time: DateTime; };

/** Why an order was not placed. */
export type OrderPlaceErrorCode =
  /** The broker refused it; the message has its words. */
  | 'BROKER_REFUSED'
  /** The broker cannot be reached now. */
  | 'BROKER_UNAVAILABLE'
  /** The account has lost as much as it may in a day; only reducing orders pass. */
  | 'DAILY_LOSS_REACHED'
  /** expiresAt lies in the past. */
  | 'EXPIRES_IN_PAST'
  /** Less than the whole quantity is offered at the limit. */
  | 'FOK_NOT_FILLABLE'
  /** The idempotency key was used with another input. */
  | 'IDEMPOTENCY_MISMATCH'
  /** The account has too little cash; the message says how much would pass. */
  | 'INSUFFICIENT_FUNDS'
  /** The account has too little margin; the message says how much would pass. */
  | 'INSUFFICIENT_MARGIN'
  /** Trading is stopped: of the account, the organisation, or all. */
  | 'KILL_SWITCH'
  /** A derivative is traded in a margin account. */
  | 'MARGIN_ACCOUNT_REQUIRED'
  /** The instrument's market is closed; a LIMIT order waits for it. */
  | 'MARKET_CLOSED'
  /** The order's value is below the instrument's least. */
  | 'NOTIONAL_BELOW_MINIMUM'
  /** You may look at the account, and not trade with it. */
  | 'NOT_ALLOWED'
  /** There is none, or not for you. */
  | 'NOT_FOUND'
  /** Nobody has a price now. */
  | 'NO_PRICE'
  /** The order contradicts itself; the message names the field. */
  | 'ORDER_INVALID'
  /** The limit would be filled at once. */
  | 'POST_ONLY_WOULD_TAKE'
  /** The limit lies too far beyond the market. */
  | 'PRICE_COLLAR'
  /** A price is no multiple of the instrument's tick; the message gives the nearest ones. */
  | 'PRICE_OFF_TICK'
  /** The order would open, turn or enlarge a position, at a broker with others. */
  | 'REDUCE_ONLY_WOULD_INCREASE'
  /** A cash account sells only what it has. */
  | 'SHORT_NOT_ALLOWED'
  /** The quantity is above the instrument's greatest. */
  | 'SIZE_ABOVE_MAXIMUM'
  /** The quantity is below the instrument's least. */
  | 'SIZE_BELOW_MINIMUM'
  /** The quantity is no multiple of the instrument's step; the message gives the nearest ones. */
  | 'SIZE_OFF_STEP'
  /** The newest price is older than the account takes. */
  | 'STALE_PRICE'
  /** The account has as many open orders as it may have. */
  | 'TOO_MANY_ORDERS'
  /** Nobody knows the symbol, or it is ambiguous; the message lists candidates. */
  | 'UNKNOWN_INSTRUMENT'
  /** A stop or a take-profit would be met at once; the message gives the nearest price. */
  | 'WRONG_SIDE_OF_MARKET';

/** An order of an account. */
export type OrderPlaceInput = {
  /** The account's id. */
  accountId: string;
  /** Your own id, unique in the account: the same again is the same order. */
  clientOrderId?: string | null | undefined;
  /** What it waits for. */
  condition?: OrderConditionInput | null | undefined;
  /** For GTD. */
  expiresAt?: DateTime | null | undefined;
  /** For LIMIT and STOP_LIMIT. */
  limitPrice?: Decimal | null | undefined;
  /** Or so much money. */
  notional?: Decimal | null | undefined;
  /** Refuse it where it would take. */
  postOnly?: boolean;
  /** In units of the base asset. */
  quantity?: Decimal | null | undefined;
  /** Only make a position smaller. */
  reduceOnly?: boolean;
  /** BUY or SELL. */
  side: Side;
  /** Makes it a bracket. */
  stopLoss?: StopLossInput | null | undefined;
  /** For STOP_MARKET, STOP_LIMIT and MARKET_IF_TOUCHED: what triggers it. */
  stopPrice?: Decimal | null | undefined;
  /** A tag for statistics. */
  strategy?: string | null | undefined;
  /** An id such as `crypto:BTC/USD`, or a short form. */
  symbol: string;
  /** Makes it a bracket. */
  takeProfit?: TakeProfitInput | null | undefined;
  /** How long it works. */
  timeInForce?: TimeInForce;
  /** For TRAILING_STOP. */
  trailAmount?: Decimal | null | undefined;
  /** For TRAILING_STOP, below 100. */
  trailPercent?: Decimal | null | undefined;
  /** How it is priced. */
  type: OrderType;
};

/** Where an order stands. */
export type OrderStatus =
  /** It works. */
  | 'ACCEPTED'
  /** Cancelled, perhaps with a part filled. For good. */
  | 'CANCELED'
  /** Its time ran out. For good. */
  | 'EXPIRED'
  /** Filled whole. For good. */
  | 'FILLED'
  /** Kept, and waiting: for its condition, or for the order that it depends on. */
  | 'NEW'
  /** A part is filled, the rest works. */
  | 'PARTIALLY_FILLED'
  /** The venue was asked to cancel it. */
  | 'PENDING_CANCEL'
  /** The venue was asked to change it. */
  | 'PENDING_REPLACE'
  /** Refused after it was kept, by the venue or by a check at its trigger. For good. */
  | 'REJECTED'
  /** Its stop price was touched; it works as a market or a limit order. */
  | 'TRIGGERED';

/** How an order is priced. */
export type OrderType =
  /** At the limit price or better. */
  | 'LIMIT'
  /** At the best price of now. */
  | 'MARKET'
  /** A market order once the price is touched from the worse side: below for a purchase. */
  | 'MARKET_IF_TOUCHED'
  /** A limit order once the stop price is touched. */
  | 'STOP_LIMIT'
  /** A market order once the stop price is touched: above for a purchase, below for a sale. */
  | 'STOP_MARKET'
  /** A stop that follows the best price since it was accepted, by an amount or a percentage. */
  | 'TRAILING_STOP';

/** Why a portfolio was not made. */
export type PortfolioCreateErrorCode =
  /** It is no currency that is known. */
  | 'CURRENCY_INVALID'
  /** The instrument is priced in another currency. */
  | 'CURRENCY_MISMATCH'
  /** In which currency the instrument is priced is not known: give it. */
  | 'CURRENCY_NEEDED'
  /** The idempotency key was used with another input. */
  | 'IDEMPOTENCY_MISMATCH'
  /** The name is empty, too long or has characters that it may not have. */
  | 'NAME_INVALID'
  /** Weights need a notional above 0; nothing else has one. */
  | 'NOTIONAL_INVALID'
  /** A number is out of range. */
  | 'NUMBER_INVALID'
  /** The symbol means several instruments. */
  | 'SYMBOL_AMBIGUOUS'
  /** It is no symbol. */
  | 'SYMBOL_INVALID'
  /** More holdings than may be given at once. */
  | 'TOO_MANY_HOLDINGS'
  /** The organisation has as many as it may have. */
  | 'TOO_MANY_PORTFOLIOS'
  /** The weights do not sum to 1, or one of them is none. */
  | 'WEIGHTS_INVALID';

/** A new portfolio: empty, with holdings, or by weights. */
export type PortfolioCreateInput = {
  /** What it is compared with. An id such as `crypto:BTC/USD`, or a short form. */
  benchmark?: string | null | undefined;
  /** What weights leave as cash. */
  cashWeight?: Decimal;
  /** In which it is valued: ISO 4217, a stablecoin, BTC or ETH. */
  currency: string;
  /** Units that it begins with, at most 500. */
  holdings?: Array<PortfolioHoldingInput> | null | undefined;
  /** The same key with the same input is done once. */
  idempotencyKey?: string | null | undefined;
  /** Which units a sale takes, where nothing else is asked. */
  method?: LotMethod;
  /** 1 to 100 characters. */
  name: string;
  /** What the whole of a portfolio of weights is worth. */
  notional?: Decimal | null | undefined;
  /** Whether it holds cash. If not, what is bought counts as brought in, what is sold as taken out. */
  tracksCash?: boolean;
  /** Shares that always hold, in the place of transactions. */
  weights?: Array<PortfolioWeightInput> | null | undefined;
};

/** Units that a portfolio begins with. */
export type PortfolioHoldingInput = {
  /** Currency of the price; of a pair its quote currency. */
  currency?: string | null | undefined;
  /** What each has cost. */
  price: Decimal;
  /** Units, above 0. */
  quantity: Decimal;
  /** An id such as `crypto:BTC/USD`, or a short form. */
  symbol: string;
};

/** A share of a portfolio. */
export type PortfolioWeightInput = {
  /** An id such as `crypto:BTC/USD`, or a short form. */
  symbol: string;
  /** A fraction such as 0.25; negative where it is short. */
  weight: Decimal;
};

/** A price of an instrument, by default the order's own. */
export type PriceConditionInput = {
  /** Which way. */
  crossing: Crossing;
  /** The price. */
  level: Decimal;
  /** Another instrument's price. */
  symbol?: string | null | undefined;
};

/** What `price` is. */
export type PriceType =
  /** Of the end of a session. */
  | 'CLOSE'
  /** Fixed once a day by a central bank. */
  | 'FIXING'
  /** Made of several venues' prices. */
  | 'INDEX'
  /** Of the last trade. */
  | 'LAST'
  /** By which a venue values positions. */
  | 'MARK'
  /** Between bid and ask. */
  | 'MID';

/** A provider's health. */
export type ProviderHealthInput = {
  /** The provider's id. */
  provider: string;
};

/** Whether a provider can be asked. */
export type ProviderStatus =
  /** Many of its recent calls failed. */
  | 'DEGRADED'
  /** It is switched off. */
  | 'DISABLED'
  /** Its adapter cannot be loaded. */
  | 'FAILED_TO_LOAD'
  /** It refuses the key. */
  | 'KEY_INVALID'
  /** It needs a key and none is set. */
  | 'KEY_MISSING'
  /** It is not asked for now. */
  | 'PAUSED'
  /** It can be asked. */
  | 'READY';

/** How often an alert fires. */
export type Recurrence =
  /** Once: then it is not active. */
  | 'ONCE'
  /** Again, once it is armed again. */
  | 'REPEATING';

/** How an ask is to be carried out: by whom, how old, how long. */
export type RouteInput = {
  /** Never these providers. */
  exclude?: Array<string> | null | undefined;
  /** Ask the next provider too where the first takes longer than nineteen of twenty of its calls did; of all calls of a process one in twenty at most is such a second one. */
  hedge?: boolean | null | undefined;
  /** Refuse anything older; 0 asks anew and takes what comes. By default the capability's freshness window. */
  maxAgeMs?: number | null | undefined;
  /** Only these providers, in this order. */
  providers?: Array<string> | null | undefined;
  /** Accept a copy this much older when every provider fails; it is marked. */
  staleIfErrorMs?: number | null | undefined;
  /** Give up after this long; at most 30000. */
  timeoutMs?: number | null | undefined;
};

/** Side of an order. */
export type Side =
  /** To buy. */
  | 'BUY'
  /** To sell. */
  | 'SELL';

/** How much worse than the market a taker's fill is. */
export type SlippageKind =
  /** By so many basis points. */
  | 'BASIS_POINTS'
  /** Not at all. */
  | 'NONE'
  /** By a base and 0.1 % per unit of size, random ± 0.02 % by seed, at most 1 %. */
  | 'SIZE'
  /** By the square of the order's share in the volume. */
  | 'VOLUME_SHARE';

/** Prices that lie apart. */
export type SpreadInput = {
  /** How far apart, in basis points of the lowest. */
  atLeastBps: Decimal;
  /** 2 to 8 ids of providers that stream the instrument. */
  providers: Array<string>;
};

/** Where a bracket closes with a loss: a stop, or one that trails. */
export type StopLossInput = {
  /** With it a stop-limit order. */
  limitPrice?: Decimal | null | undefined;
  /** The price that triggers it. */
  stopPrice?: Decimal | null | undefined;
  /** Follow the best price so far behind. */
  trailAmount?: Decimal | null | undefined;
  /** The same in per cent of it. */
  trailPercent?: Decimal | null | undefined;
};

/** Where a bracket closes with a profit. */
export type TakeProfitInput = {
  /** At this price or better. */
  limitPrice: Decimal;
};

/** How long an order works. */
export type TimeInForce =
  /** To the end of the session; to the end of the UTC day for what never closes. */
  | 'DAY'
  /** Filled whole at once, or refused. */
  | 'FOK'
  /** Until it is cancelled. */
  | 'GTC'
  /** Until `expiresAt`. */
  | 'GTD'
  /** What cannot be filled at once is cancelled. */
  | 'IOC';

/** Why an account was not made. */
export type TradingAccountCreateErrorCode =
  /** The first deposit is out of range, has too many decimals, or is a LIVE account's. */
  | 'BALANCE_INVALID'
  /** There is no such broker here, or a LIVE account has none. */
  | 'BROKER_INVALID'
  /** The organisation has an account at this broker, which has all of its money. */
  | 'BROKER_TAKEN'
  /** Money needs a second word. */
  | 'CONFIRMATION_NEEDED'
  /** It is no currency that is known. */
  | 'CURRENCY_INVALID'
  /** The idempotency key was used with another input. */
  | 'IDEMPOTENCY_MISMATCH'
  /** The interest is out of range, or is not a paper MARGIN account's. */
  | 'INTEREST_INVALID'
  /** The leverage is out of range, or a CASH account's. */
  | 'LEVERAGE_INVALID'
  /** The organisation has not opted in to live trading. */
  | 'LIVE_NOT_ENABLED'
  /** The greatest daily loss is out of range. */
  | 'LOSS_INVALID'
  /** A field of the execution model is out of its bounds. */
  | 'MODEL_INVALID'
  /** The name is empty, too long or has characters that it may not have. */
  | 'NAME_INVALID'
  /** The organisation has as many accounts as it may have. */
  | 'TOO_MANY_ACCOUNTS';

/** A new trading account. */
export type TradingAccountCreateInput = {
  /** Who fills its orders; by default the simulator. LIVE needs one. */
  broker?: string | null | undefined;
  /** For LIVE: the account's name once more. */
  confirm?: string | null | undefined;
  /** The base currency, such as USD, EUR or USDT. */
  currency?: string;
  /** The same key with the same input makes no second one. */
  idempotencyKey?: string | null | undefined;
  /** Its first deposit, in that currency; 0 for LIVE. */
  initialBalance?: Decimal;
  /** Paper or live. */
  kind?: AccountKind;
  /** How many times its equity a MARGIN account may hold, 1 to 100. */
  leverage?: Decimal;
  /** Whether it may borrow. */
  margin?: MarginType;
  /** What a MARGIN account pays a year for cash that it owes, 0 to 1: by default 0.05, which is 5 %. */
  marginInterestRate?: Decimal | null | undefined;
  /** What it may lose in a UTC day; by default there is no limit. */
  maxDailyLoss?: Decimal | null | undefined;
  /** Which units a sale takes. */
  method?: LotMethod;
  /** How its orders are filled. */
  model?: TradingExecutionModelInput | null | undefined;
  /** 1 to 100 characters. */
  name: string;
  /** Whether every member may look and trade, as their role lets them. */
  shared?: boolean;
};

/** How a paper account's orders are filled; what is left out has its default. */
export type TradingExecutionModelInput = {
  /** How far a limit may lie on the wrong side of the market, 1 to 10,000; null lets any pass. */
  collarBps?: number | null | undefined;
  /** Whether orders are filled before and after regular hours too. */
  extendedHours?: boolean;
  /** What fills cost. */
  fees?: TradingFeesInput | null | undefined;
  /** How long an order takes to reach the venue, 0 to 60,000. */
  latencyMs?: number;
  /** Of a price: an older one fills nothing while its market is open; 1 to 86,400,000. */
  maxAgeMs?: number;
  /** The greatest share of what is offered that one order takes, up to 1. */
  participation?: Decimal;
  /** Whose prices; by default whoever answers first. */
  provider?: string | null | undefined;
  /** Of what is random, 0 or more. */
  seed?: number;
  /** How much worse than the market a taker's fill is. */
  slippage?: TradingSlippageInput | null | undefined;
  /** What orders are matched against. */
  source?: FillSource;
};

/** What fills cost, in the currency of the price. */
export type TradingFeesInput = {
  /** For each order, with its first fill, 0 to 1,000. */
  fixed?: Decimal;
  /** Never less than this, 0 to 1,000. 0.01 is a cent: it counts where the price is in money of ISO 4217 or in a stablecoin, and not in coins such as BTC; any other counts in all. */
  least?: Decimal;
  /** Where another order came to it while it rested, 0 to 0.1. */
  maker?: Decimal;
  /** For each unit, 0 to 1,000. */
  perUnit?: Decimal;
  /** Where it took what was there, 0 to 0.1. */
  taker?: Decimal;
};

/** Which part of the day counts. */
export type TradingHours =
  /** With what is before and after it. */
  | 'EXTENDED'
  /** The session. */
  | 'REGULAR';

/** Which way a position is. */
export type TradingPositionSide =
  /** It gains when the price rises. */
  | 'LONG'
  /** It gains when the price falls. */
  | 'SHORT';

/** How much worse than the market a taker's fill is. */
export type TradingSlippageInput = {
  /** Of BASIS_POINTS, and the base of SIZE: 0 to 1,000 basis points. */
  bps?: Decimal;
  /** Of VOLUME_SHARE: the fraction at a share of 1, 0 to 1. */
  impact?: Decimal;
  /** Of SIZE: the greatest random part, either way, 0 to 0.1. */
  jitter?: Decimal;
  /** By what rule. */
  kind?: SlippageKind;
  /** Of SIZE and VOLUME_SHARE: never more than this fraction, 0 to 0.5. */
  most?: Decimal;
  /** Of SIZE: a fraction for each unit of size, 0 to 1. */
  perUnit?: Decimal;
};

/** Why no endpoint was made. */
export type WebhookEndpointCreateErrorCode =
  /** It is no channel, or there are too many. */
  | 'CHANNEL_INVALID'
  /** The description is too long or has characters that it may not have. */
  | 'DESCRIPTION_INVALID'
  /** No event type was given. */
  | 'EVENT_TYPES_MISSING'
  /** There is no such event type. */
  | 'EVENT_TYPE_UNKNOWN'
  /** It is no filter of event types, or there are too many. */
  | 'FILTER_INVALID'
  /** A header cannot be sent, is the gateway's to set, or there are too many or too long ones. */
  | 'HEADER_INVALID'
  /** The idempotency key is empty, too long or has characters that it may not have. */
  | 'IDEMPOTENCY_KEY_INVALID'
  /** The idempotency key was used with another input. */
  | 'IDEMPOTENCY_MISMATCH'
  /** The rate is out of range. */
  | 'RATE_INVALID'
  /** The secret is too short, too long or no secret at all. */
  | 'SECRET_INVALID'
  /** The organisation has as many endpoints as its plan allows. */
  | 'TOO_MANY_ENDPOINTS'
  /** It is no address that can be sent to: its spelling, its scheme or its port. */
  | 'URL_INVALID'
  /** It leads elsewhere than to the public internet. */
  | 'URL_NOT_ALLOWED'
  /** Its host name cannot be resolved. */
  | 'URL_UNREACHABLE';

/** A new endpoint. */
export type WebhookEndpointCreateInput = {
  /** Only events about these: symbols (`crypto:BTC/USD`), with an interval for candles (`crypto:BTC/USD#M1`), ids of providers, alerts and the like. Events of the markets are sent only where a channel names them. */
  channels?: Array<string> | null | undefined;
  /** Up to 200 characters. */
  description?: string | null | undefined;
  /** Which events: types of the catalogue, families such as `price.alert.*`, or `*` for all. */
  eventTypes: Array<string>;
  /** Sent along with every delivery, at most 10 with 8 kB in all. Their values are never shown. */
  headers?: Array<WebhookHeaderInput> | null | undefined;
  /** The same key with the same input makes no second endpoint, and shows no secret again. */
  idempotencyKey?: string | null | undefined;
  /** The most deliveries a second, 1 to 1000; without one there is no limit of its own. */
  ratePerSecond?: number | null | undefined;
  /** A secret of your own: `whsec_` and 24 to 64 bytes in base64. Without one it is made. */
  secret?: string | null | undefined;
  /** How deliveries are signed. */
  signing?: WebhookSigning;
  /** Where events are posted to: https, on the public internet. */
  url: string;
};

/** Why the endpoint was not deleted. */
export type WebhookEndpointDeleteErrorCode =
  /** There is none, or not for you. */
  | 'NOT_FOUND';

/** Which endpoint to delete. */
export type WebhookEndpointDeleteInput = {
  /** The endpoint's id. */
  id: string;
};

/** A header that is sent along. */
export type WebhookHeaderInput = {
  /** Its name. */
  name: string;
  /** Its value: printable ASCII. */
  value: string;
};

/** How deliveries to an endpoint are signed. */
export type WebhookSigning =
  /** That, and `v1a`: ed25519, which the endpoint's `publicKey` verifies. */
  | 'ED25519'
  /** `v1`: HMAC-SHA256 with the endpoint's secret. */
  | 'HMAC';

export type AlertPartsFragment = { id: string, symbol: string | null, recurrence: Recurrence, active: boolean, state: AlertState, note: string | null, lastTriggeredAt: DateTime | null, createdAt: DateTime, condition: { kind: AlertKind, text: string, threshold: Decimal | null } };

export type AlertsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: Cursor | null | undefined;
}>;


export type AlertsQuery = { alerts: { nodes: Array<{ id: string, symbol: string | null, recurrence: Recurrence, active: boolean, state: AlertState, note: string | null, lastTriggeredAt: DateTime | null, createdAt: DateTime, condition: { kind: AlertKind, text: string, threshold: Decimal | null } }>, pageInfo: { hasNextPage: boolean, endCursor: Cursor | null } } };

export type AlertCreateMutationVariables = Exact<{
  input: AlertCreateInput;
}>;


export type AlertCreateMutation = { alertCreate: { alert: { id: string, symbol: string | null, recurrence: Recurrence, active: boolean, state: AlertState, note: string | null, lastTriggeredAt: DateTime | null, createdAt: DateTime, condition: { kind: AlertKind, text: string, threshold: Decimal | null } } | null, userErrors: Array<{ field: Array<string> | null, code: AlertCreateErrorCode, message: string }> } };

export type AlertDeleteMutationVariables = Exact<{
  input: AlertInput;
}>;


export type AlertDeleteMutation = { alertDelete: { alertId: string | null, userErrors: Array<{ field: Array<string> | null, code: AlertDeleteErrorCode, message: string }> } };

export type NoticePartsFragment = { code: NoticeCode, message: string, symbol: string | null, provider: string | null, at: DateTime };

export type QuoteStreamSubscriptionVariables = Exact<{
  symbols: Array<string> | string;
  everyMs?: number | null | undefined;
  convertTo?: string | null | undefined;
  route?: RouteInput | null | undefined;
}>;


export type QuoteStreamSubscription = { quotes: { cursor: Cursor, snapshot: boolean, skipped: number, quotes: Array<{ id: string, price: Decimal, priceType: PriceType, currency: string, bid: Decimal | null, ask: Decimal | null, open: Decimal | null, high: Decimal | null, low: Decimal | null, previousClose: Decimal | null, change: Decimal | null, changePercent: Decimal | null, volume: Decimal | null, marketState: MarketState, instrument: { id: string, symbol: string }, provenance: { provider: string, mode: DataMode, asOf: DateTime | null, ageMs: number, delay: FeedDelay, delaySeconds: number | null, stale: boolean, cacheStatus: CacheStatus, attribution: string | null } }>, notices: Array<{ code: NoticeCode, message: string, symbol: string | null, provider: string | null, at: DateTime }> } };

export type CandleStreamSubscriptionVariables = Exact<{
  symbol: string;
  interval: Interval;
  everyMs?: number | null | undefined;
  route?: RouteInput | null | undefined;
}>;


export type CandleStreamSubscription = { candles: { cursor: Cursor, snapshot: boolean, skipped: number, candles: Array<{ openTime: DateTime, open: Decimal, high: Decimal, low: Decimal, close: Decimal, volume: Decimal | null, closed: boolean }>, notices: Array<{ code: NoticeCode, message: string, symbol: string | null, provider: string | null, at: DateTime }> } };

export type OrderBookStreamSubscriptionVariables = Exact<{
  symbol: string;
  depth?: number | null | undefined;
  everyMs?: number | null | undefined;
  route?: RouteInput | null | undefined;
}>;


export type OrderBookStreamSubscription = { orderBook: { cursor: Cursor, snapshot: boolean, skipped: number, orderBook: { id: string, sequence: string | null, verified: boolean, instrument: { id: string }, bids: Array<{ price: Decimal, size: Decimal }>, asks: Array<{ price: Decimal, size: Decimal }>, provenance: { provider: string, mode: DataMode, asOf: DateTime | null, ageMs: number, delay: FeedDelay, delaySeconds: number | null, stale: boolean, cacheStatus: CacheStatus, attribution: string | null } } | null, notices: Array<{ code: NoticeCode, message: string, symbol: string | null, provider: string | null, at: DateTime }> } };

export type TradeStreamSubscriptionVariables = Exact<{
  symbol: string;
  everyMs?: number | null | undefined;
  route?: RouteInput | null | undefined;
}>;


export type TradeStreamSubscription = { trades: { cursor: Cursor, snapshot: boolean, skipped: number, trades: Array<{ id: string, time: DateTime, price: Decimal, size: Decimal, side: Side | null }>, notices: Array<{ code: NoticeCode, message: string, symbol: string | null, provider: string | null, at: DateTime }> } };

export type ConsensusStreamSubscriptionVariables = Exact<{
  symbol: string;
  providers?: Array<string> | string | null | undefined;
  quorum?: number | null | undefined;
  maxAgeMs?: number | null | undefined;
  everyMs?: number | null | undefined;
}>;


export type ConsensusStreamSubscription = { consensus: { cursor: Cursor, consensus: { median: Decimal, low: Decimal, high: Decimal, currency: string, used: number, sources: Array<{ provider: string, deviationBps: Decimal | null, outlier: boolean }> } | null, notices: Array<{ code: NoticeCode, message: string, symbol: string | null, provider: string | null, at: DateTime }> } };

export type ProviderHealthStreamSubscriptionVariables = Exact<{
  providers?: Array<string> | string | null | undefined;
}>;


export type ProviderHealthStreamSubscription = { providerHealth: { cursor: Cursor, snapshot: boolean, providers: Array<{ id: string, status: ProviderStatus, statusReason: string | null, breaker: BreakerState, errorRate: number, p95Ms: number | null }>, notices: Array<{ code: NoticeCode, message: string, symbol: string | null, provider: string | null, at: DateTime }> } };

export type NewsStreamSubscriptionVariables = Exact<{
  search?: string | null | undefined;
  symbols?: Array<string> | string | null | undefined;
  topic?: string | null | undefined;
}>;


export type NewsStreamSubscription = { news: { cursor: Cursor, snapshot: boolean, articles: Array<{ id: string, title: string, url: string, publishedAt: DateTime, summary: string | null, source: string | null, symbols: Array<string> }>, notices: Array<{ code: NoticeCode, message: string, symbol: string | null, provider: string | null, at: DateTime }> } };

export type EventStreamSubscriptionVariables = Exact<{
  types?: Array<string> | string | null | undefined;
  after?: Cursor | null | undefined;
}>;


export type EventStreamSubscription = { events: { cursor: Cursor, event:
      | { __typename: 'AccountDailyLossReached', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'AccountMarginCall', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'ApiKeyCreated', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'ApiKeyRevoked', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'CandleClosed', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'CandleRevised', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'FundingAlertTriggered', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'IndicatorAlertTriggered', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'InvoiceIssued', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'NewsAlertTriggered', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'NewsPublished', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'OrderAccepted', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'OrderCanceled', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'OrderExpired', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'OrderFilled', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'OrderRejected', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'OutlierDetected', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'PositionClosed', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'PositionOpened', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'PriceAlertTriggered', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'ProviderAlertTriggered', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'ProviderDegraded', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'ProviderKeyInvalid', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'ProviderRecovered', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'QuotaThresholdReached', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'RiskLimitBreached', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'WebhookDeliveryExhausted', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'WebhookEndpointDisabled', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
      | { __typename: 'WebhookTest', id: string, type: string, version: number, occurredAt: DateTime, sequence: string, mode: DataMode }
     | null, notices: Array<{ code: NoticeCode, message: string, symbol: string | null, provider: string | null, at: DateTime }> } };

export type AccountStreamSubscriptionVariables = Exact<{
  id: string;
  everyMs?: number | null | undefined;
}>;


export type AccountStreamSubscription = { account: { cursor: Cursor, snapshot: boolean, at: DateTime, halted: boolean, closed: Array<string>, standing: { currency: string, equity: Decimal | null, cash: Decimal | null, unrealised: Decimal | null, buyingPower: Decimal | null }, positions: Array<{ id: string, symbol: string, side: TradingPositionSide, quantity: Decimal, currency: string, entryPrice: Decimal, price: Decimal | null, value: Decimal | null, unrealised: Decimal | null, realised: Decimal, stale: boolean }>, orders: Array<{ id: string, accountId: string, clientOrderId: string | null, symbol: string, side: Side, type: OrderType, timeInForce: TimeInForce, quantity: Decimal | null, limitPrice: Decimal | null, stopPrice: Decimal | null, currency: string, status: OrderStatus, reason: string | null, filledQuantity: Decimal, averagePrice: Decimal | null, version: number, createdAt: DateTime, changedAt: DateTime }>, fills: Array<{ id: string, orderId: string, symbol: string, side: Side, quantity: Decimal, price: Decimal, currency: string, fee: Decimal, at: DateTime }>, notices: Array<{ code: NoticeCode, message: string, symbol: string | null, provider: string | null, at: DateTime }> } };

export type ProvenancePartsFragment = { provider: string, mode: DataMode, asOf: DateTime | null, ageMs: number, delay: FeedDelay, delaySeconds: number | null, stale: boolean, cacheStatus: CacheStatus, attribution: string | null };

export type QuotePartsFragment = { id: string, price: Decimal, priceType: PriceType, currency: string, bid: Decimal | null, ask: Decimal | null, open: Decimal | null, high: Decimal | null, low: Decimal | null, previousClose: Decimal | null, change: Decimal | null, changePercent: Decimal | null, volume: Decimal | null, marketState: MarketState, instrument: { id: string, symbol: string }, provenance: { provider: string, mode: DataMode, asOf: DateTime | null, ageMs: number, delay: FeedDelay, delaySeconds: number | null, stale: boolean, cacheStatus: CacheStatus, attribution: string | null } };

export type FailurePartsFragment = { index: number, symbol: string, code: FailureCode, message: string, candidates: Array<{ id: string }>, attempts: Array<{ provider: string, code: FailureCode, message: string, retryAfterMs: number | null }> };

export type PriceLevelPartsFragment = { price: Decimal, size: Decimal };

export type OrderBookPartsFragment = { id: string, sequence: string | null, verified: boolean, instrument: { id: string }, bids: Array<{ price: Decimal, size: Decimal }>, asks: Array<{ price: Decimal, size: Decimal }>, provenance: { provider: string, mode: DataMode, asOf: DateTime | null, ageMs: number, delay: FeedDelay, delaySeconds: number | null, stale: boolean, cacheStatus: CacheStatus, attribution: string | null } };

export type TradePartsFragment = { id: string, time: DateTime, price: Decimal, size: Decimal, side: Side | null };

export type CandlePartsFragment = { openTime: DateTime, open: Decimal, high: Decimal, low: Decimal, close: Decimal, volume: Decimal | null, closed: boolean };

export type InstrumentPartsFragment = { id: string, symbol: string, name: string | null, assetClass: AssetClass, type: InstrumentType, base: string | null, quoteCurrency: string, tickSize: Decimal | null, stepSize: Decimal | null, tradable: boolean };

export type ArticlePartsFragment = { id: string, title: string, url: string, publishedAt: DateTime, summary: string | null, source: string | null, symbols: Array<string> };

export type QuoteQueryVariables = Exact<{
  symbol: string;
  assetClass?: AssetClass | null | undefined;
  convertTo?: string | null | undefined;
  route?: RouteInput | null | undefined;
}>;


export type QuoteQuery = { quote: { id: string, price: Decimal, priceType: PriceType, currency: string, bid: Decimal | null, ask: Decimal | null, open: Decimal | null, high: Decimal | null, low: Decimal | null, previousClose: Decimal | null, change: Decimal | null, changePercent: Decimal | null, volume: Decimal | null, marketState: MarketState, instrument: { id: string, symbol: string }, provenance: { provider: string, mode: DataMode, asOf: DateTime | null, ageMs: number, delay: FeedDelay, delaySeconds: number | null, stale: boolean, cacheStatus: CacheStatus, attribution: string | null } } | null };

export type QuotesQueryVariables = Exact<{
  symbols: Array<string> | string;
  convertTo?: string | null | undefined;
  route?: RouteInput | null | undefined;
}>;


export type QuotesQuery = { quotes: { nodes: Array<{ id: string, price: Decimal, priceType: PriceType, currency: string, bid: Decimal | null, ask: Decimal | null, open: Decimal | null, high: Decimal | null, low: Decimal | null, previousClose: Decimal | null, change: Decimal | null, changePercent: Decimal | null, volume: Decimal | null, marketState: MarketState, instrument: { id: string, symbol: string }, provenance: { provider: string, mode: DataMode, asOf: DateTime | null, ageMs: number, delay: FeedDelay, delaySeconds: number | null, stale: boolean, cacheStatus: CacheStatus, attribution: string | null } } | null>, failures: Array<{ index: number, symbol: string, code: FailureCode, message: string, candidates: Array<{ id: string }>, attempts: Array<{ provider: string, code: FailureCode, message: string, retryAfterMs: number | null }> }> } };

export type CandlesQueryVariables = Exact<{
  symbol: string;
  interval: Interval;
  start?: DateTime | null | undefined;
  end?: DateTime | null | undefined;
  first?: number | null | undefined;
  after?: Cursor | null | undefined;
  last?: number | null | undefined;
  before?: Cursor | null | undefined;
  adjustment?: Adjustment | null | undefined;
  hours?: TradingHours | null | undefined;
  route?: RouteInput | null | undefined;
}>;


export type CandlesQuery = { candles: { interval: Interval, currency: string, timeZone: string, adjustment: Adjustment, instrument: { id: string }, columns: { openTime: Array<DateTime>, open: Array<Decimal>, high: Array<Decimal>, low: Array<Decimal>, close: Array<Decimal>, volume: Array<Decimal | null>, closed: Array<boolean> }, gaps: Array<{ start: DateTime, end: DateTime, missing: number }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: Cursor | null, endCursor: Cursor | null }, provenance: Array<{ provider: string, mode: DataMode, asOf: DateTime | null, ageMs: number, delay: FeedDelay, delaySeconds: number | null, stale: boolean, cacheStatus: CacheStatus, attribution: string | null }> } | null };

export type OrderBookQueryVariables = Exact<{
  symbol: string;
  depth?: number | null | undefined;
  route?: RouteInput | null | undefined;
}>;


export type OrderBookQuery = { orderBook: { id: string, sequence: string | null, verified: boolean, instrument: { id: string }, bids: Array<{ price: Decimal, size: Decimal }>, asks: Array<{ price: Decimal, size: Decimal }>, provenance: { provider: string, mode: DataMode, asOf: DateTime | null, ageMs: number, delay: FeedDelay, delaySeconds: number | null, stale: boolean, cacheStatus: CacheStatus, attribution: string | null } } | null };

export type TradesQueryVariables = Exact<{
  symbol: string;
  last?: number | null | undefined;
  route?: RouteInput | null | undefined;
}>;


export type TradesQuery = { trades: Array<{ id: string, time: DateTime, price: Decimal, size: Decimal, side: Side | null, provenance: { provider: string, mode: DataMode, asOf: DateTime | null, ageMs: number, delay: FeedDelay, delaySeconds: number | null, stale: boolean, cacheStatus: CacheStatus, attribution: string | null } }> | null };

export type ConsensusQueryVariables = Exact<{
  symbol: string;
  providers?: Array<string> | string | null | undefined;
  quorum?: number | null | undefined;
  maxAgeMs?: number | null | undefined;
}>;


export type ConsensusQuery = { consensus: { id: string, currency: string, median: Decimal, low: Decimal, high: Decimal, rangeBps: Decimal, asked: number, used: number, instrument: { id: string }, sources: Array<{ provider: string, deviationBps: Decimal | null, outlier: boolean, quote: { price: Decimal, provenance: { asOf: DateTime | null, mode: DataMode } } | null, excluded: { provider: string, code: FailureCode, message: string } | null }> } | null };

export type InstrumentsQueryVariables = Exact<{
  search?: string | null | undefined;
  assetClass?: AssetClass | null | undefined;
  type?: InstrumentType | null | undefined;
  first?: number | null | undefined;
  after?: Cursor | null | undefined;
}>;


export type InstrumentsQuery = { instruments: { nodes: Array<{ id: string, symbol: string, name: string | null, assetClass: AssetClass, type: InstrumentType, base: string | null, quoteCurrency: string, tickSize: Decimal | null, stepSize: Decimal | null, tradable: boolean }>, pageInfo: { hasNextPage: boolean, endCursor: Cursor | null } } };

export type ProvidersQueryVariables = Exact<{
  capability?: string | null | undefined;
  assetClass?: AssetClass | null | undefined;
  status?: ProviderStatus | null | undefined;
}>;


export type ProvidersQuery = { providers: Array<{ id: string, name: string, assetClasses: Array<AssetClass>, grade: Grade, status: ProviderStatus, statusReason: string | null, health: { breaker: BreakerState, errorRate: number, p95Ms: number | null } }> };

export type NewsQueryVariables = Exact<{
  search?: string | null | undefined;
  symbols?: Array<string> | string | null | undefined;
  topic?: string | null | undefined;
  first?: number | null | undefined;
  after?: Cursor | null | undefined;
  route?: RouteInput | null | undefined;
}>;


export type NewsQuery = { news: { nodes: Array<{ id: string, title: string, url: string, publishedAt: DateTime, summary: string | null, source: string | null, symbols: Array<string> }>, pageInfo: { hasNextPage: boolean, endCursor: Cursor | null } } | null };

export type FxRatesQueryVariables = Exact<{
  base: string;
  quotes?: Array<string> | string | null | undefined;
  start?: CalendarDate | null | undefined;
  end?: CalendarDate | null | undefined;
  route?: RouteInput | null | undefined;
}>;


export type FxRatesQuery = { fxRates: { base: string, rates: Array<{ quote: string, rate: Decimal, date: CalendarDate | null }>, provenance: { provider: string, mode: DataMode, asOf: DateTime | null, ageMs: number, delay: FeedDelay, delaySeconds: number | null, stale: boolean, cacheStatus: CacheStatus, attribution: string | null } } | null };

export type ConvertQueryVariables = Exact<{
  amount: Decimal;
  from: string;
  to: string;
}>;


export type ConvertQuery = { convert: { amount: Decimal, currency: string, conversion: { rate: Decimal, provenance: { provider: string, asOf: DateTime | null } } } | null };

export type MarketStatusQueryVariables = Exact<{
  venue?: string | null | undefined;
}>;


export type MarketStatusQuery = { marketStatus: { venue: string, state: MarketState, reason: string | null, nextOpen: DateTime | null, nextClose: DateTime | null } | null };

export type ViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewerQuery = { viewer: { role: MemberRole | null, scopes: Array<string>, user: { id: string, email: string } | null, tenant: { id: string, name: string, plan: string, limits: Array<{ name: string, limit: number, remaining: number, resetsAt: DateTime | null }> } | null } | null };

export type PortfolioPartsFragment = { id: string, name: string, currency: string, benchmark: string | null, method: LotMethod, version: number, createdAt: DateTime, changedAt: DateTime };

export type PortfoliosQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: Cursor | null | undefined;
}>;


export type PortfoliosQuery = { portfolios: { nodes: Array<{ id: string, name: string, currency: string, benchmark: string | null, method: LotMethod, version: number, createdAt: DateTime, changedAt: DateTime }>, pageInfo: { hasNextPage: boolean, endCursor: Cursor | null } } };

export type PortfolioQueryVariables = Exact<{
  id: string;
}>;


export type PortfolioQuery = { portfolio: { id: string, name: string, currency: string, benchmark: string | null, method: LotMethod, version: number, createdAt: DateTime, changedAt: DateTime, holdings: { at: DateTime, currency: string, value: Decimal | null, invested: Decimal | null, cashValue: Decimal | null, positions: Array<{ symbol: string, quantity: Decimal, price: Decimal | null, priceCurrency: string | null, value: Decimal | null, weight: Decimal | null, stale: boolean }>, failures: Array<{ symbol: string, code: string, message: string }> } | null } | null };

export type PortfolioCreateMutationVariables = Exact<{
  input: PortfolioCreateInput;
}>;


export type PortfolioCreateMutation = { portfolioCreate: { portfolio: { id: string, name: string, currency: string, benchmark: string | null, method: LotMethod, version: number, createdAt: DateTime, changedAt: DateTime } | null, userErrors: Array<{ field: Array<string> | null, code: PortfolioCreateErrorCode, message: string }> } };

export type OrderPartsFragment = { id: string, accountId: string, clientOrderId: string | null, symbol: string, side: Side, type: OrderType, timeInForce: TimeInForce, quantity: Decimal | null, limitPrice: Decimal | null, stopPrice: Decimal | null, currency: string, status: OrderStatus, reason: string | null, filledQuantity: Decimal, averagePrice: Decimal | null, version: number, createdAt: DateTime, changedAt: DateTime };

export type FillPartsFragment = { id: string, orderId: string, symbol: string, side: Side, quantity: Decimal, price: Decimal, currency: string, fee: Decimal, at: DateTime };

export type PositionPartsFragment = { id: string, symbol: string, side: TradingPositionSide, quantity: Decimal, currency: string, entryPrice: Decimal, price: Decimal | null, value: Decimal | null, unrealised: Decimal | null, realised: Decimal, stale: boolean };

export type TradingAccountPartsFragment = { id: string, name: string, kind: AccountKind, currency: string, margin: MarginType, halted: boolean, standing: { currency: string, equity: Decimal | null, cash: Decimal | null, unrealised: Decimal | null, buyingPower: Decimal | null, stale: boolean, reason: string | null } };

export type TradingAccountsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: Cursor | null | undefined;
}>;


export type TradingAccountsQuery = { tradingAccounts: { nodes: Array<{ id: string, name: string, kind: AccountKind, currency: string, margin: MarginType, halted: boolean, standing: { currency: string, equity: Decimal | null, cash: Decimal | null, unrealised: Decimal | null, buyingPower: Decimal | null, stale: boolean, reason: string | null } }>, pageInfo: { hasNextPage: boolean, endCursor: Cursor | null } } };

export type PositionsQueryVariables = Exact<{
  accountId: string;
  first?: number | null | undefined;
  after?: Cursor | null | undefined;
}>;


export type PositionsQuery = { positions: { nodes: Array<{ id: string, symbol: string, side: TradingPositionSide, quantity: Decimal, currency: string, entryPrice: Decimal, price: Decimal | null, value: Decimal | null, unrealised: Decimal | null, realised: Decimal, stale: boolean }>, pageInfo: { hasNextPage: boolean, endCursor: Cursor | null } } | null };

export type OrdersQueryVariables = Exact<{
  accountId: string;
  open?: boolean | null | undefined;
  symbol?: string | null | undefined;
  first?: number | null | undefined;
  after?: Cursor | null | undefined;
}>;


export type OrdersQuery = { orders: { nodes: Array<{ id: string, accountId: string, clientOrderId: string | null, symbol: string, side: Side, type: OrderType, timeInForce: TimeInForce, quantity: Decimal | null, limitPrice: Decimal | null, stopPrice: Decimal | null, currency: string, status: OrderStatus, reason: string | null, filledQuantity: Decimal, averagePrice: Decimal | null, version: number, createdAt: DateTime, changedAt: DateTime }>, pageInfo: { hasNextPage: boolean, endCursor: Cursor | null } } };

export type TradingAccountCreateMutationVariables = Exact<{
  input: TradingAccountCreateInput;
}>;


export type TradingAccountCreateMutation = { tradingAccountCreate: { account: { id: string, name: string, kind: AccountKind, currency: string, margin: MarginType, halted: boolean, standing: { currency: string, equity: Decimal | null, cash: Decimal | null, unrealised: Decimal | null, buyingPower: Decimal | null, stale: boolean, reason: string | null } } | null, userErrors: Array<{ field: Array<string> | null, code: TradingAccountCreateErrorCode, message: string }> } };

export type OrderPlaceMutationVariables = Exact<{
  input: OrderPlaceInput;
}>;


export type OrderPlaceMutation = { orderPlace: { order: { id: string, accountId: string, clientOrderId: string | null, symbol: string, side: Side, type: OrderType, timeInForce: TimeInForce, quantity: Decimal | null, limitPrice: Decimal | null, stopPrice: Decimal | null, currency: string, status: OrderStatus, reason: string | null, filledQuantity: Decimal, averagePrice: Decimal | null, version: number, createdAt: DateTime, changedAt: DateTime } | null, fills: Array<{ id: string, orderId: string, symbol: string, side: Side, quantity: Decimal, price: Decimal, currency: string, fee: Decimal, at: DateTime }>, userErrors: Array<{ field: Array<string> | null, code: OrderPlaceErrorCode, message: string }> } };

export type OrderCancelMutationVariables = Exact<{
  input: OrderCancelInput;
}>;


export type OrderCancelMutation = { orderCancel: { order: { id: string, accountId: string, clientOrderId: string | null, symbol: string, side: Side, type: OrderType, timeInForce: TimeInForce, quantity: Decimal | null, limitPrice: Decimal | null, stopPrice: Decimal | null, currency: string, status: OrderStatus, reason: string | null, filledQuantity: Decimal, averagePrice: Decimal | null, version: number, createdAt: DateTime, changedAt: DateTime } | null, userErrors: Array<{ field: Array<string> | null, code: OrderCancelErrorCode, message: string }> } };

export type WebhookEndpointPartsFragment = { id: string, url: string, description: string | null, eventTypes: Array<string>, status: EndpointStatus, disabledReason: string | null, failingSince: DateTime | null, signing: WebhookSigning, publicKey: string | null, createdAt: DateTime };

export type WebhookEndpointsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: Cursor | null | undefined;
}>;


export type WebhookEndpointsQuery = { webhookEndpoints: { nodes: Array<{ id: string, url: string, description: string | null, eventTypes: Array<string>, status: EndpointStatus, disabledReason: string | null, failingSince: DateTime | null, signing: WebhookSigning, publicKey: string | null, createdAt: DateTime }>, pageInfo: { hasNextPage: boolean, endCursor: Cursor | null } } };

export type WebhookEndpointCreateMutationVariables = Exact<{
  input: WebhookEndpointCreateInput;
}>;


export type WebhookEndpointCreateMutation = { webhookEndpointCreate: { secret: string | null, webhookEndpoint: { id: string, url: string, description: string | null, eventTypes: Array<string>, status: EndpointStatus, disabledReason: string | null, failingSince: DateTime | null, signing: WebhookSigning, publicKey: string | null, createdAt: DateTime } | null, userErrors: Array<{ field: Array<string> | null, code: WebhookEndpointCreateErrorCode, message: string }> } };

export type WebhookEndpointDeleteMutationVariables = Exact<{
  input: WebhookEndpointDeleteInput;
}>;


export type WebhookEndpointDeleteMutation = { webhookEndpointDelete: { webhookEndpointId: string | null, userErrors: Array<{ field: Array<string> | null, code: WebhookEndpointDeleteErrorCode, message: string }> } };

export const AlertsDocument = `query Alerts($first: Int, $after: Cursor) {
alerts(first: $first, after: $after) {
nodes {
...AlertParts
}
pageInfo {
hasNextPage
endCursor
}
}
}
fragment AlertParts on Alert {
id
symbol
condition {
kind
text
threshold
}
recurrence
active
state
note
lastTriggeredAt
createdAt
}` as unknown as TypedDocument<AlertsQuery, AlertsQueryVariables, "query">;
export const AlertCreateDocument = `mutation AlertCreate($input: AlertCreateInput!) {
alertCreate(input: $input) {
alert {
...AlertParts
}
userErrors {
field
code
message
}
}
}
fragment AlertParts on Alert {
id
symbol
condition {
kind
text
threshold
}
recurrence
active
state
note
lastTriggeredAt
createdAt
}` as unknown as TypedDocument<AlertCreateMutation, AlertCreateMutationVariables, "mutation">;
export const AlertDeleteDocument = `mutation AlertDelete($input: AlertInput!) {
alertDelete(input: $input) {
alertId
userErrors {
field
code
message
}
}
}` as unknown as TypedDocument<AlertDeleteMutation, AlertDeleteMutationVariables, "mutation">;
export const QuoteStreamDocument = `subscription QuoteStream($symbols: [String!]!, $everyMs: Int, $convertTo: String, $route: RouteInput) {
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
...QuoteParts
}
notices {
...NoticeParts
}
}
}
fragment NoticeParts on StreamNotice {
code
message
symbol
provider
at
}
fragment ProvenanceParts on Provenance {
provider
mode
asOf
ageMs
delay
delaySeconds
stale
cacheStatus
attribution
}
fragment QuoteParts on Quote {
id
instrument {
id
symbol
}
price
priceType
currency
bid
ask
open
high
low
previousClose
change
changePercent
volume
marketState
provenance {
...ProvenanceParts
}
}` as unknown as TypedDocument<QuoteStreamSubscription, QuoteStreamSubscriptionVariables, "subscription">;
export const CandleStreamDocument = `subscription CandleStream($symbol: String!, $interval: Interval!, $everyMs: Int, $route: RouteInput) {
candles(symbol: $symbol, interval: $interval, everyMs: $everyMs, route: $route) {
cursor
snapshot
skipped
candles {
...CandleParts
}
notices {
...NoticeParts
}
}
}
fragment NoticeParts on StreamNotice {
code
message
symbol
provider
at
}
fragment CandleParts on Candle {
openTime
open
high
low
close
volume
closed
}` as unknown as TypedDocument<CandleStreamSubscription, CandleStreamSubscriptionVariables, "subscription">;
export const OrderBookStreamDocument = `subscription OrderBookStream($symbol: String!, $depth: Int, $everyMs: Int, $route: RouteInput) {
orderBook(symbol: $symbol, depth: $depth, everyMs: $everyMs, route: $route) {
cursor
snapshot
skipped
orderBook {
...OrderBookParts
}
notices {
...NoticeParts
}
}
}
fragment NoticeParts on StreamNotice {
code
message
symbol
provider
at
}
fragment ProvenanceParts on Provenance {
provider
mode
asOf
ageMs
delay
delaySeconds
stale
cacheStatus
attribution
}
fragment PriceLevelParts on PriceLevel {
price
size
}
fragment OrderBookParts on OrderBook {
id
instrument {
id
}
bids {
...PriceLevelParts
}
asks {
...PriceLevelParts
}
sequence
verified
provenance {
...ProvenanceParts
}
}` as unknown as TypedDocument<OrderBookStreamSubscription, OrderBookStreamSubscriptionVariables, "subscription">;
export const TradeStreamDocument = `subscription TradeStream($symbol: String!, $everyMs: Int, $route: RouteInput) {
trades(symbol: $symbol, everyMs: $everyMs, route: $route) {
cursor
snapshot
skipped
trades {
...TradeParts
}
notices {
...NoticeParts
}
}
}
fragment NoticeParts on StreamNotice {
code
message
symbol
provider
at
}
fragment TradeParts on Trade {
id
time
price
size
side
}` as unknown as TypedDocument<TradeStreamSubscription, TradeStreamSubscriptionVariables, "subscription">;
export const ConsensusStreamDocument = `subscription ConsensusStream($symbol: String!, $providers: [String!], $quorum: Int, $maxAgeMs: Int, $everyMs: Int) {
consensus(
symbol: $symbol
providers: $providers
quorum: $quorum
maxAgeMs: $maxAgeMs
everyMs: $everyMs
) {
cursor
consensus {
median
low
high
currency
used
sources {
provider
deviationBps
outlier
}
}
notices {
...NoticeParts
}
}
}
fragment NoticeParts on StreamNotice {
code
message
symbol
provider
at
}` as unknown as TypedDocument<ConsensusStreamSubscription, ConsensusStreamSubscriptionVariables, "subscription">;
export const ProviderHealthStreamDocument = `subscription ProviderHealthStream($providers: [ID!]) {
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
...NoticeParts
}
}
}
fragment NoticeParts on StreamNotice {
code
message
symbol
provider
at
}` as unknown as TypedDocument<ProviderHealthStreamSubscription, ProviderHealthStreamSubscriptionVariables, "subscription">;
export const NewsStreamDocument = `subscription NewsStream($search: String, $symbols: [String!], $topic: String) {
news(search: $search, symbols: $symbols, topic: $topic) {
cursor
snapshot
articles {
...ArticleParts
}
notices {
...NoticeParts
}
}
}
fragment NoticeParts on StreamNotice {
code
message
symbol
provider
at
}
fragment ArticleParts on NewsArticle {
id
title
url
publishedAt
summary
source
symbols
}` as unknown as TypedDocument<NewsStreamSubscription, NewsStreamSubscriptionVariables, "subscription">;
export const EventStreamDocument = `subscription EventStream($types: [String!], $after: Cursor) {
events(types: $types, after: $after) {
cursor
event {
__typename
id
type
version
occurredAt
sequence
mode
}
notices {
...NoticeParts
}
}
}
fragment NoticeParts on StreamNotice {
code
message
symbol
provider
at
}` as unknown as TypedDocument<EventStreamSubscription, EventStreamSubscriptionVariables, "subscription">;
export const AccountStreamDocument = `subscription AccountStream($id: ID!, $everyMs: Int) {
account(id: $id, everyMs: $everyMs) {
cursor
snapshot
at
halted
standing {
currency
equity
cash
unrealised
buyingPower
}
positions {
...PositionParts
}
closed
orders {
...OrderParts
}
fills {
...FillParts
}
notices {
...NoticeParts
}
}
}
fragment NoticeParts on StreamNotice {
code
message
symbol
provider
at
}
fragment OrderParts on Order {
id
accountId
clientOrderId
symbol
side
type
timeInForce
quantity
limitPrice
stopPrice
currency
status
reason
filledQuantity
averagePrice
version
createdAt
changedAt
}
fragment FillParts on OrderFill {
id
orderId
symbol
side
quantity
price
currency
fee
at
}
fragment PositionParts on TradingPosition {
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
stale
}` as unknown as TypedDocument<AccountStreamSubscription, AccountStreamSubscriptionVariables, "subscription">;
export const QuoteDocument = `query Quote($symbol: String!, $assetClass: AssetClass, $convertTo: String, $route: RouteInput) {
quote(
symbol: $symbol
assetClass: $assetClass
convertTo: $convertTo
route: $route
) {
...QuoteParts
}
}
fragment ProvenanceParts on Provenance {
provider
mode
asOf
ageMs
delay
delaySeconds
stale
cacheStatus
attribution
}
fragment QuoteParts on Quote {
id
instrument {
id
symbol
}
price
priceType
currency
bid
ask
open
high
low
previousClose
change
changePercent
volume
marketState
provenance {
...ProvenanceParts
}
}` as unknown as TypedDocument<QuoteQuery, QuoteQueryVariables, "query">;
export const QuotesDocument = `query Quotes($symbols: [String!]!, $convertTo: String, $route: RouteInput) {
quotes(symbols: $symbols, convertTo: $convertTo, route: $route) {
nodes {
...QuoteParts
}
failures {
...FailureParts
}
}
}
fragment ProvenanceParts on Provenance {
provider
mode
asOf
ageMs
delay
delaySeconds
stale
cacheStatus
attribution
}
fragment QuoteParts on Quote {
id
instrument {
id
symbol
}
price
priceType
currency
bid
ask
open
high
low
previousClose
change
changePercent
volume
marketState
provenance {
...ProvenanceParts
}
}
fragment FailureParts on AskFailure {
index
symbol
code
message
candidates {
id
}
attempts {
provider
code
message
retryAfterMs
}
}` as unknown as TypedDocument<QuotesQuery, QuotesQueryVariables, "query">;
export const CandlesDocument = `query Candles($symbol: String!, $interval: Interval!, $start: DateTime, $end: DateTime, $first: Int, $after: Cursor, $last: Int, $before: Cursor, $adjustment: Adjustment, $hours: TradingHours, $route: RouteInput) {
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
route: $route
) {
instrument {
id
}
interval
currency
timeZone
adjustment
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
start
end
missing
}
pageInfo {
hasNextPage
hasPreviousPage
startCursor
endCursor
}
provenance {
...ProvenanceParts
}
}
}
fragment ProvenanceParts on Provenance {
provider
mode
asOf
ageMs
delay
delaySeconds
stale
cacheStatus
attribution
}` as unknown as TypedDocument<CandlesQuery, CandlesQueryVariables, "query">;
export const OrderBookDocument = `query OrderBook($symbol: String!, $depth: Int, $route: RouteInput) {
orderBook(symbol: $symbol, depth: $depth, route: $route) {
...OrderBookParts
}
}
fragment ProvenanceParts on Provenance {
provider
mode
asOf
ageMs
delay
delaySeconds
stale
cacheStatus
attribution
}
fragment PriceLevelParts on PriceLevel {
price
size
}
fragment OrderBookParts on OrderBook {
id
instrument {
id
}
bids {
...PriceLevelParts
}
asks {
...PriceLevelParts
}
sequence
verified
provenance {
...ProvenanceParts
}
}` as unknown as TypedDocument<OrderBookQuery, OrderBookQueryVariables, "query">;
export const TradesDocument = `query Trades($symbol: String!, $last: Int, $route: RouteInput) {
trades(symbol: $symbol, last: $last, route: $route) {
...TradeParts
provenance {
...ProvenanceParts
}
}
}
fragment ProvenanceParts on Provenance {
provider
mode
asOf
ageMs
delay
delaySeconds
stale
cacheStatus
attribution
}
fragment TradeParts on Trade {
id
time
price
size
side
}` as unknown as TypedDocument<TradesQuery, TradesQueryVariables, "query">;
export const ConsensusDocument = `query Consensus($symbol: String!, $providers: [String!], $quorum: Int, $maxAgeMs: Int) {
consensus(
symbol: $symbol
providers: $providers
quorum: $quorum
maxAgeMs: $maxAgeMs
) {
id
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
provider
quote {
price
provenance {
asOf
mode
}
}
deviationBps
outlier
excluded {
provider
code
message
}
}
}
}` as unknown as TypedDocument<ConsensusQuery, ConsensusQueryVariables, "query">;
export const InstrumentsDocument = `query Instruments($search: String, $assetClass: AssetClass, $type: InstrumentType, $first: Int, $after: Cursor) {
instruments(
search: $search
assetClass: $assetClass
type: $type
first: $first
after: $after
) {
nodes {
...InstrumentParts
}
pageInfo {
hasNextPage
endCursor
}
}
}
fragment InstrumentParts on Instrument {
id
symbol
name
assetClass
type
base
quoteCurrency
tickSize
stepSize
tradable
}` as unknown as TypedDocument<InstrumentsQuery, InstrumentsQueryVariables, "query">;
export const ProvidersDocument = `query Providers($capability: String, $assetClass: AssetClass, $status: ProviderStatus) {
providers(capability: $capability, assetClass: $assetClass, status: $status) {
id
name
assetClasses
grade
status
statusReason
health {
breaker
errorRate
p95Ms
}
}
}` as unknown as TypedDocument<ProvidersQuery, ProvidersQueryVariables, "query">;
export const NewsDocument = `query News($search: String, $symbols: [String!], $topic: String, $first: Int, $after: Cursor, $route: RouteInput) {
news(
search: $search
symbols: $symbols
topic: $topic
first: $first
after: $after
route: $route
) {
nodes {
...ArticleParts
}
pageInfo {
hasNextPage
endCursor
}
}
}
fragment ArticleParts on NewsArticle {
id
title
url
publishedAt
summary
source
symbols
}` as unknown as TypedDocument<NewsQuery, NewsQueryVariables, "query">;
export const FxRatesDocument = `query FxRates($base: String!, $quotes: [String!], $start: Date, $end: Date, $route: RouteInput) {
fxRates(base: $base, quotes: $quotes, start: $start, end: $end, route: $route) {
base
rates {
quote
rate
date
}
provenance {
...ProvenanceParts
}
}
}
fragment ProvenanceParts on Provenance {
provider
mode
asOf
ageMs
delay
delaySeconds
stale
cacheStatus
attribution
}` as unknown as TypedDocument<FxRatesQuery, FxRatesQueryVariables, "query">;
export const ConvertDocument = `query Convert($amount: Decimal!, $from: String!, $to: String!) {
convert(amount: $amount, from: $from, to: $to) {
amount
currency
conversion {
rate
provenance {
provider
asOf
}
}
}
}` as unknown as TypedDocument<ConvertQuery, ConvertQueryVariables, "query">;
export const MarketStatusDocument = `query MarketStatus($venue: String) {
marketStatus(venue: $venue) {
venue
state
reason
nextOpen
nextClose
}
}` as unknown as TypedDocument<MarketStatusQuery, MarketStatusQueryVariables, "query">;
export const ViewerDocument = `query Viewer {
viewer {
user {
id
email
}
role
scopes
tenant {
id
name
plan
limits {
name
limit
remaining
resetsAt
}
}
}
}` as unknown as TypedDocument<ViewerQuery, ViewerQueryVariables, "query">;
export const PortfoliosDocument = `query Portfolios($first: Int, $after: Cursor) {
portfolios(first: $first, after: $after) {
nodes {
...PortfolioParts
}
pageInfo {
hasNextPage
endCursor
}
}
}
fragment PortfolioParts on Portfolio {
id
name
currency
benchmark
method
version
createdAt
changedAt
}` as unknown as TypedDocument<PortfoliosQuery, PortfoliosQueryVariables, "query">;
export const PortfolioDocument = `query Portfolio($id: ID!) {
portfolio(id: $id) {
...PortfolioParts
holdings {
at
currency
value
invested
cashValue
positions {
symbol
quantity
price
priceCurrency
value
weight
stale
}
failures {
symbol
code
message
}
}
}
}
fragment PortfolioParts on Portfolio {
id
name
currency
benchmark
method
version
createdAt
changedAt
}` as unknown as TypedDocument<PortfolioQuery, PortfolioQueryVariables, "query">;
export const PortfolioCreateDocument = `mutation PortfolioCreate($input: PortfolioCreateInput!) {
portfolioCreate(input: $input) {
portfolio {
...PortfolioParts
}
userErrors {
field
code
message
}
}
}
fragment PortfolioParts on Portfolio {
id
name
currency
benchmark
method
version
createdAt
changedAt
}` as unknown as TypedDocument<PortfolioCreateMutation, PortfolioCreateMutationVariables, "mutation">;
export const TradingAccountsDocument = `query TradingAccounts($first: Int, $after: Cursor) {
tradingAccounts(first: $first, after: $after) {
nodes {
...TradingAccountParts
}
pageInfo {
hasNextPage
endCursor
}
}
}
fragment TradingAccountParts on TradingAccount {
id
name
kind
currency
margin
halted
standing {
currency
equity
cash
unrealised
buyingPower
stale
reason
}
}` as unknown as TypedDocument<TradingAccountsQuery, TradingAccountsQueryVariables, "query">;
export const PositionsDocument = `query Positions($accountId: ID!, $first: Int, $after: Cursor) {
positions(accountId: $accountId, first: $first, after: $after) {
nodes {
...PositionParts
}
pageInfo {
hasNextPage
endCursor
}
}
}
fragment PositionParts on TradingPosition {
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
stale
}` as unknown as TypedDocument<PositionsQuery, PositionsQueryVariables, "query">;
export const OrdersDocument = `query Orders($accountId: ID!, $open: Boolean, $symbol: String, $first: Int, $after: Cursor) {
orders(
accountId: $accountId
open: $open
symbol: $symbol
first: $first
after: $after
) {
nodes {
...OrderParts
}
pageInfo {
hasNextPage
endCursor
}
}
}
fragment OrderParts on Order {
id
accountId
clientOrderId
symbol
side
type
timeInForce
quantity
limitPrice
stopPrice
currency
status
reason
filledQuantity
averagePrice
version
createdAt
changedAt
}` as unknown as TypedDocument<OrdersQuery, OrdersQueryVariables, "query">;
export const TradingAccountCreateDocument = `mutation TradingAccountCreate($input: TradingAccountCreateInput!) {
tradingAccountCreate(input: $input) {
account {
...TradingAccountParts
}
userErrors {
field
code
message
}
}
}
fragment TradingAccountParts on TradingAccount {
id
name
kind
currency
margin
halted
standing {
currency
equity
cash
unrealised
buyingPower
stale
reason
}
}` as unknown as TypedDocument<TradingAccountCreateMutation, TradingAccountCreateMutationVariables, "mutation">;
export const OrderPlaceDocument = `mutation OrderPlace($input: OrderPlaceInput!) {
orderPlace(input: $input) {
order {
...OrderParts
}
fills {
...FillParts
}
userErrors {
field
code
message
}
}
}
fragment OrderParts on Order {
id
accountId
clientOrderId
symbol
side
type
timeInForce
quantity
limitPrice
stopPrice
currency
status
reason
filledQuantity
averagePrice
version
createdAt
changedAt
}
fragment FillParts on OrderFill {
id
orderId
symbol
side
quantity
price
currency
fee
at
}` as unknown as TypedDocument<OrderPlaceMutation, OrderPlaceMutationVariables, "mutation">;
export const OrderCancelDocument = `mutation OrderCancel($input: OrderCancelInput!) {
orderCancel(input: $input) {
order {
...OrderParts
}
userErrors {
field
code
message
}
}
}
fragment OrderParts on Order {
id
accountId
clientOrderId
symbol
side
type
timeInForce
quantity
limitPrice
stopPrice
currency
status
reason
filledQuantity
averagePrice
version
createdAt
changedAt
}` as unknown as TypedDocument<OrderCancelMutation, OrderCancelMutationVariables, "mutation">;
export const WebhookEndpointsDocument = `query WebhookEndpoints($first: Int, $after: Cursor) {
webhookEndpoints(first: $first, after: $after) {
nodes {
...WebhookEndpointParts
}
pageInfo {
hasNextPage
endCursor
}
}
}
fragment WebhookEndpointParts on WebhookEndpoint {
id
url
description
eventTypes
status
disabledReason
failingSince
signing
publicKey
createdAt
}` as unknown as TypedDocument<WebhookEndpointsQuery, WebhookEndpointsQueryVariables, "query">;
export const WebhookEndpointCreateDocument = `mutation WebhookEndpointCreate($input: WebhookEndpointCreateInput!) {
webhookEndpointCreate(input: $input) {
webhookEndpoint {
...WebhookEndpointParts
}
secret
userErrors {
field
code
message
}
}
}
fragment WebhookEndpointParts on WebhookEndpoint {
id
url
description
eventTypes
status
disabledReason
failingSince
signing
publicKey
createdAt
}` as unknown as TypedDocument<WebhookEndpointCreateMutation, WebhookEndpointCreateMutationVariables, "mutation">;
export const WebhookEndpointDeleteDocument = `mutation WebhookEndpointDelete($input: WebhookEndpointDeleteInput!) {
webhookEndpointDelete(input: $input) {
webhookEndpointId
userErrors {
field
code
message
}
}
}` as unknown as TypedDocument<WebhookEndpointDeleteMutation, WebhookEndpointDeleteMutationVariables, "mutation">;
