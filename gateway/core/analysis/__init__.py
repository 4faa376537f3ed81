"""What plugins of analysis ask of each other and of the core: prices on common dates, holdings, heavy computing."""
