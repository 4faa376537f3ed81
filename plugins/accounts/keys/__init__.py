"""API keys and the short-lived access tokens that they mint."""
