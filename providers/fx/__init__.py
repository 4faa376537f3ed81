"""Exchange rates and central banks."""
