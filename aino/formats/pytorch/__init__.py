"""PyTorch's ``.pt`` and ``.pth``: read without PyTorch, and without running what is in them.

Such a file is a pickle, a program for a small machine, and beside it the bytes of the tensors. The
machine here (`machine`) knows how to build numbers, text and containers, and of the names that a
pickle can call only those that build tensors (`names`); everything else is refused by its name.
"""
