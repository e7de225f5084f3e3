"""What the page uses of others, as it was published: see ``fetch.py``."""
