"""Invoices at the payment provider, and what it says of them."""
