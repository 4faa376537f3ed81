"""Old rows in files: written before they are removed, listed, verified, brought back."""
