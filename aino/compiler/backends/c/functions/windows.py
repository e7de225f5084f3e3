"""Windows that slide over images: convolutions, largest, means."""

#: How a window slides; what there is of it is given to the functions below.
WINDOW = """\
/* How a window slides over an image, {rows, columns}; a signal is an image of one row.
   before: how far it begins before the first row and column. */
struct window {
    int channels, outputs, groups;
    int size[2], result[2], kernel[2], stride[2], before[2], dilation[2];
};"""

TEXT = """\
/* Each output is the sum of windows of all channels of its group, times its weights, plus bias. */
static void convolution(const real *x, MATRIX(weight), const real *bias, real *y, int batch,
                        const struct window *w)
{
    const int rows = w->kernel[0], columns = w->kernel[1], height = w->size[0], width = w->size[1];
    const int inputs = w->channels / w->groups, each = w->outputs / w->groups;

    for (int n = 0; n < batch; n++, x += w->channels * height * width)
        for (int o = 0; o < w->outputs; o++)
            for (int i = 0; i < w->result[0]; i++)
                for (int j = 0; j < w->result[1]; j++) {
                    const int top = i * w->stride[0] - w->before[0];
                    const int left = j * w->stride[1] - w->before[1];
                    real sum = 0;
                    for (int c = 0; c < inputs; c++) {
                        const real *image = x + (o / each * inputs + c) * height * width;
                        for (int k = 0; k < rows; k++) {
                            const int row = top + k * w->dilation[0];
                            if (row < 0 || row >= height)
                                continue;
                            for (int l = 0; l < columns; l++) {
                                const int column = left + l * w->dilation[1];
                                if (column >= 0 && column < width)
                                    sum += image[row * width + column]
                                           * weight[((o * inputs + c) * rows + k) * columns + l];
                            }
                        }
                    }
                    *y++ = SCALED(sum, weight, o) + (bias ? bias[o] : 0);
                }
}

/* Each input is spread over a window of all outputs of its group, times its weights. */
static void convolution_transpose(const real *x, MATRIX(weight), const real *bias, real *y,
                                  int batch, const struct window *w)
{
    const int rows = w->kernel[0], columns = w->kernel[1];
    const int height = w->result[0], width = w->result[1];
    const int inputs = w->channels / w->groups, each = w->outputs / w->groups;

    for (int n = 0; n < batch; n++, y += w->outputs * height * width) {
        for (int o = 0; o < w->outputs; o++)
            for (int i = 0; i < height * width; i++)
                y[o * height * width + i] = bias ? bias[o] : 0;
        for (int c = 0; c < w->channels; c++)
            for (int i = 0; i < w->size[0]; i++)
                for (int j = 0; j < w->size[1]; j++, x++)
                    for (int o = 0; o < each; o++) {
                        real *image = y + (c / inputs * each + o) * height * width;
                        for (int k = 0; k < rows; k++) {
                            const int row = i * w->stride[0] - w->before[0] + k * w->dilation[0];
                            if (row < 0 || row >= height)
                                continue;
                            for (int l = 0; l < columns; l++) {
                                const int column = j * w->stride[1] - w->before[1]
                                                   + l * w->dilation[1];
                                if (column >= 0 && column < width)
                                    image[row * width + column] +=
                                        *x * weight[((c * each + o) * rows + k) * columns + l];
                            }
                        }
                    }
    }
}

/* The largest number of each window; NaN before all. */
static void largest(const real *x, real *y, int planes, const struct window *w)
{
    const int height = w->size[0], width = w->size[1];

    for (int p = 0; p < planes; p++, x += height * width)
        for (int i = 0; i < w->result[0]; i++)
            for (int j = 0; j < w->result[1]; j++) {
                real top = -INFINITY;
                for (int k = 0; k < w->kernel[0]; k++) {
                    const int row = i * w->stride[0] - w->before[0] + k * w->dilation[0];
                    if (row < 0 || row >= height)
                        continue;
                    for (int l = 0; l < w->kernel[1]; l++) {
                        const int column = j * w->stride[1] - w->before[1] + l * w->dilation[1];
                        if (column >= 0 && column < width)
                            top = larger(top, x[row * width + column]);
                    }
                }
                *y++ = top;
            }
}

/* The mean of each window: its sum by the divisor, or, where that is 0, by how many numbers it
   has; those of the padding count where counted is 1. */
static void average(const real *x, real *y, int planes, int divisor, int counted,
                    const struct window *w)
{
    const int height = w->size[0], width = w->size[1];

    for (int p = 0; p < planes; p++, x += height * width)
        for (int i = 0; i < w->result[0]; i++)
            for (int j = 0; j < w->result[1]; j++) {
                const int top = i * w->stride[0] - w->before[0];
                const int left = j * w->stride[1] - w->before[1];
                real sum = 0;
                int count = 0;
                for (int row = top; row < top + w->kernel[0]; row++)
                    for (int column = left; column < left + w->kernel[1]; column++)
                        if (row >= 0 && row < height && column >= 0 && column < width) {
                            sum += x[row * width + column];
                            count++;
                        } else if (counted && row < height + w->before[0]
                                   && column < width + w->before[1]) {
                            count++;
                        }
                *y++ = sum / (real)(divisor ? divisor : count);
            }
}

/* The mean of each part of an image that is parted into rows x columns, which may overlap. */
static void adaptive_average(const real *x, real *y, int planes, int height, int width, int rows,
                             int columns)
{
    for (int p = 0; p < planes; p++, x += height * width)
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++) {
                const int top = i * height / rows, end = ((i + 1) * height + rows - 1) / rows;
                const int left = j * width / columns;
                const int right = ((j + 1) * width + columns - 1) / columns;
                real sum = 0;
                for (int row = top; row < end; row++)
                    for (int column = left; column < right; column++)
                        sum += x[row * width + column];
                *y++ = sum / (real)((end - top) * (right - left));
            }
}

/* The largest number of each part of an image; NaN before all. */
static void adaptive_largest(const real *x, real *y, int planes, int height, int width, int rows,
                             int columns)
{
    for (int p = 0; p < planes; p++, x += height * width)
        for (int i = 0; i < rows; i++)
            for (int j = 0; j < columns; j++) {
                const int top = i * height / rows, end = ((i + 1) * height + rows - 1) / rows;
                const int left = j * width / columns;
                const int right = ((j + 1) * width + columns - 1) / columns;
                real most = -INFINITY;
                for (int row = top; row < end; row++)
                    for (int column = left; column < right; column++)
                        most = larger(most, x[row * width + column]);
                *y++ = most;
            }
}
"""
