"""A predictor as one file of C99: weights as constants, fixed memory, nothing but ``math.h``.

It is written from a recording (``aino/compiler/export/recording.py``): the compiler's trace with
what made it. The NumPy calls alone would do, but a layer's ten calls say less than its name: one
function of C for a layer is the smaller code, loops over a sequence stay loops, and the reader
finds the model again. So ``rows/`` has a row for each function that C has one of, and where a row
does not take what it is given the calls below it are written instead, loop by loop. Regions of the
program are places in C as they are (a pointer and strides), so that views cost nothing.

``translate`` goes through a recording and makes statements; ``memory`` gives what they work on
its places; ``file`` writes it all down.
"""
