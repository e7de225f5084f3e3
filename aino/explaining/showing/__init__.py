"""What notebooks show of tensors, modules and histories by themselves: ``_repr_html_``.

Its files are imported when a notebook first asks for one of them.
"""
