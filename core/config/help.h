/* Help: what each section and option is for, in English and Chinese: shown by the page's forms. A test holds it against the schema. */
#ifndef FC_CONFIG_HELP_H
#define FC_CONFIG_HELP_H

struct help {
	const char *type;   /* of the section */
	const char *option; /* "" = the section itself: its title */
	int is_basic;       /* 1: shown at once; 0: among the advanced ones */
	const char *english, *chinese;
};

/* Ends with a NULL type. */
extern const struct help help_texts[];
/* NULL when there is none. */
const struct help *help_find(const char *type, const char *option);

#endif
