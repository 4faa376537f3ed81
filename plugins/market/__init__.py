"""Market data: quotes, candles, books, trades, instruments, rates, consensus and the providers themselves."""
