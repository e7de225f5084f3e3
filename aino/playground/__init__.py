"""The playground: a page on this machine, on which a small network learns step by step."""
