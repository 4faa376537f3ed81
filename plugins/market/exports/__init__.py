"""Long candle ranges as files: read from the address, fetched page by page, written and forgotten."""
