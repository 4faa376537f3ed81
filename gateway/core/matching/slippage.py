"""How much worse than the market a taker's fill is. A maker's fill is at its own price."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from hashlib import sha256

from gateway.core.matching.model import Slippage
from gateway.core.matching.rounding import EXACT, FINEST, ONE, ZERO, ceil_to, floor_to, plain
from schema.words.orders import SlippageKind
from schema.words.trades import Side

BASIS = Decimal(10_000)
MILLION = 1_000_000


def jitter(seed: int, order: int, number: int) -> Decimal:
    """A number in [-1, 1] in millionths, the same for the same seed, order (its number in the account) and fill:
    SHA-256 of the three. So the same orders meet the same tape alike in each account, and in each run."""
    digest = sha256(f"{seed}\n{order}\n{number}".encode()).digest()
    return Decimal(int.from_bytes(digest[:8], "big") % (2 * MILLION + 1) - MILLION).scaleb(-6)


def fraction(model: Slippage, size: Decimal, volume: Decimal | None, noise: Decimal) -> Decimal:
    """The slippage as a fraction of the price, never below 0.

    BASIS_POINTS: `bps / 10,000`. VOLUME_SHARE: `impact × (size / volume)²`, the share at most 1, nothing where the
    volume is unknown (as in Zipline's VolumeShareSlippage). SIZE: `bps / 10,000 + per_unit × size + jitter × noise`.
    The last two are at most `most`. `size` in units is what one message fills of the order, over all levels.
    """
    with localcontext(EXACT):
        match model.kind:
            case SlippageKind.NONE:
                return ZERO
            case SlippageKind.BASIS_POINTS:
                return model.bps / BASIS
            case SlippageKind.VOLUME_SHARE:
                share = min(size / volume, ONE) if volume else ZERO
                return min(model.impact * share * share, model.most)
            case SlippageKind.SIZE:
                wanted = model.bps / BASIS + model.per_unit * size + model.jitter * noise
                return max(ZERO, min(wanted, model.most))


def worst(model: Slippage) -> Slippage:
    """The same at its worst, whatever order it is: what chance adds is always added."""
    if model.kind is not SlippageKind.SIZE:
        return model
    with localcontext(EXACT):
        return replace(model, bps=model.bps + model.jitter * BASIS, jitter=ZERO)


def slipped(side: Side, price: Decimal, part: Decimal, tick: Decimal | None, limit: Decimal | None = None) -> Decimal:
    """`price × (1 ± part)`: up for a purchase, down for a sale, never beyond the limit.

    It lies on the tick, rounded against the order; where none is known it has four digits more than the price.
    """
    if not part:
        return price
    with localcontext(EXACT):
        buy = side is Side.BUY
        exact = price * (1 + part) if buy else price * (1 - part)
        worse = _on_tick(exact, price, tick, buy)
        if worse <= 0:
            return price
        if limit is None:
            return worse
        return min(worse, max(limit, price)) if buy else max(worse, min(limit, price))


def _on_tick(exact: Decimal, price: Decimal, tick: Decimal | None, up: bool) -> Decimal:
    if tick is not None:
        return plain(ceil_to(exact, tick) if up else floor_to(exact, tick))
    digits = min(FINEST, 4 - min(0, int(price.as_tuple().exponent)))
    return plain(exact.quantize(ONE.scaleb(-digits), rounding=ROUND_CEILING if up else ROUND_FLOOR))
