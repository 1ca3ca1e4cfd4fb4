/* Match: Lua's patterns with a matcher of our own, which counts its steps. Any pattern may run on any text: one that takes too
 * many steps ends like a loop that never ends, with the error of the limit. Only files of this room include it.
 *
 * The language is that of the manual (6.4.1): classes, sets, * + - ?, %b, %f, captures, position captures, %1 to %9; an anchor at the
 * start is the caller's. No recursion: what may be tried another way is kept in a list of MATCH_CHOICES places; a pattern that needs
 * more (over a hundred repetitions and captures) is refused with an error. All functions may raise Lua errors. */
#ifndef FC_SCRIPT_MATCH_H
#define FC_SCRIPT_MATCH_H

#include <stddef.h>

#include <lua.h>

enum { MATCH_CHOICES = 256, MATCH_CAPTURES = 32 };

/* In place of a capture's length. */
enum { CAPTURE_OPEN = -1, CAPTURE_POSITION = -2 };

struct capture {
	const char *start;
	ptrdiff_t len;
};

/* What is done when the match cannot go on: another way is tried from text and pattern, or a capture is undone. */
enum choice_kind { CHOICE_FEWER, CHOICE_MORE, CHOICE_WITHOUT, UNDO_OPEN, UNDO_CLOSE };

struct choice {
	const char *text;    /* where the repetition began (FEWER), or goes on */
	const char *pattern; /* of the repeated item (MORE), else of what follows it */
	ptrdiff_t n;         /* FEWER: items still held; UNDO_CLOSE: the capture; MORE: length of the item */
	enum choice_kind kind;
};

struct matcher {
	lua_State *L;
	const char *text, *text_end, *pattern, *pattern_end;
	const char *t, *p; /* where the match is */
	struct capture captures[MATCH_CAPTURES];
	struct choice choices[MATCH_CHOICES];
	int levels; /* captures that were begun */
	int depth;  /* choices in use */
	size_t steps;
};

/* Of the function that a script called: the text is its first argument, the pattern its second; both stay there. */
void match_init(struct matcher *m, lua_State *L);
/* Does pattern (m's, or behind its anchor) match at t? Then the end of the match is m->t, and its captures are in m. */
int match_at(struct matcher *m, const char *t, const char *pattern);
/* Capture i, from 0, of the match from start to end; where there are none the whole match is the first. NULL when it is a position,
 * which is in *len then. */
const char *match_capture(struct matcher *m, int i, const char *start, const char *end, ptrdiff_t *len);
void match_push_capture(struct matcher *m, int i, const char *start, const char *end);
/* Counts steps: charged in batches. */
void match_count(struct matcher *m, size_t steps);
/* At the end of a call: what is left counts too, and one for the call itself. */
void match_count_rest(struct matcher *m);

#endif
