"""Web search and videos."""
