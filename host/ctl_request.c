/* ctl_request.c: what a running weft answers: status, quit, and the requests about its tracer and its
 * policy. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"

#define SETTINGS_LIMIT 256 /* of one exchange */

/* ---- answers -----------------------------------------------------------------------------------
 */

static void refuse_list(ctl_client *client, int code, const errors *list)
{
    buffer *out = &client->answer;
    buffer_format(out, "{\"ok\": false, \"code\": %d, \"errors\": [", code);
    for (size_t i = 0; i < list->count; i++) {
        buffer_text(out, i ? ", " : "");
        buffer_json(out, list->lines[i]);
    }
    buffer_text(out, "]}\n");
}

void ctl_refuse(ctl_client *client, int code, const char *sentence)
{
    char *line = text_copy(sentence);
    refuse_list(client, code, &(errors){&line, 1});
    free(line);
}

static int refuse_field(ctl_client *client, const char *field, const char *expected)
{
    char *line = text_format("ctl: request has no usable field %s (found none, expected %s)", field,
                             expected);
    ctl_refuse(client, EXIT_USAGE, line);
    free(line);
    return CTL_ANSWERED;
}

static const char *text_of(const ctl_client *client, const char *field)
{
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(client->request, field));
}

/* Hands a request to the drain. */
static int ask(ctl_client *client, run *r, drain_request *request)
{
    if (events_post(&r->events, request)) {
        return CTL_LATER;
    }
    client->asked = request;
    return CTL_GOES_ON;
}

/* ---- status, flush, dump, quit -----------------------------------------------------------------
 */

static int begin_status(ctl_client *client, run *r)
{
    client->look = look_request_of(0);
    return ask(client, r, &client->look.request);
}

static int begin_flush(ctl_client *client, run *r)
{
    client->look = look_request_of(1);
    return ask(client, r, &client->look.request);
}

static void answer_look(ctl_client *client, run *r)
{
    const look_request *look = &client->look;
    const char *path = tracers_file(r, &look->tracer);
    buffer *out = &client->answer;
    char *title = text_file_name(r->options.title);
    buffer_format(out, "{\"ok\": true, \"pid\": %ld, \"title\": ", (long)getpid());
    buffer_json(out, title);
    buffer_format(out,
                  ", \"seconds\": %.3f, \"ticks\": %llu, \"frames\": %llu, \"sequence\": %llu, "
                  "\"guest_events\": %llu, \"tracer\": {\"id\": ",
                  run_seconds(r), (unsigned long long)look->tick, (unsigned long long)look->frames,
                  (unsigned long long)look->sequence, (unsigned long long)look->guest);
    buffer_json(out, look->tracer.id);
    buffer_format(out, ", \"first\": %llu, \"path\": ", (unsigned long long)look->first);
    buffer_json(out, path ? path : "");
    buffer_text(out, "}, \"policy\": ");
    buffer_json(out, policies_id(r));
    buffer_format(out, ", \"policy_ejected\": %s", policies_ejected(r) ? "true" : "false");
    buffer_format(out, ", \"ending\": %s}\n", atomic_load(&r->stop) ? "true" : "false");
    free(title);
}

static int begin_dump(ctl_client *client, run *r)
{
    client->dump = tracers_dump_of();
    return ask(client, r, &client->dump.request);
}

static void answer_dump(ctl_client *client, run *r)
{
    if (client->dump.status == WEFT_OK) {
        buffer_text(&client->answer, "{\"ok\": true, \"path\": ");
        buffer_json(&client->answer, client->dump.path ? client->dump.path : "");
        buffer_text(&client->answer, "}\n");
    } else {
        ctl_refuse(client, EXIT_PLUGIN, client->dump.why);
    }
}

static int begin_quit(ctl_client *client, run *r)
{
    run_stop(r, "ended by weft ctl");
    buffer_text(&client->answer, "{\"ok\": true}\n");
    return CTL_ANSWERED;
}

/* ---- exchanging the tracer ---------------------------------------------------------------------
 */

static void answer_swap(void *context, int code, const swap_request *swap, const errors *list)
{
    ctl_client *client = context;
    if (code) {
        refuse_list(client, code, list);
        return;
    }
    buffer_text(&client->answer, "{\"ok\": true, \"tracer\": ");
    buffer_json(&client->answer, swap->next.id);
    buffer_text(&client->answer, ", \"before\": ");
    buffer_json(&client->answer, swap->old.id);
    buffer_format(&client->answer, ", \"first\": %llu}\n", (unsigned long long)swap->first);
}

/* What the request wants; `settings` has room for SETTINGS_LIMIT. 0 after answering why that is
 * nothing. */
static int read_wish(ctl_client *client, const char *what, char **settings, tracer_wish *wish)
{
    const char *id = text_of(client, "id");
    const cJSON *set = cJSON_GetObjectItemCaseSensitive(client->request, "set"), *item;
    size_t count = 0;
    if (!id) {
        refuse_field(client, "id", what);
        return 0;
    }
    if (set && (!cJSON_IsArray(set) || cJSON_GetArraySize(set) > SETTINGS_LIMIT)) {
        refuse_field(client, "set", "at most 256 texts");
        return 0;
    }
    cJSON_ArrayForEach(item, set)
    {
        if (!cJSON_IsString(item)) {
            refuse_field(client, "set", "texts such as path=b.jsonl");
            return 0;
        }
        settings[count++] = item->valuestring;
    }
    *wish = (tracer_wish){.id = id, .settings = settings, .count = count};
    return 1;
}

/* Makes the tracer that the request wants; 0 after answering why not. */
static int make_tracer(ctl_client *client, run *r)
{
    const char *folder = text_of(client, "folder");
    char *settings[SETTINGS_LIMIT];
    tracer_wish wish;
    errors list = {0};
    int code;
    if (!read_wish(client, "the id of a tracer", settings, &wish)) {
        return 0;
    }
    client->tracer = tracers_make(r, &wish, folder && *folder == '/' ? folder : NULL, &list, &code);
    if (!client->tracer) {
        refuse_list(client, code, &list);
    }
    errors_free(&list);
    return client->tracer != NULL;
}

static int begin_swap(ctl_client *client, run *r)
{
    if (!client->tracer && !make_tracer(client, r)) {
        return CTL_ANSWERED;
    }
    if (tracers_swap_begin(r, client->tracer, answer_swap, client)) {
        return CTL_LATER;
    }
    client->tracer = NULL;
    return CTL_GOES_ON;
}

/* ---- exchanging the policy ---------------------------------------------------------------------
 */

static void answer_policy(void *context, const policy_instance *now, const char *before)
{
    ctl_client *client = context;
    buffer_text(&client->answer, "{\"ok\": true, \"policy\": ");
    buffer_json(&client->answer, now->part.plugin->desc->id);
    buffer_text(&client->answer, ", \"before\": ");
    buffer_json(&client->answer, before);
    buffer_format(&client->answer, ", \"slices\": %llu}\n", (unsigned long long)now->slices);
}

static int make_policy(ctl_client *client, run *r)
{
    char *settings[SETTINGS_LIMIT];
    tracer_wish wish;
    errors list = {0};
    int code;
    if (!read_wish(client, "the id of a policy", settings, &wish)) {
        return 0;
    }
    client->policy = policies_make(r, &wish, &list, &code);
    if (!client->policy) {
        refuse_list(client, code, &list);
    }
    errors_free(&list);
    return client->policy != NULL;
}

static int begin_policy(ctl_client *client, run *r)
{
    if (!client->policy && !make_policy(client, r)) {
        return CTL_ANSWERED;
    }
    if (policies_swap_begin(r, client->policy, answer_policy, client)) {
        return CTL_LATER;
    }
    client->policy = NULL;
    return CTL_GOES_ON;
}

/* ---- the table ---------------------------------------------------------------------------------
 */

static const struct {
    const char *name;
    int (*begin)(ctl_client *client, run *r);
} requests[] = {
    {"status", begin_status},      {"quit", begin_quit},        {"tracer.swap", begin_swap},
    {"tracer.flush", begin_flush}, {"tracer.dump", begin_dump}, {"policy.swap", begin_policy},
};
#define REQUESTS (sizeof requests / sizeof requests[0])

int ctl_request_begin(ctl_client *client, run *r)
{
    const char *name = text_of(client, "request");
    const char *names[REQUESTS];
    if (!name) {
        return refuse_field(client, "request", "its name");
    }
    for (size_t i = 0; i < REQUESTS; i++) {
        if (strcmp(requests[i].name, name) == 0) {
            return requests[i].begin(client, r);
        }
        names[i] = requests[i].name;
    }
    const char *near = text_nearest(name, names, REQUESTS);
    errors list = {0};
    errors_add(&list, "ctl", "request is unknown (found %.60s, expected %s)", name,
               near ? near : "status, quit, tracer.swap, tracer.flush, tracer.dump or policy.swap");
    refuse_list(client, EXIT_USAGE, &list);
    errors_free(&list);
    return CTL_ANSWERED;
}

int ctl_request_go_on(ctl_client *client, run *r)
{
    if (client->asked && events_done(&r->events, client->asked)) {
        (client->asked == &client->dump.request ? answer_dump : answer_look)(client, r);
        client->asked = NULL;
    }
    return client->answer.length > 0 ? CTL_ANSWERED : CTL_GOES_ON;
}

void ctl_request_free(ctl_client *client)
{
    free(client->dump.path);
    free(client->dump.why);
}
