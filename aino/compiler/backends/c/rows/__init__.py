"""Which functions and calls are written how; see ``aino/compiler/backends/c/table.py``."""

import aino.compiler.backends.c.rows.attention
import aino.compiler.backends.c.rows.dense
import aino.compiler.backends.c.rows.elementwise
import aino.compiler.backends.c.rows.recurrent
import aino.compiler.backends.c.rows.reduce
import aino.compiler.backends.c.rows.shape
import aino.compiler.backends.c.rows.windows
