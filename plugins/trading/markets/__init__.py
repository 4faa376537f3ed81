"""Instruments, prices and rates, as accounts trade on them."""
