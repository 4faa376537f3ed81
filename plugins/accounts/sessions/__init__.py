"""Access and refresh tokens, browser sessions, and the authenticator."""
