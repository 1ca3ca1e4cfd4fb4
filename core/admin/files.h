/* Files: the page's own files, read from the www folder: NAME, or NAME in its subfolder assets. Names are plain, so that nothing outside
 * can be reached; NAME.gz is preferred, since every browser takes it and flash and line are spared.
 *
 * A name that has its content's hash in it ("main-3F2A7C1B.js", as esbuild makes them) is kept by the browser for ever; others are asked
 * for again each time, and answered 304 while they are the same. */
#ifndef FC_ADMIN_FILES_H
#define FC_ADMIN_FILES_H

#include "loop/http_server.h"

enum { FILES_HEADERS = 256 };

/* Answers the request's path ("/" is index.html) from folder: 200, 304 or 404. headers: where the answer's may stand until it is
 * sent. */
void files_answer(const char *folder, const struct http_request *request, struct http_response *response,
		  char headers[FILES_HEADERS]);

#endif
