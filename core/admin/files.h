/* Files: the page's own files, read from the www folder. Names have no folders in them, so nothing outside can be
 * reached; NAME.gz is preferred, since every browser takes it and flash and line are spared. */
#ifndef FC_ADMIN_FILES_H
#define FC_ADMIN_FILES_H

#include "loop/http_server.h"

/* Answers path ("/" is index.html) from folder: 200 or 404. */
void files_answer(const char *folder, const char *path, struct http_response *response);

#endif
