"""The small shows of ``python -m aino demo``: programs of a page, to be read and changed."""
