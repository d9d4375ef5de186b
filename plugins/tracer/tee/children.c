/* children.c: see children.h. */
#include "children.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Copies the next word to `word`, without its quotes. 1, 0 at the end, -1 where a quote is open. */
static int next_word(const char **text, char *word)
{
    const char *p = *text + strspn(*text, " \t");
    int quoted = 0;
    if (!*p) {
        return 0;
    }
    while (*p && (quoted || (*p != ' ' && *p != '\t'))) {
        if (*p == '"') {
            quoted = !quoted;
        } else {
            *word++ = *p;
        }
        p++;
    }
    *word = 0;
    *text = p;
    return quoted ? -1 : 1;
}

static child_text *add(child_text **list, size_t *count, size_t length)
{
    child_text *bigger = realloc(*list, (*count + 1) * sizeof *bigger);
    if (!bigger) {
        return NULL;
    }
    *list = bigger;
    child_text *child = &bigger[*count];
    child->id = malloc(length + 1);
    child->settings = calloc(1, length + 2); /* no longer than the text that they come from */
    if (!child->id || !child->settings) {
        free(child->id);
        free(child->settings);
        return NULL;
    }
    (*count)++;
    return child;
}

static int is_setting(const char *word)
{
    const char *equals = strchr(word, '=');
    return equals && equals > word && !strchr(word, '\n');
}

int children_parse(const char *text, child_text **list, size_t *count, char *why, size_t room)
{
    size_t length = strlen(text);
    char *word = malloc(length + 1);
    int got = 0;
    int wanted = 1; /* an id has to come */
    const char *problem = word ? NULL : "no memory for tracer-tee";
    *list = NULL;
    *count = 0;
    while (!problem && (got = next_word(&text, word)) == 1) {
        child_text *child = *count > 0 ? &(*list)[*count - 1] : NULL;
        if (wanted) {
            child = add(list, count, length);
            problem = child ? NULL : "no memory for tracer-tee";
            if (child) {
                strcpy(child->id, word);
                problem = strchr(word, '=') || strcmp(word, "and") == 0 || !*word
                              ? "to: word is no tracer (found %.60s, expected an id)"
                              : NULL;
            }
            wanted = 0;
        } else if (strcmp(word, "and") == 0) {
            wanted = 1;
        } else if (is_setting(word)) {
            strcat(strcat(child->settings, word), "\n");
        } else {
            problem = "to: word is no assignment (found %.60s, expected key=value or and)";
        }
    }
    if (!problem && got < 0) {
        problem = "to: quote is not closed (found the end, expected \")";
    } else if (!problem && wanted && *count > 0) {
        problem = "to: a tracer is missing (found the end, expected an id behind and)";
    }
    if (problem) {
        snprintf(why, room, problem, word ? word : "");
        children_free(*list, *count);
        *list = NULL;
        *count = 0;
    }
    free(word);
    return problem ? -1 : 0;
}

void children_free(child_text *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(list[i].id);
        free(list[i].settings);
    }
    free(list);
}
