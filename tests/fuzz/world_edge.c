/* The edges of world.h's station: answers that come later go to whoever called, and a password's hash is cheap (ld's --wrap). */
#include "world_edge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/scrypt.h"
#include "fuzz.h"

struct http_ticket {
	struct edge *edge;
	struct http_ticket *next;
};
static struct http_ticket *tickets;

struct http_ticket *__wrap_http_defer(const struct http_request *request);
int __wrap_http_answer(struct http_ticket *ticket, struct http_response *response);
int __wrap_scrypt_key(const void *password, size_t password_len, const void *salt, size_t salt_len, int cost, int block,
		      int parallel, unsigned char *out, size_t len);

struct http_ticket *__wrap_http_defer(const struct http_request *request)
{
	struct http_ticket *ticket = request->connection ? calloc(1, sizeof(*ticket)) : NULL;

	if (!ticket)
		return NULL;
	ticket->edge = request->connection;
	ticket->edge->owed++;
	ticket->next = tickets;
	tickets = ticket;
	return ticket;
}

int __wrap_http_answer(struct http_ticket *ticket, struct http_response *response)
{
	struct http_ticket **at = &tickets;
	struct edge *edge = ticket->edge;

	while (*at && *at != ticket)
		at = &(*at)->next;
	/* Each is answered once. */
	fuzz_check(*at);
	*at = ticket->next;
	if (edge) {
		edge->owed--;
		edge->answers++;
		edge_check(response);
		if (edge->check)
			edge->check(response);
		if (fuzz_shows())
			fprintf(stderr, "  later: %d %.300s\n", response->status,
				response->body.data ? response->body.data : "");
	}
	buffer_fini(&response->body);
	free(ticket);
	return !edge;
}

void edge_leave(struct edge *edge)
{
	for (struct http_ticket *t = tickets; t; t = t->next)
		if (!edge || t->edge == edge)
			t->edge = NULL;
}

/* No line that a header holds may be two. */
static void check_headers(const char *headers)
{
	for (const char *at = headers; at && *at;) {
		const char *end = strstr(at, "\r\n");

		fuzz_check(end && end > at);
		for (; at < end; at++)
			fuzz_check(*at != '\r' && *at != '\n');
		at = end + 2;
	}
}

void edge_check(const struct http_response *response)
{
	fuzz_check(response->status >= 200 && response->status < 600);
	fuzz_check(response->content_type && *response->content_type);
	fuzz_check(!response->body.failed);
	check_headers(response->headers);
}

/* Two passwords differ in it, and the time it takes is none. */
int __wrap_scrypt_key(const void *password, size_t password_len, const void *salt, size_t salt_len, int cost, int block,
		      int parallel, unsigned char *out, size_t len)
{
	const unsigned char *p = password, *s = salt;
	uint32_t mix = (uint32_t)(cost + block + parallel);

	for (size_t i = 0; i < password_len; i++)
		mix = mix * 16777619u ^ p[i];
	for (size_t i = 0; i < salt_len; i++)
		mix = mix * 16777619u ^ s[i];
	for (size_t i = 0; i < len; i++, mix = mix * 1103515245u + 12345u)
		out[i] = (unsigned char)(mix >> 16);
	return FC_OK;
}
