/* fuzz-seeds-ctl DIR: requests as `weft ctl` sends them (docs/trace.md, "Talking to a running
 * title"), and some that are nearly ones, as inputs of the fuzz target `ctl`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const lines[] = {
    "{\"request\": \"status\"}\n",
    "{\"request\": \"quit\"}\n",
    "{\"request\": \"tracer.flush\"}\n",
    "{\"request\": \"tracer.dump\"}\n",
    "{\"request\": \"tracer.swap\", \"id\": \"none\", \"set\": [], \"folder\": \"/tmp\"}\n",
    "{\"request\": \"tracer.swap\", \"id\": \"jsonl\", \"set\": [\"path=b.jsonl\", "
    "\"kinds=sync.*\"]}\n",
    "{\"request\": \"policy.swap\", \"id\": \"conservative\", \"set\": [\"seed=5\"]}\n",
    "{\"request\": \"stauts\", \"a\": [1, -2.5e300, true, null, {\"b\": "
    "\"\\u00e9\\ud83d\\ude00\"}]}\n",
    "[[[[[[[[{\"request\": \"status\"}]]]]]]]]\n",
    "{\"request\": \"status\"} {}\n{\"request\": \"quit\"}\n",
    "{\"request\": \"status\"",
};

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: fuzz-seeds-ctl DIR\n", stderr);
        return 2;
    }
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/seed.%zu", argv[1], i);
        FILE *file = fopen(path, "wb");
        int first = i % 3 == 2 ? 20 : i == 9 ? 254 : 0; /* some in two pieces, one too long */
        if (!file || fputc(first, file) == EOF || fputs(lines[i], file) < 0 || fclose(file)) {
            perror(path);
            return 1;
        }
    }
    return 0;
}
