"""What AINO was built for: the CPU alone."""

cuda: str | None = None
hip: str | None = None
xpu: str | None = None
git_version: str | None = None
debug = False
