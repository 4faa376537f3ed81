"""Layers around every HTTP answer, each a pure ASGI class."""
