"""The table: what each function, primitive and call is in ONNX, one family a file."""

import aino.onnx.exporting.rows.activation
import aino.onnx.exporting.rows.attention
import aino.onnx.exporting.rows.convolution
import aino.onnx.exporting.rows.elementwise
import aino.onnx.exporting.rows.index
import aino.onnx.exporting.rows.join
import aino.onnx.exporting.rows.linear
import aino.onnx.exporting.rows.losses
import aino.onnx.exporting.rows.normalization
import aino.onnx.exporting.rows.pooling
import aino.onnx.exporting.rows.recurrent
import aino.onnx.exporting.rows.reduce
import aino.onnx.exporting.rows.resampling
import aino.onnx.exporting.rows.scatter
import aino.onnx.exporting.rows.shape
