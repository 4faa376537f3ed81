"""Paper and live trading: accounts, orders, positions, and the ledger behind them."""
