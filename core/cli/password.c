/* password: the one-time password of the first log-in, from where the daemon left it for root (control/first_password.h). No daemon is
 * asked: whoever may read the file may know. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "control/first_password.h"

int cli_password(struct cli *cli)
{
	char path[FIRST_PASSWORD_PATH], line[200] = "", *password;

	first_password_path(cli->socket_path, path);
	FILE *in = fopen(path, "r");
	if (!in)
		return errno == ENOENT
			   ? cli_fail(
				 cli, CLI_REFUSED, "none", NULL,
				 "there is no one-time password: an administrator has an own one, or the page is off "
				 "(forecourt account list)")
			   : cli_fail(cli, CLI_REFUSED, "io", path, strerror(errno));
	if (fgets(line, sizeof(line), in))
		line[strcspn(line, "\n")] = '\0';
	(void)fclose(in);
	password = strchr(line, ' ');
	if (!password)
		return cli_fail(cli, CLI_REFUSED, "io", path, "can't be read");
	*password++ = '\0';
	if (cli->json)
		printf("{\"user\":\"%s\",\"password\":\"%s\"}\n", line, password);
	else
		printf("%s %s\n", line, password);
	explicit_bzero(line, sizeof(line));
	return CLI_DONE;
}
