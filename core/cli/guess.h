/* Guess: what the cells of a vendor's register list mean. Pure functions. */
#ifndef FC_CLI_GUESS_H
#define FC_CLI_GUESS_H

enum guess_column {
	COLUMN_ADDRESS,
	COLUMN_NAME,
	COLUMN_TYPE,
	COLUMN_WORDS,
	COLUMN_SCALE,
	COLUMN_GAIN, /* value = register / gain */
	COLUMN_UNIT,
	COLUMN_ACCESS,
	COLUMN_FC,
	COLUMN_DESCRIPTION,
	COLUMNS,
};

/* The column that a header names, or -1. */
int guess_column(const char *header);

enum guess_base {
	BASE_AS_IS,   /* decimal */
	BASE_HEX,     /* 0x1000, 1000H: protocol addresses */
	BASE_MODICON, /* 4x0001, 400001: the first register is 1, the first digit the table */
	BASE_FIVE,    /* 40001: very likely the same */
};
/* "40001", "0x1000", "100-101" (the first). FC_OK; *table: 0, 1, 3 or 4, the digit in front of 400001 or 40001; *number: what
 * follows it as it stands (40001 itself for BASE_FIVE). FC_EINVAL. */
int guess_address(const char *text, enum guess_base *base, int *table, long *number);

struct guess_form {
	char type[8];
	int words; /* of a text, else 0 */
	int is_utf16;
	int is_sure; /* type and length say the same, or only one of them says it */
};
/* Either text may be "". FC_OK, FC_EINVAL: a type that is none we know. */
int guess_form(const char *type, const char *words, struct guess_form *form);
/* "0.1", "x 0,1", "1/10", "/10", "10^-1"; "" is 1. FC_EINVAL. */
int guess_scale(const char *text, double *scale);
/* The gateway's name for what is called so, or NULL. */
const char *guess_name(const char *name, const char *description);
/* A key for Lua: a-z, 0-9, _; at most 31 letters; "" when nothing is left of it. */
void guess_key(const char *name, char key[32]);

#endif
