"""Accounts: made, changed, halted; who may look at them and trade with them."""
