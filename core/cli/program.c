/* forecourt as a program of its own. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
	return cli_main(argc, argv, FORECOURT_VERSION);
}
