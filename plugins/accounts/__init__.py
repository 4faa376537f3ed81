"""Tenants, people, keys, sessions, the audit trail: who may do what, and who did."""
