/* Where the page is found: what people type into a browser, by host name first, and what they compare there. */
#include <stdio.h>
#include <string.h>

#include "control/command.h"
#include "control/self_signed.h"

void control_set_page(struct control *control, const struct control_page *page)
{
	control->page = *page;
}

/* A host that is an address of IPv6 stands in brackets (RFC 3986). */
static void write_address(const struct control_page *page, const char *host, char text[CONTROL_PAGE_ADDRESS])
{
	int is_six = strchr(host, ':') != NULL, is_usual = page->port == (page->tls ? 443 : 80);
	char port[16] = "";

	if (!is_usual)
		(void)snprintf(port, sizeof(port), ":%d", page->port);
	(void)snprintf(text, CONTROL_PAGE_ADDRESS, "http%s://%s%.80s%s%s/", page->tls ? "s" : "", is_six ? "[" : "",
		       host, is_six ? "]" : "", port);
}

static int is_everywhere(const struct control_page *page)
{
	return !*page->address || !strcmp(page->address, "::") || !strcmp(page->address, "0.0.0.0");
}

void control_page_address(const struct control_page *page, char text[CONTROL_PAGE_ADDRESS])
{
	struct self_signed_names names;
	char host[SELF_SIGNED_HOST + 8];

	self_signed_look(&names);
	(void)snprintf(host, sizeof(host), "%s.lan", names.host);
	write_address(page, is_everywhere(page) ? host : page->address, text);
}

static void push_address(struct maker *m, struct value *list, const struct control_page *page, const char *host)
{
	char text[CONTROL_PAGE_ADDRESS];

	write_address(page, host, text);
	maker_push(m, list, value_string(m->arena, text));
}

/* As the LAN calls the box (dnsmasq's domain lan, mDNS' local), then its addresses. */
static void push_all(struct maker *m, struct value *list, const struct control_page *page)
{
	struct self_signed_names names;
	char host[SELF_SIGNED_HOST + 8];

	self_signed_look(&names);
	(void)snprintf(host, sizeof(host), "%s.lan", names.host);
	push_address(m, list, page, host);
	(void)snprintf(host, sizeof(host), "%s.local", names.host);
	push_address(m, list, page, host);
	/* But for the last two, which are for the box itself. */
	for (int i = 0; i < names.address_count - 2; i++)
		push_address(m, list, page, names.addresses[i]);
}

void control_put_page(const struct control *control, struct maker *m, struct value *root)
{
	const struct control_page *page = &control->page;
	struct value *o, *list;

	if (!page->is_on)
		return;
	o = value_object(m->arena);
	list = value_array(m->arena);
	if (is_everywhere(page))
		push_all(m, list, page);
	else
		push_address(m, list, page, page->address);
	maker_put(m, o, "addresses", list);
	if (page->tls)
		maker_flag(m, o, "self_signed", page->is_self_signed);
	maker_optional(m, o, "fingerprint", page->fingerprint);
	maker_put(m, root, "page", o);
}
