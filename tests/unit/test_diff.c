/* cli/diff: what it tells turns the one text into the other, and is as short as it can be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/diff.h"
#include "base/error.h"

static void diff(const char *a, const char *b, struct buffer *out)
{
	buffer_clear(out);
	assert_int_equal(diff_unified(a, strlen(a), b, strlen(b), out), FC_OK);
	assert_int_equal(buffer_add(out, "", 1), FC_OK);
}

static void exactly(const char *a, const char *b, const char *expected)
{
	struct buffer out;

	buffer_init(&out, 1 << 20);
	diff(a, b, &out);
	assert_string_equal(out.data, expected);
	buffer_fini(&out);
}

static void known_ones(void **state)
{
	(void)state;
	exactly("", "", "");
	exactly("a\nb\n", "a\nb\n", "");
	exactly("", "a\n", "@@ -0,0 +1,1 @@\n+a\n");
	exactly("a\n", "", "@@ -1,1 +0,0 @@\n-a\n");
	exactly("a", "a\n", "@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n+a\n");
	exactly("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n",
		"@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
	/* Six lines between two changes are one hunk, seven are two. */
	exactly("a\n1\n2\n3\n4\n5\n6\nb\n", "A\n1\n2\n3\n4\n5\n6\nB\n",
		"@@ -1,8 +1,8 @@\n-a\n+A\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n+B\n");
	exactly("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
		"@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n");
}

/* What patch(1) does; the result in out. Returns how many lines were dropped and added. */
static int apply(const char *a, const char *hunks, struct buffer *out)
{
	int changes = 0, line = 0, last = 0;

	buffer_clear(out);
	while (*hunks) {
		const char *end = strchr(hunks, '\n') + 1;
		int first, count;

		if (sscanf(hunks, "@@ -%d,%d", &first, &count) == 2) {
			for (last = first - (count > 0); line < last; line++) {
				size_t n = strcspn(a, "\n") + 1;

				assert_int_equal(buffer_add(out, a, n), FC_OK);
				a += n;
			}
		} else if (*hunks == '+') {
			assert_int_equal(buffer_add(out, hunks + 1, (size_t)(end - hunks) - 1), FC_OK);
			changes++;
		} else {
			size_t n = (size_t)(end - hunks) - 1;

			assert_memory_equal(hunks + 1, a, n);
			if (*hunks == ' ')
				assert_int_equal(buffer_add(out, a, n), FC_OK);
			else
				changes++;
			a += n;
			line++;
		}
		hunks = end;
	}
	assert_int_equal(buffer_text(out, a), FC_OK);
	assert_int_equal(buffer_add(out, "", 1), FC_OK);
	return changes;
}

/* The longest common subsequence by the book. */
static int shortest(const char *a, const char *b)
{
	static int best[64][64];
	int n = (int)strlen(a) / 2, m = (int)strlen(b) / 2;

	for (int i = n; i >= 0; i--)
		for (int k = m; k >= 0; k--)
			best[i][k] = i == n || k == m                  ? 0
				     : a[2 * i] == b[2 * k]            ? best[i + 1][k + 1] + 1
				     : best[i + 1][k] > best[i][k + 1] ? best[i + 1][k]
								       : best[i][k + 1];
	return n + m - 2 * best[0][0];
}

static void any_two_texts(void **state)
{
	struct buffer hunks, result;

	(void)state;
	buffer_init(&hunks, 1 << 20);
	buffer_init(&result, 1 << 20);
	srandom(7);
	for (int round = 0; round < 20000; round++) {
		char text[2][128];

		for (int t = 0; t < 2; t++) {
			int lines = (int)(random() % 40), letters = 1 + (int)(random() % 6);
			int n = 0;

			for (int i = 0; i < lines; i++) {
				text[t][n++] = (char)('a' + random() % letters);
				text[t][n++] = '\n';
			}
			text[t][n] = '\0';
		}
		diff(text[0], text[1], &hunks);
		assert_int_equal(apply(text[0], hunks.data, &result), shortest(text[0], text[1]));
		assert_string_equal(result.data, text[1]);
	}
	buffer_fini(&hunks);
	buffer_fini(&result);
}

/* Two texts that have nothing in common: bounded, and still right. */
static void too_different(void **state)
{
	enum { LINES = 5000 };
	struct buffer a, b, hunks, result;

	(void)state;
	buffer_init(&a, 1 << 20);
	buffer_init(&b, 1 << 20);
	buffer_init(&hunks, 1 << 20);
	buffer_init(&result, 1 << 20);
	for (int i = 0; i < LINES; i++) {
		(void)buffer_printf(&a, "%s\n", i % 10 ? "x" : "same");
		(void)buffer_printf(&b, "%s\n", i % 10 ? "y" : "same");
	}
	diff(a.data, b.data, &hunks);
	int changes = apply(a.data, hunks.data, &result);
	assert_true(changes > DIFF_MAX && changes <= 2 * LINES);
	assert_string_equal(result.data, b.data);
	/* No room for the answer. */
	buffer_fini(&hunks);
	buffer_init(&hunks, 1000);
	assert_int_equal(diff_unified(a.data, a.len, b.data, b.len, &hunks), FC_ENOMEM);
	buffer_fini(&a);
	buffer_fini(&b);
	buffer_fini(&hunks);
	buffer_fini(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known_ones),
	    cmocka_unit_test(any_two_texts),
	    cmocka_unit_test(too_different),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
