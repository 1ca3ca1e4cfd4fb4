/* The daemon's files are in no library. */
#include "main/reload.c"   /* NOLINT(bugprone-suspicious-include) */
#include "main/services.c" /* NOLINT(bugprone-suspicious-include) */
