"""Client of a Marketgate gateway: typed questions, streams that resume, histories as one frame, webhooks verified."""

from marketgate_client.aio import AsyncClient
from marketgate_client.client import Client
from marketgate_client.errors import (
    AccessError,
    ComputationError,
    ConnectionFailed,
    DataError,
    InstrumentError,
    InternalError,
    LimitError,
    MarketgateError,
    RequestError,
    UnavailableError,
)
from marketgate_client.frame import CandleFailure, CandleFrame, CandleRow
from marketgate_client.generated import Interval
from marketgate_client.http import Answer, Cost, Retry
from marketgate_client.streams import AsyncStream, Stream
from marketgate_client.wire import UNSET, Unset

__all__ = [
    "UNSET",
    "AccessError",
    "Answer",
    "AsyncClient",
    "AsyncStream",
    "CandleFailure",
    "CandleFrame",
    "CandleRow",
    "Client",
    "ComputationError",
    "ConnectionFailed",
    "Cost",
    "DataError",
    "InstrumentError",
    "InternalError",
    "Interval",
    "LimitError",
    "MarketgateError",
    "RequestError",
    "Retry",
    "Stream",
    "UnavailableError",
    "Unset",
]
