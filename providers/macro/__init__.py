"""Economic series and interest rates."""
