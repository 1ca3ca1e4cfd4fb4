/* The main of a target without libFuzzer: runs each file that it is given, and each file of each folder, once. Input is in memory
 * of just its size, so that the address sanitizer sees a read behind its end. The name comes first: the last one is the one that failed. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static int ran;

static int run_file(const char *path, size_t size)
{
	FILE *file = fopen(path, "rb");
	if (!file) {
		perror(path);
		return -1;
	}
	uint8_t *data = malloc(size ? size : 1);
	int whole = data && fread(data, 1, size, file) == size;
	(void)fclose(file);
	if (whole) {
		fprintf(stderr, "%s\n", path);
		(void)LLVMFuzzerTestOneInput(data, size);
		ran++;
	} else {
		fprintf(stderr, "%s: can't be read\n", path);
	}
	free(data);
	return whole ? 0 : -1;
}

static int run_path(const char *path)
{
	struct stat status;
	if (stat(path, &status) < 0) {
		perror(path);
		return -1;
	}
	if (!S_ISDIR(status.st_mode))
		return run_file(path, (size_t)status.st_size);
	struct dirent **names;
	int count = scandir(path, &names, NULL, alphasort), result = count < 0 ? -1 : 0;
	for (int i = 0; i < count; i++) {
		char below[4096];
		if (names[i]->d_name[0] != '.') {
			(void)snprintf(below, sizeof below, "%s/%s", path, names[i]->d_name);
			if (run_path(below) < 0)
				result = -1;
		}
		free(names[i]);
	}
	if (count >= 0)
		free(names);
	return result;
}

int main(int argc, char **argv)
{
	if (LLVMFuzzerInitialize && LLVMFuzzerInitialize(&argc, &argv) != 0)
		return 1;
	int result = 0;
	for (int i = 1; i < argc; i++)
		if (run_path(argv[i]) < 0)
			result = 1;
	printf("%d inputs\n", ran);
	return result;
}
