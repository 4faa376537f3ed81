"""The outbox: what happened, written in the transaction that did it, in one log a tenant."""
