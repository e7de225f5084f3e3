"""Functions of one number: activations, and what NumPy has beside math.h."""

TEXT = """\
/* What is greater; NaN before all. */
static real larger(real a, real b)
{
    return a > b || isnan(a) ? a : b;
}

/* What is less; NaN before all. */
static real smaller(real a, real b)
{
    return a < b || isnan(a) ? a : b;
}

/* -1, 0 or 1. */
static real sign_of(real x)
{
    return x > 0 ? 1 : x < 0 ? -1 : x;
}

/* What is left over by a division that is rounded down. */
static real remainder_of(real a, real b)
{
    const real rest = fmod(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

/* ln(e^a + e^b) */
static real log_sum(real a, real b)
{
    return a == b ? a + log(2.0) : larger(a, b) + log1p(exp(-fabs(a - b)));
}

/* max(0, x) */
static real relu(real x)
{
    return x < 0 ? 0 : x;
}

/* 1 / (1 + e^-x) */
static real sigmoid(real x)
{
    return 1.0 / (1.0 + exp(-x));
}

/* x where x > 0, else slope x */
static real leaky_relu(real x, real slope)
{
    return x > 0 ? x : slope * x;
}

/* x where x > 0, else alpha (e^x - 1) */
static real elu(real x, real alpha)
{
    return x > 0 ? x : alpha * expm1(x);
}

/* x where x > 0, else alpha (e^(x / alpha) - 1) */
static real celu(real x, real alpha)
{
    return x > 0 ? x : alpha * expm1(x / alpha);
}

/* scale x where x > 0, else scale alpha (e^x - 1), so that outputs keep mean 0 and variance 1 */
static real selu(real x)
{
    return 1.0507009873554804934 * (x > 0 ? x : 1.6732632423543772848 * expm1(x));
}

/* x within [low, high] */
static real hardtanh(real x, real low, real high)
{
    return x < low ? low : x > high ? high : x;
}

/* (x + 3) / 6 within [0, 1] */
static real hardsigmoid(real x)
{
    return hardtanh(x + 3.0, 0.0, 6.0) / 6.0;
}

/* x (x + 3) / 6, the factor within [0, 1] */
static real hardswish(real x)
{
    return x * hardtanh(x + 3.0, 0.0, 6.0) / 6.0;
}

/* x where |x| > bound, else 0 */
static real hardshrink(real x, real bound)
{
    return x >= -bound && x <= bound ? 0 : x;
}

/* x moved by bound towards 0 */
static real softshrink(real x, real bound)
{
    return x - hardtanh(x, -bound, bound);
}

/* x where x > bound, else value */
static real threshold(real x, real bound, real value)
{
    return x <= bound ? value : x;
}

/* ln(1 + e^(beta x)) / beta, x beyond the threshold */
static real softplus(real x, real beta, real threshold)
{
    return beta * x > threshold ? x : log1p(exp(beta * x)) / beta;
}

/* ln sigmoid(x) */
static real logsigmoid(real x)
{
    return (x > 0 ? 0 : x) - log1p(exp(-fabs(x)));
}

/* x / (1 + |x|) */
static real softsign(real x)
{
    return x / (fabs(x) + 1.0);
}

/* x sigmoid(x) */
static real silu(real x)
{
    return x * sigmoid(x);
}

/* x tanh(ln(1 + e^x)) = x n / (n + 2) with n = e^x (e^x + 2) */
static real mish(real x)
{
    const real e = exp(x > 20.0 ? 20.0 : x);
    const real n = e * (e + 2.0);
    return x * (n / (n + 2.0));
}

/* The normal distribution at x */
static real normal_cdf(real x)
{
    return 0.5 * erfc(-0.70710678118654752440 * x);
}

/* x times the normal distribution at x */
static real gelu(real x)
{
    return x * normal_cdf(x);
}

/* x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) */
static real gelu_tanh(real x)
{
    const real half = 0.5 * x;
    return half + half * tanh(x * (0.79788456080286535588 + 0.035677408136300125 * x * x));
}
"""
