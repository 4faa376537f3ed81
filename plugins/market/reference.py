"""Public facts that no provider needs to be asked for: assets, currencies, well-known securities, indices, venues."""

from __future__ import annotations

from dataclasses import dataclass

from schema.currencies import FIATS, STABLES
from schema.symbols import AssetClass, InstrumentId, crypto, equity, fx
from schema.words.instruments import InstrumentType, type_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Fact:
    """What is publicly known about one instrument; `spellings` are other symbols that are in use for it."""

    instrument: InstrumentId
    name: str
    type: InstrumentType
    currency: str
    mic: str = ""
    isin: str | None = None
    figi: str | None = None
    spellings: tuple[str, ...] = ()


# In the order in which a list shows them.
ASSETS = {
    "BTC": "Bitcoin", "ETH": "Ethereum", "XRP": "XRP", "SOL": "Solana", "BNB": "BNB", "DOGE": "Dogecoin",
    "ADA": "Cardano", "TRX": "TRON", "LINK": "Chainlink", "AVAX": "Avalanche", "LTC": "Litecoin", "DOT": "Polkadot",
    "BCH": "Bitcoin Cash", "XLM": "Stellar", "SUI": "Sui", "HBAR": "Hedera", "SHIB": "Shiba Inu", "TON": "Toncoin",
    "UNI": "Uniswap", "NEAR": "NEAR Protocol", "AAVE": "Aave", "XMR": "Monero", "ETC": "Ethereum Classic",
    "ZEC": "Zcash", "PEPE": "Pepe", "ICP": "Internet Computer", "APT": "Aptos", "TAO": "Bittensor",
    "HYPE": "Hyperliquid", "POL": "Polygon Ecosystem Token", "ARB": "Arbitrum", "OP": "Optimism", "ATOM": "Cosmos Hub",
    "FIL": "Filecoin", "ALGO": "Algorand", "VET": "VeChain", "RENDER": "Render", "FET": "Artificial Superintelligence",
    "INJ": "Injective", "STX": "Stacks", "IMX": "Immutable", "TIA": "Celestia", "SEI": "Sei", "GRT": "The Graph",
    "CRV": "Curve DAO", "LDO": "Lido DAO", "MKR": "Maker", "ENA": "Ethena", "ONDO": "Ondo", "WLD": "Worldcoin",
    "JUP": "Jupiter", "BONK": "Bonk", "FLOKI": "FLOKI", "WIF": "dogwifhat", "TRUMP": "Official Trump", "KAS": "Kaspa",
    "QNT": "Quant", "CRO": "Cronos", "OKB": "OKB", "LEO": "LEO Token", "BGB": "Bitget Token", "MNT": "Mantle",
    "SAND": "The Sandbox", "MANA": "Decentraland", "AXS": "Axie Infinity", "GALA": "GALA", "CHZ": "Chiliz",
    "XTZ": "Tezos", "EOS": "EOS", "FLOW": "Flow", "THETA": "Theta Network", "EGLD": "MultiversX", "KAVA": "Kava",
    "SNX": "Synthetix", "COMP": "Compound", "YFI": "yearn.finance", "BAT": "Basic Attention Token",
    "ZRX": "0x Protocol", "DASH": "Dash", "NEO": "NEO", "IOTA": "IOTA", "RUNE": "THORChain", "PENDLE": "Pendle",
    "DYDX": "dYdX", "ENS": "Ethereum Name Service", "CAKE": "PancakeSwap", "BSV": "Bitcoin SV", "APE": "ApeCoin",
    "1INCH": "1inch", "SUSHI": "Sushi", "ZIL": "Zilliqa", "LPT": "Livepeer", "AR": "Arweave", "HNT": "Helium",
    "PYTH": "Pyth Network", "KCS": "KuCoin Token",
    "USDT": "Tether", "USDC": "USD Coin", "DAI": "Dai", "USDE": "Ethena USDe", "FDUSD": "First Digital USD",
    "PYUSD": "PayPal USD", "TUSD": "TrueUSD", "EURC": "EURC", "EURT": "Tether EUR",
    "WBTC": "Wrapped Bitcoin", "STETH": "Lido Staked Ether", "PAXG": "PAX Gold", "XAUT": "Tether Gold",
}  # fmt: skip
CURRENCIES = {
    "USD": "US Dollar", "EUR": "Euro", "GBP": "Pound Sterling", "JPY": "Japanese Yen", "CHF": "Swiss Franc",
    "AUD": "Australian Dollar", "CAD": "Canadian Dollar", "NZD": "New Zealand Dollar", "CNY": "Chinese Yuan",
    "SEK": "Swedish Krona", "NOK": "Norwegian Krone", "DKK": "Danish Krone", "PLN": "Polish Zloty",
    "CZK": "Czech Koruna", "HUF": "Hungarian Forint", "RON": "Romanian Leu", "BGN": "Bulgarian Lev",
    "HRK": "Croatian Kuna", "ISK": "Icelandic Krona", "TRY": "Turkish Lira", "RUB": "Russian Rouble",
    "UAH": "Ukrainian Hryvnia", "INR": "Indian Rupee", "KRW": "South Korean Won", "SGD": "Singapore Dollar",
    "HKD": "Hong Kong Dollar", "TWD": "New Taiwan Dollar", "THB": "Thai Baht", "MYR": "Malaysian Ringgit",
    "IDR": "Indonesian Rupiah", "PHP": "Philippine Peso", "VND": "Vietnamese Dong", "PKR": "Pakistani Rupee",
    "ILS": "Israeli New Shekel", "AED": "UAE Dirham", "SAR": "Saudi Riyal", "QAR": "Qatari Riyal",
    "KWD": "Kuwaiti Dinar", "EGP": "Egyptian Pound", "ZAR": "South African Rand", "NGN": "Nigerian Naira",
    "KES": "Kenyan Shilling", "MAD": "Moroccan Dirham", "MXN": "Mexican Peso", "BRL": "Brazilian Real",
    "ARS": "Argentine Peso", "CLP": "Chilean Peso", "COP": "Colombian Peso", "PEN": "Peruvian Sol",
}  # fmt: skip
METAL_NAMES = {"XAU": "Gold", "XAG": "Silver", "XPT": "Platinum", "XPD": "Palladium"}
NAMES = {**ASSETS, **CURRENCIES, **METAL_NAMES}

PAIRS = (
    "EUR/USD", "GBP/USD", "USD/JPY", "USD/CHF", "AUD/USD", "USD/CAD", "NZD/USD", "EUR/GBP", "EUR/JPY", "EUR/CHF",
    "GBP/JPY", "USD/CNY", "USD/INR", "USD/KRW", "USD/SEK", "USD/NOK", "USD/PLN", "USD/MXN", "USD/BRL", "USD/TRY",
    "USD/ZAR", "USD/SGD", "USD/HKD", "EUR/SEK", "EUR/NOK", "EUR/PLN", "EUR/CZK", "EUR/HUF",
)  # fmt: skip

# Name and currency of prices, by market identifier code (ISO 10383).
VENUES = {
    "XNAS": ("Nasdaq", "USD"), "XNYS": ("New York Stock Exchange", "USD"), "ARCX": ("NYSE Arca", "USD"),
    "XASE": ("NYSE American", "USD"), "BATS": ("Cboe BZX", "USD"), "XLON": ("London Stock Exchange", "GBP"),
    "XETR": ("Xetra", "EUR"), "XFRA": ("Frankfurt Stock Exchange", "EUR"), "XPAR": ("Euronext Paris", "EUR"),
    "XAMS": ("Euronext Amsterdam", "EUR"), "XBRU": ("Euronext Brussels", "EUR"), "XLIS": ("Euronext Lisbon", "EUR"),
    "XMIL": ("Borsa Italiana", "EUR"), "XMAD": ("Bolsa de Madrid", "EUR"), "XSWX": ("SIX Swiss Exchange", "CHF"),
    "XSTO": ("Nasdaq Stockholm", "SEK"), "XCSE": ("Nasdaq Copenhagen", "DKK"), "XHEL": ("Nasdaq Helsinki", "EUR"),
    "XOSL": ("Oslo Børs", "NOK"), "XTSE": ("Toronto Stock Exchange", "CAD"), "XTKS": ("Tokyo Stock Exchange", "JPY"),
    "XHKG": ("Hong Kong Exchanges", "HKD"), "XSHG": ("Shanghai Stock Exchange", "CNY"),
    "XSHE": ("Shenzhen Stock Exchange", "CNY"), "XASX": ("ASX", "AUD"), "XNSE": ("National Stock Exchange", "INR"),
    "XBOM": ("BSE", "INR"), "XKRX": ("Korea Exchange", "KRW"), "XTAI": ("Taiwan Stock Exchange", "TWD"),
}  # fmt: skip

# Identifiers only where they are certain; ticker, name, venue, ISIN, FIGI (of the listing's country).
_STOCKS = (
    ("AAPL", "Apple Inc.", "XNAS", "US0378331005", "BBG000B9XRY4"),
    ("MSFT", "Microsoft Corporation", "XNAS", "US5949181045", "BBG000BPH459"),
    ("NVDA", "NVIDIA Corporation", "XNAS", "US67066G1040", "BBG000BBJQV0"),
    ("AMZN", "Amazon.com, Inc.", "XNAS", "US0231351067", "BBG000BVPV84"),
    ("GOOGL", "Alphabet Inc. Class A", "XNAS", "US02079K3059", "BBG009S39JX6"),
    ("META", "Meta Platforms, Inc. Class A", "XNAS", "US30303M1027", "BBG000MM2P62"),
    ("TSLA", "Tesla, Inc.", "XNAS", "US88160R1014", "BBG000N9MNX3"),
    ("GOOG", "Alphabet Inc. Class C", "XNAS", "US02079K1079", "BBG009S3NB30"),
    ("AVGO", "Broadcom Inc.", "XNAS", "US11135F1012", ""),
    ("BRK.B", "Berkshire Hathaway Inc. Class B", "XNYS", "US0846707026", "BBG000DWG505"),
    ("BRK.A", "Berkshire Hathaway Inc. Class A", "XNYS", "US0846701086", ""),
    ("JPM", "JPMorgan Chase & Co.", "XNYS", "US46625H1005", "BBG000DMBXR2"),
    ("LLY", "Eli Lilly and Company", "XNYS", "US5324571083", ""),
    ("V", "Visa Inc.", "XNYS", "US92826C8394", "BBG000PSKYX7"),
    ("MA", "Mastercard Incorporated", "XNYS", "US57636Q1040", "BBG000F1ZSQ2"),
    ("XOM", "Exxon Mobil Corporation", "XNYS", "US30231G1022", "BBG000GZQ728"),
    ("NFLX", "Netflix, Inc.", "XNAS", "US64110L1061", "BBG000CL9VN6"),
    ("COST", "Costco Wholesale Corporation", "XNAS", "US22160K1051", "BBG000F6H8W8"),
    ("JNJ", "Johnson & Johnson", "XNYS", "US4781601046", "BBG000BMHYD1"),
    ("HD", "The Home Depot, Inc.", "XNYS", "US4370761029", "BBG000BKZB36"),
    ("BAC", "Bank of America Corporation", "XNYS", "US0605051046", "BBG000BCTLF6"),
    ("PG", "The Procter & Gamble Company", "XNYS", "US7427181091", "BBG000BR2TH3"),
    ("ORCL", "Oracle Corporation", "XNYS", "US68389X1054", "BBG000BQLTW7"),
    ("KO", "The Coca-Cola Company", "XNYS", "US1912161007", "BBG000BMX289"),
    ("AMD", "Advanced Micro Devices, Inc.", "XNAS", "US0079031078", "BBG000BBQCY0"),
    ("CSCO", "Cisco Systems, Inc.", "XNAS", "US17275R1023", "BBG000C3J3C9"),
    ("IBM", "International Business Machines Corporation", "XNYS", "US4592001014", "BBG000BLNNH6"),
    ("INTC", "Intel Corporation", "XNAS", "US4581401001", "BBG000C0G1D1"),
    ("DIS", "The Walt Disney Company", "XNYS", "US2546871060", "BBG000BH4R78"),
    ("MCD", "McDonald's Corporation", "XNYS", "US5801351017", "BBG000BNSZP1"),
    ("PFE", "Pfizer Inc.", "XNYS", "US7170811035", "BBG000BR2B91"),
    ("BA", "The Boeing Company", "XNYS", "US0970231058", "BBG000BCSST7"),
    ("CRM", "Salesforce, Inc.", "XNYS", "US79466L3024", ""),
    ("ADBE", "Adobe Inc.", "XNAS", "US00724F1012", ""),
    ("QCOM", "QUALCOMM Incorporated", "XNAS", "US7475251036", ""),
    ("CVX", "Chevron Corporation", "XNYS", "US1667641005", ""),
    ("NKE", "NIKE, Inc. Class B", "XNYS", "US6541061031", ""),
    ("GS", "The Goldman Sachs Group, Inc.", "XNYS", "US38141G1040", ""),
    ("F", "Ford Motor Company", "XNYS", "US3453708600", ""),
    ("GM", "General Motors Company", "XNYS", "US37045V1008", ""),
    ("T", "AT&T Inc.", "XNYS", "US00206R1023", ""),
    ("UBER", "Uber Technologies, Inc.", "XNYS", "US90353T1007", ""),
    ("PYPL", "PayPal Holdings, Inc.", "XNAS", "US70450Y1038", ""),
    ("COIN", "Coinbase Global, Inc. Class A", "XNAS", "US19260Q1076", ""),
    ("TSM", "Taiwan Semiconductor Manufacturing Company Limited ADR", "XNYS", "US8740391003", ""),
    ("VOD", "Vodafone Group Plc ADR", "XNAS", "US92857W3088", ""),
    ("SAP", "SAP SE ADR", "XNYS", "US8030542042", ""),
    ("ASML", "ASML Holding N.V. New York Registry Shares", "XNAS", "USN070592100", ""),
    ("NOK", "Nokia Corporation ADR", "XNYS", "US6549022043", ""),
    ("COP", "ConocoPhillips", "XNYS", "US20825C1045", ""),
    ("PEN", "Penumbra, Inc.", "XNYS", "US70975L1070", ""),
    # Namesakes of assets: whoever writes only such a ticker must say which is meant.
    ("BCH", "Banco de Chile ADR", "XNYS", "", ""),
    ("LTC", "LTC Properties, Inc.", "XNYS", "", ""),
    ("LINK", "Interlink Electronics, Inc.", "XNAS", "", ""),
    ("STX", "Seagate Technology Holdings plc", "XNAS", "", ""),
    ("DASH", "DoorDash, Inc. Class A", "XNAS", "", ""),
    ("SUI", "Sun Communities, Inc.", "XNYS", "", ""),
    ("APT", "Alpha Pro Tech, Ltd.", "XASE", "", ""),
    ("ATOM", "Atomera Incorporated", "XNAS", "", ""),
    ("TRX", "TRX Gold Corporation", "XASE", "", ""),
    ("AXS", "AXIS Capital Holdings Limited", "XNYS", "", ""),
    ("SNX", "TD SYNNEX Corporation", "XNYS", "", ""),
    ("CAKE", "The Cheesecake Factory Incorporated", "XNAS", "", ""),
    ("ENS", "EnerSys", "XNYS", "", ""),
    ("COMP", "Compass, Inc. Class A", "XNYS", "", ""),
)
_ETFS = (
    ("SPY", "SPDR S&P 500 ETF Trust", "ARCX", "US78462F1030", "BBG000BDTBL9"),
    ("QQQ", "Invesco QQQ Trust", "XNAS", "US46090E1038", "BBG000BSWKH7"),
    ("VOO", "Vanguard S&P 500 ETF", "ARCX", "US9229083632", ""),
    ("VTI", "Vanguard Total Stock Market ETF", "ARCX", "US9229087690", ""),
    ("IVV", "iShares Core S&P 500 ETF", "ARCX", "US4642872000", ""),
    ("IWM", "iShares Russell 2000 ETF", "ARCX", "US4642876555", ""),
    ("DIA", "SPDR Dow Jones Industrial Average ETF Trust", "ARCX", "US78467X1090", ""),
    ("EEM", "iShares MSCI Emerging Markets ETF", "ARCX", "US4642872349", ""),
    ("TLT", "iShares 20+ Year Treasury Bond ETF", "XNAS", "US4642874329", ""),
    ("GLD", "SPDR Gold Shares", "ARCX", "US78463V1070", ""),
    ("IBIT", "iShares Bitcoin Trust ETF", "XNAS", "US46438F1012", ""),
    ("NEAR", "iShares Short Duration Bond Active ETF", "BATS", "", ""),
)
# Listed outside the United States: ticker, name, venue, ISIN, FIGI, the spelling with a suffix.
_ABROAD = (
    ("VOD", "Vodafone Group Plc", "XLON", "GB00BH4HKS39", "BBG000C6K6G9", "VOD.L"),
    ("SHEL", "Shell plc", "XLON", "GB00BP6MXD84", "", "SHEL.L"),
    ("AZN", "AstraZeneca PLC", "XLON", "GB0009895292", "", "AZN.L"),
    ("HSBA", "HSBC Holdings plc", "XLON", "GB0005405286", "", "HSBA.L"),
    ("BP", "BP p.l.c.", "XLON", "GB0007980591", "", "BP.L"),
    ("RIO", "Rio Tinto Group", "XLON", "GB0007188757", "", "RIO.L"),
    ("SAP", "SAP SE", "XETR", "DE0007164600", "BBG000BG7DY8", "SAP.DE"),
    ("SIE", "Siemens AG", "XETR", "DE0007236101", "", "SIE.DE"),
    ("ASML", "ASML Holding N.V.", "XAMS", "NL0010273215", "", "ASML.AS"),
    ("MC", "LVMH Moët Hennessy Louis Vuitton SE", "XPAR", "FR0000121014", "", "MC.PA"),
    ("NESN", "Nestlé S.A.", "XSWX", "CH0038863350", "", "NESN.SW"),
    ("7203", "Toyota Motor Corporation", "XTKS", "JP3633400001", "", "7203.T"),
    ("0700", "Tencent Holdings Limited", "XHKG", "KYG875721634", "", "0700.HK"),
)
_INDICES = (
    ("SPX", "S&P 500", "USD", "^GSPC", "US78378X1072"),
    ("NDX", "Nasdaq-100", "USD", "^NDX", ""),
    ("DJI", "Dow Jones Industrial Average", "USD", "^DJI", ""),
    ("IXIC", "Nasdaq Composite", "USD", "^IXIC", ""),
    ("RUT", "Russell 2000", "USD", "^RUT", ""),
    ("VIX", "Cboe Volatility Index", "USD", "^VIX", ""),
    ("UKX", "FTSE 100", "GBP", "^FTSE", ""),
    ("DAX", "DAX", "EUR", "^GDAXI", "DE0008469008"),
    ("PX1", "CAC 40", "EUR", "^FCHI", "FR0003500008"),
    ("SX5E", "EURO STOXX 50", "EUR", "^STOXX50E", "EU0009658145"),
    ("SMI", "Swiss Market Index", "CHF", "^SSMI", "CH0009980894"),
    ("NKY", "Nikkei 225", "JPY", "^N225", "JP9010C00002"),
    ("HSI", "Hang Seng Index", "HKD", "^HSI", "HK0000004322"),
)  # fmt: skip


def pair_name(base: str, quote: str) -> str | None:
    """The name of a spot pair, where both sides are known."""
    first, second = NAMES.get(base), NAMES.get(quote)
    return f"{first} / {second}" if first and second else None


def _pair(instrument: InstrumentId, *spellings: str) -> Fact:
    base, quote = instrument.base, instrument.quote
    name = f"{NAMES[base]} / {NAMES[quote]}"
    return Fact(instrument=instrument, name=name, type=type_of(instrument), currency=quote, spellings=spellings)


def _listed(
    kind: InstrumentType, ticker: str, name: str, mic: str, isin: str, figi: str, spelling: str = ""
) -> Fact:  # fmt: skip
    # A security on its main US listing has no venue in its id.
    return Fact(
        instrument=equity(ticker, mic if spelling else ""), name=name, type=kind, currency=VENUES[mic][1], mic=mic,
        isin=isin or None, figi=figi or None, spellings=(spelling,) if spelling else (),
    )  # fmt: skip


def _index(code: str, name: str, currency: str, spelling: str, isin: str) -> Fact:
    return Fact(
        instrument=InstrumentId(asset_class=AssetClass.INDEX, base=code), name=name, type=InstrumentType.INDEX,
        currency=currency, isin=isin or None, spellings=(spelling,),
    )  # fmt: skip


def _metal(code: str) -> Fact:
    return _pair(InstrumentId(asset_class=AssetClass.COMMODITY, base=code, quote="USD"))


GROUPS: tuple[tuple[Fact, ...], ...] = (
    tuple(_pair(crypto(code, "USD")) for code in ASSETS),
    (
        *(_listed(InstrumentType.STOCK, *row) for row in _STOCKS),
        *(_listed(InstrumentType.ETF, *row) for row in _ETFS),
        *(_listed(InstrumentType.STOCK, *row) for row in _ABROAD),
    ),
    tuple(_pair(fx(*pair.split("/")), f"{pair.replace('/', '')}=X") for pair in PAIRS),
    tuple(_index(*row) for row in _INDICES),
    tuple(_metal(code) for code in METAL_NAMES),
)
"""Facts by kind, best known first."""

FACTS = {fact.instrument: fact for group in GROUPS for fact in group}


class PublicFacts:
    """schema.spelling.Directory over the committed facts alone.

    What providers list is left out on purpose: it changes while the process runs and differs between processes, and a
    spelling that meant one instrument yesterday must not mean another today.
    """

    def __init__(self) -> None:
        self._assets = STABLES | ASSETS.keys()
        self._securities: dict[str, tuple[InstrumentId, ...]] = {}
        for fact in FACTS.values():
            if fact.instrument.asset_class in (AssetClass.EQUITY, AssetClass.INDEX):
                for spelling in (fact.instrument.base, *fact.spellings):
                    self._securities[spelling] = (*self._securities.get(spelling, ()), fact.instrument)

    def is_fiat(self, code: str) -> bool:
        """A currency of ISO 4217."""
        return code in FIATS

    def is_asset(self, code: str) -> bool:
        """A crypto asset."""
        return code in self._assets

    def securities(self, ticker: str) -> tuple[InstrumentId, ...]:
        """Securities and indices that have this ticker, or are written so elsewhere."""
        return self._securities.get(ticker, ())
