"""Risk of portfolios: figures, correlation, stress, optimal weights, hedges, limits that are watched."""
