"""The guarded way to addresses that users give: read, resolve, check, pin, send; nothing goes inward by it."""
