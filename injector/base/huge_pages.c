/*
 * The key derivation reads its 256 MiB in random order; with pages of 4 KiB most of its time goes
 * into page faults and address translation. libsodium maps that memory itself and gives no way to
 * say how, so the linker sends its call here (--wrap=mmap, docs/adr/0097). musl's own calls do not
 * pass this place, and a build that does not wrap does not take this file out of the library.
 *
 * Source: madvise(2) and Linux' Documentation/admin-guide/mm/transhuge.rst. A kernel that has no
 * huge page left or knows none gives ordinary ones.
 */
#include <sys/mman.h>
#include <sys/types.h>

#define WORTH_IT ((size_t)4 << 20)

void *__real_mmap(void *where, size_t n, int prot, int flags, int fd, off_t at);
void *__wrap_mmap(void *where, size_t n, int prot, int flags, int fd, off_t at);

void *__wrap_mmap(void *where, size_t n, int prot, int flags, int fd, off_t at)
{
	if (n < WORTH_IT || !(flags & MAP_ANONYMOUS))
		return __real_mmap(where, n, prot, flags, fd, at);
	/* Populated memory has its ordinary pages before anybody can ask for others. */
	void *p = __real_mmap(where, n, prot, flags & ~MAP_POPULATE, fd, at);
	if (p != MAP_FAILED)
		madvise(p, n, MADV_HUGEPAGE);
	return p;
}
