"""Limits on a portfolio's risk: made, changed, told of when they are breached."""
