#include "upstream/peer_url.h"

#include <string.h>

#include "base/error.h"

static int parse_port(const char *text, size_t len, int *port)
{
	int value = 0;

	if (len < 1 || len > 5)
		return FC_EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return FC_EINVAL;
		value = value * 10 + (text[i] - '0');
	}
	*port = value;
	return value >= 1 && value <= 65535 ? FC_OK : FC_EINVAL;
}

static int take(char *out, size_t size, const char *from, size_t len)
{
	if (len >= size)
		return FC_EINVAL;
	memcpy(out, from, len);
	out[len] = '\0';
	return FC_OK;
}

int peer_url_parse(const char *text, struct peer_url *url)
{
	*url = (struct peer_url){0};
	if (!strncmp(text, "https://", 8)) {
		url->tls = 1;
		url->port = 443;
		text += 8;
	} else if (!strncmp(text, "http://", 7)) {
		url->port = 80;
		text += 7;
	} else {
		return FC_EINVAL;
	}
	const char *host = text;
	size_t authority = strcspn(text, "/?#"), host_len;
	if (text[authority] && text[authority] != '/')
		return FC_EINVAL;
	const char *port;
	if (*host == '[') {
		host++;
		host_len = strcspn(host, "]/");
		if (host[host_len] != ']')
			return FC_EINVAL;
		port = host + host_len + 1;
	} else {
		host_len = strcspn(host, ":/");
		port = host + host_len;
	}
	const char *end = text + authority;
	if (!host_len || (port != end && *port != ':'))
		return FC_EINVAL;
	if (port != end && parse_port(port + 1, (size_t)(end - port) - 1, &url->port))
		return FC_EINVAL;
	size_t prefix = strlen(end);
	while (prefix && end[prefix - 1] == '/')
		prefix--;
	if (strcspn(end, "?#") < prefix)
		return FC_EINVAL;
	return take(url->host, sizeof(url->host), host, host_len) || take(url->prefix, sizeof(url->prefix), end, prefix)
		   ? FC_EINVAL
		   : FC_OK;
}
