"""Heavy questions as jobs: asked for now, answered later, kept for a week."""
