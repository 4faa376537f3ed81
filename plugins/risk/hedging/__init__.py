"""What futures, perpetuals and funds would do against a position, as proposals that can be traded."""
