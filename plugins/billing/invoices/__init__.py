"""Plan periods, monthly invoices, their lines."""
