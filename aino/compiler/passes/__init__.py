"""What is done to a program before it is written out: each pass is a function of a program."""
