/* Format: figures for people, from the integers that they are. */
#ifndef FC_CLI_FORMAT_H
#define FC_CLI_FORMAT_H

#include <stdint.h>

enum { FORMAT_SIZE = 40 };

/* 1/10 000 yuan as yuan with 2 decimals, half up; a unit price with 4. Each returns out. */
const char *format_money(int64_t money_e4, char out[FORMAT_SIZE]);
const char *format_price(int64_t money_e4, char out[FORMAT_SIZE]);
/* Wh as kWh with 3 decimals: exact. */
const char *format_kwh(int64_t wh, char out[FORMAT_SIZE]);
/* Thousandths, without zeros behind the point. */
const char *format_point(int64_t milli, char out[FORMAT_SIZE]);
/* W as kW with 1 decimal. */
const char *format_kw(int64_t w, char out[FORMAT_SIZE]);
/* "3d 04:05:06" */
const char *format_duration(int64_t s, char out[FORMAT_SIZE]);
const char *format_megabytes(int64_t bytes, char out[FORMAT_SIZE]);
const char *format_int(int64_t i, char out[FORMAT_SIZE]);

#endif
