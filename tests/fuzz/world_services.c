/* The daemon's files are in no library. */
#include "main/services.c" /* NOLINT(bugprone-suspicious-include) */
