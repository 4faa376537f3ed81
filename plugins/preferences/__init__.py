"""Which providers tenants prefer, refuse, and find too dear."""
