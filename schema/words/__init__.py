"""One module a subject: its model, its ask and its capability stand together."""
