/* kernels.c: what the speed program lets the guest do; freestanding, compiled for the guest. Each
 * kernel takes a count in r3 and returns a checksum in r3. */
typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned char u8;

/* Integer: lists, a state machine, a CRC and a small matrix product, as CoreMark mixes them. */
static u32 crc16(u32 value, u32 crc)
{
    for (u32 i = 0; i < 16; i++) {
        u32 carry = (crc ^ value) & 1;
        crc >>= 1;
        value >>= 1;
        if (carry) {
            crc ^= 0xA001;
        }
    }
    return crc;
}

struct node {
    struct node *next;
    short key, data;
};

__attribute__((section(".entry0"))) u32 kernel_integer(u32 count)
{
    static struct node nodes[64];
    static short a[8][8], b[8][8];
    u32 sum = 0, seed = 1;
    for (u32 i = 0; i < 64; i++) {
        seed = seed * 1103515245 + 12345;
        nodes[i].next = i + 1 < 64 ? &nodes[i + 1] : 0;
        nodes[i].key = (short)(seed >> 16);
        nodes[i].data = (short)i;
        a[i / 8][i % 8] = (short)(seed >> 20);
        b[i / 8][i % 8] = (short)(seed >> 12);
    }
    for (u32 round = 0; round < count; round++) {
        struct node *list = nodes, *reversed = 0;
        u32 state = 0, found = 0;
        for (struct node *n = list; n; n = n->next) {
            found += (u32)(n->key == (short)round);
            switch (state) {
            case 0:
                state = n->key & 1 ? 1 : 2;
                break;
            case 1:
                state = n->key > 0 ? 0 : 3;
                break;
            case 2:
                state = n->data & 4 ? 3 : 1;
                break;
            default:
                state = 0;
                break;
            }
        }
        for (struct node *n = list, *next; n; n = next) {
            next = n->next;
            n->next = reversed;
            reversed = n;
        }
        for (struct node *n = reversed, *prev = 0, *next; n; n = next) {
            next = n->next;
            n->next = prev;
            prev = n;
        }
        for (u32 i = 0; i < 8; i++) {
            for (u32 j = 0; j < 8; j++) {
                int dot = 0;
                for (u32 k = 0; k < 8; k++) {
                    dot += a[i][k] * b[k][j];
                }
                sum += (u32)dot;
            }
        }
        sum = crc16(sum ^ found ^ state, sum);
    }
    return sum;
}

/* Memory: byte-swapping copies and sums over 32 KiB. */
__attribute__((section(".entry1"))) u32 kernel_memory(u32 count)
{
    static u32 from[8192], to[8192];
    u32 sum = 0;
    for (u32 i = 0; i < 8192; i++) {
        from[i] = i * 2654435761u;
    }
    for (u32 round = 0; round < count; round++) {
        for (u32 i = 0; i < 8192; i++) {
            to[i] = __builtin_bswap32(from[i]) + round;
        }
        u8 *bytes = (u8 *)to;
        for (u32 i = 0; i < 8192; i++) {
            sum = (sum << 1 | sum >> 31) ^ bytes[i];
        }
    }
    return sum;
}

/* Floating point: points through a matrix, with a square root and a division each. */
__attribute__((section(".entry2"))) u32 kernel_float(u32 count)
{
    double m[9] = {0.5, 0.25, -1, 2, 0.125, 1, -0.5, 3, 1.5}, x = 1, y = 2, z = 3;
    float sum = 0;
    for (u32 i = 0; i < count; i++) {
        double nx = m[0] * x + m[1] * y + m[2] * z;
        double ny = m[3] * x + m[4] * y + m[5] * z;
        double nz = m[6] * x + m[7] * y + m[8] * z;
        double scale = 1 / (1 + nx * nx + ny * ny + nz * nz);
        x = nx * scale + 1, y = ny * scale, z = nz * scale + 0.5;
        sum += (float)x;
    }
    return (u32)(int)(sum * 16);
}
