"""What the fields of portfolios answer."""
