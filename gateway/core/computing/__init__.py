"""Heavy functions beside the event loop: worker processes, and a queue in which tenants take turns."""
