/* After Myers, "An O(ND) difference algorithm and its variations" (1986): the shortest way from one text to the other, by number of
 * lines dropped and added. */
#include "base/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

struct text {
	const char **at; /* count + 1 of them: where each line begins, and the end */
	char *changed;   /* by line: dropped, or added */
	int count;
};

struct diff {
	struct text a, b;
	int first, a_last, b_last; /* what is left between the lines that both begin and end with */
	int most;                  /* changes that are looked for */
	int **reached;             /* by number of changes: the furthest line of a on each diagonal */
};

static int split(struct text *t, const char *text, size_t len)
{
	const char *end = text + len;
	int count = 0;

	for (const char *p = text; p < end; count++) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));

		p = newline ? newline + 1 : end;
	}
	t->at = calloc((size_t)count + 1, sizeof(*t->at));
	t->changed = calloc((size_t)count + 1, 1);
	if (!t->at || !t->changed)
		return FC_ENOMEM;
	for (const char *p = text; p < end;) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));

		t->at[t->count++] = p;
		p = newline ? newline + 1 : end;
	}
	t->at[count] = end;
	return FC_OK;
}

static size_t length(const struct text *t, int line)
{
	return (size_t)(t->at[line + 1] - t->at[line]);
}

static int same(const struct diff *d, int i, int k)
{
	size_t len = length(&d->a, i);

	return len == length(&d->b, k) && !memcmp(d->a.at[i], d->b.at[k], len);
}

static void trim(struct diff *d)
{
	d->a_last = d->a.count;
	d->b_last = d->b.count;
	while (d->first < d->a_last && d->first < d->b_last && same(d, d->first, d->first))
		d->first++;
	while (d->a_last > d->first && d->b_last > d->first && same(d, d->a_last - 1, d->b_last - 1)) {
		d->a_last--;
		d->b_last--;
	}
}

/* The line of a from which the step to diagonal k with n changes starts. reached[n][k + n] for k in -n..n. */
static int step(const struct diff *d, int n, int k, int *down)
{
	const int *before = n ? d->reached[n - 1] + (n - 1) : NULL;

	*down = 0;
	if (!n)
		return d->first;
	*down = k == -n || (k != n && before[k - 1] < before[k + 1]);
	return *down ? before[k + 1] : before[k - 1] + 1;
}

/* Goes as far as n changes lead. Nonzero at the end of both. */
static int walk(struct diff *d, int n)
{
	int down;

	for (int k = -n; k <= n; k += 2) {
		int x = step(d, n, k, &down), y = x - k;

		while (x < d->a_last && y < d->b_last && y >= d->first && same(d, x, y)) {
			x++;
			y++;
		}
		d->reached[n][k + n] = x;
		if (x == d->a_last && y == d->b_last)
			return 1;
	}
	return 0;
}

/* Back along the way that was found. */
static void mark(struct diff *d, int n, int k)
{
	for (; n; n--) {
		int down, x = step(d, n, k, &down);

		if (down)
			d->b.changed[x - k - 1] = 1;
		else
			d->a.changed[x - 1] = 1;
		k += down ? 1 : -1;
	}
}

static void mark_all(struct diff *d)
{
	memset(d->a.changed + d->first, 1, (size_t)(d->a_last - d->first));
	memset(d->b.changed + d->first, 1, (size_t)(d->b_last - d->first));
}

static int compare(struct diff *d)
{
	d->most = d->a_last - d->first + d->b_last - d->first;
	if (d->most > DIFF_MAX)
		d->most = DIFF_MAX;
	d->reached = calloc((size_t)d->most + 1, sizeof(*d->reached));
	if (!d->reached)
		return FC_ENOMEM;
	for (int n = 0; n <= d->most; n++) {
		d->reached[n] = malloc((2 * (size_t)n + 1) * sizeof(int));
		if (!d->reached[n])
			return FC_ENOMEM;
		if (walk(d, n)) {
			mark(d, n, d->a_last - d->b_last);
			return FC_OK;
		}
	}
	mark_all(d);
	return FC_OK;
}

static void put_line(struct buffer *out, char sign, const struct text *t, int line)
{
	size_t len = length(t, line);

	(void)buffer_add(out, &sign, 1);
	(void)buffer_add(out, t->at[line], len);
	if (t->at[line][len - 1] != '\n')
		(void)buffer_text(out, "\n\\ No newline at end of file\n");
}

struct hunk {
	int a, b, a_count, b_count;
};

/* From where both texts stand, lines that are alike before it: the hunk's end, that is DIFF_CONTEXT behind its last change. */
static void measure(const struct diff *d, struct hunk *h)
{
	int a = h->a, b = h->b, quiet = 0;

	while (a < d->a.count || b < d->b.count) {
		int is_change = (a < d->a.count && d->a.changed[a]) || (b < d->b.count && d->b.changed[b]);

		/* Two changes this near are one hunk. */
		if (!is_change && quiet == 2 * DIFF_CONTEXT && h->a_count + h->b_count)
			break;
		if (is_change) {
			for (; a < d->a.count && d->a.changed[a]; a++)
				;
			for (; b < d->b.count && d->b.changed[b]; b++)
				;
			quiet = 0;
		} else {
			a++;
			b++;
			quiet++;
		}
		if (quiet <= DIFF_CONTEXT) {
			h->a_count = a - h->a;
			h->b_count = b - h->b;
		}
	}
}

static void put_hunk(const struct diff *d, const struct hunk *h, struct buffer *out)
{
	int a = h->a, b = h->b;

	/* An empty range is named by the line before it. */
	(void)buffer_printf(out, "@@ -%d,%d +%d,%d @@\n", h->a + (h->a_count > 0), h->a_count, h->b + (h->b_count > 0),
			    h->b_count);
	while (a < h->a + h->a_count || b < h->b + h->b_count) {
		if (a < h->a + h->a_count && d->a.changed[a]) {
			put_line(out, '-', &d->a, a++);
		} else if (b < h->b + h->b_count && d->b.changed[b]) {
			put_line(out, '+', &d->b, b++);
		} else {
			put_line(out, ' ', &d->a, a++);
			b++;
		}
	}
}

static void put_hunks(const struct diff *d, struct buffer *out)
{
	int a = 0, b = 0;

	while (a < d->a.count || b < d->b.count) {
		if ((a < d->a.count && d->a.changed[a]) || (b < d->b.count && d->b.changed[b])) {
			int back = a < DIFF_CONTEXT ? a : DIFF_CONTEXT;
			struct hunk h = {.a = a - back, .b = b - back};

			measure(d, &h);
			put_hunk(d, &h, out);
			a = h.a + h.a_count;
			b = h.b + h.b_count;
		} else {
			a++;
			b++;
		}
	}
}

static void free_diff(struct diff *d)
{
	for (int n = 0; d->reached && n <= d->most; n++)
		free(d->reached[n]);
	free(d->reached);
	free(d->a.at);
	free(d->a.changed);
	free(d->b.at);
	free(d->b.changed);
}

int diff_unified(const char *a, size_t a_len, const char *b, size_t b_len, struct buffer *out)
{
	struct diff d = {0};
	int result = split(&d.a, a, a_len) || split(&d.b, b, b_len) ? FC_ENOMEM : FC_OK;

	if (!result) {
		trim(&d);
		result = compare(&d);
	}
	if (!result)
		put_hunks(&d, out);
	free_diff(&d);
	return result || out->failed ? FC_ENOMEM : FC_OK;
}
