"""Figures of risk: prices and holdings gathered, sent to the processes that compute, shown as GraphQL."""
