"""What portfolios are worth: now, on a day of the past, day by day."""
