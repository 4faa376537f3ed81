"""The engine that sends: it writes deliveries, sends them, and settles what came of them."""
