"""Dense layers, tables, distributions over an axis, normalisation, where extremes stand."""

TEXT = """\
/* y = x W^T + b for each row of x; W has a row for each output. */
static void linear(const real *x, MATRIX(weight), const real *bias, real *y,
                   int rows, int inputs, int outputs)
{
    for (int row = 0; row < rows; row++, x += inputs, y += outputs)
        for (int o = 0; o < outputs; o++) {
            real sum = 0;
            for (int i = 0; i < inputs; i++)
                sum += x[i] * weight[o * inputs + i];
            y[o] = SCALED(sum, weight, o) + (bias ? bias[o] : 0);
        }
}

/* y += x W^T + b for one row. */
static void add_linear(const real *x, MATRIX(weight), const real *bias, real *y,
                       int inputs, int outputs)
{
    for (int o = 0; o < outputs; o++) {
        real sum = 0;
        for (int i = 0; i < inputs; i++)
            sum += x[i] * weight[o * inputs + i];
        y[o] += SCALED(sum, weight, o) + (bias ? bias[o] : 0);
    }
}

/* The rows of a table that the indices name. Returns 1 where one is out of bounds, else 0. */
static int embedding(MATRIX(table), const int64_t *index, real *y, int count, int rows, int width)
{
    for (int n = 0; n < count; n++) {
        if (index[n] < 0 || index[n] >= rows)
            return 1;
        const int row = (int)index[n];
        for (int i = 0; i < width; i++)
            y[n * width + i] = SCALED(table[row * width + i], table, row);
    }
    return 0;
}

/* y = e^x / sum e^x along the middle one of three dimensions. */
static void softmax(const real *x, real *y, int before, int length, int behind)
{
    for (int b = 0; b < before; b++)
        for (int r = 0; r < behind; r++) {
            const int first = b * length * behind + r, end = first + length * behind;
            real top = -INFINITY, sum = 0;
            for (int i = first; i < end; i += behind)
                top = larger(top, x[i]);
            for (int i = first; i < end; i += behind)
                sum += y[i] = exp(x[i] - top);
            for (int i = first; i < end; i += behind)
                y[i] /= sum;
        }
}

/* y = x - ln sum e^x along the middle one of three dimensions. */
static void log_softmax(const real *x, real *y, int before, int length, int behind)
{
    for (int b = 0; b < before; b++)
        for (int r = 0; r < behind; r++) {
            const int first = b * length * behind + r, end = first + length * behind;
            real top = -INFINITY, sum = 0;
            for (int i = first; i < end; i += behind)
                top = larger(top, x[i]);
            for (int i = first; i < end; i += behind)
                sum += exp(x[i] - top);
            sum = log(sum);
            for (int i = first; i < end; i += behind)
                y[i] = x[i] - top - sum;
        }
}

/* y = (x - mean) / sqrt(variance + eps) * weight + bias for each row. */
static void layer_norm(const real *x, const real *weight, const real *bias, real *y,
                       int rows, int length, real eps)
{
    for (int row = 0; row < rows; row++, x += length, y += length) {
        real mean = 0, variance = 0;
        for (int i = 0; i < length; i++)
            mean += x[i];
        mean /= (real)length;
        for (int i = 0; i < length; i++)
            variance += (x[i] - mean) * (x[i] - mean);
        const real scale = 1.0 / sqrt(variance / (real)length + eps);
        for (int i = 0; i < length; i++)
            y[i] = (x[i] - mean) * scale * (weight ? weight[i] : 1) + (bias ? bias[i] : 0);
    }
}

/* Where the largest stands along the middle one of three dimensions: the first, NaN before all. */
static void argmax(const real *x, int64_t *y, int before, int length, int behind)
{
    for (int b = 0; b < before; b++)
        for (int r = 0; r < behind; r++) {
            const real *line = x + b * length * behind + r;
            int best = 0;
            for (int i = 1; i < length; i++)
                if (!isnan(line[best * behind])
                    && (line[i * behind] > line[best * behind] || isnan(line[i * behind])))
                    best = i;
            y[b * behind + r] = best;
        }
}

/* Where the least stands along the middle one of three dimensions: the first, NaN before all. */
static void argmin(const real *x, int64_t *y, int before, int length, int behind)
{
    for (int b = 0; b < before; b++)
        for (int r = 0; r < behind; r++) {
            const real *line = x + b * length * behind + r;
            int best = 0;
            for (int i = 1; i < length; i++)
                if (!isnan(line[best * behind])
                    && (line[i * behind] < line[best * behind] || isnan(line[i * behind])))
                    best = i;
            y[b * behind + r] = best;
        }
}
"""
