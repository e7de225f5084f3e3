"""Sequences: recurrent layers, attention."""

TEXT = """\
/* One layer over the steps of a sequence: h = f(W x + b + U h + c), f is tanh or relu. */
static void rnn(const real *x, int x_step, MATRIX(w), MATRIX(u), const real *b, const real *c,
                real *h, real *memory, real *y, int y_step, int steps, int features, int hidden,
                int backwards, int rectified)
{
    for (int n = 0; n < steps; n++) {
        const int t = backwards ? steps - 1 - n : n;
        linear(x + t * x_step, PASS(w), b, memory, 1, features, hidden);
        add_linear(h, PASS(u), c, memory, hidden, hidden);
        for (int i = 0; i < hidden; i++)
            y[t * y_step + i] = h[i] = rectified ? relu(memory[i]) : tanh(memory[i]);
    }
}

/* One layer over the steps of a sequence. Gates: input, forget, cell, output;
   s = forget s + input cell, h = output tanh(s). */
static void lstm(const real *x, int x_step, MATRIX(w), MATRIX(u), const real *b, const real *c,
                 real *h, real *s, real *memory, real *y, int y_step, int steps, int features,
                 int hidden, int backwards)
{
    for (int n = 0; n < steps; n++) {
        const int t = backwards ? steps - 1 - n : n;
        linear(x + t * x_step, PASS(w), b, memory, 1, features, 4 * hidden);
        add_linear(h, PASS(u), c, memory, hidden, 4 * hidden);
        for (int i = 0; i < hidden; i++) {
            const real *gate = memory + i;
            s[i] = sigmoid(gate[hidden]) * s[i] + sigmoid(gate[0]) * tanh(gate[2 * hidden]);
            y[t * y_step + i] = h[i] = sigmoid(gate[3 * hidden]) * tanh(s[i]);
        }
    }
}

/* One layer over the steps of a sequence. Gates: reset, update, new;
   new = tanh(W x + b + reset (U h + c)), h = (1 - update) new + update h. */
static void gru(const real *x, int x_step, MATRIX(w), MATRIX(u), const real *b, const real *c,
                real *h, real *memory, real *y, int y_step, int steps, int features, int hidden,
                int backwards)
{
    real *before = memory + 3 * hidden;

    for (int n = 0; n < steps; n++) {
        const int t = backwards ? steps - 1 - n : n;
        linear(x + t * x_step, PASS(w), b, memory, 1, features, 3 * hidden);
        linear(h, PASS(u), c, before, 1, hidden, 3 * hidden);
        for (int i = 0; i < hidden; i++) {
            const real reset = sigmoid(memory[i] + before[i]);
            const real update = sigmoid(memory[hidden + i] + before[hidden + i]);
            const real fresh = tanh(memory[2 * hidden + i] + reset * before[2 * hidden + i]);
            y[t * y_step + i] = h[i] = (1.0 - update) * fresh + update * h[i];
        }
    }
}

/* For each query a softmax over its products with the keys, times scale, plus mask; and the
   values weighed by it. A query that may look nowhere takes nothing. */
static void attention(const real *q, const real *k, const real *v, const real *mask, real *y,
                      real *scores, int q_step, int k_step, int v_step, int y_step, int queries,
                      int keys, int features, int values, real scale, int causal)
{
    for (int i = 0; i < queries; i++) {
        const int seen = causal && i + 1 < keys ? i + 1 : keys;
        real top = -INFINITY, sum = 0;
        for (int j = 0; j < seen; j++) {
            real score = 0;
            for (int f = 0; f < features; f++)
                score += q[i * q_step + f] * scale * k[j * k_step + f];
            scores[j] = score + (mask ? mask[i * keys + j] : 0);
            top = larger(top, scores[j]);
        }
        if (top == -INFINITY)
            top = 0;
        for (int j = 0; j < seen; j++)
            sum += scores[j] = exp(scores[j] - top);
        if (sum == 0)
            sum = 1;
        for (int f = 0; f < values; f++) {
            real found = 0;
            for (int j = 0; j < seen; j++)
                found += scores[j] * v[j * v_step + f];
            y[i * y_step + f] = found / sum;
        }
    }
}
"""
