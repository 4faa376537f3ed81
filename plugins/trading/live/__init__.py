"""Accounts as they change."""
