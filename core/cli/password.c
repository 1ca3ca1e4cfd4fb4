/* password: the one-time password of the first log-in, from where the daemon left it for root (control/first_password.h). No daemon is
 * asked: whoever may read the file may know. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "control/first_password.h"

int cli_password(struct cli *cli)
{
	char path[FIRST_PASSWORD_PATH], user[FIRST_PASSWORD_WORD], password[FIRST_PASSWORD_WORD];
	struct error err = {0};

	first_password_path(cli->socket_path, path);
	int result = first_password_get(path, user, password, &err);
	if (result == FC_ENOENT)
		return cli_fail(cli, CLI_REFUSED, "none", NULL,
				"there is no one-time password: an administrator has an own one, or the page is off "
				"(forecourt account list)");
	if (result)
		return cli_fail(cli, CLI_REFUSED, "io", path, err.text);
	if (cli->json)
		printf("{\"user\":\"%s\",\"password\":\"%s\"}\n", user, password);
	else
		printf("%s %s\n", user, password);
	explicit_bzero(password, sizeof(password));
	return CLI_DONE;
}
