"""Plans, usage, invoices."""
