#include "base/usage.h"

#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int64_t usage_rss_kb(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (!file)
		return 0;
	if (fscanf(file, "%*s %ld", &pages) != 1)
		pages = 0;
	(void)fclose(file);
	return (int64_t)pages * (sysconf(_SC_PAGESIZE) / 1024);
}

int usage_has_room(size_t bytes)
{
	void *volatile block =
	    malloc(bytes); /* volatile: a compiler may leave out what is not used, and say that there was room */
	int has_room = block != NULL;

	free(block);
	return has_room;
}

/* 1 when nothing but zeros is there: then giving it back changes nothing that can be read. */
static int is_clear(const unsigned char *page, size_t size)
{
	return !page[0] && !memcmp(page, page + 1, size - 1);
}

static int spare_module(struct dl_phdr_info *module, size_t size, void *user)
{
	const uintptr_t page = *(const uintptr_t *)user;

	if (size < sizeof(*module) || !module->dlpi_tls_data)
		return 0;
	for (int i = 0; i < module->dlpi_phnum; i++) {
		if (module->dlpi_phdr[i].p_type != PT_TLS)
			continue;
		uintptr_t begin = (uintptr_t)module->dlpi_tls_data, end = begin + module->dlpi_phdr[i].p_memsz;

		for (uintptr_t at = (begin + page - 1) / page * page; at + page <= end; at += page)
			if (is_clear((const unsigned char *)at, page))
				(void)madvise((void *)at, page, MADV_DONTNEED);
	}
	return 0;
}

void usage_spare_thread(void)
{
	long page = sysconf(_SC_PAGESIZE);
	uintptr_t size = (uintptr_t)page;

	if (page > 0)
		(void)dl_iterate_phdr(spare_module, &size);
}

/* Below where it is called from: this much is left for what is called there, this much is looked after. Deeper no worker goes, and what
 * lies below a stack of 128 kB is somebody else's: of Debian's wolfSSL 49 kB of it are thread-local storage. */
enum { STACK_NEAR = 2048, STACK_DEEP = 32 * 1024 };

__attribute__((noinline)) void usage_spare_stack(void)
{
	long size = sysconf(_SC_PAGESIZE);
	uintptr_t here = (uintptr_t)__builtin_frame_address(0), page = (uintptr_t)size;

	if (size <= 0)
		return;
	uintptr_t end = (here - STACK_NEAR) / page * page, begin = end - STACK_DEEP;
	(void)madvise((void *)begin, end - begin, MADV_DONTNEED);
}

void *usage_pages_new(size_t size)
{
	void *pages = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return pages == MAP_FAILED ? NULL : pages;
}

void usage_pages_clear(void *pages, size_t size)
{
	/* Locked memory is not given back. */
	if (madvise(pages, size, MADV_DONTNEED))
		memset(pages, 0, size);
}

void usage_pages_free(void *pages, size_t size)
{
	if (pages)
		(void)munmap(pages, size);
}
