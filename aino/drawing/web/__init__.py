"""The files of the page that shows a drawing: see ``aino/drawing/html.py``."""
