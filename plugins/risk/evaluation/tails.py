"""The value at risk of a portfolio that is held, for limits."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from gateway.core.contract import Context
from gateway.core.ports import Holdings
from gateway.core.quant.refusals import NotComputable
from plugins.risk.analysis.basis import RISK, Basis, Span, read_panel
from plugins.risk.analysis.data import figure_of
from plugins.risk.analysis.subject import held_as_weights
from plugins.risk.analysis.words import MissingPrices
from plugins.risk.limits.kinds import SCALE, LimitRule, Measured
from schema.provenance import providers_of
from schema.words.figures import Figure


async def value_at_risk(context: Context, rule: LimitRule, held: Holdings) -> tuple[Figure, Measured, frozenset[str]]:
    """Historical, of a day, as a fraction of the portfolio's value; NotComputable says why there is none.

    Dates on which something that is held has no close are left out: the figure's count says how many returns remain.
    The providers are those of the closes.
    """
    subject, today = held_as_weights(held), context.now.date()
    span = Span(start=today - timedelta(days=rule.days), end=today)
    panel = await read_panel(context, list(subject.weights), span, subject.currency)
    basis = Basis(context=context, panel=panel, missing=MissingPrices.DROP_ROWS)
    weights = {str(instrument): weight for instrument, weight in subject.weights.items()}
    told = await basis.run(
        f"{RISK}:risk", list(subject.weights), weights=weights, cash=subject.cash, confidences=[rule.confidence]
    )
    tail = next(each for each in told["tails"] if each["kind"] == "historical")
    figure = figure_of(tail["value_at_risk"])
    if figure is None:
        raise NotComputable("; ".join(told["warnings"]) or "the value at risk cannot be reckoned")
    measured = Measured(value=Decimal(repr(figure.value)).quantize(SCALE).normalize())
    return figure, measured, providers_of(*panel.provenance)
