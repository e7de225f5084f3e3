"""Windows: what a stretch of a signal is multiplied by before it is transformed."""
