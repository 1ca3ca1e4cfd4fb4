/* A vendor's register list (CSV) to the draft of a profile: whatever the list is, the draft loads (cli/skeleton.h). */
#include "base/error.h"
#include "bytes.h"
#include "cli/csv_read.h"
#include "cli/skeleton.h"
#include "device/report.h"
#include "lua_text.h"

enum { DRAFT = 1 << 20 };

static int lines;

static void bad_row(void *user, int line, const char *what)
{
	(void)user;
	fuzz_check(line >= 1 && line <= lines && what[0]);
}

static void check_rows(const uint8_t *data, size_t size)
{
	char *text = copy_of(data, size, 1);
	struct csv_reader reader;
	struct csv_row row;
	int before = 0;

	csv_reader_init(&reader, text, size);
	while (csv_read_row(&reader, &row)) {
		fuzz_check(row.count >= 1 && row.count <= CSV_FIELDS && row.line > before && row.line <= lines);
		before = row.line;
		for (int i = 0; i < row.count; i++)
			fuzz_check(row.fields[i] >= text && row.fields[i] + strlen(row.fields[i]) <= text + size);
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = {0};
	struct buffer out;
	char *text = copy_of(data, size, 1);

	fuzz_quiet();
	lines = 1;
	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n' || data[i] == '\r';
	check_rows(data, size);
	buffer_init(&out, DRAFT);
	int result = skeleton_make("a list.csv", text, size, bad_row, NULL, &out, &err);
	if (result < 0) {
		fuzz_check((result == FC_EINVAL || result == FC_ELIMIT) && err.text[0]);
	} else {
		profile_free(lua_text_draft(&out));
	}
	buffer_fini(&out);
	free(text);
	return 0;
}
