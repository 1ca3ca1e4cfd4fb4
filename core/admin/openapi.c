/* The API as OpenAPI 3.1, from the tables of commands: `forecourtd --openapi`, /api/openapi.json, and a copy in rootfs that a test holds
 * against this. One line a path, so that a change is easy to see. */
#include <stdio.h>

#include "admin/inside.h"
#include "control/command.h"

static void text(FILE *to, const char *s)
{
	(void)fputc('"', to);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			(void)fputc('\\', to);
		(void)fputc(*s == '\n' ? ' ' : *s, to);
	}
	(void)fputc('"', to);
}

/* What is no more than a number to us is one. */
static void schema(FILE *to, const struct control_argument *a)
{
	if (a->kind == CONTROL_TEXT)
		fprintf(to, "{\"type\":\"string\",\"minLength\":%d,\"maxLength\":%d}", a->min, a->max);
	else if (a->kind == CONTROL_SECRET)
		fprintf(to, "{\"type\":\"string\",\"format\":\"password\",\"writeOnly\":true,\"maxLength\":%d}",
			a->max);
	else if (a->kind == CONTROL_DATE)
		fprintf(to, "{\"type\":\"string\",\"format\":\"date\"}");
	else if (a->kind == CONTROL_FLAG)
		fprintf(to, "{\"type\":\"boolean\"}");
	else if (a->kind == CONTROL_LIST)
		fprintf(to, "{\"type\":\"array\",\"items\":{},\"maxItems\":%d}", a->max);
	else if (a->kind == CONTROL_INT)
		fprintf(to, "{\"type\":\"integer\",\"minimum\":%d,\"maximum\":%d}", a->min, a->max);
	else
		fprintf(to, "{\"type\":\"number\"}");
}

static void query(FILE *to, const struct control_argument *a)
{
	const char *comma = "";

	fprintf(to, "\"parameters\":[");
	for (; a && a->name; a++) {
		fprintf(to, "%s{\"name\":\"%s\",\"in\":\"query\",\"required\":%s,\"schema\":", comma, a->name,
			a->required ? "true" : "false");
		schema(to, a);
		fprintf(to, "}");
		comma = ",";
	}
	fprintf(to, "]");
}

static void body(FILE *to, const struct control_argument *arguments)
{
	const char *comma = "";

	fprintf(to, "\"parameters\":[{\"$ref\":\"#/components/parameters/Csrf\"}],\"requestBody\":{\"content\":{"
		    "\"application/json\":{\"schema\":{\"type\":\"object\",\"properties\":{");
	for (const struct control_argument *a = arguments; a && a->name; a++) {
		fprintf(to, "%s\"%s\":", comma, a->name);
		schema(to, a);
		comma = ",";
	}
	fprintf(to, "},\"required\":[");
	comma = "";
	for (const struct control_argument *a = arguments; a && a->name; a++)
		if (a->required) {
			fprintf(to, "%s\"%s\"", comma, a->name);
			comma = ",";
		}
	fprintf(to, "],\"additionalProperties\":false}}}}");
}

#define REFUSED "\"default\":{\"$ref\":\"#/components/responses/Refused\"}"
#define OBJECT  "{\"description\":\"done\",\"content\":{\"application/json\":{\"schema\":{\"type\":\"object\"}}}}"
#define SESSION                        \
	"{\"description\":\"who that " \
	"is\",\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/Session\"}}}}"
#define TWO(a, b)                                                                                      \
	"\"requestBody\":{\"required\":true,\"content\":{\"application/"                               \
	"json\":{\"schema\":{\"type\":\"object\",\"properties\":{\"" a "\":{\"type\":\"string\"},\"" b \
	"\":{\"type\":\"string\",\"format\":\"password\"}},\"required\":[\"" a "\",\"" b "\"]}}}},"
#define CSRF_PLACE "\"parameters\":[{\"$ref\":\"#/components/parameters/Csrf\"}],"

/* What is no command. */
static const char *const others[] = {
    "\"/healthz\":{\"get\":{\"operationId\":\"healthz\",\"summary\":\"200 while all is well, else "
    "503\",\"security\":[],\"responses\":{\"200\":" OBJECT ",\"503\":{\"description\":\"sick\"}}}}",
    "\"/metrics\":{\"get\":{\"operationId\":\"metrics\",\"summary\":\"figures in Prometheus' text "
    "form\",\"x-forecourt-role\":\"viewer\","
    "\"responses\":{\"200\":{\"description\":\"text\",\"content\":{\"text/"
    "plain\":{\"schema\":{\"type\":\"string\"}}}}," REFUSED "}}}",
    "\"/api/login\":{\"post\":{\"operationId\":\"login\",\"summary\":\"begins a session; 429 with Retry-After after "
    "wrong passwords\",\"security\":[]," TWO("user", "password") "\"responses\":{\"200\":" SESSION "," REFUSED "}}}",
    "\"/api/logout\":{\"post\":{\"operationId\":\"logout\",\"summary\":\"ends the session\",\"security\":[]," CSRF_PLACE
    "\"responses\":{\"200\":" OBJECT "," REFUSED "}}}",
    "\"/api/session\":{\"get\":{\"operationId\":\"session\",\"summary\":\"who asks\",\"responses\":{\"200\":" SESSION
    "," REFUSED "}}}",
    "\"/api/password\":{\"post\":{\"operationId\":\"password\",\"summary\":\"an own password; all sessions of the "
    "account end, a new one begins\"," CSRF_PLACE TWO("old", "new") "\"responses\":{\"200\":" SESSION "," REFUSED "}}}",
    "\"/api/"
    "openapi.json\":{\"get\":{\"operationId\":\"openapi\",\"summary\":\"this\",\"x-forecourt-role\":\"viewer\","
    "\"responses\":{\"200\":" OBJECT "," REFUSED "}}}",
};

static const char head[] =
    "{\n\"openapi\":\"3.1.0\",\n"
    "\"info\":{\"title\":\"Forecourt\",\"version\":\"1\",\"license\":{\"name\":\"MIT\",\"identifier\":\"MIT\"},"
    "\"description\":\"A gateway of an "
    "EV-charging station. Looks are GET, acts are POST with a JSON object; a look may be a POST, too. Programs send a "
    "bearer token; a "
    "browser's session sends its X-Forecourt-Csrf with each POST. A look whose answer is a file (file, type, text or "
    "base64) is sent as a "
    "download with download=1. x-forecourt-role is the least role: viewer, operator, integrator, administrator.\"},\n"
    "\"servers\":[{\"url\":\"/\"}],\n"
    "\"security\":[{\"session\":[]},{\"token\":[]}],\n"
    "\"components\":{\n"
    "\"securitySchemes\":{\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"__Host-forecourt\"},"
    "\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"}},\n"
    "\"parameters\":{\"Csrf\":{\"name\":\"x-forecourt-csrf\",\"in\":\"header\",\"required\":false,\"description\":"
    "\"csrf of the session; "
    "not with a token\",\"schema\":{\"type\":\"string\"}}},\n"
    "\"responses\":{\"Refused\":{\"description\":\"400 wrong arguments, 401 nobody is logged in, 403 not allowed, 404 "
    "no such thing, 409 not "
    "now, 413 too large, 429 too many log-ins, 503 the box or a charger "
    "can't\",\"content\":{\"application/json\":{\"schema\":{\"$ref\":"
    "\"#/components/schemas/Refusal\"}}}}},\n"
    "\"schemas\":{\n"
    "\"Refusal\":{\"type\":\"object\",\"properties\":{\"code\":{\"type\":\"string\"},\"key\":{\"type\":\"string\","
    "\"description\":\"stable, for "
    "translations\"},\"error\":{\"type\":\"string\"}},\"required\":[\"code\",\"error\"]},\n"
    "\"Session\":{\"type\":\"object\",\"properties\":{\"user\":{\"type\":\"string\"},\"role\":{\"enum\":[\"viewer\","
    "\"operator\",\"integrator\","
    "\"administrator\"]},\"csrf\":{\"type\":\"string\"},\"must_change\":{\"type\":\"boolean\"},\"source\":{\"enum\":["
    "\"page\",\"configuration\","
    "\"token\"]}},\"required\":[\"user\",\"role\",\"csrf\",\"must_change\",\"source\"]}}},\n"
    "\"paths\":{\n";

static void command(FILE *to, const struct control_command *c)
{
	int is_act = c->deed == CONTROL_ACT;

	fprintf(to, "\"/api/%s\":{\"%s\":{\"operationId\":\"%s\",\"summary\":", c->name, is_act ? "post" : "get",
		c->name);
	text(to, c->about);
	fprintf(to, ",\"x-forecourt-role\":\"%s\",", control_role(c->right));
	if (is_act)
		body(to, c->arguments);
	else
		query(to, c->arguments);
	fprintf(to, ",\"responses\":{\"200\":" OBJECT "," REFUSED "}}}");
}

void admin_describe(FILE *to)
{
	const struct control_command *c;

	(void)fputs(head, to);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		fprintf(to, "%s%s", i ? ",\n" : "", others[i]);
	for (int i = 0; (c = control_command_at(control_tables, i)); i++) {
		fprintf(to, ",\n");
		command(to, c);
	}
	fprintf(to, "\n}\n}\n");
}
