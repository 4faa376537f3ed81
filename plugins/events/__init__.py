"""What happened: the catalogue of events, an organisation's log of them, and the log as it grows."""
