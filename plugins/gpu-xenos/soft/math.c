#include "math.h"

#include "part.h"

/* 1.5 * 2^52: a double of magnitude below 2^51 that is added to it is rounded to an integer, which
 * then stands in the sum's low bits. */
#define ROUNDER 0x1.8p52

static part_d widen(part_f v)
{
    return __builtin_convertvector(v, part_d);
}

static part_f narrow(part_d v)
{
    return __builtin_convertvector(v, part_f);
}

/* 2^x = 2^n * e^(f ln 2) with n the nearest integer and |f| <= 1/2. The Taylor series to f^11 leaves
 * (ln 2 / 2)^12 / 12! = 2^-47. */
static part_f exp2_part(part_f x)
{
    static const double series[12] = {
        1.0,
        0.693147180559945309417232121458,
        0.240226506959100712333551263163,
        0.0555041086648215799531422637686,
        0.00961812910762847716197907157366,
        0.00133335581464284434234122219880,
        0.000154035303933816099544370973327,
        0.0000152527338040598402800254390120,
        0.00000132154867901443094884037582283,
        1.01780860092396997274900075978e-7,
        7.05491162080112332987539218155e-9,
        4.44553827187081149759640855889e-10,
    };
    part_i low = x < -126.0f; /* the result is denormal: +0 */
    part_i high = x >= 128.0f;
    part_i nan = x != x;
    part_d d = widen((part_f)((part_i)x & ~(low | high | nan)));
    part_d shifted = d + ROUNDER;
    part_d f = d - (shifted - ROUNDER);
    part_d sum = (part_d){0} + series[11];
    UNROLL for (int i = 10; i >= 0; i--)
    {
        sum = sum * f + series[i];
    }
    part_d scale = (part_d)(((part_l)shifted + 1023u) << 52);
    part_f result = narrow(sum * scale);
    result = (part_f)((part_i)result & ~low);
    return part_select(high, part_splat(0x7F800000u), (part_f)((part_i)result | nan));
}

/* log2 x = e + 2/ln 2 * atanh((m - 1) / (m + 1)), m in sqrt(1/2)..sqrt(2): the argument s of atanh
 * stays below 0.172 and the series to s^17 leaves s^18 / 19 = 2^-50 of the result. */
static part_f log2_part(part_f x)
{
    static const double series[9] = {1.0,      1.0 / 3,  1.0 / 5,  1.0 / 7, 1.0 / 9,
                                     1.0 / 11, 1.0 / 13, 1.0 / 15, 1.0 / 17};
    part_u bits = (part_u)x;
    part_i e = (part_i)(bits - 0x3F3504F3u) >> 23;
    part_d m = widen((part_f)(bits - ((part_u)e << 23)));
    part_d s = (m - 1.0) / (m + 1.0);
    part_d square = s * s;
    part_d sum = (part_d){0} + series[8];
    UNROLL for (int i = 7; i >= 0; i--)
    {
        sum = sum * square + series[i];
    }
    part_d log = PART_WIDEN(e) + sum * s * 2.88539008177792681471984936200;
    part_f result = narrow(log);
    part_f infinity = part_splat(0x7F800000u);
    result = part_select(x == infinity, infinity, result);
    result = (part_f)((part_i)result | ~(x >= 0.0f));
    return part_select(x == 0.0f, -infinity, result);
}

/* pi/2 in three pieces: products of the first two with integers below 2^21 are exact. */
#define HALF_PI_1 0x1.921fb544p0
#define HALF_PI_2 0x1.0b4611a6p-34
#define HALF_PI_3 0x1.3198a2e037073p-69
/* Up to here the pieces serve; beyond, the fraction of x * 2/pi comes from integers. */
#define REDUCE_LIMIT 1048576.0f

/* Sine of r + quadrant * pi/2 for |r| <= pi/4 and a bit: series to r^15 and r^16, which leave less
 * than 2^-50. */
static part_d sine_of(part_d r, part_l quadrant)
{
    part_d square = r * r;
    part_d sine = (part_d){0} - 1.0 / 1307674368000.0;
    sine = sine * square + 1.0 / 6227020800.0;
    sine = sine * square - 1.0 / 39916800.0;
    sine = sine * square + 1.0 / 362880.0;
    sine = sine * square - 1.0 / 5040.0;
    sine = sine * square + 1.0 / 120.0;
    sine = sine * square - 1.0 / 6.0;
    sine = r + sine * square * r;
    part_d cosine = (part_d){0} + 1.0 / 20922789888000.0;
    cosine = cosine * square - 1.0 / 87178291200.0;
    cosine = cosine * square + 1.0 / 479001600.0;
    cosine = cosine * square - 1.0 / 3628800.0;
    cosine = cosine * square + 1.0 / 40320.0;
    cosine = cosine * square - 1.0 / 720.0;
    cosine = cosine * square + 1.0 / 24.0;
    cosine = cosine * square - 0.5;
    cosine = 1.0 + cosine * square;
    part_l odd = (part_l){0} - (quadrant & 1u);
    part_l value = (odd & (part_l)cosine) | (~odd & (part_l)sine);
    return (part_d)(value ^ ((quadrant & 2u) << 62));
}

/* x = r + quadrant * pi/2 for a finite x of any size. 2/pi to 256 bits; the integer m of x = m * 2^e
 * times the 128 bits of 2/pi from which the quadrant and its fraction come. Bits to the left only
 * add multiples of four quadrants. */
static double reduce_large(uint32_t bits, uint64_t *quadrant)
{
    static const uint32_t two_over_pi[8] = {0xA2F9836Eu, 0x4E441529u, 0xFC2757D1u, 0xF534DDC0u,
                                            0xDB629599u, 0x3C439041u, 0xFE5163ABu, 0xDEBBC561u};
    uint64_t m = (bits & 0x7FFFFFu) | 0x800000u;
    int32_t e = (int32_t)(bits >> 23 & 0xFF) - 150;
    /* Bit n after the point of 2/pi weighs 2^-n; times 2^e, those up to e - 2 weigh 4 and more. For
     * e below 2 the window starts in front of the point. */
    int32_t skip = e - 2;
    uint32_t window[4];
    for (int i = 0; i < 4; i++) {
        uint32_t word = 0;
        for (int b = 0; b < 32; b++) {
            int32_t at = skip + i * 32 + b;
            uint32_t bit = at >= 0 && at < 256 ? two_over_pi[at >> 5] >> (31 - (at & 31)) & 1u : 0u;
            word = word << 1 | bit;
        }
        window[i] = word;
    }
    /* The product modulo 2^128 as 4 words: two bits of quadrant, then the fraction. */
    uint64_t low = m * window[3];
    uint64_t sum2 = m * window[2] + (low >> 32);
    uint64_t sum1 = m * window[1] + (sum2 >> 32);
    uint64_t sum0 = m * window[0] + (sum1 >> 32);
    uint64_t high = sum0 << 32 | (sum1 & UINT32_MAX);
    uint64_t rest = sum2 << 32 | (low & UINT32_MAX);
    *quadrant = high >> 62;
    high = high << 2 | rest >> 62;
    rest <<= 2;
    double sign = 1.0;
    if (high >> 63) { /* beyond half: count back from the next quadrant */
        *quadrant += 1;
        rest = ~rest + 1;
        high = ~high + (rest == 0);
        sign = -1.0;
    }
    double fraction = (double)high * 0x1p-64 + (double)rest * 0x1p-128;
    if (bits >> 31) {
        sign = -sign;
        *quadrant = ~*quadrant + 1;
    }
    return sign * fraction * 0x1.921fb54442d18p0;
}

/* `ahead`: quadrants to add; 1 gives the cosine. */
static part_f sine_part(part_f x, uint64_t ahead)
{
    part_f magnitude = part_absolute(x);
    part_i small = magnitude <= REDUCE_LIMIT;
    part_d d = widen((part_f)((part_i)x & small));
    part_d shifted = d * 0.636619772367581343075535053490 + ROUNDER;
    part_d n = shifted - ROUNDER;
    part_d r = ((d - n * HALF_PI_1) - n * HALF_PI_2) - n * HALF_PI_3;
    part_l quadrant = (part_l)shifted;
    part_u bits = (part_u)x;
    for (int i = 0; i < SOFT_PART; i++) {
        if (!small[i] && (bits[i] & 0x7F800000u) != 0x7F800000u) {
            uint64_t which;
            r[i] = reduce_large(bits[i], &which);
            quadrant[i] = which;
        }
    }
    part_f result = narrow(sine_of(r, quadrant + ahead));
    /* Infinities and NaN; -0 keeps its sign where the sine is asked for. */
    result = (part_f)((part_i)result | ~(magnitude <= FLT_MAX));
    return ahead == 0 ? part_select(x == 0.0f, x, result) : result;
}

#define OVER_PARTS(NAME, CALL)                                                                     \
    void NAME(const soft_f *in, soft_f *out)                                                       \
    {                                                                                              \
        const part_f *from = (const part_f *)in;                                                   \
        part_f *to = (part_f *)out;                                                                \
        for (int i = 0; i < SOFT_PARTS; i++) {                                                     \
            to[i] = CALL;                                                                          \
        }                                                                                          \
    }

OVER_PARTS(soft_exp2, exp2_part(from[i]))
OVER_PARTS(soft_log2, log2_part(from[i]))
OVER_PARTS(soft_rcp, part_settle(1.0f / from[i]))
OVER_PARTS(soft_sin, sine_part(from[i], 0))
OVER_PARTS(soft_cos, sine_part(from[i], 1))

void soft_sqrt(const soft_f *in, soft_f *out)
{
    const float *from = (const float *)in;
    float root[SOFT_LANES] __attribute__((aligned(64)));
    for (int i = 0; i < SOFT_LANES; i++) {
        root[i] = __builtin_sqrtf(from[i]);
    }
    for (int i = 0; i < SOFT_PARTS; i++) {
        ((part_f *)out)[i] = part_settle(((const part_f *)root)[i]);
    }
}

void soft_rsq(const soft_f *in, soft_f *out)
{
    const float *from = (const float *)in;
    float root[SOFT_LANES] __attribute__((aligned(64)));
    for (int i = 0; i < SOFT_LANES; i++) {
        root[i] = (float)(1.0 / __builtin_sqrt((double)from[i]));
    }
    for (int i = 0; i < SOFT_PARTS; i++) {
        ((part_f *)out)[i] = part_settle(((const part_f *)root)[i]);
    }
}
