"""Optimal weights under constraints, the efficient frontier, and the trades that lead there."""
