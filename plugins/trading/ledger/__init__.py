"""The ledger: double entry, exact, never changed; balances are what its entries sum to."""
